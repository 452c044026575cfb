"""Armings in the lake: the table `armings`, one row an arming, looked up at every question."""

from dataclasses import asdict
from threading import Lock

import polars as pl

from internal.lake.store import Lake
from internal.schemas import armings as schema
from internal.trading.arming import Arming

TABLE = "armings"
UNREAD = -2  # a version that no table has


class LakeArmings:
    """The port `Armings` on a Delta table; a write is durable when it returns."""

    def __init__(self, lake: Lake) -> None:
        self._lake, self._lock = lake, Lock()
        self._last: Arming | None = None
        self._version = UNREAD

    def last_arming(self) -> Arming | None:
        """The one in force as it is stored now, whichever process wrote it."""
        with self._lock:
            version = self._lake.version(TABLE)
            if version != self._version:
                rows = self._lake.scan(TABLE, version).sort("number").tail(1).collect().to_dicts()
                self._last, self._version = Arming(**rows[0]) if rows else None, version
            return self._last

    def save_arming(self, arming: Arming) -> None:
        """Add one."""
        self._lake.append(TABLE, pl.DataFrame([asdict(arming)], schema=schema.COLUMNS))
