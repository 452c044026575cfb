"""The port through which the venue stores what happened, and its adapter in memory.

Every adapter passes the same contract suite (`applications/exchange/tests/test_exchange_repositories.py`).
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import islice
from typing import Protocol

from internal.venue.history import ActivityType, HistoryRow
from internal.venue.market_faults import MarketFault
from internal.venue.orders import Order, Side
from internal.venue.state import EquityPoint, SessionEvent, VenueChange, VenueState


@dataclass(frozen=True, slots=True)
class OrderQuery:
    """Which orders: None selects all. `after` and `until` are exclusive bounds of the time of submission.

    `before` and `beyond` are exclusive bounds of the sequence; `parents` selects the exits of those orders, by id.
    """

    is_open: bool | None = None
    after: datetime | None = None
    until: datetime | None = None
    side: Side | None = None
    tickers: frozenset[str] | None = None
    parents: frozenset[str] | None = None
    before: int | None = None
    beyond: int | None = None
    newest_first: bool = False
    limit: int | None = None

    def selects(self, order: Order) -> bool:
        """Whether the order is one of them."""
        return (
            self.is_open in {None, order.is_open}
            and (self.after is None or order.submitted_at > self.after)
            and (self.until is None or order.submitted_at < self.until)
            and self.side in {None, order.side}
            and (self.tickers is None or order.ticker in self.tickers)
            and (self.parents is None or order.parent_id in self.parents)
            and (self.before is None or order.sequence < self.before)
            and (self.beyond is None or order.sequence > self.beyond)
        )


@dataclass(frozen=True, slots=True)
class HistoryQuery:
    """Which rows of history: None selects all. `after` and `until` are exclusive bounds of the row's moment.

    `beyond` is the sequence of the last row of the page before: older rows follow where the newest come first.
    """

    types: frozenset[ActivityType] | None = None
    session: date | None = None
    after: datetime | None = None
    until: datetime | None = None
    beyond: int | None = None
    newest_first: bool = False
    limit: int | None = None

    def selects(self, row: HistoryRow) -> bool:
        """Whether the row is one of them, wherever the page begins."""
        return (
            (self.types is None or row.activity_type in self.types)
            and self.session in {None, row.session}
            and (self.after is None or row.moment > self.after)
            and (self.until is None or row.moment < self.until)
        )


class VenueRepository(Protocol):
    """Where the venue's state, orders, history, events and market faults are stored."""

    def load(self) -> VenueState | None:
        """The state after the last stored change; None where nothing was ever stored."""
        ...

    def store(self, change: VenueChange) -> None:
        """Stores a change whole, or raises and leaves nothing of it."""
        ...

    def order(self, order_id: str) -> Order | None:
        """One order by the exchange's id."""
        ...

    def order_by_client_id(self, client_order_id: str) -> Order | None:
        """One order by the client's id."""
        ...

    def find_orders(self, query: OrderQuery) -> list[Order]:
        """Orders in the order of their acceptance."""
        ...

    def find_history(self, query: HistoryQuery) -> list[HistoryRow]:
        """Rows of the account's history in the order of their events."""
        ...

    def equity_points(self) -> list[EquityPoint]:
        """The account's equity at its opening and after every open and close, oldest first."""
        ...

    def market_faults(self) -> list[MarketFault]:
        """The market's faults that still strike, oldest first."""
        ...

    def unsent_events(self) -> list[tuple[int, SessionEvent]]:
        """Every event that was not marked as sent, with its number, oldest first."""
        ...

    def mark_event_sent(self, number: int) -> None:
        """Records that the event is in the durable outbox."""
        ...


class InMemoryRepository:
    """The venue's store as lists and dictionaries; nothing of it outlives the process."""

    def __init__(self) -> None:
        self._state: VenueState | None = None
        self._orders: dict[int, Order] = {}
        self._moments: list[datetime] = []
        self._by_id: dict[str, int] = {}
        self._by_client_id: dict[str, int] = {}
        self._history: list[HistoryRow] = []
        self._events: dict[int, SessionEvent] = {}
        self._event_count = 0
        self._equity: list[EquityPoint] = []
        self._faults: dict[int, MarketFault] = {}

    def load(self) -> VenueState | None:
        """The state after the last stored change."""
        return self._state

    def store(self, change: VenueChange) -> None:
        """Stores a change; nothing here can fail half-way."""
        for order in change.orders:
            if order.sequence not in self._orders:
                self._moments.append(order.submitted_at)
            self._orders[order.sequence] = order
            self._by_id[order.id] = self._by_client_id[order.client_order_id] = order.sequence
        self._history.extend(change.history)
        if change.event is not None:
            self._event_count += 1
            self._events[self._event_count] = change.event
        if (point := change.equity_point) is not None:
            self._equity.append(point)
        for number in change.used_faults:
            fault = self._faults[number]
            self._faults[number] = replace(fault, remaining=fault.remaining - 1)
        self._state = change.after

    def order(self, order_id: str) -> Order | None:
        """One order by the exchange's id."""
        return self._numbered(self._by_id.get(order_id))

    def order_by_client_id(self, client_order_id: str) -> Order | None:
        """One order by the client's id."""
        return self._numbered(self._by_client_id.get(client_order_id))

    def _numbered(self, sequence: int | None) -> Order | None:
        return None if sequence is None else self._orders[sequence]

    def find_orders(self, query: OrderQuery) -> list[Order]:
        """Orders in the order of their acceptance."""
        return list(islice((order for order in self._submitted(query) if query.selects(order)), query.limit))

    def _submitted(self, query: OrderQuery) -> Iterable[Order]:
        """The orders from where the query begins; the order with sequence n is the list's element n - 1."""
        orders, moments = self._orders, self._moments
        first = 0 if query.after is None else bisect_right(moments, query.after)
        last = len(moments) if query.until is None else bisect_left(moments, query.until)
        numbers = range(last, first, -1) if query.newest_first else range(first + 1, last + 1)
        return (orders[number] for number in numbers)

    def find_history(self, query: HistoryQuery) -> list[HistoryRow]:
        """Rows of the account's history in the order of their events."""
        return list(islice((row for row in self._rows(query) if query.selects(row)), query.limit))

    def _rows(self, query: HistoryQuery) -> Iterable[HistoryRow]:
        """The rows from where the page begins; the row with sequence n is the list's element n - 1."""
        if query.newest_first:
            last = len(self._history) if query.beyond is None else query.beyond - 1
            return (self._history[number] for number in range(last - 1, -1, -1))
        first = query.beyond or 0
        return (self._history[number] for number in range(first, len(self._history)))

    def equity_points(self) -> list[EquityPoint]:
        """The account's equity at its opening and after every open and close, oldest first."""
        return list(self._equity)

    def add_market_fault(self, fault: MarketFault) -> None:
        """Injects a fault of the market."""
        self._faults[fault.id] = fault

    def market_faults(self) -> list[MarketFault]:
        """The market's faults that still strike, oldest first."""
        return [fault for fault in self._faults.values() if fault.remaining > 0]

    def unsent_events(self) -> list[tuple[int, SessionEvent]]:
        """Every event that was not marked as sent, with its number, oldest first."""
        return list(self._events.items())

    def mark_event_sent(self, number: int) -> None:
        """Drops the event."""
        self._events.pop(number, None)
