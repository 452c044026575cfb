"""How much of the past is in the lake, and how much that has closed is not: shown as metrics, at a start and for ever.

Knows ledger, quarantine table, the exchange's calendar and the vendor's clock. Knows no HTTP and collects nothing.
"""

import asyncio
import time
from datetime import UTC, date, datetime, timedelta

import polars as pl

from datamanager import metrics
from datamanager.ports import MarketData
from internal.dates import last_closed_session, session_close, sessions
from internal.errors import FundError
from internal.lake.store import Lake
from internal.telemetry import get_logger

PAUSE_SECONDS = 300.0  # the vendor counts requests


def missing_sessions(known: pl.Series, last_closed: date) -> list[date]:
    """The sessions from the first known one to the last closed one that are not known; none while none is known."""
    first = known.min()
    return sorted(set(sessions(first, last_closed)) - set(known)) if isinstance(first, date) else []


def show_lake(lake: Lake) -> None:
    """Set the gauges of what the lake holds; an empty lake leaves the last session unknown."""
    ledger = lake.scan("ingestion_sessions").select("date", "rows").collect()
    metrics.SESSIONS.set(ledger.height)
    metrics.ROWS.set(int(ledger.get_column("rows").sum()))
    last = ledger.get_column("date").max()
    if isinstance(last, date):
        metrics.LAST_SESSION.set(session_close(last).timestamp())
    held = lake.scan("equity_bars_quarantine").group_by("reason").agg(pl.len()).collect()
    metrics.QUARANTINED_ROWS.clear()
    for reason, rows in held.iter_rows():
        metrics.QUARANTINED_ROWS.labels(reason).set(rows)


def show_missing(lake: Lake, moment: datetime) -> None:
    """Set the gauge of what is missing at a moment of the vendor's clock."""
    known = lake.scan("ingestion_sessions").select("date").collect().get_column("date")
    metrics.SESSIONS_MISSING.set(len(missing_sessions(known, last_closed_session(moment))))


class Watch:
    """Asks the vendor for its clock every five minutes and shows what is missing.

    While the vendor cannot be asked, its clock is taken to go on from its last answer, so that a vendor that is down
    hides nothing; before the first answer the machine's own clock stands in.
    """

    def __init__(self, lake: Lake, vendor: MarketData) -> None:
        self._lake, self._vendor = lake, vendor
        self._moment, self._asked_at = datetime.now(UTC), time.monotonic()

    async def run(self) -> None:
        """Go on until cancelled; an error of lake or vendor is logged and asked again."""
        while True:
            try:
                await asyncio.to_thread(self.look)
            except FundError as error:
                get_logger(__name__).warning("staleness_not_shown", detail=error.detail)
            await asyncio.sleep(PAUSE_SECONDS)

    def look(self) -> None:
        """Ask and show, once."""
        try:
            self._moment, self._asked_at = self._vendor.now(), time.monotonic()
        except FundError as error:
            get_logger(__name__).warning("vendor_clock_unknown", detail=error.detail)
        show_lake(self._lake)
        show_missing(self._lake, self._moment + timedelta(seconds=time.monotonic() - self._asked_at))
