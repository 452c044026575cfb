"""Changes of the trading state in the lake's table `trading_states`: rows are added and never removed."""

from dataclasses import asdict
from functools import reduce

import polars as pl

from internal.lake.store import Lake
from internal.schemas import trading_states
from internal.trading.trading_state import (
    UNCHANGED,
    StateCause,
    TradingState,
    TradingStateChange,
    newer_change,
)

TABLE = "trading_states"
UNREAD = -2  # a version that no table has


class LakeTradingStates:
    """The port `TradingStates` on the lake; what another process writes is in force at once."""

    def __init__(self, lake: Lake) -> None:
        """Takes the lake; its table need not exist yet."""
        self._lake = lake
        self._latest = UNREAD, UNCHANGED

    def trading_state(self) -> TradingStateChange:
        """The trading state in force as it is stored now, whichever process wrote it; UNCHANGED before any change."""
        version, change = self._lake.version(TABLE), self._latest
        if change[0] != version:
            changes = _read(self._lake.scan(TABLE, version).collect())
            change = self._latest = version, reduce(newer_change, changes, UNCHANGED)
        return change[1]

    def save_trading_state(self, change: TradingStateChange) -> None:
        """Add a change. Raises SchemaError where who or why is not said."""
        row = pl.DataFrame([asdict(change)], schema=trading_states.COLUMNS)
        self._lake.append(TABLE, trading_states.validate(row))


def _read(frame: pl.DataFrame) -> list[TradingStateChange]:
    return [
        TradingStateChange(
            state=TradingState(row["state"]),
            changed_at=row["changed_at"],
            changed_by=row["changed_by"],
            cause=StateCause(row["cause"]),
            reason=row["reason"],
            number=row["number"],
            losses_accepted_until=row.get("losses_accepted_until"),  # a table of an earlier version lacks it
        )
        for row in frame.iter_rows(named=True)
    ]
