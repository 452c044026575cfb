"""The use case of collecting: which sessions are missing, one collection at a time, how far it has come.

Knows ledger, stretches and progress. Knows no HTTP, no events and no vendor by name. A second request while one runs is
refused (ConflictError) unless it chooses to wait, as the event handler does.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import partial

import polars as pl

from datamanager.freshness import show_lake, show_missing
from datamanager.periods import Period, ends_month, runs, session_to_collect, sessions_to_collect
from datamanager.ports import MarketData
from datamanager.session_batches import commit, compact, fetch, ledger
from internal.dates import last_closed_session
from internal.errors import ConflictError
from internal.lake.store import Lake
from internal.telemetry import get_logger

STRETCH_SESSIONS = 25
PRESENT = "present"
logger = get_logger(__name__)


@dataclass(frozen=True)
class Progress:
    """How far the running (or last) collection is: fetched sessions are in memory, done ones in the lake."""

    sessions_total: int = 0
    sessions_fetched: int = 0
    sessions_done: int = 0
    running: bool = False


@dataclass(frozen=True)
class Collected:
    """What a collection came to. `sessions`: date, status ("collected", "present"), rows, quarantined."""

    sessions: pl.DataFrame
    bars_version: int
    last_closed: date


class Ingestion:
    """Collects sessions into the lake, one collection at a time in this process."""

    def __init__(self, lake: Lake, market_data: MarketData) -> None:
        self._lake = lake
        self._market_data = market_data
        self._one_at_a_time = asyncio.Lock()
        self.progress = Progress()

    async def collect_session(self, day: date, *, force: bool = False, wait: bool = False) -> Collected:
        """Collect one session; InvalidRequestError when it is none or has not closed at the vendor."""
        async with self._alone(wait=wait):
            now = await self._now()
            return await self._collect(session_to_collect(day, last_closed_session(now)), now, force=force)

    async def collect_period(self, period: Period, *, force: bool = False) -> Collected:
        """Collect every missing session of the period; with `force` the complete ones again as well.

        Raises InvalidRequestError (the period reaches past the last closed session), ConflictError (one is running),
        UpstreamError and UnavailableError (the vendor, the disk); stretches committed before the error stay.
        """
        async with self._alone(wait=False):
            now = await self._now()
            return await self._collect(sessions_to_collect(period, last_closed_session(now)), now, force=force)

    @asynccontextmanager
    async def _alone(self, *, wait: bool) -> AsyncIterator[None]:
        if self._one_at_a_time.locked() and not wait:
            raise ConflictError(
                f"a collection is running ({self.progress.sessions_done} of {self.progress.sessions_total} sessions "
                f"done); GET /equity-bars/ingestion shows it. Ask again when it has ended"
            )
        async with self._one_at_a_time:
            try:
                yield
            finally:
                self.progress = replace(self.progress, running=False)

    async def _now(self) -> datetime:
        return await asyncio.to_thread(self._market_data.now)

    async def _collect(self, wanted: list[date], now: datetime, *, force: bool) -> Collected:
        known = await asyncio.to_thread(_known, self._lake, wanted)
        complete = set() if force else set(known.get_column("date"))
        self.progress = Progress(len(wanted), len(complete), len(complete), running=True)
        stretches = runs(wanted, complete, STRETCH_SESSIONS)
        fresh = [await self._stretch(stretch) for stretch in stretches]
        if any(ends_month(stretch) for stretch in stretches):
            await asyncio.to_thread(compact, self._lake)
        await asyncio.to_thread(show_missing, self._lake, now)
        return Collected(
            sessions=_summary(known.filter(pl.col("date").is_in(sorted(complete))), fresh),
            bars_version=await asyncio.to_thread(self._lake.version, "equity_bars"),
            last_closed=last_closed_session(now),
        )

    async def _stretch(self, stretch: list[date]) -> pl.DataFrame:
        count_fetched = partial(asyncio.get_running_loop().call_soon_threadsafe, self._count_fetched)
        rows = await asyncio.to_thread(self._fetch_and_commit, stretch, count_fetched)
        self.progress = replace(self.progress, sessions_done=self.progress.sessions_done + len(stretch))
        logger.info("sessions collected", start=str(stretch[0]), end=str(stretch[-1]), rows=rows["rows"].sum())
        return rows

    def _fetch_and_commit(self, stretch: list[date], count_fetched: Callable[[], object]) -> pl.DataFrame:
        fetched = fetch(self._market_data, stretch, count_fetched)
        rows = commit(self._lake, fetched, datetime.now(UTC))
        show_lake(self._lake)
        return rows

    def _count_fetched(self) -> None:
        self.progress = replace(self.progress, sessions_fetched=self.progress.sessions_fetched + 1)


def _known(lake: Lake, wanted: list[date]) -> pl.DataFrame:
    """The ledger's rows of the sessions wanted; an empty frame when none is."""
    start, end = (wanted[0], wanted[-1]) if wanted else (date.max, date.min)
    return ledger(lake, start, end)


def _summary(present: pl.DataFrame, fresh: list[pl.DataFrame]) -> pl.DataFrame:
    """One row a session, in order: date, status, rows, quarantined."""
    return (
        pl.concat([present.with_columns(pl.lit(PRESENT).alias("status")), *fresh])
        .sort("date")
        .select("date", "status", "rows", "quarantined")
    )
