"""One batch of sessions: fetch it from the vendor, check its rows, commit it to the lake.

Commits are ordered: bars, quarantine, corporate actions, ingestion log. After a `kill -9` between two commits the batch
is not in the ingestion log, so the next ingestion fetches and replaces it. Readers see complete sessions only.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

import polars as pl

from datamanager.action_checks import REASON_PREFIX
from datamanager.corporate_actions import record_actions
from datamanager.metrics import COLLECTED_SESSIONS
from datamanager.ports import MarketData, VendorSession
from datamanager.quality import CheckedRows, check_bars
from internal.errors import UpstreamError
from internal.lake.store import Lake
from internal.lake.tables import INGESTION_SESSIONS_COLUMNS, QUARANTINE_COLUMNS

INGESTED_TABLES = ("equity_bars", "equity_bars_quarantine", "corporate_actions", "ingestion_sessions")
ACTIONS_BACK = timedelta(days=30)  # vendors tell late, correct and withdraw
ACTIONS_AHEAD = timedelta(days=10)  # and announce what takes effect at the next opens


class SessionStatus(StrEnum):
    """Whether a session was fetched or imported by this request, or had been before."""

    COLLECTED = "collected"
    IMPORTED = "imported"
    PRESENT = "present"


@dataclass(frozen=True)
class SessionBatch:
    """A fetched batch in memory.

    `bars` and `digests` (SHA-256 of the vendor's rows) are in the order of `sessions`; `actions` is everything that the
    vendor `source` states of the days in `action_days`.
    """

    sessions: list[date]
    bars: list[CheckedRows]
    digests: list[str]
    source: str
    action_days: tuple[date, date]
    actions: pl.DataFrame


def fetch_batch(market_data: MarketData, sessions: list[date], on_session: Callable[[], object]) -> SessionBatch:
    """Fetch the sessions' bars, then their corporate actions; the first error ends it, nothing is written.

    Corporate actions are asked for a window around the batch: see `ACTIONS_BACK` and `ACTIONS_AHEAD`.
    """
    answers = [_require_rows(answer) for answer in market_data.daily_bars(sessions, on_session)]
    start, end = sessions[0] - ACTIONS_BACK, sessions[-1] + ACTIONS_AHEAD
    return SessionBatch(
        sessions=sessions,
        bars=[check_bars(raw, session) for raw, session in zip(answers, sessions, strict=True)],
        digests=[compute_digest(raw) for raw in answers],
        source=market_data.source,
        action_days=(start, end),
        actions=market_data.corporate_actions(start, end),
    )


def _require_rows(answer: VendorSession) -> pl.DataFrame:
    if answer.rows is None:
        raise UpstreamError(answer.missing or f"the vendor sent no bars of {answer.date}")
    return answer.rows


def commit_batch(lake: Lake, batch: SessionBatch, collected_at: datetime) -> pl.DataFrame:
    """Replace the batch's days in every table, the ingestion log last; the rows of the ingestion log."""
    start, end = batch.sessions[0], batch.sessions[-1]
    lake.replace_days("equity_bars", pl.concat(checked.valid for checked in batch.bars), start, end)
    replace_quarantine(lake, _collect_quarantined(batch, collected_at.date()), start, end)
    record_actions(lake, batch.actions, batch.source, *batch.action_days, collected_at)
    log = _make_log_rows(batch, collected_at)
    lake.replace_days("ingestion_sessions", log, start, end)
    COLLECTED_SESSIONS.inc(log.height)
    return log


def read_ingestion_log(lake: Lake, start: date, end: date) -> pl.DataFrame:
    """The ingested sessions from start to end, ordered by date."""
    return lake.scan("ingestion_sessions").filter(pl.col("date").is_between(start, end)).sort("date").collect()


def compact_tables(lake: Lake) -> None:
    """Merge the small files that one commit a session leaves; rows and older versions stay."""
    for table in INGESTED_TABLES:
        if lake.version(table) >= 0:
            lake.compact(table)


def compute_digest(raw: pl.DataFrame) -> str:
    """A digest that does not depend on the order of the rows."""
    return hashlib.sha256(raw.sort(pl.all()).write_csv().encode()).hexdigest()


def _collect_quarantined(batch: SessionBatch, day: date) -> pl.DataFrame:
    """Every quarantined row; one without a date of the batch gets the date of the batch's last session."""
    first, last = batch.sessions[0], batch.sessions[-1]
    return pl.concat(one.quarantined for one in batch.bars).with_columns(
        pl.lit(day).alias("collected_date"),
        pl.when(pl.col("date").str.to_date(strict=False).is_between(first, last))
        .then("date")
        .otherwise(pl.lit(last.isoformat()))
        .alias("date"),
    )


def replace_quarantine(lake: Lake, quarantined: pl.DataFrame, start: date, end: date) -> None:
    """Replace the bars of days that have quarantined bars now or had them before; most batches have none.

    Quarantined corporate actions stay: `datamanager.corporate_actions` replaces them.
    """
    stored = (
        lake.scan("equity_bars_quarantine")
        .filter(pl.col("date").is_between(pl.lit(start.isoformat()), pl.lit(end.isoformat())))
        .collect()
    )
    is_action = pl.col("reason").str.starts_with(REASON_PREFIX)
    changed = pl.concat([stored.filter(~is_action).select("date"), quarantined.select("date")])
    rows = pl.concat([stored.filter(is_action), quarantined.select(list(QUARANTINE_COLUMNS))])
    for day in changed.get_column("date").unique().sort():
        lake.replace_where("equity_bars_quarantine", rows.filter(pl.col("date") == day), date=day)


def _make_log_rows(batch: SessionBatch, collected_at: datetime) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "date": batch.sessions,
            "status": [SessionStatus.COLLECTED.value] * len(batch.sessions),
            "rows": [checked.valid.height for checked in batch.bars],
            "quarantined": [checked.quarantined.height for checked in batch.bars],
            "vendor_digest": batch.digests,
            "collected_at": [collected_at] * len(batch.sessions),
        },
        schema=INGESTION_SESSIONS_COLUMNS,
    )
