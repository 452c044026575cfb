"""A position of the fund that somebody sold by hand is closed in the journal: later shares of the name are theirs."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from internal.dates import last_closed_session
from internal.errors import UnavailableError
from internal.simulation.fund import SimulatedFund
from internal.simulation.world import World
from internal.trading.entries import EntryMemory
from internal.trading.enums import Leg, OrderSide, OrderState
from internal.trading.hand_trade_replay import Trade, count_taken
from internal.trading.hand_trades import RECORDS, find_hand_trades
from internal.trading.held_securities import find_held
from internal.trading.journal_differences import sum_missing_dollars
from internal.trading.orders import Order
from internal.trading.own_holdings import find_own_holdings
from internal.trading.ports import Journal
from internal.trading.splits import Split
from internal.trading.trading_state import StateCause, TradingState
from internal.venue.orders import OrderRequest as VenueRequest
from internal.venue.orders import OrderType, Side, TimeInForce
from libraries.python.tests.trading.trading_state_kit import (
    CountedSends,
    SlowOrders,
    make_trader,
    open_holding_fund,
    play_session,
    set_state,
    shares,
    trade_by_hand,
)


@pytest.fixture(scope="module")
def world() -> World:
    """Six sessions of 30 names."""
    return World.make(11, sessions_played=6, tickers=30)


def trade_and_follow(fund: SimulatedFund, ticker: str, signed: Decimal) -> list[Order]:
    """Somebody trades in the next session, twice reconciled; the rows about hand trades."""
    trade_by_hand(fund, ticker, signed)
    play_session(fund)
    for _ in range(2):
        make_trader(fund.ports).reconcile()
    return list(fund.journal.of(RECORDS))


@pytest.mark.parametrize("is_long", [True, False])
def test_shares_that_somebody_buys_after_selling_the_fund_s_are_not_sold(world: World, *, is_long: bool) -> None:
    """The owner closes a position of the fund at the broker, and a session later opens one of 50 shares: it stays."""
    fund = open_holding_fund(world)
    ticker, held = next((one, count) for one, count in sorted(shares(fund).items()) if (count > 0) is is_long)
    (row,) = trade_and_follow(fund, ticker, Decimal(-held))
    assert (row.ticker, row.signed_filled_quantity) == (ticker, -held)
    theirs = 50 if is_long else -50
    assert trade_and_follow(fund, ticker, Decimal(theirs)) == [row]
    broker = CountedSends(fund)
    set_state(fund.ports, TradingState.HALTED, StateCause.FLATTEN)
    report = make_trader(broker.ports).flatten()
    assert report.foreign == {ticker: theirs}
    assert {one.ticker for one in broker.sent} == shares(fund).keys() - {ticker}
    play_session(fund)
    assert shares(fund) == {ticker: theirs}


def _open_long(world: World) -> tuple[SimulatedFund, str, int]:
    fund = open_holding_fund(world)
    ticker, held = next((one, count) for one, count in sorted(shares(fund).items()) if count > 2)
    return fund, ticker, int(held)


def _own(fund: SimulatedFund, ticker: str) -> float:
    return find_own_holdings(fund.ports, fund.ports.broker.moment(), EntryMemory()).shares.get(ticker, 0.0)


def test_a_part_that_somebody_sold_and_bought_again_is_not_the_fund_s(world: World) -> None:
    """Of a position all but one share are sold by hand, and five bought a session later: one is the fund's."""
    fund, ticker, held = _open_long(world)
    (row,) = trade_and_follow(fund, ticker, Decimal(1 - held))
    assert row.signed_filled_quantity == 1 - held
    assert trade_and_follow(fund, ticker, Decimal(5)) == [row]
    assert (_own(fund, ticker), shares(fund)[ticker]) == (1, 6)


def test_sold_and_bought_again_between_two_reconciliations(world: World) -> None:
    """A position that is sold and bought again by hand, with nothing seen in between, is no longer the fund's."""
    fund, ticker, held = _open_long(world)
    for signed in (-held, held + 3):
        trade_by_hand(fund, ticker, Decimal(signed))
        play_session(fund)
    for _ in range(2):
        make_trader(fund.ports).reconcile()
    (row,) = fund.journal.of(RECORDS)
    assert (row.signed_filled_quantity, _own(fund, ticker), shares(fund)[ticker]) == (-held, 0, held + 3)


def test_others_sell_what_is_theirs_first(world: World) -> None:
    """Somebody buys five shares beside the fund's and sells seven: two of them were the fund's."""
    fund, ticker, held = _open_long(world)
    assert trade_and_follow(fund, ticker, Decimal(5)) == []
    (row,) = trade_and_follow(fund, ticker, Decimal(-7))
    assert (row.signed_filled_quantity, _own(fund, ticker)) == (-2, held - 2)


def test_an_order_by_hand_from_before_the_decision_fills_after_it(world: World) -> None:
    """Somebody asks for the sale of a position after the close, just before the fund decides."""
    undisturbed, *_ = _open_long(world)
    decided = {order.ticker for order in make_trader(undisturbed.ports).run(None).orders}
    fund = open_holding_fund(world)
    ticker, held = next((one, held) for one, held in shares(fund).items() if one not in decided)
    trade_by_hand(fund, ticker, Decimal(-held))
    make_trader(fund.ports).run(None)
    play_session(fund)
    make_trader(fund.ports).reconcile()
    assert [row.signed_filled_quantity for row in fund.journal.of(RECORDS)] == [-held]


@pytest.mark.parametrize("part", [1.0, 0.5])
def test_an_order_by_hand_that_waited_for_weeks_is_recorded(world: World, part: float) -> None:
    """A limit order from long before the last decision fills: its row is written once, and the name is not reopened."""
    fund, ticker, held = _open_long(world)
    broker = SlowOrders(fund)
    sold = int(held * part)
    trade_by_hand(fund, ticker, Decimal(-sold))
    make_trader(broker.ports).run(None)
    kept = {order.client_order_id for order in fund.journal.orders()}
    play_session(fund)
    for _ in range(3):
        make_trader(broker.ports).reconcile()
    rows = fund.journal.of(RECORDS)
    assert [(row.ticker, row.signed_filled_quantity) for row in rows] == [(ticker, -sold)]
    day = last_closed_session(fund.ports.broker.moment())
    assert find_hand_trades(broker.ports.broker, fund.journal, day, 5) == {ticker: day}
    assert {order.client_order_id for order in fund.journal.orders()} - kept == {row.client_order_id for row in rows}


def _wait_at_the_broker(fund: SimulatedFund, ticker: str) -> Order:
    """An order of the fund, to sell one share at a price that nobody pays, that stays at the broker until canceled."""
    sent = next(order for order in fund.journal.orders() if order.ticker == ticker)
    price = Decimal(round(10 * sent.reference_price))
    terms = ticker, Side.SELL, OrderType.LIMIT, TimeInForce.GTC, Decimal(1), None, price, "of the fund", None
    broker_id = fund.core.submit(VenueRequest(*terms)).id
    order = replace(
        sent,
        client_order_id="of the fund",
        side=OrderSide.SELL,
        leg=Leg.CLOSE,
        quantity=1.0,
        state=OrderState.SUBMITTED,
        broker_order_id=broker_id,
        filled_quantity=0.0,
        filled_average_price=None,
    )
    fund.journal.save_orders([order])
    return order


@pytest.mark.parametrize("ends_first", [True, False])
def test_a_hand_trade_that_waits_for_the_fund_s_order_survives_a_restart(world: World, *, ends_first: bool) -> None:
    """Sold and bought back beside an open order of the fund, then a decision, then another process: it is recorded.

    The order of the fund ends while no process runs, or after the new one has looked.
    """
    undisturbed, *_ = _open_long(world)
    decided = {order.ticker for order in make_trader(undisturbed.ports).run(None).orders}
    fund = open_holding_fund(world)
    ticker, held = next((one, held) for one, held in shares(fund).items() if one not in decided and held > 2)
    waits = _wait_at_the_broker(fund, ticker)
    trade_by_hand(fund, ticker, Decimal(2 - held))
    play_session(fund)
    price = Decimal(round(2 * waits.reference_price))  # above the market, below the fund's own
    terms = ticker, Side.BUY, OrderType.LIMIT, TimeInForce.DAY, Decimal(held - 2), None, price, None, None
    fund.core.submit(VenueRequest(*terms))
    play_session(fund)
    make_trader(fund.ports).run(None)
    play_session(fund)
    assert fund.journal.of(RECORDS) == []
    restarted = make_trader(fund.ports)
    if not ends_first:
        restarted.reconcile()
    fund.ports.broker.cancel(str(waits.broker_order_id))
    restarted.reconcile()
    assert [(row.ticker, row.signed_filled_quantity) for row in fund.journal.of(RECORDS)] == [(ticker, 2 - held)]


class RefusesOnce:
    """A journal whose store fails when it is first to keep rows about trades by hand."""

    def __init__(self, inner: Journal) -> None:
        self._inner, self.has_refused = inner, False

    def __getattr__(self, name: str) -> object:
        """The real journal's method."""
        return getattr(self._inner, name)

    def save_orders(self, orders: Sequence[Order]) -> None:
        """Raises UnavailableError once."""
        if not self.has_refused and any(order.portfolio_id == RECORDS for order in orders):
            self.has_refused = True
            raise UnavailableError("the lake does not answer")
        self._inner.save_orders(orders)


def test_a_late_order_is_looked_for_again_where_its_row_was_not_written(world: World) -> None:
    """The store fails once between the question to the broker and the row: the same process writes it next time."""
    fund, ticker, held = _open_long(world)
    broker = SlowOrders(fund)
    trade_by_hand(fund, ticker, Decimal(-held))
    make_trader(broker.ports).run(None)
    play_session(fund)
    trader = make_trader(replace(broker.ports, journal=cast("Journal", RefusesOnce(fund.journal))))
    with pytest.raises(UnavailableError):
        trader.reconcile()
    assert fund.journal.of(RECORDS) == []
    trader.reconcile()
    assert [(row.ticker, row.signed_filled_quantity) for row in fund.journal.of(RECORDS)] == [(ticker, -held)]


def test_shares_of_others_are_looked_into_once(world: World) -> None:
    """Somebody holds shares beside the fund's: the broker's older orders are asked for when that is new, once."""
    fund, ticker, _ = _open_long(world)
    assert trade_and_follow(fund, ticker, Decimal(5)) == []
    broker = SlowOrders(fund)
    trader = make_trader(broker.ports)
    for _ in range(3):
        trader.reconcile()
    assert sum(moment < fund.ports.broker.moment() - timedelta(days=60) for moment in broker.asked) == 1


def test_a_broker_that_was_restored_to_before_the_sale_takes_its_row_back(world: World) -> None:
    """The owner accepts the broker's state: the position is the fund's again, and is closed with the others."""
    fund, ticker, held = _open_long(world)
    trade_and_follow(fund, ticker, Decimal(-held))
    restored = open_holding_fund(world)
    restored.ports = replace(restored.ports, journal=fund.journal)
    make_trader(restored.ports).accept_broker_state()
    (row,) = fund.journal.of(RECORDS)
    assert (row.state, row.filled_quantity) == (OrderState.DROPPED, 0)
    assert _own(restored, ticker) == held
    make_trader(restored.ports).reconcile()
    assert _own(restored, ticker) == held


def test_a_broker_that_was_restored_to_after_the_sale_keeps_its_row(world: World) -> None:
    """What the broker still has stays recorded."""
    fund, ticker, held = _open_long(world)
    rows = trade_and_follow(fund, ticker, Decimal(-held))
    make_trader(fund.ports).accept_broker_state()
    assert list(fund.journal.of(RECORDS)) == rows


def test_what_the_broker_lacks_for_no_reason_is_missing(world: World) -> None:
    """A position that is gone, and one of which two shares are left, without any order: their dollars are missing."""
    fund, ticker, held = _open_long(world)
    positions = fund.ports.broker.positions()
    other = next(one for one in positions if one.quantity < -2)
    kept = [replace(one, quantity=-2.0) if one is other else one for one in positions if one.ticker != ticker]
    ports, splits, memory = fund.ports, dict[str, list[Split]](), EntryMemory()
    assert sum_missing_dollars(ports, positions, find_held(ports.journal, positions), splits, memory) == 0
    found = sum_missing_dollars(ports, kept, find_held(ports.journal, kept), splits, EntryMemory())
    (run,) = fund.journal.runs()
    portfolio = ports.portfolios.find(run.portfolio_id)
    assert portfolio is not None
    price = next(row.reference_price for row in portfolio.rows if row.ticker == ticker)
    left = replace(other, quantity=-2.0).share_value
    assert left is not None
    assert found == pytest.approx(held * price + (-other.quantity - 2) * left)


def _replay_share_by_share(own: int, others: int, trades: list[tuple[int, bool]]) -> list[int]:
    """The same with single shares: each sale takes one of others where they have any on that side."""
    taken: list[int] = []
    for count, is_own in trades:
        step, of_fund = (1 if count > 0 else -1), 0
        for _ in range(abs(count)):
            if is_own:
                own += step
            elif own * step < 0 and not (others * step < 0):
                own, of_fund = own + step, of_fund + 1
            else:
                others += step
        taken.append(of_fund)
    return taken


COUNT = st.integers(-20, 20)


@given(COUNT, COUNT, st.lists(st.tuples(COUNT.filter(bool), st.booleans()), max_size=8))
def test_replay_is_that_of_single_shares(own: int, others: int, trades: list[tuple[int, bool]]) -> None:
    """Any sequence of orders, counted at once or share by share, closes the same shares of the fund's."""
    found = count_taken(own, others, [Trade(count, is_own) for count, is_own in trades])
    assert found == _replay_share_by_share(own, others, trades)
