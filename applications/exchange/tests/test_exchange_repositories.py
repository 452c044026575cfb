"""The contract of the venue's repository, kept by each adapter: in memory, and in SQLite."""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from applications.exchange.tests.exchange_kit import MemoryStore, OpenVenue, SqliteStore, Store, advance
from exchange.adapters.database import to_text
from exchange.adapters.migration import ADDED_COLUMNS
from exchange.bodies.alpaca_activities import activity_body
from internal.dates import session_close, session_open
from internal.venue.charges import Trade
from internal.venue.clock import Auction
from internal.venue.history import ActivityType, Fill, HistoryRow, Movement, MovementKind
from internal.venue.market_faults import MarketFaultKind
from internal.venue.orders import OrderChanges, OrderClass, OrderRequest, OrderType, Side, StopLoss, TimeInForce
from internal.venue.rejections import RefusalReason, RequestRefusedError
from internal.venue.repository import HistoryQuery, OrderQuery, VenueRepository
from internal.venue.state import open_account
from libraries.python.tests.venue.venue_kit import (
    ARRIVING,
    CONCERNED,
    HandMarket,
    every_action,
    hand_market,
    make_bar,
    make_listing,
)

JANUARY_2, JANUARY_3 = date(2025, 1, 2), date(2025, 1, 3)


def ask(ticker: str, quantity: int, name: str | None = None, *, limit: str | None = None) -> OrderRequest:
    """A request to buy (positive) or sell (negative) whole shares for the day or, with a limit, until canceled."""
    return OrderRequest(
        ticker=ticker,
        side=Side.BUY if quantity > 0 else Side.SELL,
        type=OrderType.MARKET if limit is None else OrderType.LIMIT,
        time_in_force=TimeInForce.DAY if limit is None else TimeInForce.GTC,
        quantity=Decimal(abs(quantity)),
        notional=None,
        limit_price=None if limit is None else Decimal(limit),
        client_order_id=name,
        position_intent=None,
    )


EARLIER_TABLE = """CREATE TABLE activities (
    sequence INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, activity_type TEXT NOT NULL, session TEXT NOT NULL,
    timestamp TEXT NOT NULL, net_amount TEXT NOT NULL, order_id TEXT, body TEXT NOT NULL
) STRICT"""


def busy_market() -> HandMarket:
    """A market with a reverse split, a dividend, a delisting, and an action of every kind on 3 January."""
    return hand_market(
        ["AAA", "BBB", "CCC", *CONCERNED, *ARRIVING],
        actions=every_action(JANUARY_3),
        bars=[make_bar("AAA", JANUARY_3, 300.0)],
        splits=[("AAA", JANUARY_3, 3.0, 1.0)],
        dividends=[("BBB", JANUARY_3, 0.5)],
        listings=[make_listing("CCC", delisted_date=JANUARY_3)],
    )


def open_busy(store: Store, others: Sequence[str] = ()) -> OpenVenue:
    """A venue in its second session, with fills, corporate actions, fees, borrow cost and open orders."""
    venue = store.open(busy_market())
    for ticker, quantity in (("AAA", 10), ("BBB", -10), ("CCC", 10), *((name, 10) for name in others)):
        venue.core.submit(ask(ticker, quantity, ticker.lower()))
    advance(venue, Auction.CLOSE)
    venue.core.submit(ask("BBB", -5, limit="250.00"))
    advance(venue, Auction.OPEN)
    venue.core.submit(ask("AAA", -1))
    return venue


ALL = HistoryQuery()
ORDER_QUERIES = [
    OrderQuery(),
    OrderQuery(newest_first=True, limit=2),
    OrderQuery(is_open=True),
    OrderQuery(is_open=False),
    OrderQuery(side=Side.SELL, newest_first=True),
    OrderQuery(tickers=frozenset({"AAA", "CCC", "NOSUCH"})),
    OrderQuery(tickers=frozenset()),
    OrderQuery(after=session_close(date(2024, 12, 31)), until=session_close(JANUARY_2)),
    OrderQuery(after=session_close(JANUARY_2), limit=1),
    OrderQuery(before=3, newest_first=True),
    OrderQuery(beyond=2, limit=2),
    OrderQuery(parents=frozenset({"nobody"})),
]
HISTORY_QUERIES = [
    ALL,
    HistoryQuery(newest_first=True, limit=3),
    HistoryQuery(types=frozenset({ActivityType.FILL})),
    HistoryQuery(types=frozenset({ActivityType.FEE, ActivityType.DIVIDEND}), newest_first=True),
    HistoryQuery(types=frozenset()),
    HistoryQuery(session=JANUARY_3),
    HistoryQuery(after=session_open(JANUARY_2), until=session_open(JANUARY_3)),
]


def test_fresh(store: Store) -> None:
    """A fresh venue is stored at once: its state, and nothing else."""
    venue = store.open(hand_market(), cash="5000")
    assert open_account(hand_market(), Decimal(5000)) == venue.repository.load() == venue.core.state
    assert [] == venue.repository.find_orders(OrderQuery()) == venue.repository.find_history(ALL)
    assert [] == venue.repository.unsent_events() == venue.repository.market_faults()
    assert venue.repository.order("nothing") is None
    assert venue.repository.order_by_client_id("nothing") is None


def test_restart(store: Store) -> None:
    """After a restart the state, the orders and the history are the same, in the middle of a session too."""
    venue = open_busy(store, CONCERNED)
    orders, history = venue.repository.find_orders(OrderQuery()), venue.repository.find_history(ALL)
    again = store.open(busy_market())
    assert venue.core.state == again.core.state
    assert (orders, history) == (again.repository.find_orders(OrderQuery()), again.repository.find_history(ALL))
    advance(again, Auction.CLOSE)
    kinds = {row.entry.kind for row in again.repository.find_history(ALL) if isinstance(row.entry, Movement)}
    elsewhere = {MovementKind.DEPOSIT, MovementKind.WITHDRAWAL, MovementKind.LOCATE_FEE}
    elsewhere |= {MovementKind.CAT_FEE, MovementKind.MARGIN_INTEREST}  # later sessions, and a debit
    assert set(MovementKind) - elsewhere == kinds


def test_sales_of_an_open_session(store: Store) -> None:
    """What was sold at the open is known after a restart: the close charges fees on it."""
    venue = store.open(hand_market())
    venue.core.submit(ask("AAA", -100))
    advance(venue, Auction.OPEN)
    again = store.open(hand_market())
    assert (Trade(Side.SELL, Decimal(100), Decimal("99.9660")),) == again.core.state.session_trades
    advance(again, Auction.CLOSE)
    fees = [row.net_amount for row in again.repository.find_history(HistoryQuery(newest_first=True, limit=3))]
    assert [Decimal("-1.00"), Decimal("-0.02"), Decimal("-0.28")] == fees  # borrow, then TAF and SEC fee, by hand


def test_both_agree(sqlite: SqliteStore) -> None:
    """The same requests and steps leave the same state, orders and history in memory and in SQLite."""
    first, second = open_busy(MemoryStore(), CONCERNED), open_busy(sqlite, CONCERNED)
    assert first.core.state == second.core.state == second.repository.load()
    assert first.repository.find_orders(OrderQuery()) == second.repository.find_orders(OrderQuery())
    assert first.repository.find_history(ALL) == second.repository.find_history(ALL)
    assert first.repository.unsent_events() == second.repository.unsent_events()
    points = first.repository.equity_points()
    assert points == second.repository.equity_points() == sqlite.open(busy_market()).repository.equity_points()
    opens = [session_open(JANUARY_2), session_close(JANUARY_2), session_open(JANUARY_3)]
    assert [session_close(date(2024, 12, 31)), *opens] == [point.moment for point in points]
    assert (Decimal(100_000), first.core.state.account.equity) == (points[0].equity, points[-1].equity)


def test_find_orders(store: Store) -> None:
    """Every query selects what its own definition selects; an order is found by either id."""
    repository = open_busy(store).repository
    orders = repository.find_orders(OrderQuery())
    assert [1, 2, 3, 4, 5] == [order.sequence for order in orders]
    for query in ORDER_QUERIES:
        ordered = orders[::-1] if query.newest_first else orders
        expected = [order for order in ordered if query.selects(order)][: query.limit]
        assert expected == repository.find_orders(query)
    for order in orders:
        assert order == repository.order(order.id) == repository.order_by_client_id(order.client_order_id)


def test_find_history(store: Store) -> None:
    """Every query selects what its own definition selects; pages join to the whole, in either direction."""
    repository = open_busy(store).repository
    rows = repository.find_history(ALL)
    assert list(range(1, len(rows) + 1)) == [row.sequence for row in rows]
    for query in HISTORY_QUERIES:
        ordered = rows[::-1] if query.newest_first else rows
        expected = [row for row in ordered if query.selects(row)]
        assert expected[: query.limit] == repository.find_history(query)
        assert expected == read_pages(repository, replace(query, limit=2))


def read_pages(repository: VenueRepository, query: HistoryQuery) -> list[HistoryRow]:
    """All pages of a query."""
    found: list[HistoryRow] = []
    while page := repository.find_history(query):
        found += page
        query = replace(query, beyond=page[-1].sequence)
    return found


def test_cancel_and_replace(store: Store) -> None:
    """A canceled and a replaced order are stored with what became of them, and only the successor stays open."""
    venue = store.open(hand_market())
    canceled = venue.core.cancel(venue.core.submit(ask("AAA", 1)).id)
    old = venue.core.submit(ask("BBB", 1, limit="50.00"))
    new = venue.core.replace(old.id, OrderChanges(Decimal(2), None, None, "successor"))
    stored = venue.repository.find_orders(OrderQuery())
    assert [canceled, new] == [stored[0], stored[2]]
    assert (new.id, old.id) == (stored[1].replaced_by, stored[2].replaces)
    assert {new.sequence: new} == venue.core.state.open_orders == store.open(hand_market()).core.state.open_orders


def test_duplicate_client_order_id(store: Store) -> None:
    """A client's id is refused for ever, also after its order was canceled and after a restart."""
    venue = store.open(hand_market())
    venue.core.cancel(venue.core.submit(ask("AAA", 1, "once")).id)
    for _ in ("the same process", "after a restart"):
        with pytest.raises(RequestRefusedError, match="client_order_id must be unique") as refusal:
            venue.core.submit(ask("AAA", 1, "once"))
        assert RefusalReason.DUPLICATE_CLIENT_ORDER_ID is refusal.value.reason
        venue = store.open(hand_market())
    assert 1 == len(venue.repository.find_orders(OrderQuery()))


def test_settings(store: Store) -> None:
    """Settings are stored, and a suspended account refuses every order with a reason of its own."""
    venue = store.open(hand_market())
    venue.core.change_settings({"suspend_trade": True, "max_margin_multiplier": "1"})
    again = store.open(hand_market())
    assert (True, 1) == (again.core.state.settings.suspend_trade, again.core.state.settings.margin_multiplier)
    with pytest.raises(RequestRefusedError, match="new orders are rejected by user request") as refusal:
        again.core.submit(ask("AAA", 1))
    assert RefusalReason.TRADING_SUSPENDED is refusal.value.reason


def test_rest_between_steps(store: Store) -> None:
    """The clock can rest between two steps, and does not go back."""
    venue = store.open(hand_market())
    evening = session_close(date(2024, 12, 31)) + timedelta(hours=3)
    venue.core.rest_at(evening)
    venue.core.rest_at(session_close(date(2024, 12, 31)))
    assert evening == venue.core.clock.now() == store.open(hand_market()).core.clock.now()


def test_market_faults_are_used_up(store: Store) -> None:
    """A fault strikes as often as it says; an order that is refused for another reason uses it up as well."""
    venue = store.open(hand_market())
    venue.core.submit(ask("AAA", -1, "taken"))
    venue.inject(MarketFaultKind.REFUSED_SHORT, "*", None)
    with pytest.raises(RequestRefusedError, match="must be unique"):
        venue.core.submit(ask("BBB", -1, "taken"))
    assert [] == venue.repository.market_faults()
    venue.core.submit(ask("BBB", -1))


def test_a_failing_step_leaves_nothing(store: Store) -> None:
    """When the market fails in the middle of a step, nothing of it is stored, and no fault is used up."""
    broken = hand_market(bars=[make_bar("BBB", JANUARY_2, low=-1.0)])  # no price range has a negative low: log fails
    venue = store.open(broken)
    for ticker in ("AAA", "BBB"):
        venue.core.submit(ask(ticker, 10))
    venue.inject(MarketFaultKind.PARTIAL_FILL, "AAA", 0.5)
    before, orders = venue.core.state, venue.repository.find_orders(OrderQuery())
    with pytest.raises(ValueError, match="math domain"):
        advance(venue, Auction.OPEN)
    assert before == venue.core.state == venue.repository.load()
    assert orders == venue.repository.find_orders(OrderQuery())
    assert [] == venue.repository.find_history(ALL) == venue.repository.unsent_events()
    assert 1 == venue.repository.market_faults()[0].remaining


@pytest.mark.parametrize("table", ["facts", "positions", "orders", "history", "session_events", "faults"])
def test_a_failing_write_leaves_nothing(sqlite: SqliteStore, table: str) -> None:
    """Whichever table fails, SQLite stores nothing of the step, and the venue goes on from before it."""
    venue = sqlite.open(hand_market())
    venue.core.submit(ask("AAA", 10))
    venue.inject(MarketFaultKind.PARTIAL_FILL, "AAA", 0.5)
    before = venue.core.state
    with sqlite.database.reading() as connection:
        for event in ("INSERT", "UPDATE"):
            connection.execute(
                f"CREATE TRIGGER fail_{event} BEFORE {event} ON {table} BEGIN SELECT RAISE(ABORT, 'failed'); END"
            )
    with pytest.raises(sqlite3.IntegrityError, match="failed"):
        advance(venue, Auction.OPEN)
    with sqlite.database.reading() as connection:
        connection.executescript("DROP TRIGGER fail_INSERT; DROP TRIGGER fail_UPDATE;")
    assert before == venue.core.state == venue.repository.load()
    assert [] == venue.repository.find_history(ALL) == venue.repository.unsent_events()
    assert 1 == venue.repository.market_faults()[0].remaining
    advance(venue, Auction.OPEN)
    assert Decimal(5) == venue.core.state.account.quantity_of("AAA")


def test_history_of_an_earlier_version(sqlite: SqliteStore) -> None:
    """A file that holds Alpaca's JSON is converted once, to the same rows of history."""
    venue = open_busy(sqlite)
    advance(venue, Auction.CLOSE)
    rows, account = venue.repository.find_history(ALL), venue.core.state.identity.account_id
    with sqlite.database.transaction() as connection:
        connection.execute("DELETE FROM history")
        connection.execute(EARLIER_TABLE)
        for row in rows:
            body = activity_body(account, row).model_dump(exclude_none=True)
            values = [row.sequence, body["id"], str(row.activity_type), row.session.isoformat()]
            order_id = row.entry.order_id if isinstance(row.entry, Fill) else None
            values += [to_text(row.moment), to_text(row.net_amount), order_id, json.dumps(body)]
            connection.execute("INSERT INTO activities VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)
    again = sqlite.open(busy_market())
    assert rows == again.repository.find_history(ALL)
    assert rows == sqlite.open(busy_market()).repository.find_history(ALL)


def test_orders_of_an_earlier_version(sqlite: SqliteStore) -> None:
    """A file without the columns of stops and groups gets them; its orders are simple ones, and new ones are stored."""
    venue = open_busy(sqlite)
    before = venue.repository.find_orders(OrderQuery())
    with sqlite.database.transaction() as connection:
        for name in ADDED_COLUMNS["orders"]:
            connection.execute(f"ALTER TABLE orders DROP COLUMN {name}")
    again = sqlite.open(busy_market())
    assert before == again.repository.find_orders(OrderQuery())
    stop = again.core.submit(replace(ask("BBB", -1), type=OrderType.STOP, stop_price=Decimal(50)))
    assert stop == again.repository.order(stop.id) == sqlite.open(busy_market()).repository.order(stop.id)


def test_groups_are_stored(store: Store) -> None:
    """An entry and its exits are the same after a restart, in every state; exits are found by their entry."""
    venue = store.open(hand_market())
    loss = StopLoss(Decimal(50), Decimal("49.50"))
    asked = replace(ask("AAA", 10), order_class=OrderClass.BRACKET, take_profit=Decimal(150), stop_loss=loss)
    entry = venue.core.submit(replace(asked, time_in_force=TimeInForce.GTC))
    for _ in ("before the entry is filled", "after it"):
        again = store.open(hand_market())
        assert venue.core.state == again.core.state
        exits = again.repository.find_orders(OrderQuery(parents=frozenset({entry.id})))
        assert [entry.id, entry.id] == [one.parent_id for one in exits]
        venue = again
        advance(venue, Auction.OPEN)


def test_charge(store: Store) -> None:
    """A fee is taken from cash at once and is a row of history; one that the account cannot pay leaves nothing."""
    venue = store.open(hand_market(), cash="1000")
    venue.core.charge(Movement(MovementKind.LOCATE_FEE, "AAA", Decimal("-2.50"), charged=Decimal(100)))
    with pytest.raises(RequestRefusedError, match="insufficient buying power"):
        venue.core.charge(Movement(MovementKind.LOCATE_FEE, "AAA", Decimal(-998), charged=Decimal(100)))
    again = store.open(hand_market(), cash="1000")
    assert (Decimal("997.50"), venue.core.state) == (again.core.state.account.cash, again.core.state)
    assert [Decimal("-2.50")] == [row.net_amount for row in again.repository.find_history(ALL)]
