"""The Decisions pages: sessions, funnel, names by outcome, and what a replay shows, from hand-made decisions."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np
import pytest

from internal.http.roles import Role
from internal.modes import Mode
from internal.trading.decision_records import NameRecord, make_record
from internal.trading.enums import Action, Leg, NameOutcome, OrderSide, OrderState, RunState, Side
from internal.trading.funnel import Funnel
from internal.trading.orders import Order
from internal.trading.portfolio import Decision, PortfolioRow
from internal.trading.positions import Entry
from internal.trading.replay import Difference, Replay
from internal.trading.runs import RebalanceRun
from internal.trading.trading_state import UNCHANGED
from libraries.python.tests.strategies.small_situations import make_situation
from portfoliomanager.pages.decisions import (
    PAGE_ROWS,
    STRIP_SESSIONS,
    DecisionView,
    NameQuery,
    NamesView,
    ReplayView,
    Session,
    SessionsView,
)
from portfoliomanager.pages.frame import Frame, Page
from portfoliomanager.pages.rendering import render_page, render_part
from portfoliomanager.pages.visitor import Visitor

CLOSE = datetime(2024, 3, 15, 20, 0, tzinfo=UTC)
VISITOR = Visitor(Role.OWNER, may_send_forms=False, has_session=False, csrf_token="")
FRAME = Frame(Page.DECISIONS, Mode.PAPER, UNCHANGED, CLOSE, VISITOR)
NAMES = [f"N{number:03}" for number in range(PAGE_ROWS + 20)]
SITUATION = make_situation(dict.fromkeys(NAMES, 10.0), unshortable=frozenset(NAMES[:5]), blocked=frozenset(NAMES[:2]))
RECORD = make_record("p", SITUATION, Decision((), ()), None, "rules")


def order(ticker: str, side: OrderSide, quantity: float, price: float | None, state: OrderState) -> Order:
    """Decided at 10 dollars; all of it is filled where there is a price."""
    filled = 0.0 if price is None else quantity
    return Order(
        *("p", CLOSE.date(), f"{ticker}-1", ticker, side, Leg.OPEN, quantity, 10.0, "rank 1", CLOSE),
        state=state,
        filled_quantity=filled,
        filled_average_price=price,
    )


ORDERS = (
    order("A", OrderSide.BUY, 100.0, 10.10, OrderState.FILLED),
    order("B", OrderSide.SELL, 300.0, 10.01, OrderState.FILLED),
    order("C", OrderSide.BUY, 10.0, None, OrderState.DROPPED),
)


def decide(day: date) -> RebalanceRun:
    """The run of a session."""
    return RebalanceRun(f"p-{day}", day, RunState.SUBMITTED, "mine", "", 7, ("<b>short</b>",), CLOSE, CLOSE)


def orders_of(_portfolio_id: str) -> tuple[Order, ...]:
    """The three orders of every session."""
    return ORDERS


def test_costs() -> None:
    """10 cents on 100 shares bought and 1 cent gained on 300 sold short: 10 - 3 = 7 dollars of 4,000, 17.5 bp."""
    run = decide(CLOSE.date())
    found = Session.of(run, orders_of)
    rates = [line.fills.slippage_rate for line in found.orders]
    assert rates == [pytest.approx(0.01), pytest.approx(-0.001), None]
    assert (found.sent_count, found.filled_count, found.fills.decided_dollars) == (2, 2, 4000.0)
    assert found.fills.traded_dollars == pytest.approx(1010 + 3003)
    assert found.fills.slippage == pytest.approx(7.0)
    assert found.fills.slippage_rate == pytest.approx(0.00175)
    page = render_page("decisions.html", FRAME, SessionsView.of([run], orders_of, 9))
    assert "+17.5" in page
    assert "$4,013" in page
    assert f'href="/decisions/{CLOSE.date()}"' in page
    assert "Nothing was decided yet" in render_page("decisions.html", FRAME, SessionsView.of([], orders_of, 1))


def test_impact() -> None:
    """Opened at 10.06 and 10.03: 4 cents on 100 and 2 on 300 shares are 10 dollars of 4,000; -7.5 bp are overnight."""
    opens = {Entry("A", CLOSE.date()): 10.06, Entry("B", CLOSE.date()): 10.03}
    found = Session.of(decide(CLOSE.date()), orders_of, opens)
    assert [line.impact_rate for line in found.orders] == [pytest.approx(0.004), pytest.approx(0.002), None]
    assert found.impact_rate == pytest.approx(0.0025)
    assert Session.of(decide(CLOSE.date()), orders_of, {Entry("A", CLOSE.date()): 10.06}).impact_rate is None


def test_steps() -> None:
    """Two of three orders are sent and filled, at the close; the run is not reconciled, and then it is."""
    found = Session.of(decide(CLOSE.date()), orders_of)
    assert [(step.name, step.detail, step.is_reached) for step in found.steps] == [
        ("Decided", "15 Mar, 16:00 ET", True),
        ("Journalled", "3 orders, before any is sent", True),
        ("Sent", "2: closes, then shorts, then longs", True),
        ("Filled", "2 completely, 15 Mar, 16:00 ET", True),
        ("Reconciled", "not yet", False),
    ]
    ended = replace(decide(CLOSE.date()), state=RunState.RECONCILED)
    assert Session.of(ended, orders_of).steps[-1].detail == "15 Mar, 16:00 ET"
    assert not any(step.is_reached for step in Session.of(decide(CLOSE.date()), lambda _: ORDERS[2:]).steps[2:])


def test_funnel() -> None:
    """Of 120 names two are blocked; of the 118 others three cannot be shorted; no forecast was asked for."""
    assert Funnel.of(RECORD.names) == Funnel(120, 120, 118, 118, 115, 0)


def test_names_are_searched_and_paged() -> None:
    """A hundred names a page; an outcome and words narrow them; what is too far is the last page."""
    others = NamesView.of(RECORD, {"N007": "Acme Tools"}, NameQuery(RECORD.day, outcome=NameOutcome.NOT_CHOSEN, page=9))
    assert (others.page_count, others.query.page, len(others.names)) == (2, 2, 18)
    assert dict(others.counts) == {NameOutcome.NOT_CHOSEN: 118, NameOutcome.BLOCKED: 2}
    blocked = NamesView.of(RECORD, {}, NameQuery(RECORD.day, outcome=NameOutcome.BLOCKED))
    assert [one.ticker for one in blocked.names] == NAMES[:2]
    assert [one.ticker for one in _search("acme")] == ["N007"]
    assert [one.ticker for one in _search("n007 strategy")] == ["N007"]
    assert _search("zzzz") == ()


def test_names_left_out_are_summed_up() -> None:
    """Of ten names by falling score, two are opened and one of the others is held: seven are one line."""
    names = NAMES[:10]
    situation = make_situation(dict.fromkeys(names, 10.0), held={names[5]: 7.0}, blocked=frozenset({names[9]}))
    opened = Action.OPEN, 0.0, 5.0, 10.0, CLOSE.date(), 10.0, None, False, "rank"
    rows = PortfolioRow(names[0], Side.LONG, *opened), PortfolioRow(names[8], Side.SHORT, *opened)
    record = make_record("p", situation, Decision(rows, (), scores=np.linspace(1.0, 0.1, len(names))), None, "rules")
    view = NamesView.of(record, {}, NameQuery(record.day))
    assert [one.ticker for one in view.names] == [names[0], names[8], names[5]]
    cut = "longs were opened down to rank 1, shorts from rank 9 on"
    blocked = "an order of it is open, somebody else holds it, or a corporate action has changed it since"
    assert [(one.outcome, one.count, one.why) for one in view.left_out] == [
        (NameOutcome.NOT_CHOSEN, 6, f"ranks 2 to 8 of 9; {cut}"),
        (NameOutcome.BLOCKED, 1, blocked),
    ]
    assert NamesView.of(record, {}, NameQuery(record.day, outcome=NameOutcome.OPENED)).shared_why == "rank"


def _search(text: str) -> tuple[NameRecord, ...]:
    return NamesView.of(RECORD, {"N007": "Acme Tools"}, NameQuery(RECORD.day, text)).names


def test_decision_page() -> None:
    """Its neighbours and the strip around it; text of people is escaped; without a record it says so."""
    runs, read = [decide(date(2024, 3, day)) for day in range(31, 0, -1)], list[str]()

    def note_orders_of(portfolio_id: str) -> tuple[Order, ...]:
        read.append(portfolio_id)
        return ORDERS

    query = NameQuery(runs[10].date)
    view = DecisionView.of(runs, runs[10], note_orders_of, RECORD, {}, query)
    assert (view.before, view.after, len(view.strip)) == (date(2024, 3, 20), date(2024, 3, 22), STRIP_SESSIONS)
    assert view.session in view.strip
    assert len(set(read)) == STRIP_SESSIONS  # orders of other sessions are not read
    page = render_page("decision.html", FRAME, view)
    assert "&lt;b&gt;short&lt;/b&gt;" in page
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script>", page)
    assert page.count("before its reasons were stored") == 0
    older = DecisionView.of(runs, runs[-1], orders_of, None, {}, query)
    assert (older.before, older.strip[0].run) == (None, runs[-1])
    assert render_page("decision.html", FRAME, older).count("before its reasons were stored") == 2


def test_replay() -> None:
    """The same to the bit, what differs, and why there is none; before it is known, the page and a link ask for it."""
    same = Replay("p", CLOSE.date(), 120, has_same_rules=True, differences=())
    assert "All 120 names and every order are the same" in render_part("replay.html", ReplayView(same.day, same))
    differences = tuple(Difference(one, "quantity", "10.0", "<8>") for one in NAMES[:30])
    other = Replay("p", CLOSE.date(), 120, has_same_rules=False, differences=differences)
    part = render_part("replay.html", ReplayView(other.day, other))
    assert "30 values of 30 names differ" in part
    assert part.count('<tr><th scope="row">') == 20
    assert "&lt;8&gt;" in part
    assert "are not those of then" in part
    page = render_page("replay_page.html", FRAME, ReplayView(same.day, problem="datamanager does not answer"))
    assert "Not replayed." in page
    assert "Datamanager does not answer" in page
    waiting = render_page("replay_page.html", FRAME, ReplayView(same.day))
    address = f"/decisions/{same.day}/replay?result=true"
    assert f'hx-get="{address}"' in waiting
    assert f'<noscript> <a class="link" href="{address}">' in waiting
    assert "hx-get" not in render_part("replay.html", ReplayView(same.day, same))
