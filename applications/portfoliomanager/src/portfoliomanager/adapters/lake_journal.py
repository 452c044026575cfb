"""The journal in the lake: tables `rebalances`, `orders` and `account_snapshots`, one commit a write.

Knows how runs and orders become rows and back. Knows nothing of what they mean.
"""

import json

import polars as pl

from internal.lake.store import Lake
from internal.lake.tables import TABLES
from portfoliomanager.ports import Rebalance


class LakeJournal:
    """The port `Journal` on Delta tables; a write is durable and whole when it returns."""

    def __init__(self, lake: Lake) -> None:
        """Takes the lake; its tables need not exist yet."""
        self._lake = lake

    def rebalance(self, portfolio_id: str) -> Rebalance | None:
        """The run of that portfolio, None when it was never planned."""
        found = [run for run in self.rebalances() if run.portfolio_id == portfolio_id]
        return found[0] if found else None

    def rebalances(self) -> list[Rebalance]:
        """All runs, oldest first."""
        rows = self._lake.scan("rebalances").sort("date", "created_at").collect()
        return [Rebalance(**{**row, "notes": tuple(json.loads(row["notes"]))}) for row in rows.iter_rows(named=True)]

    def save_rebalance(self, rebalance: Rebalance) -> None:
        """Insert or replace the run."""
        row = {**vars(rebalance), "notes": json.dumps(rebalance.notes)}
        self._lake.upsert("rebalances", pl.DataFrame([row], schema=TABLES["rebalances"].columns), ["portfolio_id"])

    def orders(self) -> pl.DataFrame:
        """Every order ever planned."""
        return self._lake.scan("orders").sort("date", "client_order_id").collect()

    def save_orders(self, frame: pl.DataFrame) -> None:
        """Insert or replace orders, all or none."""
        if not frame.is_empty():
            self._lake.upsert("orders", frame, ["client_order_id"])

    def snapshots(self) -> pl.DataFrame:
        """Account snapshots, oldest first."""
        return self._lake.scan("account_snapshots").sort("timestamp").collect()

    def save_snapshot(self, frame: pl.DataFrame) -> None:
        """Insert or replace snapshots by timestamp."""
        self._lake.upsert("account_snapshots", frame, ["timestamp"])
