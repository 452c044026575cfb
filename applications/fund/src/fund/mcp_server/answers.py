"""The typed answers of the MCP server, with the units that a reader needs, beside those of the command line."""

import datetime as dt
from typing import Self

import polars as pl
from pydantic import BaseModel, Field

from fund.answers import PendingEvent, Position, RealizedCost
from fund.status_answer import ServiceStatus
from fund.trading_answers import TradingState
from internal.backtests.report import BacktestReport
from internal.modes import Mode
from internal.trading.enums import NameOutcome


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


class Funnel(BaseModel):
    """How many names were left after each condition of a decision."""

    listed: int
    priced: int = Field(description="With a close of the day")
    eligible: int = Field(description="That could have been opened long")
    forecast: int = Field(description="Of the eligible, those with a forecast; all where none is needed")
    shortable: int = Field(description="Of these, those that the broker lends")
    chosen: int = Field(description="In the portfolio after the decision")


class DecidedName(BaseModel):
    """What a decision made of one name, and why; price in dollars, quantiles of the return to the longest horizon."""

    ticker: str
    outcome: NameOutcome
    reason: str
    price: float | None = Field(description="The close of the day")
    quantile_10: float | None
    quantile_50: float | None
    quantile_90: float | None
    shares_before: float = Field(description="Negative when short")
    side: str | None = Field(description="Long or short; null where the name is not in the portfolio")
    action: str | None = Field(description="What the decision does with it")
    quantity: float | None = Field(description="Shares after the action")


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


class DecisionDetails(Decision):
    """One decision: with which strategy and model, how many names each condition left, positions and orders."""

    strategy: str
    parameters: str = Field(description="JSON")
    model_version: str
    bars_version: int
    notes: list[str]
    funnel: Funnel | None = Field(description="Null for a decision that was taken before reasons were stored")
    positions: list[DecidedName] = Field(description="Names that are held before or after the decision")
    outcomes: dict[NameOutcome, int] = Field(description="Names by what became of them")
    orders: list[Order]


class DecidedNames(BaseModel):
    """Names of one decision with their reasons."""

    date: dt.date
    names: list[DecidedName]


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
    """Why a ticker is held, traded or left out by a decision."""

    ticker: str
    why: str
    decision: Decision
    name: DecidedName | None = Field(description="What the decision made of it; null where it did not see it")
    orders: list[Order] = Field(description="Orders of the decision for this ticker")
    position: Position | None = Field(description="What the account holds now; null where it holds nothing")
    forecast: Forecast | None = Field(description="The forecast at that close; null where there is none")


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


class Measure(BaseModel):
    """A figure with its 95 % interval, in its unit; null where it is not defined."""

    title: str
    unit: str
    value: float | None
    lower: float | None
    upper: float | None


class Backtest(BaseModel):
    """One backtest; its figures do not say what the best of many trials is worth, its verdict does."""

    strategy: str
    parameters: dict[str, object]
    first_session: dt.date
    last_session: dt.date
    market: str
    verdict: str
    measures: list[Measure]

    @classmethod
    def of(cls, report: BacktestReport) -> Self:
        """The backtest of a report."""
        settings = report.settings
        return cls(
            strategy=settings.strategy,
            parameters=dict(settings.parameters),
            first_session=settings.first_session,
            last_session=settings.last_session,
            market=settings.market,
            verdict=report.verdict,
            measures=[
                Measure(**{name: getattr(one, name) for name in Measure.model_fields}) for one in report.measures
            ],
        )


class Backtests(BaseModel):
    """Backtests, newest first, and how many trials there were in all: each was a chance to be lucky."""

    trials: int
    backtests: list[Backtest]
