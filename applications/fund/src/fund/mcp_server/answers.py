"""The typed answers of the MCP server, with the units that a reader needs, beside those of the command line."""

import datetime as dt
from typing import Self

import polars as pl
from pydantic import BaseModel, Field

from fund.answers import PendingEvent, Position, RealizedCost
from fund.status_answer import ServiceStatus
from fund.trading_answers import TradingState
from internal.modes import Mode


class FundStatus(BaseModel):
    """Whether the fund runs, whose money it trades, what it may send, and with which strategy and model it decides."""

    mode: Mode | None = Field(description="simulated, paper or live; null before the fund was opened")
    running: bool = Field(description="Whether every service answers")
    services: list[ServiceStatus]
    trading_state: TradingState | None = Field(description="What the fund may send; null while it does not run")
    strategy: str | None
    model: str


class ForeignHolding(BaseModel):
    """A position or an open order of the account that is not the fund's: traded by hand, or by another program."""

    kind: str
    ticker: str
    quantity: float


class Positions(BaseModel):
    """Positions and totals as the broker reports them; dollars, exposure as a share of net asset value."""

    as_of: str
    net_asset_value: float
    cash: float
    gross_exposure: float
    net_exposure: float
    positions: list[Position]
    foreign: list[ForeignHolding]


class Decision(BaseModel):
    """The decision of one session, at its close."""

    date: dt.date
    portfolio_id: str
    state: str = Field(description="How far its orders are: planned, submitted, reconciled, ...")
    updated_at: dt.datetime


class Decisions(BaseModel):
    """Decisions, oldest first."""

    decisions: list[Decision]


class Target(BaseModel):
    """What a decision wants to hold of one ticker, and why; dollars, and quantiles of the forecast return."""

    ticker: str
    side: str
    action: str = Field(description="What the decision does: hold, open, close, ...")
    quantity: float = Field(description="Shares wanted")
    held: float | None = Field(description="Shares held when it was decided")
    dollar_amount: float
    reference_price: float
    opened_date: dt.date | None
    entry_price: float | None
    quantile_10: float | None
    quantile_50: float | None
    quantile_90: float | None
    reason: str


class Order(BaseModel):
    """An order of the journal; shares and dollars."""

    date: dt.date = Field(description="The session at whose close it was decided")
    ticker: str
    side: str
    leg: str = Field(description="Whether it opens or closes a position")
    quantity: float
    reference_price: float = Field(description="The close at which it was decided")
    state: str
    filled_quantity: float
    filled_average_price: float | None
    reason: str
    client_order_id: str

    @classmethod
    def list_of(cls, frame: pl.DataFrame) -> list[Self]:
        """The orders of a frame."""
        return [cls.model_validate(row) for row in frame.to_dicts()]


class Orders(BaseModel):
    """Orders, newest first."""

    orders: list[Order]


class DecisionDetails(BaseModel):
    """One decision with everything that it wants to hold, and the orders that lead there."""

    decision: Decision
    targets: list[Target]
    orders: list[Order]


class ForecastStep(BaseModel):
    """One session ahead: quantiles of the simple return from the close of the forecast's session to that close."""

    horizon: int = Field(description="Sessions ahead")
    target_date: dt.date
    quantile_10: float
    quantile_50: float
    quantile_90: float


class Forecast(BaseModel):
    """The forecast of a ticker's return over the next seven sessions."""

    ticker: str
    date: dt.date = Field(description="The session from whose close it was forecast")
    model_version: str
    bars_version: int
    steps: list[ForecastStep]


class ForecastWeights(BaseModel):
    """Which inputs the network looked at for a forecast; the weights of each kind sum to one."""

    ticker: str
    date: dt.date
    model_version: str
    static: dict[str, float] = Field(description="Weight by property of the ticker")
    past: dict[str, float] = Field(description="Weight by variable of past sessions")
    future: dict[str, float] = Field(description="Weight by what is known of the sessions ahead")


class TickerExplanation(BaseModel):
    """Why a ticker is held, traded or left out, by the last decision."""

    ticker: str
    why: str
    decision: Decision
    target: Target | None = Field(description="What the decision wants to hold; null where it wants nothing")
    orders: list[Order] = Field(description="Orders of the decision for this ticker")
    position: Position | None = Field(description="What the account holds; null where it holds nothing")
    forecast: Forecast | None = Field(description="The newest forecast; null where there is none")


class ServiceHealth(BaseModel):
    """Whether a service can work: for each thing that it needs, `ok` or what is wrong with it."""

    service: str
    ready: bool
    checks: dict[str, str]


class Health(BaseModel):
    """The services' readiness, and events that were given up and that a person has to look at."""

    services: list[ServiceHealth]
    given_up: list[PendingEvent]


class AccountPoint(BaseModel):
    """The account at one moment; dollars, exposure as a share of net asset value, cost since the start."""

    timestamp: str
    net_asset_value: float
    cash: float
    gross_exposure: float
    net_exposure: float


class AccountPerformance(BaseModel):
    """Return and maximum drawdown since the start as fractions, cost in dollars, and the account over time."""

    total_return: float
    maximum_drawdown: float
    realized_cost: RealizedCost
    points: list[AccountPoint]
