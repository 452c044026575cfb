"""The journal in the lake: tables `rebalances`, `orders`, `account_snapshots` and `trading_states`, one commit a write.

Questions are answered by an index in memory, which is read once and kept up to date with every write; `refresh` reads
it again when a table has a version that this process did not write. The trading state is looked up at every question,
so that what another process writes is in force at once.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from threading import RLock

import polars as pl

from internal.lake.store import Lake
from internal.lake.trading_states import LakeTradingStates
from internal.schemas import orders as orders_schema
from internal.trading.enums import OrderState
from internal.trading.journal_index import JournalIndex
from internal.trading.orders import Order
from internal.trading.runs import RebalanceRun
from internal.trading.snapshots import Snapshot
from internal.trading.trading_state import TradingStateChange
from portfoliomanager.journal_frames import (
    order_frame,
    read_orders,
    read_runs,
    read_snapshots,
    run_frame,
    snapshot_frame,
)

RUNS, ORDERS, SNAPSHOTS = "rebalances", "orders", "account_snapshots"
UNREAD = -2  # a version that no table has


class LakeJournal:
    """The port `Journal` on Delta tables; a write is durable and whole when it returns."""

    def __init__(self, lake: Lake) -> None:
        """Takes the lake; its tables need not exist yet."""
        self._lake = lake
        self._versions: dict[str, int] = dict.fromkeys((RUNS, ORDERS, SNAPSHOTS), UNREAD)
        self._read = JournalIndex()
        self._states = LakeTradingStates(lake)
        self._lock = RLock()  # a route's refresh must not replace the index in the middle of a write

    @property
    def _index(self) -> JournalIndex:
        if UNREAD in self._versions.values():
            self.refresh()
        return self._read

    def refresh(self) -> None:
        """Read the tables again unless this process wrote their newest versions."""
        with self._lock:
            newest = {table: self._lake.version(table) for table in self._versions}
            if newest == self._versions:
                return
            index = JournalIndex()
            index.add_runs(read_runs(self._scan(RUNS, newest).sort("date", "created_at").collect()))
            index.add_orders(read_orders(self._scan(ORDERS, newest).sort("date", "client_order_id").collect()))
            index.add_snapshots(read_snapshots(self._scan(SNAPSHOTS, newest).collect()))
            self._read, self._versions = index, newest

    def run(self, portfolio_id: str) -> RebalanceRun | None:
        """The run of that portfolio, None when it was never planned."""
        return self._index.run(portfolio_id)

    def runs(self) -> Sequence[RebalanceRun]:
        """All runs, oldest first."""
        return self._index.runs()

    def first_run(self) -> RebalanceRun | None:
        """The oldest decision."""
        return self._index.first_run()

    def last_run(self) -> RebalanceRun | None:
        """The newest decision."""
        return self._index.last_run()

    def open_runs(self) -> Sequence[RebalanceRun]:
        """Runs that are not reconciled, oldest first."""
        return self._index.open_runs()

    def order(self, client_order_id: str) -> Order | None:
        """The order under that id."""
        return self._index.order(client_order_id)

    def orders(self) -> Sequence[Order]:
        """All orders, oldest first."""
        return self._index.orders()

    def of(self, portfolio_id: str) -> Sequence[Order]:
        """The orders of a portfolio, sorted by client_order_id."""
        return self._index.of(portfolio_id)

    def unfinished(self) -> Sequence[Order]:
        """Orders whose state is not final, oldest first."""
        return self._index.unfinished()

    def security_of(self, ticker: str, asset_id: str | None = None) -> str | None:
        """The id of the fund's security that has the broker's asset id, else the ticker now; None without an order."""
        return self._index.security_of(ticker, asset_id)

    def names(self, security_id: str) -> Sequence[tuple[date, str]]:
        """The tickers under which the fund traded the security, each with the day since which it has it."""
        return self._index.names(security_id)

    def fills(self, ticker: str, asset_id: str | None = None) -> Sequence[Order]:
        """Orders of a security with a fill since the last one that opened it from flat, oldest first, that included."""
        return self._index.fills(ticker, asset_id)

    def own_shares(self) -> Mapping[str, float]:
        """Signed shares that the fills since the last opening leave, by the ticker now, without splits."""
        return self._index.own_shares()

    def holdings_version(self) -> int:
        """A number that changes whenever the answers of `security_of`, `names` or `fills` do."""
        return self._index.holdings_version()

    def order_counts(self) -> Mapping[OrderState, int]:
        """How many orders are in each state."""
        return self._index.order_counts()

    def slippage(self) -> float:
        """Dollars of implementation shortfall of all fills so far; positive is a cost."""
        return self._index.slippage()

    def last_snapshot(self) -> Snapshot | None:
        """The newest snapshot."""
        return self._index.last_snapshot()

    def snapshots(self) -> Sequence[Snapshot]:
        """All snapshots, oldest first."""
        return self._index.snapshots()

    def save_runs(self, runs: Sequence[RebalanceRun]) -> None:
        """Insert or replace runs, all or none."""
        with self._lock:
            known = {run.portfolio_id for run in runs if self.run(run.portfolio_id) is not None}
            frame = run_frame(runs)
            if not known:
                self._wrote(RUNS, self._lake.append(RUNS, frame))
            elif len(runs) == 1:
                self._wrote(RUNS, self._lake.replace_where(RUNS, frame, portfolio_id=runs[0].portfolio_id))
            else:
                self._wrote(RUNS, self._lake.upsert(RUNS, frame, ["portfolio_id"]))
            self._read.add_runs(runs)

    def save_orders(self, orders: Sequence[Order]) -> None:
        """Insert or replace orders, all or none: new ones are added, those of one portfolio replaced together."""
        with self._lock:
            known = [order for order in orders if self.order(order.client_order_id) is not None]
            portfolios = {order.portfolio_id for order in orders}
            if not known:
                version = self._lake.append(ORDERS, orders_schema.validate(order_frame(orders)))
            elif len(portfolios) == 1:
                portfolio_id = portfolios.pop()
                rows = {order.client_order_id: order for order in (*self.of(portfolio_id), *orders)}
                version = self._lake.replace_where(ORDERS, order_frame(rows.values()), portfolio_id=portfolio_id)
            else:
                version = self._lake.upsert(ORDERS, order_frame(orders), ["client_order_id"])
            self._wrote(ORDERS, version)
            self._read.add_orders(orders)

    def save_snapshot(self, snapshot: Snapshot) -> None:
        """Insert or replace a snapshot by its timestamp."""
        with self._lock:
            frame, last = snapshot_frame([snapshot]), self.last_snapshot()
            if last is None or last.timestamp < snapshot.timestamp:
                self._wrote(SNAPSHOTS, self._lake.append(SNAPSHOTS, frame))
            else:
                self._wrote(SNAPSHOTS, self._lake.upsert(SNAPSHOTS, frame, ["timestamp"]))
            self._read.add_snapshots([snapshot])

    def forget_snapshots_after(self, moment: datetime) -> None:
        """Remove the snapshots that are newer than the moment; older versions of the table keep them."""
        with self._lock:
            kept = [snapshot for snapshot in self.snapshots() if snapshot.timestamp <= moment]
            self._wrote(SNAPSHOTS, self._lake.overwrite(SNAPSHOTS, snapshot_frame(kept)))
            self._read.remove_snapshots_after(moment)

    def trading_state(self) -> TradingStateChange:
        """The trading state in force as it is stored now, whichever process wrote it; UNCHANGED before any change."""
        return self._states.trading_state()

    def save_trading_state(self, change: TradingStateChange) -> None:
        """Add a change; none is ever removed."""
        self._states.save_trading_state(change)

    def _scan(self, table: str, versions: Mapping[str, int]) -> pl.LazyFrame:
        version = versions[table]
        return self._lake.scan(table, version if version >= 0 else None)

    def _wrote(self, table: str, version: int) -> None:
        """Remember the version that was written; behind another writer's commit the index is read again."""
        first = self._versions[table] < 0  # the commit that makes a table is followed by the first write
        following = version == self._versions[table] + 1 or (first and version <= 1)
        self._versions[table] = version if following else UNREAD
