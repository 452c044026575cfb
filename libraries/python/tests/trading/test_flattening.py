"""Closing all positions: flat once, whatever kills the process, and flat until a person resumes trading."""

from contextlib import suppress
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from internal.action_kinds import ActionKind
from internal.dates import exchange_day, previous_session
from internal.errors import NotFoundError, UnavailableError, UnresolvedOrderError
from internal.simulation.fund import SimulatedFund
from internal.simulation.venue_broker import VenueBroker
from internal.simulation.world import World
from internal.trading.broker_reports import BrokerOrder
from internal.trading.capital import Capital
from internal.trading.capital_broker import CapitalBroker
from internal.trading.corporate_actions import CorporateAction
from internal.trading.entries import EntryMemory
from internal.trading.enums import OrderState, RunState
from internal.trading.flatten_report import FlattenReport
from internal.trading.optional_data import OptionalData
from internal.trading.order_planning import is_flatten
from internal.trading.orders import Order, OrderRequest
from internal.trading.own_holdings import find_own_holdings
from internal.trading.ports import RefusedOrderError, SuspendedAccountError, TradingPorts
from internal.trading.send_permission import TradingHaltedError
from internal.trading.trading_state import StateCause, TradingState
from internal.venue.clock import Auction
from libraries.python.tests.trading.trading_state_kit import (
    CountedSends,
    Kill,
    KilledError,
    RefusingBroker,
    RenamingBroker,
    SplitBroker,
    buy_beside,
    make_trader,
    open_holding_fund,
    play_session,
    set_state,
    shares,
    trade_by_hand,
)

ACTIVE, HALT = TradingState.ACTIVE, TradingState.HALTED
STRIDE = 5  # of the calls at which the short form kills; the long form kills at each


@pytest.fixture(scope="module")
def world() -> World:
    """Five sessions of 30 names."""
    return World.make(11, sessions_played=5, tickers=30)


def flatten(ports: TradingPorts) -> FlattenReport:
    """A person asks for all positions to be closed."""
    set_state(ports, HALT, StateCause.FLATTEN)
    return make_trader(ports).flatten()


def closes(fund: SimulatedFund) -> list[Order]:
    """The closes of flattening that were sent."""
    orders = [order for order in fund.journal.orders() if is_flatten(order.portfolio_id)]
    return [order for order in orders if order.broker_order_id is not None]


def open_with_orders(world: World) -> tuple[SimulatedFund, dict[str, float]]:
    """A fund that holds positions, with orders of its next decision at the broker, beside the shares of somebody."""
    fund = open_holding_fund(world)
    theirs = buy_beside(fund)
    play_session(fund)
    make_trader(fund.ports).run(None)
    return fund, theirs


def test_it_closes_what_is_the_fund_s_and_stays_flat(world: World) -> None:
    """Open orders are canceled, each position is closed by one order, others keep their shares; then nothing opens."""
    fund, theirs = open_with_orders(world)
    held = shares(fund)
    broker = CountedSends(fund)
    report = flatten(broker.ports)
    assert not report.is_flat
    own = {ticker: quantity - theirs.get(ticker, 0.0) for ticker, quantity in held.items()}
    wanted = {ticker: -quantity for ticker, quantity in own.items() if quantity}
    sent = {one.ticker: one.quantity if one.side == "buy" else -one.quantity for one in broker.sent}
    assert (sent, len(broker.sent)) == (wanted, len(wanted))
    assert all(
        order.client_order_id in {one.client_order_id for one in broker.sent}
        for order in fund.ports.broker.open_orders()
    )
    assert all("can fill from 2025-01-06 14:30 UTC on" in one.reason for one in report.still_open)
    for _ in range(2):
        play_session(fund)
        make_trader(broker.ports).reconcile()
        with pytest.raises(TradingHaltedError):
            make_trader(broker.ports).run(None)
        assert shares(fund) == theirs
    final = make_trader(broker.ports).report_flattening()
    assert (final.is_flat, final.still_open, final.foreign) == (True, [], theirs)
    assert len(broker.sent) == len(wanted)
    assert {run.state for run in fund.journal.runs()} == {RunState.RECONCILED}


def test_a_decision_follows_a_resume_and_not_the_old_orders(world: World) -> None:
    """What was planned before is dropped for good; the next close is decided from a flat fund."""
    fund, theirs = open_with_orders(world)
    flatten(fund.ports)
    play_session(fund)
    make_trader(fund.ports).reconcile()
    set_state(fund.ports, ACTIVE)
    make_trader(fund.ports).recover()
    assert shares(fund) == theirs
    outcome = make_trader(fund.ports).run(None)
    assert outcome.portfolio is not None
    assert {row.held for row in outcome.portfolio.rows} == {0.0}
    play_session(fund)
    assert shares(fund).keys() > theirs.keys()


def test_a_halted_name_is_named_and_tried_again_the_next_session(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broker refuses it: the others are closed; asked by hand it is tried once more, then once a session."""
    fund = open_holding_fund(world)
    halted, submit = min(shares(fund)), VenueBroker.submit
    refused: list[str] = []

    def refuse(broker: VenueBroker, request: OrderRequest) -> BrokerOrder:
        if request.ticker == halted:
            refused.append(request.client_order_id)
            raise RefusedOrderError(f"trading in {halted} is halted")
        return submit(broker, request)

    with monkeypatch.context() as patch:
        patch.setattr(VenueBroker, "submit", refuse)
        flatten(fund.ports)
        make_trader(fund.ports).reconcile()
        assert len(refused) == 1
        fund.move(Auction.OPEN)
        report = make_trader(fund.ports).flatten()
        assert (len(refused), len(set(refused))) == (2, 2)
        assert [one.ticker for one in report.still_open] == [halted]
        assert f"trading in {halted} is halted" in report.still_open[0].reason
        fund.move(Auction.CLOSE)
        make_trader(fund.ports).reconcile()
        make_trader(fund.ports).reconcile()
        assert (len(refused), len(set(refused))) == (3, 3)
    play_session(fund)
    make_trader(fund.ports).reconcile()
    play_session(fund)
    assert shares(fund) == {}


def test_a_halt_or_a_resume_ends_it(world: World) -> None:
    """Closes that were not sent yet never are; those at the broker may fill."""
    for state in (HALT, ACTIVE):
        fund = open_holding_fund(world)
        broker = CountedSends(fund, 2, lambda: set_state(fund.ports, state))  # noqa: B023 - called in this turn alone
        with suppress(TradingHaltedError):
            flatten(broker.ports)
        make_trader(broker.ports).reconcile()
        assert len(broker.sent) == 2
        assert {order.state for order in fund.journal.unfinished()} == {OrderState.SUBMITTED}


def test_what_somebody_sold_meanwhile_is_not_sold_again(world: World) -> None:
    """The broker took no close and the owner sold a name, and a share of another: the closes follow."""
    fund = open_holding_fund(world)
    first, second = [ticker for ticker, quantity in sorted(shares(fund).items()) if quantity > 0][:2]
    with pytest.raises(UnavailableError):
        flatten(RefusingBroker(fund).ports)
    trade_by_hand(fund, first, -Decimal(shares(fund)[first]))
    trade_by_hand(fund, second, Decimal(-1))
    fund.move(Auction.OPEN)
    left = shares(fund)
    make_trader(fund.ports).recover()
    sent = {one.ticker: -one.quantity if one.side == "sell" else one.quantity for one in closes(fund)}
    assert sent == {ticker: -quantity for ticker, quantity in left.items()}
    fund.move(Auction.CLOSE)
    fund.move(Auction.OPEN)
    assert shares(fund) == {}


def refuse_data(*_: object) -> list[CorporateAction]:
    """What every question to the data service gets."""
    raise UnavailableError("the data service does not answer")


@pytest.mark.parametrize("capital", [None, Capital(share=0.5)])
def test_it_needs_no_data_service(world: World, monkeypatch: pytest.MonkeyPatch, capital: Capital | None) -> None:
    """Open orders are canceled, and all that is the fund's is closed, by what the broker and the journal say."""
    fund, theirs = open_with_orders(world)
    held, ports = shares(fund), fund.ports
    assert ports.broker.open_orders()
    if capital is not None:
        ports = replace(ports, broker=CapitalBroker(ports, capital))
    for question in ("corporate_actions", "closes", "day_inputs"):
        monkeypatch.setattr(type(ports.data), question, refuse_data)
    report = flatten(ports)
    assert report.foreign == theirs
    assert {one.ticker for one in report.orders} == {ticker for ticker in held if held[ticker] != theirs.get(ticker)}
    play_session(fund)
    assert make_trader(ports).report_flattening().is_flat
    make_trader(ports).reconcile()
    assert shares(fund) == theirs


def open_fund_of_splits(world: World) -> tuple[SimulatedFund, str, float, date, date]:
    """A fund without data service, three sessions after its fills: a long of it, its shares, and the last two days."""
    fund = open_holding_fund(world)
    play_session(fund)
    play_session(fund)
    today = exchange_day(fund.ports.broker.moment())
    ticker, count = max(shares(fund).items(), key=lambda held: held[1])
    return fund, ticker, count, previous_session(today), today


def test_two_splits_that_nobody_states_are_found(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the data service, from the broker's list: n shares are 2n, then 6n, of which somebody holds no more."""
    fund, ticker, count, first, second = open_fund_of_splits(world)
    monkeypatch.setattr(type(fund.ports.data), "corporate_actions", refuse_data)
    broker = SplitBroker(fund, ticker, {first: count, second: 4 * count})
    ports = replace(broker.ports, data=OptionalData(fund.ports.data))
    found = find_own_holdings(ports, fund.ports.broker.moment(), EntryMemory())
    assert (found.shares[ticker], found.foreign, found.unclear) == (6 * count, {}, frozenset())
    trade_by_hand(fund, ticker, Decimal(1))  # bought after both
    fund.move(Auction.OPEN)
    found = find_own_holdings(ports, fund.ports.broker.moment(), EntryMemory())
    assert (found.shares[ticker], found.foreign, found.unclear) == (6 * count, {ticker: 1.0}, frozenset())


def test_a_fund_whose_splits_nobody_can_tell_is_not_flat(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ratios that no split has: its known shares are closed, and the report says what it cannot say.

    Once the data service states the splits, the rest is the fund's.
    """
    fund, ticker, count, first, second = open_fund_of_splits(world)
    broker = SplitBroker(fund, ticker, {first: count / 3, second: count * 5 / 3})
    stated = fund.ports.data.corporate_actions
    with monkeypatch.context() as patch:
        patch.setattr(type(fund.ports.data), "corporate_actions", refuse_data)
        flatten(broker.ports)
        play_session(fund)
        make_trader(broker.ports).reconcile()
        report = make_trader(broker.ports).report_flattening()
    assert ticker not in shares(fund)
    assert not report.is_flat
    assert [(one.ticker, one.quantity) for one in report.still_open] == [(ticker, pytest.approx(2 * count))]
    assert "nobody has stated how" in report.still_open[0].reason
    terms = ((first, 3, 4), (second, 4, 9))
    splits = [CorporateAction(ActionKind.FORWARD_SPLIT, ticker, day, old, new) for day, old, new in terms]

    def state_splits(_data: object, start: date, end: date) -> list[CorporateAction]:
        return [*stated(start, end), *splits]

    monkeypatch.setattr(type(fund.ports.data), "corporate_actions", state_splits)
    report = make_trader(broker.ports).report_flattening()
    assert [one.ticker for one in report.still_open] == [ticker]
    assert "nobody has stated how" not in report.still_open[0].reason


def test_a_decision_leaves_a_name_alone_whose_splits_nobody_can_tell(world: World) -> None:
    """Its shares are kept as they are: how many of the account's are the fund's, and at which price, nobody can say."""
    fund, ticker, count, first, second = open_fund_of_splits(world)
    broker = SplitBroker(fund, ticker, {first: count / 3, second: count * 5 / 3})
    outcome = make_trader(broker.ports).run(None)
    assert outcome.portfolio is not None
    (row,) = (one for one in outcome.portfolio.rows if one.ticker == ticker)
    assert (row.frozen, row.quantity) == (True, row.held)
    assert ticker not in {order.ticker for order in outcome.orders}
    assert [note for note in outcome.run.notes if note.endswith(f": {ticker}") and "corporate action since" in note]


def test_the_report_knows_what_filled_since_the_last_reconciliation(world: World) -> None:
    """Closes fill after the last look: the report counts them, also those of an earlier request, and writes nothing."""
    fund = open_holding_fund(world)
    halted = min(shares(fund))
    with pytest.raises(UnavailableError):
        flatten(RefusingBroker(fund).ports)
    flatten(fund.ports)
    play_session(fund)
    before = fund.journal.orders()
    report = make_trader(fund.ports).report_flattening()
    assert report.is_flat
    assert {order.state for order in report.orders} == {OrderState.FILLED}
    assert halted in {order.ticker for order in report.orders}
    assert fund.journal.orders() == before
    make_trader(fund.ports).reconcile()
    set_state(fund.ports, HALT, StateCause.FLATTEN)
    again = make_trader(fund.ports).flatten()
    assert {one.ticker for one in again.orders} == {one.ticker for one in report.orders}


def test_an_unresolved_close_of_more_than_is_held_does_not_wait(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broker does not say whether it has a close, and the owner sells a share: the rest is closed at once."""
    fund = open_holding_fund(world)
    silent, submit = next(one for one, held in sorted(shares(fund).items()) if held > 2), VenueBroker.submit

    def lose(broker: VenueBroker, request: OrderRequest) -> BrokerOrder:
        if request.ticker == silent:
            raise UnresolvedOrderError("no answer")
        return submit(broker, request)

    with monkeypatch.context() as patch:
        patch.setattr(VenueBroker, "submit", lose)
        with pytest.raises(UnresolvedOrderError):
            flatten(fund.ports)
    trade_by_hand(fund, silent, Decimal(-1))
    fund.move(Auction.OPEN)
    left = shares(fund)[silent]
    make_trader(fund.ports).reconcile()
    (sent,) = [order for order in closes(fund) if order.ticker == silent]
    assert sent.quantity == left
    fund.move(Auction.CLOSE)
    assert shares(fund) == {}


def test_a_close_of_unknown_fate_keeps_no_other_from_being_sent(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broker never answers about one name: all others are closed, at the first attempt and at the next ones."""
    fund = open_holding_fund(world)
    silent, submit = min(shares(fund)), VenueBroker.submit

    def lose(broker: VenueBroker, request: OrderRequest) -> BrokerOrder:
        if request.ticker == silent:
            raise UnresolvedOrderError("no answer")
        return submit(broker, request)

    with monkeypatch.context() as patch:
        patch.setattr(VenueBroker, "submit", lose)
        for attempt in (lambda: flatten(fund.ports), make_trader(fund.ports).reconcile):
            with pytest.raises(UnresolvedOrderError):
                attempt()
            assert {order.ticker for order in closes(fund)} == shares(fund).keys() - {silent}
    make_trader(fund.ports).reconcile()
    play_session(fund)
    assert shares(fund) == {}


def test_a_new_ticker_is_not_closed_beside_the_old_one(world: World) -> None:
    """A name has a new ticker before its close has filled: it is not ordered a second time."""
    fund = open_holding_fund(world)
    flatten(fund.ports)
    orders = fund.journal.orders()
    fund.journal.save_orders([replace(one, asset_id=one.ticker) for one in orders])
    make_trader(RenamingBroker(fund, min(shares(fund)), "NEW").ports).reconcile()
    assert len(fund.journal.orders()) == len(orders)


def test_asked_once_more_after_an_end_it_closes_all(world: World) -> None:
    """Closes of a flattening that was ended are dropped; the next one plans them again, killed at once as it is."""
    fund = open_holding_fund(world)
    with pytest.raises(UnavailableError):
        flatten(RefusingBroker(fund).ports)
    set_state(fund.ports, HALT)
    make_trader(fund.ports).recover()
    set_state(fund.ports, HALT, StateCause.FLATTEN)
    make_trader(fund.ports).recover()
    assert len(closes(fund)) == len(shares(fund))


def test_a_suspended_account_is_still_reconciled(world: World) -> None:
    """The broker's switch is off: asked by hand it says so, and fills are recorded; switched on, all is closed."""
    fund = open_holding_fund(world)
    fund.core.change_settings({"suspend_trade": True})
    with pytest.raises(SuspendedAccountError):
        flatten(fund.ports)
    make_trader(fund.ports).reconcile()
    make_trader(fund.ports).recover()
    assert not closes(fund)
    fund.core.change_settings({"suspend_trade": False})
    make_trader(fund.ports).reconcile()
    play_session(fund)
    assert shares(fund) == {}


def test_it_has_to_be_asked_for(world: World) -> None:
    """Without any request there is no report."""
    with pytest.raises(NotFoundError, match="POST /flatten"):
        make_trader(world.open_fund().ports).report_flattening()


def check_kill(world: World, at: int, *, before: bool) -> bool:
    """Kill a flattening at a call, go on in another process; whether the call was reached."""
    fund, theirs = open_with_orders(world)
    held, kill = shares(fund), Kill(at, before=before)
    with suppress(KilledError):
        flatten(kill.ports(fund))
    if not fund.journal.trading_state().flattens:
        set_state(fund.ports, HALT, StateCause.FLATTEN)  # the person was not answered, and asks again
    make_trader(fund.ports).recover()
    play_session(fund)
    make_trader(fund.ports).reconcile()
    assert shares(fund) == theirs
    filled = {order.ticker: order.signed_filled_quantity for order in closes(fund)}
    own = {ticker: -(quantity - theirs.get(ticker, 0.0)) for ticker, quantity in held.items()}
    assert (filled, len(closes(fund))) == ({ticker: one for ticker, one in own.items() if one}, len(filled))
    assert make_trader(fund.ports).report_flattening().is_flat
    return kill.dead


def test_a_kill_at_any_call_changes_nothing(world: World) -> None:
    """Each position is closed by exactly one order, whichever call of broker or journal the process died at."""
    for before in (True, False):
        at = 1
        while check_kill(world, at, before=before):
            at += STRIDE
        assert at > 10 * STRIDE


@pytest.mark.long
def test_a_kill_at_each_call_changes_nothing(world: World) -> None:
    """The same at every single call."""
    for before in (True, False):
        at = 1
        while check_kill(world, at, before=before):
            at += 1
