"""Sessions played on a market whose every price is known: fills, expiries, corporate actions, restarts."""

import contextlib
from collections import defaultdict
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from applications.exchange.tests.exchange_kit import MemoryStore, OpenVenue, SqliteStore, Store, advance
from exchange.adapters.database import Database
from internal.dates import session_close
from internal.errors import ConfigurationError, ConflictError, InvalidRequestError, UnavailableError
from internal.venue.clock import Auction
from internal.venue.history import ActivityType, Fill, MovementKind
from internal.venue.margin_account import MarginAccount
from internal.venue.market_faults import MarketFaultKind
from internal.venue.orders import Order, OrderRequest, OrderStatus, OrderType, Side, TimeInForce
from internal.venue.rejections import RequestRefusedError
from internal.venue.repository import HistoryQuery, OrderQuery
from internal.venue.state import SessionEvent
from libraries.python.tests.venue.venue_kit import hand_market, make_bar, make_listing

JANUARY_2, JANUARY_3 = date(2025, 1, 2), date(2025, 1, 3)


def ask(ticker: str, quantity: int | str, *, force: str = "day", limit: str | None = None) -> OrderRequest:
    """A request to buy (positive) or sell (negative) whole shares."""
    signed = Decimal(quantity)
    return OrderRequest(
        ticker=ticker,
        side=Side.BUY if signed > 0 else Side.SELL,
        type=OrderType.MARKET if limit is None else OrderType.LIMIT,
        time_in_force=TimeInForce(force),
        quantity=abs(signed),
        notional=None,
        limit_price=None if limit is None else Decimal(limit),
        client_order_id=None,
        position_intent=None,
    )


def account_of(exchange: OpenVenue) -> MarginAccount:
    """The account as it is stored, which is the account that the venue goes on with."""
    stored = exchange.repository.load()
    assert stored == exchange.core.state
    return exchange.core.state.account


def order_of(exchange: OpenVenue, order: Order) -> Order:
    """The order as it is now."""
    found = exchange.repository.order(order.id)
    assert found is not None
    return found


def types_of(exchange: OpenVenue) -> list[str]:
    """The types of the account's history, oldest first."""
    return [str(row.activity_type) for row in exchange.repository.find_history(HistoryQuery())]


def test_a_day_by_hand(store: Store) -> None:
    """Buy 100 and short 100 at the open of 100, close at 110 and 90: every cent of cash and equity accounted for.

    Slippage of 100 in a million shares: 0.0240255 x 0.01 + 0.0001 = 0.00034026, so 100.0340 and 99.9660. Fees on
    9,996.60 of sales: SEC 0.277905 -> 0.28, TAF 0.0166 -> 0.02. Borrow: 9,000 x 0.036 / 360 = 0.90.
    """
    market = hand_market(bars=[make_bar("AAA", JANUARY_2, close=110.0), make_bar("BBB", JANUARY_2, close=90.0)])
    exchange = store.open(market)
    bought, sold = exchange.core.submit(ask("AAA", 100)), exchange.core.submit(ask("BBB", -100))
    advance(exchange, Auction.OPEN)
    assert Decimal("99993.20") == account_of(exchange).cash
    assert [OrderStatus.FILLED] * 2 == [order_of(exchange, bought).status, order_of(exchange, sold).status]
    advance(exchange, Auction.CLOSE)
    book = account_of(exchange)
    assert Decimal("99993.20") - Decimal("0.28") - Decimal("0.02") - Decimal("0.90") == book.cash
    assert book.cash + 11000 - 9000 == book.equity
    assert [ActivityType.FILL, ActivityType.FILL, "FEE", "FEE", "FEE"] == types_of(exchange)


def test_marks_follow_the_clock(store: Store) -> None:
    """At the open a position is worth the open, at the close the close; the day before is `last_equity`."""
    exchange = store.open(hand_market(bars=[make_bar("AAA", JANUARY_3, open=105.0, close=95.0, high=106.0)]))
    exchange.core.submit(ask("AAA", 10))
    advance(exchange, Auction.CLOSE)
    yesterday = account_of(exchange).equity
    advance(exchange, Auction.OPEN)
    book = account_of(exchange)
    assert (Decimal(105), Decimal(100), yesterday) == (
        book.positions["AAA"].mark_price,
        book.positions["AAA"].lastday_price,
        book.last_equity,
    )
    advance(exchange, Auction.CLOSE)
    assert Decimal(95) == account_of(exchange).positions["AAA"].mark_price


def test_an_order_of_the_open_market_waits_for_the_close(store: Store) -> None:
    """Daily bars hold no price between the auctions."""
    exchange = store.open(hand_market())
    advance(exchange, Auction.OPEN)
    order = exchange.core.submit(ask("AAA", 10))
    assert OrderStatus.NEW is order.status
    advance(exchange, Auction.CLOSE)
    assert session_close(JANUARY_2) == order_of(exchange, order).filled_at


def test_partial_fill_is_canceled_at_the_close(store: Store) -> None:
    """80,000 of a million shares: 50,000 at the open, 30,000 at the close; of 120,000 the last 20,000 are canceled."""
    exchange = store.open(hand_market(), cash="100000000")
    whole, part = exchange.core.submit(ask("AAA", 80000)), exchange.core.submit(ask("BBB", 120000))
    advance(exchange, Auction.OPEN)
    assert OrderStatus.PARTIALLY_FILLED is order_of(exchange, whole).status
    advance(exchange, Auction.CLOSE)
    done, cut = order_of(exchange, whole), order_of(exchange, part)
    assert (OrderStatus.FILLED, Decimal(80000)) == (done.status, done.filled_quantity)
    assert (OrderStatus.CANCELED, Decimal(100000)) == (cut.status, cut.filled_quantity)
    assert Decimal(100000) == account_of(exchange).quantity_of("BBB")


def test_halted_ticker_expires(store: Store) -> None:
    """No bar: no fill, the day order expires, an auction order is canceled, the position keeps its mark."""
    exchange = store.open(hand_market(without=[("AAA", JANUARY_2)]))
    day, opening = exchange.core.submit(ask("AAA", 10)), exchange.core.submit(ask("BBB", 10, limit="50.00"))
    advance(exchange, Auction.CLOSE)
    assert [OrderStatus.EXPIRED] * 2 == [order_of(exchange, day).status, order_of(exchange, opening).status]
    assert {} == account_of(exchange).positions


def test_good_till_canceled_stays(store: Store) -> None:
    """It works day after day until the price comes."""
    exchange = store.open(hand_market(bars=[make_bar("AAA", JANUARY_3, low=89.0)]))
    order = exchange.core.submit(ask("AAA", 10, force="gtc", limit="90.00"))
    advance(exchange, Auction.CLOSE)
    assert order_of(exchange, order).is_open
    advance(exchange, Auction.CLOSE)
    assert Decimal("90.00") == order_of(exchange, order).filled_average_price


def test_corporate_actions(store: Store) -> None:
    """Split, dividend and delisting on their days: equity moves by the dividend alone."""
    exchange = store.open(
        hand_market(
            bars=[make_bar("AAA", day, 50.0) for day in (JANUARY_3, date(2025, 1, 6))],
            splits=[("AAA", JANUARY_3, 1.0, 2.0)],
            dividends=[("BBB", JANUARY_3, 0.5)],
            listings=[make_listing("CCC", delisted_date=JANUARY_3)],
        )
    )
    for ticker, quantity in (("AAA", 10), ("BBB", -10), ("CCC", 10)):
        exchange.core.submit(ask(ticker, quantity))
    advance(exchange, Auction.CLOSE)
    waiting = exchange.core.submit(ask("AAA", 10, force="gtc", limit="80.00"))
    lost = exchange.core.submit(ask("CCC", 10, force="gtc", limit="80.00"))
    before = account_of(exchange)
    advance(exchange, Auction.OPEN)
    after = account_of(exchange)
    assert {"AAA": Decimal(20), "BBB": Decimal(-10)} == {
        ticker: held.quantity for ticker, held in after.positions.items()
    }
    assert before.equity - 5 == after.equity
    assert (Decimal(20), Decimal("40.00")) == (
        order_of(exchange, waiting).quantity,
        order_of(exchange, waiting).limit_price,
    )
    assert OrderStatus.CANCELED is order_of(exchange, lost).status
    assert ["SPLIT", "DIV", "REORG"] == types_of(exchange)[-3:]


def test_faults_of_the_market(store: Store) -> None:
    """A partial fill takes its share once; a refused short is refused once, and stays used up."""
    exchange = store.open(hand_market())
    exchange.inject(MarketFaultKind.PARTIAL_FILL, "A*", 0.35)
    exchange.inject(MarketFaultKind.REFUSED_SHORT, "BBB", None)
    order = exchange.core.submit(ask("AAA", 100))
    with pytest.raises(RequestRefusedError, match='asset "BBB" cannot be sold short'):
        exchange.core.submit(ask("BBB", -10))
    exchange.core.submit(ask("BBB", -10))
    advance(exchange, Auction.OPEN)
    assert Decimal(35) == order_of(exchange, order).filled_quantity
    advance(exchange, Auction.CLOSE)
    assert Decimal(100) == order_of(exchange, order).filled_quantity


def test_small_accounts_have_no_margin(store: Store) -> None:
    """Below 2,000 dollars: no short, and no more than the cash is worth."""
    exchange = store.open(hand_market(), cash="1999.99")
    with pytest.raises(RequestRefusedError, match="account is not allowed to short"):
        exchange.core.submit(ask("AAA", -1))
    with pytest.raises(RequestRefusedError, match="insufficient buying power"):
        exchange.core.submit(ask("AAA", 20))
    exchange.core.submit(ask("AAA", 19))


def test_buying_power_counts_open_orders(store: Store) -> None:
    """200,000 of buying power: 1,900 shares at 100 leave 10,000; a short of 100 at 103 (the collar) is too much."""
    exchange = store.open(hand_market())
    order = exchange.core.submit(ask("AAA", 1900))
    with pytest.raises(RequestRefusedError, match="insufficient buying power") as refusal:
        exchange.core.submit(ask("BBB", -100))
    assert ("10000", "10300") == (refusal.value.details["buying_power"], refusal.value.details["cost_basis"])
    exchange.core.submit(ask("BBB", -97))
    exchange.core.cancel(order.id)
    exchange.core.submit(ask("BBB", -100))


def test_dollars_never_sell_more_than_there_is(store: Store) -> None:
    """An order to sell 990 of 1,000 dollars, and the price halves overnight: ten shares, not twenty."""
    exchange = store.open(hand_market(bars=[make_bar("AAA", JANUARY_3, 50.0)]))
    exchange.core.submit(ask("AAA", 10))
    advance(exchange, Auction.CLOSE)
    request = OrderRequest(
        "AAA", Side.SELL, OrderType.MARKET, TimeInForce.DAY, None, Decimal(990), None, None, None
    )  # fmt: skip
    order = exchange.core.submit(request)
    advance(exchange, Auction.OPEN)
    assert (Decimal(10), Decimal(0)) == (
        order_of(exchange, order).filled_quantity,
        account_of(exchange).quantity_of("AAA"),
    )


def test_events_are_recorded_with_the_step(store: Store) -> None:
    """Each open and close leaves its event to be sent, until it is marked."""
    exchange = store.open(hand_market())
    advance(exchange, Auction.CLOSE)
    waiting = exchange.repository.unsent_events()
    expected = [SessionEvent(Auction.OPEN, JANUARY_2), SessionEvent(Auction.CLOSE, JANUARY_2)]
    assert expected == [event for _, event in waiting]
    exchange.repository.mark_event_sent(waiting[0][0])
    assert waiting[1:] == exchange.repository.unsent_events()


def test_clock_moves_forward_only(store: Store) -> None:
    """Back is refused, beyond the end is refused, and a step is played once."""
    exchange = store.open(hand_market())
    with pytest.raises(InvalidRequestError, match="only moves forward"):
        exchange.core.steps_to(session_close(date(2024, 12, 30)))
    steps = exchange.core.steps_to(session_close(date(2025, 1, 10)))
    order = exchange.core.submit(ask("AAA", 10))
    for step in [*steps, *steps]:
        exchange.core.step(step)
    assert Decimal(10) == order_of(exchange, order).filled_quantity
    with pytest.raises(ConflictError, match="market ends"):
        exchange.core.next_stop(Auction.OPEN)


def test_a_restart_goes_on(store: Store) -> None:
    """The same folder holds the same clock, book and orders; another market on it is refused with what to do."""
    first = store.open(hand_market())
    order = first.core.submit(ask("AAA", 10))
    advance(first, Auction.OPEN)
    book, moment = account_of(first), first.core.clock.now()
    second = store.open(hand_market())
    assert (book, moment) == (account_of(second), second.core.clock.now())
    assert order.id == order_of(second, order).id


def test_another_market(sqlite: SqliteStore) -> None:
    """Another market on the same folder is refused with what to do."""
    sqlite.open(hand_market())
    with pytest.raises(ConfigurationError, match="belongs to another market"):
        sqlite.open(hand_market(tickers=["AAA"]))


def test_one_exchange_a_folder(sqlite: SqliteStore, tmp_path: Path) -> None:
    """A second exchange on the same state is refused, instead of writing into it."""
    sqlite.open(hand_market())
    with pytest.raises(UnavailableError, match="another exchange runs on it"):
        Database(tmp_path / "state")


def test_full_disk(sqlite: SqliteStore) -> None:
    """SQLite's own full file: the order is refused with what to do, nothing is kept, and with room it goes on."""
    exchange = sqlite.open(hand_market())
    with sqlite.database.reading() as connection:
        connection.execute(f"PRAGMA max_page_count = {connection.execute('PRAGMA page_count').fetchone()[0]}")
    accepted = 0

    def send_until_full() -> None:
        nonlocal accepted
        for _ in range(100):
            exchange.core.submit(ask("AAA", 1))
            accepted += 1

    with pytest.raises(UnavailableError, match="Free disk space"):
        send_until_full()
    assert accepted == len(exchange.repository.find_orders(OrderQuery())) == len(exchange.core.state.open_orders)
    assert exchange.repository.load() == exchange.core.state
    with sqlite.database.reading() as connection:
        connection.execute("PRAGMA max_page_count = 1000000")
    assert accepted + 1 == exchange.core.submit(ask("AAA", 1)).sequence


def test_a_failing_step_leaves_nothing(store: Store) -> None:
    """When the market fails in the middle of a step, book, orders and clock are as before it."""
    broken = hand_market(bars=[make_bar("BBB", JANUARY_2, low=-1.0)])  # no price range has a negative low: log fails
    exchange = store.open(broken)
    orders = [exchange.core.submit(ask("AAA", 10)), exchange.core.submit(ask("BBB", 10))]
    before = account_of(exchange)
    with pytest.raises(ValueError, match="math domain"):
        advance(exchange, Auction.OPEN)
    assert before == account_of(exchange)
    assert [OrderStatus.ACCEPTED] * 2 == [order_of(exchange, order).status for order in orders]
    assert session_close(date(2024, 12, 31)) == exchange.core.clock.now()


MOVES = st.lists(
    st.one_of(
        st.sampled_from(list(Auction)),
        st.tuples(
            st.sampled_from(["AAA", "BBB", "CCC"]),
            st.integers(-900, 900).filter(bool),
            st.sampled_from(["day", "gtc", "cls", "opg"]),
            st.sampled_from([None, "99.00", "101.00"]),
        ),
    ),
    max_size=14,
)


@settings(deadline=None, max_examples=40)
@given(MOVES)
def test_whatever_happens_the_books_balance(moves: list[object]) -> None:
    """Cash is the opening cash plus every row of the history; positions are the sum of their fills; equity adds up."""
    market = hand_market(
        splits=[("AAA", JANUARY_3, 1.0, 3.0)],
        dividends=[("BBB", JANUARY_3, 0.37)],
        listings=[make_listing("CCC", delisted_date=date(2025, 1, 7))],
    )
    exchange = MemoryStore().open(market)
    for move in moves:
        try_move(exchange, move)
    account = exchange.core.state.account
    rows, orders = exchange.repository.find_history(HistoryQuery()), exchange.repository.find_orders(OrderQuery())
    assert Decimal(100000) + sum((row.net_amount for row in rows), Decimal(0)) == account.cash
    assert account.cash + sum((held.market_value for held in account.positions.values()), Decimal(0)) == account.equity
    held: defaultdict[str, Decimal] = defaultdict(Decimal)
    filled: defaultdict[str, Decimal] = defaultdict(Decimal)
    for entry in (row.entry for row in rows):
        if isinstance(entry, Fill):
            held[entry.ticker] += entry.side.sign * entry.quantity
            filled[entry.order_id] += entry.quantity
        elif entry.kind in {MovementKind.SPLIT, MovementKind.DELISTING} and entry.ticker and entry.quantity:
            held[entry.ticker] += entry.quantity
    assert {name: total for name, total in held.items() if total} == {
        name: position.quantity for name, position in account.positions.items()
    }
    for order in orders:
        assert filled[order.id] == order.filled_quantity <= (order.quantity or Decimal(0))


def try_move(exchange: OpenVenue, move: object) -> None:
    """Sends an order, which may be refused, or moves the clock, which may be at its end."""
    with contextlib.suppress(RequestRefusedError, ConflictError):
        if isinstance(move, Auction):
            advance(exchange, move)
        else:
            ticker, quantity, force, limit = cast("tuple[str, int, str, str | None]", move)
            exchange.core.submit(ask(ticker, quantity, force=force, limit=limit))
