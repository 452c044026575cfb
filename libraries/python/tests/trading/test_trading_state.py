"""The trading state: which orders it lets through, also in the middle of a run, and that a limit never loosens it."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from internal.simulation.world import World
from internal.trading.enums import Action, Leg, OrderState, RunState
from internal.trading.memory_journal import MemoryJournal
from internal.trading.send_permission import TradingHaltedError
from internal.trading.state_changes import change_state, tighten
from internal.trading.trading_state import NO_REASON, THE_FUND, UNCHANGED, StateCause, TradingState, newer_change
from internal.venue.clock import Auction
from libraries.python.tests.trading.trading_state_kit import (
    NOW,
    CountedSends,
    make_trader,
    open_holding_fund,
    play_session,
    set_state,
    shares,
    trade_by_hand,
)

ACTIVE, REDUCE, HALT = TradingState.ACTIVE, TradingState.REDUCE_ONLY, TradingState.HALTED


@pytest.fixture(scope="module")
def world() -> World:
    """Four sessions of 30 names."""
    return World.make(11, sessions_played=4, tickers=30)


@pytest.mark.parametrize("after", [1, 2, 4])
def test_a_halt_stops_a_run_between_two_orders(world: World, after: int) -> None:
    """Nothing is sent after it; the rest stays planned, over restarts too, and goes out once after a resume."""
    fund = open_holding_fund(world)
    broker = CountedSends(fund, after, lambda: set_state(fund.ports, HALT))
    with pytest.raises(TradingHaltedError, match="halted since 2026-11-28 12:00 UTC, by ada"):
        make_trader(broker.ports).run(None)
    for _ in range(2):
        with pytest.raises(TradingHaltedError):
            make_trader(broker.ports).recover()
        make_trader(broker.ports).reconcile()
    assert len(broker.sent) == after
    assert any(order.state is OrderState.PLANNED for order in fund.journal.unfinished())
    set_state(fund.ports, ACTIVE)
    make_trader(broker.ports).recover()
    run = fund.journal.last_run()
    assert run is not None
    sent = sorted(request.client_order_id for request in broker.sent)
    assert sent == [order.client_order_id for order in fund.journal.of(run.portfolio_id)]


@pytest.mark.parametrize("state", [ACTIVE, REDUCE])
def test_a_resumed_run_does_not_close_what_somebody_sold_meanwhile(world: World, state: TradingState) -> None:
    """The owner halts a run and sells a name at the broker: its close, sent after all, would open a short."""
    fund = open_holding_fund(world)
    broker = CountedSends(fund, 1, lambda: set_state(fund.ports, HALT))
    with pytest.raises(TradingHaltedError):
        make_trader(broker.ports).run(None)
    (sold,) = [one for one in fund.journal.unfinished() if one.state is OrderState.PLANNED and one.side == "sell"]
    trade_by_hand(fund, sold.ticker, -Decimal(shares(fund)[sold.ticker]))
    fund.move(Auction.OPEN)
    set_state(fund.ports, state)
    make_trader(broker.ports).recover()
    assert sold.ticker not in {one.ticker for one in broker.sent}
    after = fund.journal.order(sold.client_order_id)
    assert after is not None
    assert (after.state, after.reason) == (OrderState.DROPPED, "not sent: the fund no longer holds these shares")


def test_nothing_is_decided_while_halted(world: World) -> None:
    """Not at the next closes and not after restarts of a restored fund; after a resume the last close is decided."""
    fund = open_holding_fund(world)
    broker, held = CountedSends(fund), shares(fund)
    tighten(fund.journal, HALT, StateCause.RESTORE, "restored from a backup", NOW)
    for _ in range(2):
        with pytest.raises(TradingHaltedError):
            make_trader(broker.ports).run(None)
        play_session(fund)
        make_trader(broker.ports).reconcile()
    assert (broker.sent, shares(fund)) == ([], held)
    set_state(fund.ports, ACTIVE)
    assert make_trader(broker.ports).run(None).run.state is RunState.SUBMITTED
    assert broker.sent


@pytest.mark.parametrize("after", [1, 2, 3])
def test_reduce_only_in_the_middle_of_a_run_opens_nothing_more(world: World, after: int) -> None:
    """Each opening that was not sent is dropped and says why; nothing new is opened to make the sides equal."""
    fund = open_holding_fund(world)
    broker = CountedSends(fund, after, lambda: set_state(fund.ports, REDUCE))
    outcome = make_trader(broker.ports).run(None)
    later = [fund.journal.order(request.client_order_id) for request in broker.sent[after:]]
    assert {order.leg for order in later if order is not None} <= {Leg.CLOSE}
    dropped = [order for order in outcome.orders if order.state is OrderState.DROPPED]
    assert dropped
    assert {order.leg.opens for order in dropped} == {True}
    assert all("reduce only since 2026-11-28 12:00 UTC, by ada" in order.reason for order in dropped)
    assert outcome.run.state is RunState.SUBMITTED
    assert any("reduce only" in note for note in outcome.run.notes)


def test_a_decision_while_reducing_plans_closes_alone(world: World) -> None:
    """No position grows over two closes, and the note names what was left out."""
    fund = open_holding_fund(world)
    set_state(fund.ports, REDUCE)
    for _ in range(2):
        before = shares(fund)
        outcome = make_trader(fund.ports).run(None)
        assert {order.leg for order in outcome.orders} <= {Leg.CLOSE}
        assert outcome.portfolio is None or {row.action for row in outcome.portfolio.rows} <= {
            Action.HOLD,
            Action.CLOSE,
        }
        assert any("not opened or added to" in note for note in outcome.run.notes)
        play_session(fund)
        after = shares(fund)
        assert after.keys() <= before.keys()
        assert all(abs(quantity) <= abs(before[ticker]) for ticker, quantity in after.items())
        make_trader(fund.ports).reconcile()


@given(st.lists(st.tuples(st.booleans(), st.sampled_from(TradingState)), max_size=12))
def test_only_a_person_loosens(steps: Sequence[tuple[bool, TradingState]]) -> None:
    """Whatever limits and persons do in turn: after a limit the state is at least as strict as before and as asked."""
    journal = MemoryJournal()
    for is_limit, wanted in steps:
        before = journal.trading_state().state
        if is_limit:
            after = tighten(journal, wanted, StateCause.LIMIT, "daily loss", NOW)
            assert after.state.strictness == max(before.strictness, wanted.strictness)
        else:
            after = change_state(journal, wanted, "ada", StateCause.OWNER, "said so", NOW)
            assert (after.state, after.changed_by) == (wanted, "ada")
        assert journal.trading_state() == after


def test_asked_again_without_a_reason_the_state_keeps_its_own() -> None:
    """`./fund flatten` is asked again for the fills: why everything is closed stays; a new reason, or state, is new."""
    journal, flatten, owner = MemoryJournal(), StateCause.FLATTEN, StateCause.OWNER
    asked = [(HALT, flatten, "the data look wrong"), (HALT, flatten, NO_REASON), (HALT, flatten, "still")]
    asked += [(ACTIVE, owner, NO_REASON), (REDUCE, owner, "slowly"), (REDUCE, owner, NO_REASON)]
    reasons = [change_state(journal, state, "ada", cause, reason, NOW).reason for state, cause, reason in asked]
    assert journal.trading_state().describe() == "reduce only since 2026-11-28 12:00 UTC, by ada (owner): slowly"
    assert reasons == ["the data look wrong"] * 2 + ["still", "no reason was given", "slowly", "slowly"]


def test_of_two_changes_at_once_the_stricter_holds() -> None:
    """A person resumes while a limit tightens after the same change, in either order of writing."""
    resumed = replace(UNCHANGED, number=1, changed_by="ada")
    tightened = replace(UNCHANGED, number=1, changed_by=THE_FUND, state=REDUCE)
    for first, second in ((resumed, tightened), (tightened, resumed)):
        assert newer_change(first, second).state is REDUCE
    assert newer_change(tightened, replace(resumed, number=2)).state is ACTIVE
