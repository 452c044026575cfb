"""The Events page: readiness, parked events with their form, what waits, and a service that does not answer."""

from datetime import UTC, date, datetime

import pytest
from fastapi import FastAPI, Response
from pydantic import SecretStr

from internal.cloud_events.responses import ReceivedEvent, RecentEvents, SentEvent
from internal.errors import NotFoundError, UnavailableError, UpstreamError
from internal.event_types import EventType
from internal.http.problems import install_problem_handlers
from internal.http.roles import Role
from internal.http.schedule_response import Schedule
from internal.modes import Mode
from internal.trading.trading_state import UNCHANGED
from libraries.python.tests.loopback import bound_socket, serving
from portfoliomanager.adapters.peer_service import PeerService
from portfoliomanager.pages.close_to_decision import CloseToDecision, measure_sessions
from portfoliomanager.pages.events import EventLine, EventsView, SchedulePanel, ServiceCard, list_events
from portfoliomanager.pages.frame import Frame, Page
from portfoliomanager.pages.rendering import render_page
from portfoliomanager.pages.visitor import Visitor

OLD, NEW = (datetime(2025, 1, 24, 21, minute, tzinfo=UTC).isoformat() for minute in (0, 1))
KIND = "application.exchange.session.closed"


def received(event_id: str, state: str, moment: str | None, error: str | None = None) -> ReceivedEvent:
    """An event of an inbox."""
    return ReceivedEvent(
        id=event_id, type=KIND, time=moment, state=state, attempts=3, last_error=error, source="/exchange"
    )


SENT = SentEvent(
    id="b",
    type="application.datamanager.equity_bars.synced",
    time=NEW,
    state="pending",
    attempts=1,
    last_error="refused",
    subscriber="http://127.0.0.1:8081/events",
)
BOXES = {
    "portfoliomanager": RecentEvents(
        outbox=[], inbox=[received("a", "handled", OLD), received("d", "parked", OLD, "<no> calendar")]
    ),
    "datamanager": RecentEvents(outbox=[SENT], inbox=[received("c", "handled", None)]),
}
READY = ServiceCard("portfoliomanager", "Decides", {"lease": "ok"})


def show(view: EventsView, role: Role) -> str:
    """The page as somebody of that role sees it who has signed in."""
    visitor = Visitor(role, may_send_forms=True, has_session=True, csrf_token="c5rf")  # noqa: S106 - of no session
    return render_page("events.html", Frame(Page.EVENTS, Mode.PAPER, UNCHANGED, None, visitor), view)


def test_order_and_words() -> None:
    """The newest first, those without a time last; types and peers in words."""
    lines = list_events(BOXES, {"127.0.0.1:8081": "portfoliomanager"})
    assert [line.event_id for line in lines] == ["b", "d", "a", "c"]
    assert (lines[0].title, lines[0].from_or_to) == ("equity bars synced", "to portfoliomanager")
    assert (lines[1].title, lines[1].from_or_to) == ("session closed", "from exchange")


def test_close_to_decision() -> None:
    """Bars 4, forecast 12 and decision 20 s after the close; without forecasts none of them; an older event is gone."""
    kinds = EventType.SESSION_CLOSED, EventType.BARS_SYNCED, EventType.PREDICTIONS_MADE, EventType.PORTFOLIO_REBALANCED
    moments = {
        f"{kind}:2025-01-24": datetime(2025, 1, 24, 21, 0, at, tzinfo=UTC)
        for kind, at in zip(kinds, (0, 4, 16, 36), strict=True)
    }
    moments |= {one.replace("24", "23"): at for one, at in moments.items() if EventType.PREDICTIONS_MADE not in one}
    moments |= {one.replace("24", "22"): at for one, at in moments.items() if EventType.PORTFOLIO_REBALANCED in one}
    found = measure_sessions(moments)
    assert found == (
        CloseToDecision(date(2025, 1, 24), 4.0, 12.0, 20.0),
        CloseToDecision(date(2025, 1, 23), 4.0, 0.0, 32.0),
    )
    lines = [EventLine("datamanager", at, one, "t", "from x", "handled", 1, "") for one, at in moments.items()]
    page = show(EventsView([READY], lines, []), Role.READER)
    assert page.count("36.0\u2009s") == 2
    assert "No session was decided after its event" in show(EventsView([READY], [], []), Role.READER)


def test_parked_events_wait_for_the_owner() -> None:
    """Only the owner gets the form; the error of the last try is escaped; what waits is counted apart."""
    view = EventsView([READY], list_events(BOXES), [])
    assert [line.event_id for line in view.parked] == ["d"]
    assert [line.event_id for line in view.waiting] == ["b"]
    assert view.lead == "1 event could not be handled: a person is needed"
    owner, reader = show(view, Role.OWNER), show(view, Role.READER)
    assert 'action="/forms/redeliveries"' in owner
    assert 'name="event_id" value="d"' in owner
    assert "&lt;no&gt; calendar." in owner
    assert "/forms/redeliveries" not in reader


def test_refused_deliveries_can_be_tried_again() -> None:
    """What a subscriber refused for ever is parked at its sender, and tried again from there."""
    refused = SENT.model_copy(update={"state": "parked", "last_error": "answered 422"})
    page = show(
        EventsView([READY], list_events({"datamanager": RecentEvents(outbox=[refused], inbox=[])}), []), Role.OWNER
    )
    assert 'name="service" value="datamanager"' in page
    assert 'name="event_id" value="b"' in page


@pytest.mark.parametrize(
    ("cards", "lead"),
    [
        ([READY], "Every service is ready, and no event waits"),
        ([READY, ServiceCard("datamanager", "Stores", None, "refused")], "No answer from datamanager"),
        ([ServiceCard("datamanager", "Stores", {"lake": "it is full"})], "Not ready: datamanager"),
    ],
)
def test_leads(cards: list[ServiceCard], lead: str) -> None:
    """What is worst is said first."""
    view = EventsView(cards, [], [])
    assert view.lead == lead
    assert "No event yet" in show(view, Role.READER)


SCHEDULE = Schedule.model_validate(
    {
        "acts": True,
        "problem": "",
        "last": [
            {"kind": "collection", "session": "2025-01-23", "outcome": "done", "ended_at": OLD, "overdue": False}
            | {"reason": ""},
            {"kind": "decision", "session": "2025-01-23", "outcome": "held", "ended_at": OLD, "overdue": False}
            | {"reason": "trading is <halted>"},
            {"kind": "retraining", "session": "2025-01-22", "outcome": "running", "ended_at": None, "overdue": True}
            | {"reason": ""},
        ],
        "next": [{"kind": "decision", "session": "2025-01-24", "due_at": NEW}],
    }
)


def test_schedule_shows_what_ran_and_what_is_next() -> None:
    """Last runs with their outcomes, the next ones, and what is not as planned is marked; without one no panel."""
    panel = SchedulePanel.of(SCHEDULE)
    assert [(run.kind, run.state, run.needs_look) for run in panel.runs] == [
        ("collection", "done", False),
        ("decision", "held", True),
        ("retraining", "overdue", True),
        ("decision", "due", False),
    ]
    page = show(EventsView([READY] * 3, [], [], panel), Role.READER)
    assert "Trading is &lt;halted&gt;." in page
    assert "2025-01-24" in page
    assert SchedulePanel.of(SCHEDULE.model_copy(update={"acts": False})).problem.startswith("it is on standby")
    silent = show(EventsView([READY], [], [], SchedulePanel([], "no answer within 3 seconds")), Role.READER)
    assert "No answer within 3 seconds." in silent
    assert "Schedule</h2>" not in show(EventsView([READY], [], []), Role.READER)


def test_parked_events_of_the_scheduler_are_tried_again_there() -> None:
    """The form names the service that parked it."""
    refused = SENT.model_copy(update={"state": "parked", "last_error": "answered 422"})
    lines = list_events({"scheduler": RecentEvents(outbox=[refused], inbox=[])})
    assert 'name="service" value="scheduler"' in show(EventsView([READY], lines, []), Role.OWNER)


def test_peer_over_http() -> None:
    """Checks of a service that is not ready, its events, a refused redelivery, garbage, and nobody there."""
    application = FastAPI()
    install_problem_handlers(application)

    @application.get("/ready", status_code=503)
    def get_ready() -> dict[str, dict[str, str]]:
        return {"checks": {"lake": "it is full"}}

    @application.get("/events")
    def get_events() -> Response:
        return Response("<html>", media_type="text/html")

    @application.post("/events/redeliveries")
    def post_redelivery() -> None:
        raise NotFoundError("none is parked")

    @application.get("/schedule")
    def get_schedule(limit: int) -> Schedule:
        return SCHEDULE if limit == 0 else SCHEDULE.model_copy(update={"last": []})

    with serving(application) as url:
        peer = PeerService("datamanager", url, SecretStr("token"))
        assert peer.checks() == {"lake": "it is full"}
        assert peer.schedule() == SCHEDULE
        with pytest.raises(NotFoundError, match="none is parked"):
            peer.redeliver("a")
        with pytest.raises(UpstreamError, match="/events answered something else"):
            peer.events()
    with bound_socket() as (_, url), pytest.raises(UnavailableError, match=r"datamanager at .* cannot be reached"):
        PeerService("datamanager", url, SecretStr("")).checks()


def test_a_session_that_is_not_decided_is_said() -> None:
    """On top of the page, for a fund without scheduler too."""
    page = show(
        EventsView([READY], [], [], undecided='the session is not decided: POST /portfolios {"date": "D"}'), Role.READER
    )
    assert "The session is not decided: POST /portfolios {&#34;date&#34;: &#34;D&#34;}" in page
    assert "not decided" not in show(EventsView([READY], [], []), Role.READER)
