"""The books of the account: its activities stored as they come, and what they add up to beside what the broker has."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from threading import Lock

from internal.books.activities import Activity, external_flows
from internal.books.bookkeeping import keep_books
from internal.books.ledger import Books
from internal.books.openings import Holding, find_openings
from internal.books.outside import outside_flows
from internal.books.profit import Profit, profit_by_name, sum_profits
from internal.books.reconciliation import Difference, ExpectedFill, reconcile_books
from internal.books.time_weighted import ExternalFlow
from internal.errors import UnavailableError
from internal.trading.broker_reports import BrokerPosition
from internal.trading.ports import Broker, MarketData
from internal.trading.slippage import measure_slippage
from internal.venue.money import cents, decimal_of
from portfoliomanager.basis_divisions import BasisDivisions
from portfoliomanager.own_orders import OwnOrders
from portfoliomanager.ports import ActivityFeed, ActivityStore, FundJournal

READINGS = 5  # of a changing account


@dataclass(frozen=True)
class BooksView:
    """The books at a moment, and how they compare with the broker.

    Attributes:
        as_of: The market's clock, UTC.
        books: What the activities add up to.
        net_asset_value: The broker's figure, dollars.
        profits: Profit and loss by ticker; under an empty name what belongs to no security.
        differences: Where the books and the broker disagree.
    """

    as_of: datetime
    books: Books
    net_asset_value: Decimal
    profits: Mapping[str, Profit]
    differences: Sequence[Difference]

    @property
    def profit(self) -> Profit:
        """The whole account, by kind."""
        return sum_profits(self.profits)

    @property
    def unexplained(self) -> Decimal:
        """What is left of net asset value beside flows and profit, dollars; 0 unless there are differences."""
        return self.net_asset_value - self.books.flows - self.profit.total


class AccountBooks:
    """Stores the account's activities after each step that trades, and keeps books of them.

    Args:
        broker: The broker.
        feed: The broker's activities.
        store: Where they are stored.
        journal: The fund's orders.
        data: The data service, which says how the basis of a spin-off is divided.
        others: Whether what others hold in the account is left out of the fund's value: their trades are flows then.
    """

    def __init__(  # noqa: PLR0913 - one component an argument
        self,
        broker: Broker,
        feed: ActivityFeed,
        store: ActivityStore,
        journal: FundJournal,
        data: MarketData,
        *,
        others: bool = False,
    ) -> None:
        self._broker, self._feed, self._store, self._journal = broker, feed, store, journal
        self._others, self._one_at_a_time = others, Lock()
        self._own_orders, self._divisions = OwnOrders(broker, journal), BasisDivisions(data)

    def record(self) -> None:
        """Read and store what is new; at first also what the account holds without an activity that says why."""
        with self._one_at_a_time:  # the stream, a route and an event may each end a step
            stored = {row.activity_id: row for row in self._store.read()}
            found = self._feed.read_new() if stored else self._open_books()
            if new := [row for row in found if stored.get(row.activity_id) != row]:
                self._store.save(new)
            if self._others:
                self._own_orders.look_up(found)
            self._divisions.look_up(found)

    def forget_after(self, moment: datetime) -> None:
        """Forget the activities that are newer: the broker was restored, and its owner accepts that."""
        with self._one_at_a_time:
            self._store.replace([row for row in self._store.read() if row.moment <= moment])
            self._feed.forget()

    def activities(self) -> Sequence[Activity]:
        """The stored activities."""
        return self._store.read()

    def flows(self) -> Sequence[ExternalFlow]:
        """What came into the fund's part of the account and what left it, though it is no performance."""
        rows = self._store.read()
        if not self._others:
            return external_flows(rows)
        orders = self._journal.orders()
        received = {order.ticker for order in orders if order.broker_order_id is None and order.filled_quantity > 0}
        return [*external_flows(rows), *outside_flows(rows, self._own_orders.ids(), received)]

    def keep(self) -> Books:
        """The books of the stored activities."""
        rows = self._store.read()
        return keep_books(rows, self._divisions.look_up(rows))

    def view(self) -> BooksView:
        """The books beside what the broker has now, with what is not stored yet."""
        self._journal.refresh()
        known = {row.activity_id: row for row in (*self._store.read(), *self._feed.read_new())}
        return self._compare(list(known.values()))

    def count_differences(self) -> int:
        """How many differences there are between the stored activities and what the broker has now."""
        return len(self._compare(self._store.read()).differences)

    def _compare(self, rows: Sequence[Activity]) -> BooksView:
        account, positions, books = (
            self._broker.account(),
            self._broker.positions(),
            keep_books(rows, self._divisions.known),
        )
        return BooksView(
            as_of=self._broker.moment(),
            books=books,
            net_asset_value=cents(decimal_of(account.net_asset_value)),
            profits=profit_by_name(books, _market_values(positions), self._slippage()),
            differences=reconcile_books(
                books, rows, decimal_of(account.cash), _shares(positions), self._expected_fills()
            ),
        )

    def _slippage(self) -> Mapping[str, Decimal]:
        """Dollars of slippage by ticker."""
        costs: defaultdict[str, Decimal] = defaultdict(Decimal)
        for order in self._journal.orders():
            costs[order.ticker] += decimal_of(measure_slippage(order))
        return {ticker: cents(dollars) for ticker, dollars in costs.items()}

    def _expected_fills(self) -> Sequence[ExpectedFill]:
        return [
            ExpectedFill(
                order.broker_order_id,
                order.ticker,
                decimal_of(order.signed_filled_quantity),
                decimal_of(order.filled_average_price),
            )
            for order in self._journal.orders()
            if order.broker_order_id is not None and order.filled_average_price is not None
        ]

    def _open_books(self) -> Sequence[Activity]:
        """All activities and the opening balances beside them.

        What the account holds is read between two readings of the activities that agree: a fill in between would be
        in the balances and among the activities of the next step. Raises UnavailableError while none agree.
        """
        found = self._feed.read_new()
        for _ in range(READINGS):
            account, positions, before = self._broker.account(), self._broker.positions(), found
            found = self._feed.read_new()
            if found == before:
                return [
                    *found,
                    *find_openings(found, self._broker.moment(), decimal_of(account.cash), _hold(positions)),
                ]
        raise UnavailableError(
            f"the account changed during each of {READINGS} readings: the books are opened at the next step that trades"
        )


def _hold(positions: Sequence[BrokerPosition]) -> list[Holding]:
    return [Holding(held.ticker, decimal_of(held.quantity), decimal_of(held.average_entry_price)) for held in positions]


def _shares(positions: Sequence[BrokerPosition]) -> dict[str, Decimal]:
    return {held.ticker: decimal_of(held.quantity) for held in positions}


def _market_values(positions: Sequence[BrokerPosition]) -> dict[str, Decimal]:
    """Signed dollars by ticker; a position that the broker has no price for counts at what it was bought for."""
    return {
        held.ticker: cents(
            decimal_of(held.quantity * held.average_entry_price if held.market_value is None else held.market_value)
        )
        for held in positions
    }
