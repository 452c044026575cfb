"""One stretch of sessions: fetch it from the vendor, judge it, commit it.

Knows the order of commits: bars, then corporate actions and quarantine, then the ledger. A `kill -9` between any two
leaves the stretch out of the ledger, so that it is fetched and replaced again; a reader sees whole sessions only. Knows
nothing of requests, progress or events.
"""

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import polars as pl

from datamanager.metrics import COLLECTED_SESSIONS
from datamanager.ports import MarketData
from datamanager.quality import Judged, judge_bars, judge_dividends, judge_splits
from internal.dates import previous_session
from internal.lake.store import Lake
from internal.lake.tables import INGESTION_SESSIONS_COLUMNS, QUARANTINE_COLUMNS

CONCURRENT_REQUESTS = 4
COLLECTED = "collected"
COLLECTED_TABLES = ("equity_bars", "equity_bars_quarantine", "splits", "dividends", "ingestion_sessions")


@dataclass(frozen=True)
class Fetched:
    """A stretch in memory. `bars` and `digests` (sha256 of what the vendor sent) by session, in order."""

    sessions: list[date]
    bars: list[Judged]
    digests: list[str]
    splits: Judged
    dividends: Judged


def fetch(market_data: MarketData, stretch: list[date], on_session: Callable[[], object]) -> Fetched:
    """The stretch from the vendor, sessions side by side; the first error ends it and nothing was written.

    Corporate actions cover every calendar day from the session before the stretch, exclusive, to its end.
    """

    def one(session: date) -> tuple[Judged, str]:
        raw = market_data.daily_bars(session)
        on_session()
        return judge_bars(raw, session), _digest(raw)

    with ThreadPoolExecutor(CONCURRENT_REQUESTS, thread_name_prefix="vendor") as pool:
        try:
            bars, digests = zip(*pool.map(one, stretch), strict=True)
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    start, end = _action_days(stretch)
    return Fetched(
        sessions=stretch,
        bars=list(bars),
        digests=list(digests),
        splits=judge_splits(market_data.splits(start, end)),
        dividends=judge_dividends(market_data.dividends(start, end)),
    )


def commit(lake: Lake, fetched: Fetched, collected_at: datetime) -> pl.DataFrame:
    """Replace the stretch in every table, the ledger last; the ledger's rows are returned."""
    start, end = fetched.sessions[0], fetched.sessions[-1]
    lake.replace_days("equity_bars", pl.concat(judged.sound for judged in fetched.bars), start, end)
    action_start, action_end = _action_days(fetched.sessions)
    lake.replace_days("splits", fetched.splits.sound, action_start, action_end)
    lake.replace_days("dividends", fetched.dividends.sound, action_start, action_end)
    quarantined = _quarantined(fetched, collected_at.date())
    _replace_quarantine(lake, quarantined, action_start, action_end)
    ledger = _ledger_rows(fetched, collected_at)
    lake.replace_days("ingestion_sessions", ledger, start, end)
    COLLECTED_SESSIONS.inc(ledger.height)
    return ledger


def ledger(lake: Lake, start: date, end: date) -> pl.DataFrame:
    """What was collected from start to end, by session: the ledger table, ordered by date."""
    return lake.scan("ingestion_sessions").filter(pl.col("date").is_between(start, end)).sort("date").collect()


def compact(lake: Lake) -> None:
    """Merge the small files that a commit a session leaves behind; rows and older versions stay."""
    for table in COLLECTED_TABLES:
        if lake.version(table) >= 0:
            lake.compact(table)


def _action_days(stretch: list[date]) -> tuple[date, date]:
    return previous_session(stretch[0]) + timedelta(days=1), stretch[-1]


def _digest(raw: pl.DataFrame) -> str:
    """The same rows give the same digest, in whatever order they came."""
    return hashlib.sha256(raw.sort(pl.all()).write_csv().encode()).hexdigest()


def _quarantined(fetched: Fetched, day: date) -> pl.DataFrame:
    """Every row held back, with a date of the stretch: a record without one waits under the stretch's last session."""
    judged = [*fetched.bars, fetched.splits, fetched.dividends]
    return pl.concat(one.quarantined for one in judged).with_columns(
        pl.lit(day).alias("collected_date"),
        pl.when(pl.col("date").str.to_date(strict=False).is_between(*_action_days(fetched.sessions)))
        .then("date")
        .otherwise(pl.lit(fetched.sessions[-1].isoformat()))
        .alias("date"),
    )


def _replace_quarantine(lake: Lake, quarantined: pl.DataFrame, start: date, end: date) -> None:
    """Replace the days that hold quarantined rows now or did before; most stretches have none and write nothing."""
    held = lake.scan("equity_bars_quarantine").filter(
        pl.col("date").is_between(pl.lit(start.isoformat()), pl.lit(end.isoformat()))
    )
    days = pl.concat([held.select("date").collect(), quarantined.select("date")]).get_column("date").unique().sort()
    for day in days:
        rows = quarantined.filter(pl.col("date") == day).select(list(QUARANTINE_COLUMNS))
        lake.replace_where("equity_bars_quarantine", rows, date=day)


def _ledger_rows(fetched: Fetched, collected_at: datetime) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "date": fetched.sessions,
            "status": [COLLECTED] * len(fetched.sessions),
            "rows": [judged.sound.height for judged in fetched.bars],
            "quarantined": [judged.quarantined.height for judged in fetched.bars],
            "vendor_digest": fetched.digests,
            "collected_at": [collected_at] * len(fetched.sessions),
        },
        schema=INGESTION_SESSIONS_COLUMNS,
    )
