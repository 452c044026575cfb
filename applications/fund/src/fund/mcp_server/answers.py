"""The typed answers about the account and the services, with the units that a reader needs."""

from pydantic import BaseModel, Field

from fund.answers import PendingEvent, Position, RealizedCost
from fund.status_answer import ServiceStatus
from fund.trading_answers import TradingStateAnswer
from internal.modes import Mode


class FundStatus(BaseModel):
    """Whether the fund runs, whose money it trades, what it may send, and with which strategy and model it decides."""

    mode: Mode | None = Field(description="simulated, paper or live; null before the fund was opened")
    running: bool = Field(description="Whether every service answers")
    services: list[ServiceStatus]
    trading_state: TradingStateAnswer | None = Field(description="What the fund may send; null while it does not run")
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
