"""Freshness of the lake: which closed sessions are missing from it, exported as metrics every five minutes."""

import asyncio
import time
from datetime import UTC, date, datetime, timedelta

import polars as pl

from datamanager import metrics
from datamanager.missing_sessions import choose_due, list_given_up, read_missing
from datamanager.ports import MarketData
from internal.dates import last_closed_session, session_close, sessions
from internal.errors import FundError
from internal.lake.store import Lake
from internal.telemetry import get_logger

NAMED_SESSIONS = 5
UPDATE_SECONDS = 300.0  # the vendor limits requests
logger = get_logger(__name__)


def find_missing_sessions(ingested: pl.Series, last_closed: date) -> list[date]:
    """The sessions from the first ingested one to the last closed one that are not ingested; none of an empty lake."""
    first = ingested.min()
    return sorted(set(sessions(first, last_closed)) - set(ingested)) if isinstance(first, date) else []


def list_gaps(lake: Lake, now: datetime, most: int) -> list[date]:
    """Sessions that the ledger lacks and that are due to be asked for, at most `most`; `now` is the vendor's clock."""
    ingested = lake.scan("ingestion_sessions").select("date").collect().get_column("date")
    lacking = find_missing_sessions(ingested, last_closed_session(now))
    return choose_due(lacking, read_missing(lake), datetime.now(UTC), most) if lacking else []


def update_lake_gauges(lake: Lake) -> None:
    """Set the gauges of what is in the lake; an empty lake leaves the last session unknown."""
    log = lake.scan("ingestion_sessions").select("date", "rows").collect()
    metrics.SESSIONS.set(log.height)
    metrics.ROWS.set(int(log.get_column("rows").sum()))
    last = log.get_column("date").max()
    if isinstance(last, date):
        metrics.LAST_SESSION.set(session_close(last).timestamp())
    quarantined = lake.scan("equity_bars_quarantine").group_by("reason").agg(pl.len()).collect()
    metrics.QUARANTINED_ROWS.clear()
    for reason, rows in quarantined.iter_rows():
        metrics.QUARANTINED_ROWS.labels(reason).set(rows)


def update_missing_sessions_gauge(lake: Lake, now: datetime) -> list[date]:
    """Set the gauge of missing sessions, without those that were given up; all of them. `now` is the vendor's clock."""
    ingested = lake.scan("ingestion_sessions").select("date").collect().get_column("date")
    missing = find_missing_sessions(ingested, last_closed_session(now))
    metrics.SESSIONS_MISSING.set(len(set(missing) - list_given_up(read_missing(lake))))
    return missing


class FreshnessMonitor:
    """Asks the vendor for its clock every five minutes and updates the gauges.

    While the vendor does not answer, its clock is extrapolated from its last answer, so that the gauge keeps rising
    during an outage. Before the first answer the machine's clock is used.
    """

    def __init__(self, lake: Lake, vendor: MarketData) -> None:
        self._lake, self._vendor = lake, vendor
        self._vendor_time, self._asked_at = datetime.now(UTC), time.monotonic()
        self._missing: list[date] = []

    async def run(self) -> None:
        """Update until cancelled; an error of the lake or the vendor is logged and the update repeated."""
        while True:
            try:
                await asyncio.to_thread(self.update)
            except FundError as error:
                logger.warning("freshness_not_updated", detail=error.detail)
            await asyncio.sleep(UPDATE_SECONDS)

    def update(self) -> None:
        """Ask the vendor for its clock and update the gauges once."""
        try:
            self._vendor_time, self._asked_at = self._vendor.now(), time.monotonic()
        except FundError as error:
            logger.warning("vendor_clock_unknown", detail=error.detail)
        update_lake_gauges(self._lake)
        self._missing = update_missing_sessions_gauge(self._lake, self.vendor_time())

    def describe_gaps(self) -> dict[str, str]:
        """The sessions that the lake lacked at the last update, in words; empty where it lacks none."""
        if not self._missing:
            return {}
        named = ", ".join(map(str, self._missing[:NAMED_SESSIONS]))
        more = len(self._missing) - NAMED_SESSIONS
        return {"missing_sessions": f"{named}{f' and {more} more' if more > 0 else ''}; `./fund data check` says why"}

    def vendor_time(self) -> datetime:
        """The vendor's clock, extrapolated from its last answer."""
        return self._vendor_time + timedelta(seconds=time.monotonic() - self._asked_at)
