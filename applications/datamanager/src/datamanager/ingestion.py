"""Ingestion of sessions from the vendor into the lake: find the missing ones, one ingestion at a time, with progress.

A second request while one runs is refused (ConflictError) unless it waits, as the event handler does.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import partial

import polars as pl

from datamanager.bar_import import import_bars
from datamanager.freshness import list_gaps, update_lake_gauges, update_missing_sessions_gauge
from datamanager.periods import (
    Period,
    contains_month_end,
    list_closed_sessions,
    require_closed_session,
    split_into_batches,
)
from datamanager.ports import MarketData
from datamanager.releases import Release, release_by_hand
from datamanager.securities import Securities
from datamanager.session_batches import SessionStatus, commit_batch, compact_tables, fetch_batch, read_ingestion_log
from internal.dates import last_closed_session
from internal.errors import ConflictError, FundError, UpstreamError
from internal.lake.store import Lake
from internal.telemetry import get_logger

BATCH_SESSIONS = 25
REPAIRED_SESSIONS = 10  # gaps that a nightly collection asks for beside its own session
logger = get_logger(__name__)


@dataclass(frozen=True)
class IngestionProgress:
    """Progress of the running (or last) ingestion: fetched sessions are in memory, done ones are in the lake."""

    sessions_total: int = 0
    sessions_fetched: int = 0
    sessions_done: int = 0
    running: bool = False
    seconds_left: float | None = None  # at the pace so far; None before the first session


@dataclass(frozen=True)
class IngestedSession:
    """One session of a request: its status, its bars in the lake, its quarantined rows, and why it is missing."""

    date: date
    status: SessionStatus
    rows: int
    quarantined: int
    reason: str | None = None


@dataclass(frozen=True)
class IngestionResult:
    """The sessions of a request in order, the version of the bars' table, and the vendor's last closed session."""

    sessions: list[IngestedSession]
    bars_version: int
    last_closed: date


@dataclass(frozen=True)
class ImportResult:
    """The sessions of a file in order, and the version of the bars' table."""

    sessions: list[IngestedSession]
    bars_version: int


class Ingestion:
    """Ingests sessions into the lake, one ingestion at a time in this process.

    Args:
        lake: Where they are stored.
        market_data: The vendor.
        securities: Derives the securities of new tickers after each collection.
        on_collected: Called with the sessions that were fetched, after they were stored.
    """

    def __init__(
        self,
        lake: Lake,
        market_data: MarketData,
        securities: Securities,
        on_collected: Callable[[list[date]], object] = lambda _: None,
    ) -> None:
        self._lake = lake
        self._market_data = market_data
        self._securities = securities
        self._on_collected = on_collected
        self._one_at_a_time = asyncio.Lock()
        self.progress = IngestionProgress()
        self._began, self._present = 0.0, 0  # of the running ingestion, for its pace

    async def ingest_session(self, day: date, *, force: bool = False, wait: bool = False) -> IngestionResult:
        """Ingest one session; the last closed one also repairs gaps: some sessions that the ledger lacks.

        Raises:
            InvalidRequestError: It is not a session, or has not closed at the vendor.
            UpstreamError: The vendor has no bars of it; why is recorded.
        """
        async with self._hold_lock(wait=wait):
            now = await self._ask_vendor_time()
            last_closed = last_closed_session(now)
            result = await self._ingest(require_closed_session(day, last_closed), now, force=force)
            outcome = result.sessions[0]
            if outcome.status is SessionStatus.MISSING:
                raise UpstreamError(f"{outcome.reason}. Nothing of {day} was stored; ask again later")
            return await self._repair_gaps(result, now) if day == last_closed else result

    async def _repair_gaps(self, result: IngestionResult, now: datetime) -> IngestionResult:
        """Ask for some sessions that the ledger lacks; an error of the vendor leaves them for the next time."""
        lacking = await asyncio.to_thread(list_gaps, self._lake, now, REPAIRED_SESSIONS)
        if not lacking:
            return result
        try:
            repaired = await self._ingest(lacking, now, force=False)
        except FundError as error:
            logger.warning("gaps_not_repaired", sessions=len(lacking), detail=error.detail)
            return result
        return replace(repaired, sessions=[*repaired.sessions, *result.sessions])

    async def ingest_period(self, period: Period, *, force: bool = False) -> IngestionResult:
        """Ingest every missing session of the period; with `force` also those that are in the lake.

        Batches that were committed before an error stay.

        Raises:
            InvalidRequestError: The period ends after the last closed session.
            ConflictError: An ingestion is running.
            UpstreamError: The vendor answered with an error or incompletely.
            UnavailableError: The vendor cannot be reached, or the lake cannot be written.
        """
        async with self._hold_lock(wait=False):
            now = await self._ask_vendor_time()
            return await self._ingest(list_closed_sessions(period, last_closed_session(now)), now, force=force)

    async def import_bars(self, bars: pl.DataFrame, *, replace: bool) -> ImportResult:
        """Store a file's bars, see `bar_import.import_bars`; ConflictError when an ingestion is running."""
        async with self._hold_lock(wait=False):
            log = await asyncio.to_thread(import_bars, self._lake, bars, datetime.now(UTC), replace=replace)
            days = log.get_column("date").to_list()
            await asyncio.to_thread(self._securities.follow_bars, days[0], days[-1])
            await asyncio.to_thread(update_lake_gauges, self._lake)
            version = await asyncio.to_thread(self._lake.version, "equity_bars")
        rows = log.select("date", "status", "rows", "quarantined").iter_rows()
        return ImportResult(
            [IngestedSession(day, SessionStatus(status), *counts) for day, status, *counts in rows], version
        )

    async def release_bars(self, keys: Sequence[tuple[str, date]], release: Release) -> int:
        """Release quarantined bars by hand, see `releases.release_by_hand`; the number of bars."""
        async with self._hold_lock(wait=False):
            bars = await asyncio.to_thread(release_by_hand, self._lake, keys, release)
            await asyncio.to_thread(update_lake_gauges, self._lake)
        return bars.height

    @asynccontextmanager
    async def _hold_lock(self, *, wait: bool) -> AsyncGenerator[None]:
        if self._one_at_a_time.locked() and not wait:
            raise ConflictError(
                f"an ingestion is running ({self.progress.sessions_done} of {self.progress.sessions_total} sessions "
                f"done); GET /equity-bars/ingestion shows its progress. Ask again when it has ended"
            )
        async with self._one_at_a_time:
            try:
                yield
            finally:
                self.progress = replace(self.progress, running=False)

    async def _ask_vendor_time(self) -> datetime:
        return await asyncio.to_thread(self._market_data.now)

    async def _ingest(self, wanted: list[date], now: datetime, *, force: bool) -> IngestionResult:
        logged = await asyncio.to_thread(_read_logged_sessions, self._lake, wanted)
        present = {} if force else {row.date: row for row in logged}
        self.progress = IngestionProgress(len(wanted), len(present), len(present), running=True)
        self._began, self._present = time.monotonic(), len(present)
        batches = split_into_batches(wanted, set(present), BATCH_SESSIONS)
        fetched = [session for batch in batches for session in await self._ingest_batch(batch)]
        if batches:
            await asyncio.to_thread(self._securities.follow_bars, batches[0][0], batches[-1][-1])
        if any(contains_month_end(batch) for batch in batches):
            await asyncio.to_thread(compact_tables, self._lake)
        await asyncio.to_thread(update_missing_sessions_gauge, self._lake, now)
        self._on_collected([one.date for one in fetched if one.status is SessionStatus.COLLECTED])
        return IngestionResult(
            sessions=sorted([*present.values(), *fetched], key=lambda session: session.date),
            bars_version=await asyncio.to_thread(self._lake.version, "equity_bars"),
            last_closed=last_closed_session(now),
        )

    async def _ingest_batch(self, batch: list[date]) -> list[IngestedSession]:
        count_fetched = partial(asyncio.get_running_loop().call_soon_threadsafe, self._count_fetched)
        ingested = await asyncio.to_thread(self._fetch_and_commit, batch, count_fetched)
        self.progress = replace(self.progress, sessions_done=self.progress.sessions_done + len(batch))
        rows = sum(session.rows for session in ingested)
        logger.info("sessions_ingested", start=str(batch[0]), end=str(batch[-1]), rows=rows)
        return ingested

    def _fetch_and_commit(self, batch: list[date], count_fetched: Callable[[], object]) -> list[IngestedSession]:
        fetched = fetch_batch(self._market_data, batch, count_fetched)
        log = commit_batch(self._lake, fetched, datetime.now(UTC))
        update_lake_gauges(self._lake)
        missing = [IngestedSession(day, SessionStatus.MISSING, 0, 0, why) for day, why in fetched.missing.items()]
        return [*_to_sessions(log, SessionStatus.COLLECTED), *missing]

    def _count_fetched(self) -> None:
        fetched = self.progress.sessions_fetched + 1
        pace = (time.monotonic() - self._began) / (fetched - self._present)
        left = pace * (self.progress.sessions_total - fetched)
        self.progress = replace(self.progress, sessions_fetched=fetched, seconds_left=left)


def _read_logged_sessions(lake: Lake, wanted: list[date]) -> list[IngestedSession]:
    """The wanted sessions that are in the ingestion log."""
    if not wanted:
        return []
    log = read_ingestion_log(lake, wanted[0], wanted[-1])
    return _to_sessions(log.filter(pl.col("date").is_in(wanted)), SessionStatus.PRESENT)


def _to_sessions(log: pl.DataFrame, status: SessionStatus) -> list[IngestedSession]:
    rows = log.select("date", "rows", "quarantined").iter_rows()
    return [IngestedSession(day, status, count, quarantined) for day, count, quarantined in rows]
