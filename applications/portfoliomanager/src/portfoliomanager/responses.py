"""The JSON bodies of portfolios, orders, reconciliations and predictions.

`account_responses` has those of the account, `explanation_response` that of an explanation.
"""

import datetime as dt
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from internal.trading.enums import Action, Adjustment, ForeignKind, Leg, OrderSide, OrderState, RunState, Side
from internal.trading.foreign_items import ForeignItem
from internal.trading.portfolio import Portfolio, PortfolioRow
from internal.trading.rebalancing import Outcome, ReconciliationOutcome
from portfoliomanager.forecasting import Predicted
from portfoliomanager.strategy_response import StrategyRecordResponse


class RowResponse(BaseModel):
    """Made from a row of the trading core with the same fields."""

    model_config = ConfigDict(from_attributes=True)


class PositionResponse(BaseModel):
    """One name of a portfolio after its decision; a row of the frame `portfolios`."""

    portfolio_id: str
    date: dt.date
    ticker: str
    side: Side
    action: Action
    quantity: float = Field(description="shares after the action")
    dollar_amount: float
    reference_price: float = Field(description="close of the day, dollars")
    opened_date: dt.date
    entry_price: float
    quantile_10: float | None = Field(description="the band in force: cumulative simple return from entry")
    quantile_50: float | None
    quantile_90: float | None
    reason: str
    model_version: str
    bars_version: int
    frozen: bool = Field(description="the position must not be touched today")
    held: float = Field(description="shares before the action")
    security_id: str | None = Field(description="permanent, whatever the ticker becomes")

    @classmethod
    def of(cls, portfolio: Portfolio, row: PortfolioRow) -> Self:
        """The row, with what it was decided from."""
        band = row.band
        return cls(
            portfolio_id=portfolio.portfolio_id,
            date=portfolio.day,
            ticker=row.ticker,
            side=row.side,
            action=row.action,
            quantity=row.quantity,
            dollar_amount=row.dollar_amount,
            reference_price=row.reference_price,
            opened_date=row.opened_date,
            entry_price=row.entry_price,
            quantile_10=band.quantile_10 if band else None,
            quantile_50=band.quantile_50 if band else None,
            quantile_90=band.quantile_90 if band else None,
            reason=row.reason,
            model_version=portfolio.model_version,
            bars_version=portfolio.bars_version,
            frozen=row.frozen,
            held=row.held,
            security_id=row.security_id,
        )


class FunnelResponse(RowResponse):
    """How many names were left after each condition of a decision."""

    listed: int
    priced: int = Field(description="with a close of the day")
    eligible: int = Field(description="that could have been opened long")
    forecast: int = Field(description="of the eligible, those with a forecast; all where none is needed")
    shortable: int = Field(description="of these, those that the broker lends")
    chosen: int = Field(description="in the portfolio after the decision")


class OrderResponse(RowResponse):
    """One order; a row of the frame `orders`."""

    portfolio_id: str
    date: dt.date
    client_order_id: str
    ticker: str
    side: OrderSide
    leg: Leg
    quantity: float
    reference_price: float = Field(description="close of `date`, dollars")
    order_type: Literal["market"] = "market"
    time_in_force: str
    state: OrderState
    broker_order_id: str | None
    filled_quantity: float
    filled_average_price: float | None
    reason: str
    updated_at: dt.datetime
    adjustment: Adjustment = Field(description="whether it was changed or added to keep the sides equal")
    security_id: str | None = Field(description="permanent, whatever the ticker becomes")
    asset_id: str | None = Field(description="the broker's own id of the security")


class ForeignPositionResponse(RowResponse):
    """A position that the journal does not explain; it is left alone."""

    kind: Literal[ForeignKind.POSITION]
    ticker: str
    quantity: float = Field(description="shares, negative when short")


class ForeignOrderResponse(RowResponse):
    """An open order that the fund did not send; it is left alone."""

    kind: Literal[ForeignKind.ORDER]
    ticker: str
    quantity: float
    side: OrderSide
    client_order_id: str


type ForeignResponse = ForeignPositionResponse | ForeignOrderResponse


def foreign_response(item: ForeignItem) -> ForeignResponse:
    """What is not the fund's, by its kind."""
    model = ForeignPositionResponse if item.kind is ForeignKind.POSITION else ForeignOrderResponse
    return model.model_validate(item)


class DecisionResponse(RowResponse):
    """A decision: its session, and how far its orders are."""

    date: dt.date = Field(description="the session at whose close it was decided")
    portfolio_id: str
    state: RunState
    updated_at: dt.datetime


class RebalanceResponse(BaseModel):
    """A session's portfolio and its orders as they stand."""

    portfolio_id: str
    date: dt.date
    state: RunState
    strategy: StrategyRecordResponse = Field(description="the strategy that decided")
    positions: list[PositionResponse]
    orders: list[OrderResponse]
    notes: list[str] = Field(description="what fell short of what the strategy asked for, one sentence each")
    foreign: list[ForeignResponse]

    @classmethod
    def of(cls, outcome: Outcome) -> Self:
        """The run with its portfolio and orders."""
        run, portfolio = outcome.run, outcome.portfolio
        return cls(
            portfolio_id=run.portfolio_id,
            date=run.date,
            state=run.state,
            strategy=StrategyRecordResponse.of_run(run),
            positions=[PositionResponse.of(portfolio, row) for row in portfolio.rows] if portfolio else [],
            orders=[OrderResponse.model_validate(order) for order in outcome.orders],
            notes=list(run.notes),
            foreign=[foreign_response(item) for item in outcome.foreign],
        )


class ReconciliationResponse(BaseModel):
    """How many of the unfinished orders are final, open or unresolved now, and what is not the fund's."""

    resolved: int
    open: int
    unresolved: int
    foreign: list[ForeignResponse]

    @classmethod
    def of(cls, outcome: ReconciliationOutcome) -> Self:
        """The outcome as JSON."""
        counts = outcome.counts
        foreign = [foreign_response(item) for item in outcome.foreign]
        return cls(resolved=counts.resolved, open=counts.open, unresolved=counts.unresolved, foreign=foreign)


class ExcludedTickerResponse(BaseModel):
    """A ticker that was not forecast, and why."""

    ticker: str
    reason: str


class PredictionsResponse(BaseModel):
    """Predictions that were made and stored."""

    date: dt.date
    tickers: int
    rows: int
    model_version: str
    bars_version: int
    reforecasts: int = Field(description="rows beside the session's first forecasts, which stay")
    excluded: list[ExcludedTickerResponse]

    @classmethod
    def of(cls, predicted: Predicted) -> Self:
        """Their size, and what was left out."""
        forecast = predicted.forecast
        return cls(
            date=predicted.day,
            tickers=forecast.frame.get_column("ticker").n_unique(),
            rows=forecast.frame.height,
            model_version=predicted.model_version,
            bars_version=predicted.bars_version,
            reforecasts=predicted.reforecasts,
            excluded=[ExcludedTickerResponse(ticker=ticker, reason=reason) for ticker, reason in forecast.excluded],
        )
