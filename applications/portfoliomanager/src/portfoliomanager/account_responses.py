"""The JSON bodies of the account: the portfolio as the broker has it, and performance."""

import datetime as dt
from typing import Self

from pydantic import BaseModel, ConfigDict, Field

from internal.trading.broker_reports import BrokerPosition
from internal.trading.enums import Side
from internal.trading.performance import PerformanceReport
from portfoliomanager.portfolio_view import PortfolioView
from portfoliomanager.responses import FunnelResponse
from portfoliomanager.strategy_response import StrategyRecordResponse


class CurrentPositionResponse(BaseModel):
    """A position as the broker reports it; dollars, null where the broker has no price."""

    ticker: str
    side: Side
    quantity: float = Field(description="shares, positive on both sides")
    entry_price: float
    price: float | None
    market_value: float | None = Field(description="negative when short")
    unrealized_gain: float | None

    @classmethod
    def of(cls, position: BrokerPosition) -> Self:
        """The position, its side and shares apart."""
        return cls(
            ticker=position.ticker,
            side=Side.LONG if position.quantity > 0 else Side.SHORT,
            quantity=abs(position.quantity),
            entry_price=position.average_entry_price,
            price=position.current_price,
            market_value=position.market_value,
            unrealized_gain=position.unrealized_profit,
        )


class CurrentPortfolioResponse(BaseModel):
    """Totals and positions as the broker has them; dollars, exposures as fractions of net asset value."""

    as_of: dt.datetime = Field(description="the market's clock")
    portfolio_id: str
    strategy: StrategyRecordResponse = Field(description="the strategy that decided this portfolio")
    notes: list[str] = Field(description="what fell short of what it asked for, such as why nothing was opened")
    funnel: FunnelResponse | None = Field(description="of the decision; null where its names were not stored")
    net_asset_value: float
    cash: float
    gross_exposure: float
    net_exposure: float
    long_market_value: float
    short_market_value: float = Field(description="negative")
    positions: list[CurrentPositionResponse]

    @classmethod
    def of(cls, view: PortfolioView) -> Self:
        """The view as JSON."""
        account = view.account
        return cls(
            as_of=view.as_of,
            portfolio_id=view.run.portfolio_id,
            strategy=StrategyRecordResponse.of_run(view.run),
            notes=list(view.run.notes),
            funnel=None if view.funnel is None else FunnelResponse.model_validate(view.funnel),
            net_asset_value=account.net_asset_value,
            cash=account.cash,
            gross_exposure=view.gross_exposure,
            net_exposure=view.net_exposure,
            long_market_value=account.long_market_value,
            short_market_value=account.short_market_value,
            positions=[CurrentPositionResponse.of(position) for position in view.positions],
        )


class PerformancePointResponse(BaseModel):
    """The fund at a snapshot; dollars, exposures as fractions of net asset value, costs so far."""

    model_config = ConfigDict(from_attributes=True)
    timestamp: dt.datetime
    net_asset_value: float
    cash: float
    gross_exposure: float
    net_exposure: float
    slippage: float
    fees: float
    borrow: float
    total_return: float = Field(serialization_alias="return", description="time-weighted, since the first point")


class RealizedCostResponse(BaseModel):
    """Dollars paid so far; positive is a cost."""

    model_config = ConfigDict(from_attributes=True)
    slippage: float = Field(
        description="fills against the closes that were decided at, overnight moves included; below 0, a gain"
    )
    fees: float
    borrow: float


class PerformanceResponse(BaseModel):
    """Value over time, oldest first, and what became of it."""

    points: list[PerformancePointResponse]
    total_return: float = Field(
        serialization_alias="return",
        description="time-weighted: what a dollar of the first point has gained; flows are no return",
    )
    maximum_drawdown: float = Field(
        description="largest fall of the same dollar from an earlier peak, a positive fraction of it"
    )
    realized_cost: RealizedCostResponse

    @classmethod
    def of(cls, report: PerformanceReport) -> Self:
        """The report as JSON."""
        return cls(
            points=[PerformancePointResponse.model_validate(point) for point in report.points],
            total_return=report.total_return,
            maximum_drawdown=report.maximum_drawdown,
            realized_cost=RealizedCostResponse.model_validate(report.realized_cost),
        )
