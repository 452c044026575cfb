"""The JSON that the services answer, as far as the command line reads it."""

from datetime import date
from typing import Any

from pydantic import BaseModel, Field

from internal.dates import previous_session
from internal.strategies.parameter_text import write_parameters
from internal.trading.funnel import Funnel


class ExchangeState(BaseModel):
    """The exchange's clock and market: `GET /control/state`."""

    timestamp: str
    session: date
    phase: str
    sessions_left: int
    market: str
    planted_signal: str
    tickers: int
    first_session: date

    @property
    def last_closed(self) -> date:
        """The last session that has closed by the exchange's clock."""
        return self.session if self.phase == "closed" else previous_session(self.session)


class ExcludedTicker(BaseModel):
    """A ticker that was not forecast, and why."""

    ticker: str
    reason: str


class ForecastSummary(BaseModel):
    """What was forecast: `POST /predictions`."""

    date: date
    tickers: int
    model_version: str
    bars_version: int
    excluded: list[ExcludedTicker]


class Strategy(BaseModel):
    """A strategy as it is recorded with every decision."""

    name: str
    parameters: dict[str, Any]
    digest: str

    def describe(self) -> str:
        """Name, parameters and digest in one sentence."""
        given = write_parameters(self.parameters) or "parameters not recorded"
        return f"strategy {self.name} ({given}), digest {self.digest[:12] or 'not recorded'}"


class DecidingStrategy(Strategy):
    """The strategy that portfoliomanager has loaded: `GET /strategy`."""

    uses_forecasts: bool


class Rebalance(BaseModel):
    """What was decided and sent: `POST /portfolios`."""

    portfolio_id: str
    strategy: Strategy
    state: str
    positions: list[dict[str, Any]]
    orders: list[dict[str, Any]]
    notes: list[str]


class Position(BaseModel):
    """One position of the account, in shares and dollars."""

    ticker: str
    side: str
    quantity: float
    entry_price: float
    price: float
    market_value: float
    unrealized_gain: float


class CurrentPortfolio(BaseModel):
    """Positions and totals as the broker reports them: `GET /portfolios/current`."""

    as_of: str
    strategy: Strategy
    notes: list[str]
    funnel: Funnel | None
    positions: list[Position]
    net_asset_value: float
    cash: float
    gross_exposure: float
    net_exposure: float


class RealizedCost(BaseModel):
    """Dollars paid so far."""

    slippage: float
    fees: float
    borrow: float


class Performance(BaseModel):
    """Net asset value over time: `GET /performance`."""

    points: list[dict[str, Any]]
    total_return: float = Field(alias="return")
    maximum_drawdown: float
    realized_cost: RealizedCost


class BooksDifference(BaseModel):
    """Cash or shares on which the books and the broker disagree."""

    kind: str
    ticker: str | None
    books: float
    broker: float
    causes: list[str]

    def describe(self) -> str:
        """The difference and its causes in one line."""
        what = f"shares of {self.ticker}" if self.ticker else "dollars of cash"
        return f"{what}: {self.books:,.9g} in the books, {self.broker:,.9g} at the broker: {'; '.join(self.causes)}"


class BooksSummary(BaseModel):
    """What the books add up to: `GET /books`."""

    cash: float
    flows: float
    net_asset_value: float
    profit: dict[str, float]
    differences: list[BooksDifference]
    notes: list[str]

    def describe(self) -> list[str]:
        """The books in lines, dollars."""
        kinds = ", ".join(f"{kind} {dollars:+,.2f}" for kind, dollars in self.profit.items() if kind != "total")
        value, total = self.net_asset_value, self.profit["total"]
        return [
            f"net asset value {value:,.2f}, cash {self.cash:,.2f}",
            f"flows {self.flows:+,.2f}, profit {total:+,.2f}",
            f"profit (a gain is above 0): {kinds}",
            *self.notes,
            *(one.describe() for one in self.differences),
            f"{len(self.differences)} differences from the broker",
        ]


class PendingEvent(BaseModel):
    """An event of some service's outbox or inbox: `GET /events`."""

    service: str
    id: str
    type: str
    state: str
    attempts: int
    last_error: str | None
    subscriber: str | None = None

    def describe_parked(self) -> str:
        """What was given up, why, and what to do."""
        to = "" if self.subscriber is None else f" to {self.subscriber}"
        return (
            f"{self.service} gave up the event {self.id}{to} after {self.attempts} attempts ({self.last_error}): "
            "remove the cause, then let it be tried again on the page /services of portfoliomanager"
        )
