"""What the scheduler needs of the fund's services and of its store."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from internal.modes import Mode
from scheduler.alerts import Alert
from scheduler.facts import Handling
from scheduler.schedule import Schedule


@dataclass(frozen=True)
class MarketTime:
    """The market's clock, UTC, and what is at stake there."""

    moment: datetime
    mode: Mode


class FundServices(Protocol):
    """datamanager and portfoliomanager. Every method raises UnavailableError when the service cannot be reached."""

    def read_clock(self) -> MarketTime:
        """The market's clock, as the broker has it."""
        ...

    def list_collected(self) -> frozenset[date]:
        """The sessions that are in the lake."""
        ...

    def list_decided(self, since: date) -> frozenset[date]:
        """The sessions from that day on whose portfolio was decided and sent."""
        ...

    def read_halt(self) -> str | None:
        """Since when, by whom and why trading is halted, in words; None where it is not."""
        ...

    def list_handlings(self) -> Mapping[str, Handling]:
        """The newest events that each service acts on, by their id."""
        ...

    def collect(self, day: date) -> None:
        """Collect a session now. Raises UpstreamError when the vendor does not have it."""
        ...

    def decide(self, day: date) -> None:
        """Forecast a session, if the strategy reads forecasts, and decide it. Raises FundError, which says why not."""
        ...

    def send_alerts(self, alerts: Sequence[Alert]) -> None:
        """Have each alert sent to the owner once."""
        ...

    def close(self) -> None:
        """Close the connections."""
        ...


class ScheduleStore(Protocol):
    """The stored schedule, which two schedulers of one fund share. Raises UnavailableError when it cannot be used."""

    def load(self) -> Schedule:
        """The schedule; an empty one before the first run."""
        ...

    def save(self, schedule: Schedule) -> None:
        """Store the schedule; it is on disk when this returns."""
        ...
