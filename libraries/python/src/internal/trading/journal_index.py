"""Indices over journalled rows, kept up to date with every write, so that no question reads the whole journal."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from itertools import count

from internal.trading.entries import ROUNDING
from internal.trading.enums import Leg, OrderState, RunState
from internal.trading.hand_trades import RECORDS as HAND_TRADES
from internal.trading.order_planning import FLATTEN
from internal.trading.orders import Order
from internal.trading.runs import RebalanceRun
from internal.trading.slippage import measure_slippage
from internal.trading.snapshots import Snapshot

_VERSIONS = count()  # of all indices of the process: one that is read again shares none with the one before


def _decided(order: Order) -> tuple[date, str]:
    return order.date, order.client_order_id


def _filled(order: Order) -> tuple[date, bool, str]:
    """What a person sold in the session of an opening, he sold after it."""
    return order.date, _is_by_hand(order), order.client_order_id


def _is_by_hand(order: Order) -> bool:
    return order.portfolio_id == HAND_TRADES


def _started(run: RebalanceRun) -> tuple[date, datetime]:
    return run.date, run.created_at


def _replace_older(found: dict[str, tuple[date, str]], name: str, day: date, security: str) -> bool:
    """Let the name stand for the security, unless a later order says otherwise; whether it stood for another."""
    known = found.get(name)
    if known is not None and known[0] > day:
        return False
    found[name] = day, security
    return known is None or known[1] != security


class JournalIndex:
    """Answers the questions of `internal.trading.ports.Journal` from the rows that were added.

    A row replaces the one with the same key: runs by portfolio id, orders by client_order_id, snapshots by timestamp.
    """

    def __init__(self) -> None:
        self._runs: dict[str, RebalanceRun] = {}
        self._open_runs: dict[str, RebalanceRun] = {}
        self._first_run: RebalanceRun | None = None
        self._last_run: RebalanceRun | None = None
        self._snapshots: dict[datetime, Snapshot] = {}
        self._last_snapshot: Snapshot | None = None
        self._clear_orders()

    def _clear_orders(self) -> None:
        self._orders: dict[str, Order] = {}
        self._by_portfolio: dict[str, dict[str, Order]] = {}
        self._unfinished: dict[str, Order] = {}
        self._securities: dict[str, tuple[date, str]] = {}  # by ticker, the security that has it now, and since when
        self._assets: dict[str, tuple[date, str]] = {}  # by the broker's asset id, as above
        self._names: dict[str, list[tuple[date, str]]] = {}  # by security, its tickers, and since when
        self._opened: dict[str, date] = {}  # by security, when the last opening from flat was decided
        self._fills: dict[str, dict[str, Order]] = {}  # by security, since then
        self._sorted_fills: dict[str, tuple[Order, ...]] = {}
        self._own_shares: dict[str, float] = {}  # by security, as its fills leave them
        self._unsummed: set[str] = set()  # securities whose fills have changed since
        self._slippage = 0.0
        self._holdings_version = next(_VERSIONS)

    def run(self, portfolio_id: str) -> RebalanceRun | None:
        """The run of that portfolio, None when it was never planned."""
        return self._runs.get(portfolio_id)

    def runs(self) -> Sequence[RebalanceRun]:
        """All runs, oldest first."""
        return sorted(self._runs.values(), key=_started)

    def first_run(self) -> RebalanceRun | None:
        """The oldest decision."""
        return self._first_run

    def last_run(self) -> RebalanceRun | None:
        """The newest decision."""
        return self._last_run

    def open_runs(self) -> Sequence[RebalanceRun]:
        """Runs that are not reconciled, oldest first."""
        return sorted(self._open_runs.values(), key=_started)

    def order(self, client_order_id: str) -> Order | None:
        """The order under that id."""
        return self._orders.get(client_order_id)

    def orders(self) -> Sequence[Order]:
        """All orders, oldest first."""
        return sorted(self._orders.values(), key=_decided)

    def of(self, portfolio_id: str) -> Sequence[Order]:
        """The orders of a portfolio, sorted by client_order_id."""
        orders = self._by_portfolio.get(portfolio_id, {})
        return [orders[identity] for identity in sorted(orders)]

    def unfinished(self) -> Sequence[Order]:
        """Orders whose state is not final, oldest first."""
        return sorted(self._unfinished.values(), key=_decided)

    def security_of(self, ticker: str, asset_id: str | None = None) -> str | None:
        """The id of the fund's security that has the broker's asset id, else the ticker now; None without an order."""
        found = (self._assets.get(asset_id) if asset_id else None) or self._securities.get(ticker)
        return None if found is None else found[1]

    def names(self, security_id: str) -> Sequence[tuple[date, str]]:
        """The tickers under which the fund traded the security, each with the day since which it has it."""
        return self._names.get(security_id, ())

    def fills(self, ticker: str, asset_id: str | None = None) -> Sequence[Order]:
        """Orders of a security with a fill since the last one that opened it from flat, oldest first, that included.

        A close of the session of that opening belongs to what was held before, but for a person's.
        """
        security = self.security_of(ticker, asset_id)
        return () if security is None else self._list_fills(security)

    def _list_fills(self, security: str) -> tuple[Order, ...]:
        if security not in self._sorted_fills:
            self._sorted_fills[security] = self._sort_fills(security)
        return self._sorted_fills[security]

    def own_shares(self) -> Mapping[str, float]:
        """Signed shares that the fills since the last opening leave, by the ticker now, without splits."""
        for security in self._unsummed:
            left = sum(order.signed_filled_quantity for order in self._list_fills(security))
            if abs(left) > ROUNDING:
                self._own_shares[security] = left
            else:
                self._own_shares.pop(security, None)
        self._unsummed.clear()
        return {self._names[security][-1][1]: left for security, left in self._own_shares.items()}

    def holdings_version(self) -> int:
        """A number that changes whenever the answers of `security_of`, `names` or `fills` do."""
        return self._holdings_version

    def order_counts(self) -> Mapping[OrderState, int]:
        """How many orders are in each state."""
        return Counter(order.state for order in list(self._orders.values()))

    def slippage(self) -> float:
        """Dollars of slippage of all fills so far; positive is a cost."""
        return self._slippage

    def last_snapshot(self) -> Snapshot | None:
        """The newest snapshot."""
        return self._last_snapshot

    def snapshots(self) -> Sequence[Snapshot]:
        """All snapshots, oldest first."""
        return sorted(self._snapshots.values(), key=lambda snapshot: snapshot.timestamp)

    def add_runs(self, runs: Iterable[RebalanceRun]) -> None:
        """Insert or replace runs."""
        for run in runs:
            self._runs[run.portfolio_id] = run
            if run.state is RunState.RECONCILED:
                self._open_runs.pop(run.portfolio_id, None)
            else:
                self._open_runs[run.portfolio_id] = run
            if run.policy == FLATTEN:
                continue
            if self._first_run is None or _started(run) <= _started(self._first_run):
                self._first_run = run
            if self._last_run is None or _started(run) >= _started(self._last_run):
                self._last_run = run

    def add_orders(self, orders: Iterable[Order]) -> None:
        """Insert or replace orders."""
        rows = list(orders)
        if any(self._takes_back(order) for order in rows):
            rows = list(({**self._orders} | {order.client_order_id: order for order in rows}).values())
            self._clear_orders()
        for order in rows:
            self._add_order(order)

    def add_snapshots(self, snapshots: Iterable[Snapshot]) -> None:
        """Insert or replace snapshots."""
        for snapshot in snapshots:
            self._snapshots[snapshot.timestamp] = snapshot
            if self._last_snapshot is None or snapshot.timestamp >= self._last_snapshot.timestamp:
                self._last_snapshot = snapshot

    def remove_snapshots_after(self, moment: datetime) -> None:
        """Forget the snapshots that are newer than the moment."""
        kept = [snapshot for snapshot in self._snapshots.values() if snapshot.timestamp <= moment]
        self._snapshots, self._last_snapshot = {}, None
        self.add_snapshots(kept)

    def _takes_back(self, order: Order) -> bool:
        """Whether the row loses the fill that it had, or a dropped one the name that it gave."""
        before = self._orders.get(order.client_order_id)
        if before is None:
            return False
        loses_name = before.state is not OrderState.DROPPED and order.state is OrderState.DROPPED
        is_renamed = len(self._names.get(order.security_id or "", ())) > 1
        return (before.filled_quantity > 0 and order.filled_quantity == 0) or (loses_name and is_renamed)

    def _add_order(self, order: Order) -> None:
        before = self._orders.get(order.client_order_id)
        self._slippage += measure_slippage(order) - (measure_slippage(before) if before else 0.0)
        self._orders[order.client_order_id] = order
        security = self._identify(order)
        self._by_portfolio.setdefault(order.portfolio_id, {})[order.client_order_id] = order
        if order.state.is_final:
            self._unfinished.pop(order.client_order_id, None)
        else:
            self._unfinished[order.client_order_id] = order
        if order.filled_quantity > 0:
            self._add_fill(order, security)

    def _identify(self, order: Order) -> str:
        """The order's security, that of its ticker where it names none; a dropped order gives no new name."""
        security = order.security_id or self.security_of(order.ticker) or order.ticker
        is_changed = security not in self._names
        names = self._names.setdefault(security, [(date.min, order.ticker)])
        is_new = order.ticker != names[-1][1] and order.date >= names[-1][0]
        if is_new and order.state is not OrderState.DROPPED:
            is_changed = True
            if self.security_of(names[-1][1]) == security:
                del self._securities[names[-1][1]]
            names.append((order.date, order.ticker))
        if order.ticker == names[-1][1]:
            is_changed |= _replace_older(self._securities, order.ticker, order.date, security)
        if order.asset_id is not None:
            is_changed |= _replace_older(self._assets, order.asset_id, order.date, security)
        if is_changed:
            self._holdings_version = next(_VERSIONS)
        return security

    def _sort_fills(self, security: str) -> tuple[Order, ...]:
        opened = self._opened.get(security)
        if opened is None:
            return ()
        fills = self._fills[security].values()
        counted = (one for one in fills if one.date > opened or one.leg is not Leg.CLOSE or _is_by_hand(one))
        return tuple(sorted(counted, key=_filled))

    def _add_fill(self, order: Order, security: str) -> None:
        self._sorted_fills.pop(security, None)
        self._unsummed.add(security)
        opened = self._opened.get(security)
        if opened is not None and order.date < opened:
            return
        self._fills.setdefault(security, {})[order.client_order_id] = order
        if order.leg is Leg.OPEN and order.date != opened:
            self._opened[security] = order.date
            fills = self._fills[security].items()
            self._fills[security] = {identity: fill for identity, fill in fills if fill.date >= order.date}
        self._holdings_version = next(_VERSIONS)
