"""Alpaca's account and its configurations, with all keys and types of the real answers.

Keys follow recorded answers of the paper API after 2026-07-06, when the pattern-day-trader fields were removed.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from exchange.responses.sparse import SparseBody


class AccountBody(BaseModel):
    """`GET /v2/account`; amounts are dollars, written as text."""

    id: str
    admin_configurations: dict[str, str]
    user_configurations: None
    account_number: str
    status: str
    crypto_status: str
    options_approved_level: int
    options_trading_level: int
    currency: str
    buying_power: str
    regt_buying_power: str
    effective_buying_power: str
    non_marginable_buying_power: str
    options_buying_power: str
    bod_dtbp: str
    cash: str
    accrued_fees: str
    portfolio_value: str
    trading_blocked: bool
    transfers_blocked: bool
    account_blocked: bool
    created_at: str
    trade_suspended_by_user: bool
    multiplier: str
    shorting_enabled: bool
    equity: str
    last_equity: str
    long_market_value: str
    short_market_value: str
    position_market_value: str
    initial_margin: str
    maintenance_margin: str
    last_maintenance_margin: str
    sma: str
    balance_asof: str
    crypto_tier: int
    intraday_adjustments: str
    pending_reg_taf_fees: str


class AccountConfigurationsBody(BaseModel):
    """`/v2/account/configurations`; what a PATCH leaves out stays."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    disable_overnight_trading: bool
    fractional_trading: bool
    max_margin_multiplier: Literal["1", "2", "4"]
    max_options_trading_level: int | None
    no_shorting: bool
    ptp_no_exception_entry: bool
    suspend_trade: bool
    trade_confirm_email: Literal["all", "none"]


class PortfolioHistoryBody(SparseBody):
    """`GET /v2/account/portfolio/history`: one element a window; dollars, and moments as Unix seconds.

    `cashflow` is left out unless it is asked for, `base_value_asof` where the first window is the base.
    """

    timestamp: list[int]
    equity: list[float]
    profit_loss: list[float]
    profit_loss_pct: list[float | None]
    base_value: float
    base_value_asof: str | None
    timeframe: str
    cashflow: dict[str, list[float]] | None
