"""Cross-check: compares what was collected with a second vendor, in the background, and stores where they disagree.

It never changes a bar, never delays a collection, and never makes one fail.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import polars as pl

from datamanager.disagreements import compare_actions, compare_bars, count_by_field
from datamanager.metrics import DISAGREEMENTS
from datamanager.ports import MarketData
from datamanager.quality import check_bars
from internal.dates import previous_session, session_close
from internal.errors import ConfigurationError, FundError
from internal.lake.store import Lake
from internal.schemas import disagreements
from internal.schemas.corporate_actions import actions_in_force
from internal.telemetry import get_logger

BATCH_SESSIONS = 25
logger = get_logger(__name__)


@dataclass(frozen=True)
class CheckResult:
    """The sessions that were compared, and those that the second vendor could not answer, with its reasons."""

    compared: list[date]
    missing: dict[date, str]
    rows: pl.DataFrame


class CrossCheck:
    """Compares sessions of the lake with a second vendor, one comparison at a time.

    The second vendor's own clock, asked at each comparison, says which sessions it has and how old its answers are.

    Args:
        lake: What was collected, and where disagreements are stored.
        vendor: The name of the vendor whose figures the lake holds.
        second: The vendor to compare with; None compares nothing.
        most_sessions: How many sessions, the latest ones, are compared after a collection; None is all of them.
    """

    def __init__(self, lake: Lake, vendor: str, second: MarketData | None, most_sessions: int | None) -> None:
        self._lake, self._vendor, self._second, self._most_sessions = lake, vendor, second, most_sessions
        self._one_at_a_time = asyncio.Lock()
        self._running: set[asyncio.Task[None]] = set()

    def start(self, collected: list[date]) -> None:
        """Compare the collected sessions in the background, and the one before: it may have been too young then."""
        if self._second is None or not collected:
            return
        days = [previous_session(collected[0]), *collected]
        latest = days if self._most_sessions is None else days[-self._most_sessions :]
        task = asyncio.create_task(self._check_quietly(latest))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def check(self, days: list[date]) -> CheckResult:
        """Compare the sessions that the lake holds, and store the disagreements in place of their earlier ones.

        Raises:
            ConfigurationError: There is no second vendor.
            UpstreamError: The second vendor answered with an error.
            UnavailableError: The second vendor cannot be reached, or the lake cannot be written.
        """
        second = self._second
        if second is None:
            raise ConfigurationError(
                "there is no vendor to compare with: set SECOND_MARKET_DATA_VENDOR and its keys, and start datamanager "
                "again"
            )
        async with self._one_at_a_time:
            held = await asyncio.to_thread(self._select_held, days)
            now = await asyncio.to_thread(second.now) if held else datetime.min.replace(tzinfo=UTC)
            closed = [day for day in held if session_close(day) <= now]
            batches = [closed[first : first + BATCH_SESSIONS] for first in range(0, len(closed), BATCH_SESSIONS)]
            results = [await asyncio.to_thread(self._check_batch, second, batch) for batch in batches]
        rows = pl.concat([disagreements.empty(), *(result.rows for result in results)])
        for field, count in count_by_field(rows).items():
            DISAGREEMENTS.labels(field).set(count)
        return CheckResult(
            [day for result in results for day in result.compared],
            {day: f"{second.source} has data up to {now}: compare it later" for day in held if day not in closed}
            | {day: reason for result in results for day, reason in result.missing.items()},
            rows,
        )

    async def close(self) -> None:
        """End what runs, and close the second vendor's connections."""
        for task in list(self._running):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        if self._second is not None:
            self._second.close()

    async def _check_quietly(self, days: list[date]) -> None:
        try:
            result = await self.check(days)
        except FundError as error:
            logger.warning("cross_check_failed", detail=error.detail)
            return
        logger.info(
            "cross_checked", sessions=len(result.compared), missing=len(result.missing), rows=result.rows.height
        )

    def _select_held(self, days: list[date]) -> list[date]:
        log = self._lake.scan("ingestion_sessions").filter(pl.col("date").is_in(days)).select("date").collect()
        return sorted(log.get_column("date"))

    def _check_batch(self, second: MarketData, days: list[date]) -> CheckResult:
        answers = second.daily_bars(days, lambda: None)
        missing = {answer.date: answer.missing or "" for answer in answers if answer.rows is None}
        compared = [day for day in days if day not in missing]
        if not compared:
            return CheckResult([], missing, disagreements.empty())
        checked = [check_bars(answer.rows, answer.date).valid for answer in answers if answer.rows is not None]
        first, last = previous_session(compared[0]) + timedelta(days=1), compared[-1]
        between = pl.col("date").is_between(first, last)
        ours = self._lake.scan("equity_bars").filter(between & pl.col("date").is_in(compared)).collect()
        actions = actions_in_force(self._lake.scan("corporate_actions"))
        ours_stated = actions.filter(pl.col("effective_date").is_between(first, last)).collect()
        found = pl.concat(
            [
                compare_bars(ours, pl.concat(checked)),
                compare_actions(ours_stated, second.corporate_actions(first, last)),
            ]
        )
        rows = self._complete(found, second.source)
        kept = self._lake.scan("disagreements").filter(between & pl.col("date").is_in(list(missing))).collect()
        fresh = rows.filter(~pl.col("date").is_in(list(missing)))
        self._lake.replace_days("disagreements", pl.concat([kept, fresh]), first, last)
        return CheckResult(compared, missing, fresh)

    def _complete(self, found: pl.DataFrame, second: str) -> pl.DataFrame:
        names = list(disagreements.COLUMNS)
        return found.with_columns(
            pl.lit(self._vendor).alias("vendor"),
            pl.lit(second).alias("second_vendor"),
            pl.lit(datetime.now(UTC)).cast(disagreements.COLUMNS["compared_at"]).alias("compared_at"),
        ).select(names)
