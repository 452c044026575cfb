"""What the trading core asks of a strategy, and what it writes down about it."""

from dataclasses import dataclass
from datetime import date
from typing import Protocol

from internal.errors import FundError
from internal.trading.situation import Situation
from internal.trading.targets import Targets
from internal.trading.universe import Universe


class StrategyError(FundError):
    """A strategy raised an error or gave targets that cannot be traded: the session is decided by nobody."""

    status = 500
    title = "Strategy failed"
    slug = "strategy-failed"


@dataclass(frozen=True, slots=True)
class DataNeeds:
    """What a strategy reads.

    Attributes:
        universe: Which names may be opened.
        history_sessions: Sessions of bars up to the day, the day included; 0 for none.
        forecasts: Whether forecasts of the day are needed; without any, no model is.
    """

    universe: Universe
    history_sessions: int
    forecasts: bool


@dataclass(frozen=True, slots=True)
class StrategyRecord:
    """What is written down with every decision.

    Attributes:
        name: Goes into the ids of portfolios and orders; letters, digits and underscores.
        parameters: JSON of all parameters, keys sorted.
        digest: SHA-256 of the strategy's file, hexadecimal.
    """

    name: str
    parameters: str
    digest: str


class Strategy(Protocol):
    """A strategy as the state machine of `internal.trading.rebalancing` uses it.

    It is a function of the situation alone: a restart asks twice and must get the same answer.
    """

    @property
    def record(self) -> StrategyRecord:
        """Name, parameters and digest."""
        ...

    @property
    def needs(self) -> DataNeeds:
        """What must be loaded for a decision."""
        ...

    def is_due(self, day: date) -> bool:
        """Whether the schedule decides at the close of the day; on other days everything is kept."""
        ...

    def next_due(self, day: date) -> date | None:
        """The first session after the day at whose close it decides; None when the calendar ends before."""
        ...

    def decide(self, situation: Situation) -> Targets:
        """What to hold after the day. Raises StrategyError."""
        ...
