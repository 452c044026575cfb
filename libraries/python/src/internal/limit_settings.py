"""The risk limits as settings: `LIMIT_` and the limit's name in capitals, each with the default of `RiskLimits`."""

from dataclasses import fields

from pydantic import Field
from pydantic_settings import BaseSettings

from internal.settings import SETTINGS_CONFIG
from internal.trading.limits import RiskLimits
from internal.trading.name_filter import NameFilter

PREFIX = "limit_"


class LimitSettings(BaseSettings):
    """A mixin for settings. What each limit means is written at `RiskLimits`."""

    model_config = SETTINGS_CONFIG

    limit_gross_exposure: float = Field(default=RiskLimits.gross_exposure, gt=0, le=10)
    limit_net_exposure: float = Field(default=RiskLimits.net_exposure, ge=0, le=10)
    limit_name_weight: float = Field(default=RiskLimits.name_weight, gt=0, le=10)
    limit_participation: float = Field(default=RiskLimits.participation, gt=0, le=1)
    limit_balance_tolerance: float = Field(default=RiskLimits.balance_tolerance, ge=0, le=1)
    limit_missing_sessions: int = Field(default=RiskLimits.missing_sessions, ge=1)
    limit_sector_weight: float = Field(default=RiskLimits.sector_weight, gt=0, le=10)
    limit_beta: float = Field(default=RiskLimits.beta, gt=0, le=10)
    limit_order_size: float = Field(default=RiskLimits.order_size, gt=0, le=10)
    limit_orders_a_day: int = Field(default=RiskLimits.orders_a_day, ge=1)
    limit_turnover: float = Field(default=RiskLimits.turnover, gt=0, le=10)
    limit_price_collar: float = Field(default=RiskLimits.price_collar, gt=0)
    limit_current_bars: float = Field(default=RiskLimits.current_bars, ge=0, le=1)
    limit_current_forecasts: float = Field(default=RiskLimits.current_forecasts, ge=0, le=1)
    limit_journal_difference: float = Field(default=RiskLimits.journal_difference, gt=0, le=10)
    limit_hand_trade_sessions: int = Field(default=RiskLimits.hand_trade_sessions, ge=0, le=60)
    limit_daily_loss: float = Field(default=RiskLimits.daily_loss, gt=0, le=1)
    limit_drawdown_reduce: float = Field(default=RiskLimits.drawdown_reduce, gt=0, le=1)
    limit_drawdown_halt: float = Field(default=RiskLimits.drawdown_halt, gt=0, le=1)

    def risk_limits(self, names: NameFilter) -> RiskLimits:
        """The limits, with the filter of names."""
        values = {one.name: getattr(self, PREFIX + one.name) for one in fields(RiskLimits) if one.name != "names"}
        return RiskLimits(names=names, **values)
