"""The loop over real HTTP and real event buses: what is due happens once, whatever fails between."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import date, timedelta
from io import StringIO
from pathlib import Path
from typing import cast

import httpx
import pytest
from rich.console import Console

from applications.scheduler.tests.scheduler_kit import (
    MONDAY,
    MONDAY_CLOSED,
    SmallFund,
    configure,
    hours,
    open_fund,
    open_scheduler,
    turn_until,
)
from fund.clients import Clients
from fund.service_client import ServiceClient
from fund.services import Service as FundService
from fund.status import show_schedule
from internal.errors import ConflictError, UnavailableError
from internal.event_types import EventType
from libraries.python.tests.loopback import serving
from scheduler.adapters.stored_schedule import PATH
from scheduler.events import list_events
from scheduler.runs import Outcome, RunKind
from scheduler.server import create_application
from scheduler.services import Services

TUESDAY, WEDNESDAY, THURSDAY = (MONDAY + timedelta(days=days) for days in (1, 2, 3))


@pytest.fixture
def fund(tmp_path: Path) -> Iterator[SmallFund]:
    """A fund after Monday's close."""
    with open_fund(tmp_path) as opened:
        yield opened


def play(fund: SmallFund, act: Callable[[Services], Awaitable[None]], name: str = "scheduler") -> None:
    """Open a scheduler, let it act, and end it."""

    async def run() -> None:
        async with open_scheduler(configure(fund, name)) as services:
            await act(services)

    asyncio.run(run())


def is_settled(services: Services) -> bool:
    """Whether nothing runs any more."""
    return services.loop.problem == "" and not services.loop.schedule.running()


async def settle(services: Services) -> None:
    """Turn until nothing runs any more."""
    await turn_until(services, lambda: is_settled(services))


def outcome(services: Services, kind: RunKind, day: date) -> Outcome:
    """The state of a run of the stored schedule."""
    run = services.store.load().find(kind, day)
    assert run is not None
    return run.outcome


def test_week_with_a_sleep(fund: SmallFund) -> None:
    """Monday is played; then the machine sleeps until Thursday, and a clock that goes back changes nothing."""

    async def monday(services: Services) -> None:
        await settle(services)
        assert [outcome(services, kind, MONDAY) for kind in list(RunKind)[1:3]] == [Outcome.DONE, Outcome.DONE]
        assert fund.decided == [MONDAY]

    async def thursday(services: Services) -> None:
        fund.moment = MONDAY_CLOSED + timedelta(days=3)
        await settle(services)
        assert outcome(services, RunKind.DECISION, TUESDAY) is Outcome.MISSED
        assert outcome(services, RunKind.COLLECTION, TUESDAY) is Outcome.LATE
        fund.moment -= timedelta(days=2)
        await settle(services)

    play(fund, monday)
    play(fund, thursday)
    assert fund.closes == [MONDAY, TUESDAY, WEDNESDAY, THURSDAY]
    assert fund.collected == {MONDAY, TUESDAY, WEDNESDAY, THURSDAY}
    assert fund.decided == [MONDAY, THURSDAY]
    assert fund.reconciled == [MONDAY, THURSDAY]


def test_silent_broker_is_waited_for(fund: SmallFund) -> None:
    """While the clock is unknown nothing starts and `/ready` says why; afterwards nothing was lost."""

    async def act(services: Services) -> None:
        fund.is_silent = True
        await services.loop.try_turn()
        with pytest.raises(UnavailableError, match="the broker does not answer"):
            services.loop.check()
        assert services.store.load().runs == ()
        fund.is_silent, fund.is_garbled = False, True
        await services.loop.try_turn()
        with pytest.raises(UnavailableError, match="is it a portfoliomanager of this version"):
            services.loop.check()
        fund.is_garbled = False
        await settle(services)
        services.loop.check()

    play(fund, act)
    assert fund.decided == [MONDAY]


def test_two_schedulers_act_as_one(fund: SmallFund) -> None:
    """The second is on standby while the first holds the lease, goes on when it ends, and repeats nothing."""

    async def first(services: Services) -> None:
        await settle(services)
        async with open_scheduler(configure(fund, "second")) as second:
            fund.moment = MONDAY_CLOSED + timedelta(days=1)
            await second.loop.try_turn()
            assert second.loop.problem.startswith("standby")
            assert second.store.load() == services.store.load()

    play(fund, first)
    play(fund, settle, "second")
    assert fund.closes == [MONDAY, TUESDAY]
    assert fund.decided == [MONDAY, TUESDAY]


@pytest.mark.parametrize("published", [0, 2])
def test_killed_in_the_middle_of_a_turn(fund: SmallFund, published: int) -> None:
    """A process dies after so many of its events; another machine goes on, and each close is handled once."""

    async def die(services: Services) -> None:
        planned, _ = services.loop.plan()
        for event in list_events(planned, waits_for_import=False)[:published]:
            await services.bus.publish(event)
        await services.bus.wait_until_idle()

    play(fund, die)
    play(fund, settle, "another-machine")
    assert fund.closes == [MONDAY]
    assert fund.decided == [MONDAY]


def test_late_vendor(fund: SmallFund) -> None:
    """The run says what the vendor said and is overdue after an hour; when the bars come it is late, and decided."""

    async def act(services: Services) -> None:
        fund.lacking = {MONDAY}
        await turn_until(services, lambda: reason(services, RunKind.COLLECTION) != "")
        assert f"the vendor has no bars of {MONDAY}" in reason(services, RunKind.COLLECTION)
        fund.moment += hours(1.1)
        await turn_until(services, lambda: services.loop.problem == "" and len(fund.alerts) > 1)
        assert {run.kind for run in services.loop.schedule.overdue(fund.moment)} == {
            RunKind.COLLECTION,
            RunKind.DECISION,
        }
        assert fund.alerts == ["CollectionOverdue firing", "DecisionOverdue firing"]
        fund.lacking = set()
        await settle(services)
        assert outcome(services, RunKind.COLLECTION, MONDAY) is Outcome.LATE
        assert sorted(fund.alerts[2:]) == ["CollectionOverdue resolved", "DecisionOverdue resolved"]

    play(fund, act)
    assert fund.decided == [MONDAY]


def reason(services: Services, kind: RunKind) -> str:
    """Why the newest run of a kind is not done."""
    run = services.loop.schedule.last(kind)
    return run.reason if run else ""


def test_session_that_no_event_brings_is_asked_for(fund: SmallFund) -> None:
    """After an hour a session whose event was handled to no effect is collected, and decided, by request."""

    async def act(services: Services) -> None:
        fund.forgotten = {MONDAY}
        await turn_until(services, lambda: fund.closes == [MONDAY] and fund.reconciled == [MONDAY])
        assert fund.collected == set()
        fund.moment += hours(1.1)
        await settle(services)

    play(fund, act)
    assert fund.collected == {MONDAY}
    assert fund.decided == [MONDAY]


def test_refused_decision_fails_with_the_reason(fund: SmallFund) -> None:
    """Asked directly, portfoliomanager says why; a decision made by hand afterwards makes it late."""

    async def act(services: Services) -> None:
        fund.refusal = "the account is suspended"
        await turn_until(services, lambda: fund.collected == {MONDAY} and fund.reconciled == [MONDAY])
        fund.moment += hours(1.1)
        await settle(services)
        assert outcome(services, RunKind.DECISION, MONDAY) is Outcome.FAILED
        assert reason(services, RunKind.DECISION) == "the account is suspended"
        with pytest.raises(ConflictError, match="suspended"):
            services.fund.decide(MONDAY)
        fund.refusal = ""
        services.fund.decide(MONDAY)
        await turn_until(services, lambda: outcome(services, RunKind.DECISION, MONDAY) is Outcome.LATE)

    play(fund, act)


def test_a_strategy_that_failed_is_not_asked_again(fund: SmallFund) -> None:
    """The run fails with what portfoliomanager says of the failure; a person alone has the session decided."""

    async def act(services: Services) -> None:
        fund.failed = MONDAY
        await turn_until(services, lambda: fund.collected == {MONDAY} and fund.reconciled == [MONDAY])
        fund.moment += hours(1.1)
        await settle(services)
        assert outcome(services, RunKind.DECISION, MONDAY) is Outcome.FAILED
        assert reason(services, RunKind.DECISION) == "the strategy failed"

    play(fund, act)
    assert fund.decided == []


def was_handled(services: Services, event_type: EventType) -> bool:
    """Whether Monday's event of the type was handled."""
    handling = services.fund.list_handlings().get(f"{event_type}:{MONDAY}")
    return handling is not None and handling.is_handled


def test_halt_while_a_decision_is_asked_for_holds_it(fund: SmallFund) -> None:
    """Trading was active when the turn began: the session is held and not failed, and decided after the resume."""

    async def act(services: Services) -> None:
        fund.halts_at_decision = True
        await turn_until(services, lambda: was_handled(services, EventType.BARS_SYNCED))
        fund.moment += hours(1.1)
        await turn_until(services, lambda: fund.is_halted)
        assert outcome(services, RunKind.DECISION, MONDAY) is Outcome.HELD
        assert reason(services, RunKind.DECISION) == "trading is halted by ada: data look wrong"
        fund.halts_at_decision = fund.is_halted = False
        await turn_until(services, lambda: outcome(services, RunKind.DECISION, MONDAY) is Outcome.LATE)

    play(fund, act)
    assert fund.decided == [MONDAY]


def test_unreadable_schedule_is_set_aside(fund: SmallFund) -> None:
    """A garbled object neither stops the fund nor is lost; the schedule begins with the last session."""
    stored = fund.folder / "lake" / PATH
    stored.parent.mkdir(parents=True)
    stored.write_text('[{"kind": "collection"')
    play(fund, settle)
    assert fund.decided == [MONDAY]
    aside = [path for path in stored.parent.iterdir() if path.name.startswith("unreadable-")]
    assert [path.read_text() for path in aside] == ['[{"kind": "collection"']


def test_service_answers(fund: SmallFund) -> None:
    """The whole service: its schedule, its readiness, its metrics, and a problem for bad input."""
    fund.lacking = {MONDAY}
    with serving(create_application(configure(fund))) as url, httpx.Client(base_url=url) as client:
        while (schedule := client.get("/schedule").json())["moment"] is None:
            assert schedule["acts"]
        assert (schedule["problem"], schedule["mode"]) == ("", "simulated")
        assert {run["kind"] for run in schedule["last"]} == {"reconciliation", "collection", "decision"}
        assert [(run["kind"], run["session"], run["due_at"]) for run in schedule["next"]] == [
            ("reconciliation", "2024-03-19", "2024-03-19T13:35:00Z"),
            ("collection", "2024-03-19", "2024-03-19T20:30:00Z"),
            ("decision", "2024-03-19", "2024-03-19T20:30:00Z"),
        ]
        assert len(client.get("/schedule?limit=1").json()["runs"]) == 1
        assert client.get("/ready").json()["checks"] == {"lease": "ok", "market": "ok", "runs": "ok"}
        assert 'scheduler_runs_overdue{kind="collection"} 0.0' in client.get("/metrics").text
        refused = client.get("/schedule?limit=-1")
        assert refused.status_code == 422
        assert refused.headers["content-type"] == "application/problem+json"


def test_command_line_shows_the_schedule(fund: SmallFund) -> None:
    """The lines of `fund status` name the last runs, the next ones, and why the scheduler waits."""
    fund.is_silent = True
    assert show_status_of(fund, "first").startswith("The scheduler waits: ")
    fund.is_silent = False
    play(fund, settle, "second")
    shown = show_status_of(fund, "second")
    assert "decision of 2024-03-18: done at 2024-03-18 20:30 UTC\n" in shown
    assert "next: reconciliation of 2024-03-19 at 2024-03-19 13:35 UTC\n" in shown


def show_status_of(fund: SmallFund, name: str) -> str:
    """What the command line shows of a scheduler."""
    with serving(create_application(configure(fund, name))) as url:
        clients = Clients(*(ServiceClient(service, url) for service in FundService))
        console = Console(file=StringIO(), width=200)
        show_schedule(clients, console)
        return cast("StringIO", console.file).getvalue()
