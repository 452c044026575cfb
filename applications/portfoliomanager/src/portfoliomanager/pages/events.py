"""The Events page: how each service is, what it sent and received, and what nobody could handle."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from types import MappingProxyType
from typing import Final, Self
from urllib.parse import urlsplit

from internal.cloud_events.responses import ReceivedEvent, RecentEvents, SentEvent
from internal.http.schedule_response import Schedule
from internal.pages.formats import count
from portfoliomanager.pages.close_to_decision import CloseToDecision, measure_sessions

PASSED = "ok"
PARKED = "parked"
DUE = "due"
AS_PLANNED = frozenset({"done", "running", DUE})
SETTLED = frozenset({"handled", "ignored", "delivered"})
SHOWN_EVENTS = 100
DEFAULT_PORTS: Final = MappingProxyType({"http": 80, "https": 443})
EARLIEST = datetime.min.replace(tzinfo=UTC)  # of an event without a time


@dataclass(frozen=True)
class ServiceCard:
    """A service and its readiness.

    Attributes:
        name: Its name.
        about: What it does.
        checks: `ok`, or what is missing, by what the service needs; None where it does not answer.
        problem: Why it does not answer.
    """

    name: str
    about: str
    checks: Mapping[str, str] | None
    problem: str = ""

    @property
    def is_ready(self) -> bool:
        """Whether every check passes."""
        return self.checks is not None and all(result == PASSED for result in self.checks.values())


@dataclass(frozen=True)
class EventLine:
    """An event in a service's box.

    Attributes:
        service: In whose box.
        moment: When it was made; None where it does not say.
        event_id: Its id.
        title: Its type in words.
        from_or_to: `from X`, or `to X`.
        state: What became of it.
        attempts: Tries so far.
        error: What the last try said; empty for nothing.
    """

    service: str
    moment: datetime | None
    event_id: str
    title: str
    from_or_to: str
    state: str
    attempts: int
    error: str

    @property
    def is_settled(self) -> bool:
        """Whether nothing more has to happen to it."""
        return self.state in SETTLED

    @classmethod
    def received(cls, service: str, event: ReceivedEvent) -> Self:
        """An event of the inbox."""
        return cls(
            *(service, _moment(event.time), event.id, _title(event.type), f"from {event.source.strip('/')}"),
            *(event.state, event.attempts, event.last_error or ""),
        )

    @classmethod
    def sent(cls, service: str, event: SentEvent, services: Mapping[str, str]) -> Self:
        """An event of the outbox and one delivery of it; `services` has names by `host:port`."""
        receiver = name_service(event.subscriber, services) if event.subscriber else "nobody"
        return cls(
            *(service, _moment(event.time), event.id, _title(event.type), f"to {receiver}"),
            *(event.state, event.attempts, event.last_error or ""),
        )


def name_service(url: str, services: Mapping[str, str]) -> str:
    """The service at an address by its `host:port`, or by its host's name as in a stack; else the address.

    >>> services = {"127.0.0.1:8080": "datamanager"}
    >>> name_service("http://localhost:8080/events", services), name_service("http://datamanager/events", services)
    ('datamanager', 'datamanager')
    >>> name_service("http://elsewhere:8080/events", services)
    'http://elsewhere:8080/events'
    """
    host = urlsplit(url).hostname or ""
    return services.get(find_place(url), host if host in services.values() else url)


def find_place(url: str) -> str:
    """The `host:port` of an address, which this machine itself may have under the name localhost."""
    parts = urlsplit(url)
    host = "127.0.0.1" if parts.hostname == "localhost" else parts.hostname
    return f"{host}:{parts.port or DEFAULT_PORTS.get(parts.scheme, '')}"


def list_events(
    boxes: Mapping[str, RecentEvents], services: Mapping[str, str] = MappingProxyType({})
) -> list[EventLine]:
    """The events of all services, newest first; `boxes` by service, `services` are their names by `host:port`."""
    lines = [EventLine.received(service, one) for service, box in boxes.items() for one in box.inbox]
    lines += [EventLine.sent(service, one, services) for service, box in boxes.items() for one in box.outbox]
    return sorted(lines, key=lambda line: (line.moment or EARLIEST, line.event_id), reverse=True)


@dataclass(frozen=True)
class RunLine:
    """A run of the scheduler.

    Attributes:
        kind: What is done.
        session: The session that it is about.
        state: How it ended, `running` or `overdue`, or `due` for the next one.
        moment: When it ended or is due, by the market's clock; None while it runs.
        reason: Why it is not done; empty when there is nothing to say.
    """

    kind: str
    session: date
    state: str
    moment: datetime | None
    reason: str = ""

    @property
    def needs_look(self) -> bool:
        """Whether it is not as planned."""
        return self.state not in AS_PLANNED


@dataclass(frozen=True)
class SchedulePanel:
    """The scheduler's last and next runs, and why it starts nothing, if it does not."""

    runs: Sequence[RunLine]
    problem: str = ""

    @classmethod
    def of(cls, schedule: Schedule) -> Self:
        """The panel of an answer of the scheduler."""
        last = [
            RunLine(one.kind, one.session, "overdue" if one.overdue else one.outcome, one.ended_at, one.reason)
            for one in schedule.last
        ]
        following = [RunLine(one.kind, one.session, DUE, one.due_at) for one in schedule.next]
        standby = "" if schedule.acts else "it is on standby: another scheduler of this fund acts"
        return cls([*last, *following], standby or schedule.problem)


@dataclass(frozen=True)
class EventsView:
    """What the page shows.

    `problems` says whose events could not be read, `undecided` why the last session is not decided, if it is not;
    `schedule` is of a fund with a scheduler.
    """

    cards: Sequence[ServiceCard]
    lines: Sequence[EventLine]
    problems: Sequence[str]
    schedule: SchedulePanel | None = None
    undecided: str = ""

    @property
    def parked(self) -> Sequence[EventLine]:
        """What nobody could handle."""
        return [line for line in self.lines if line.state == PARKED]

    @property
    def waiting(self) -> Sequence[EventLine]:
        """What is still to be delivered or handled."""
        return [line for line in self.lines if not line.is_settled and line.state != PARKED]

    @property
    def shown(self) -> Sequence[EventLine]:
        """The newest events."""
        return self.lines[:SHOWN_EVENTS]

    @cached_property
    def sessions(self) -> Sequence[CloseToDecision]:
        """How long the newest sessions took from their close to the decision, newest first."""
        return measure_sessions({line.event_id: line.moment for line in self.lines if line.moment})

    @property
    def longest(self) -> float:
        """The longest of them, seconds; 0 without one."""
        return max((one.total for one in self.sessions), default=0.0)

    @property
    def lead(self) -> str:
        """One sentence about the whole."""
        silent = [card.name for card in self.cards if card.checks is None]
        unready = [card.name for card in self.cards if card.checks is not None and not card.is_ready]
        if silent:
            return f"No answer from {' and '.join(silent)}"
        if self.parked:
            return f"{count(len(self.parked), 'event')} could not be handled: a person is needed"
        if unready:
            return f"Not ready: {' and '.join(unready)}"
        waiting = f"{count(len(self.waiting), 'event')} on the way" if self.waiting else "no event waits"
        return f"Every service is ready, and {waiting}"


def _moment(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        return None


def _title(event_type: str) -> str:
    return " ".join(event_type.removeprefix("application.").replace("_", " ").split(".")[1:]) or event_type
