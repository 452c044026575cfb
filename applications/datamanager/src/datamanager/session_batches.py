"""One batch of sessions: fetch it from the vendor, check its rows, commit it to the lake.

Commits are ordered: corporate actions, bars, quarantine, ingestion log. After a `kill -9` between two commits the batch
is not in the ingestion log, so the next ingestion fetches and replaces it. Readers see complete sessions only.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

import polars as pl

from datamanager.action_checks import REASON_PREFIX
from datamanager.corporate_actions import record_actions
from datamanager.held_bars import judge_bars
from datamanager.metrics import COLLECTED_SESSIONS
from datamanager.missing_sessions import record_missing, record_repaired
from datamanager.periods import split_at_gaps
from datamanager.ports import MarketData, VendorSession
from datamanager.quality import CheckedRows, check_bars
from datamanager.releases import LATER_BARS, Release, release_bars
from internal.lake.store import Lake
from internal.lake.tables import INGESTION_SESSIONS_COLUMNS, QUARANTINE_COLUMNS

CONFIRMED = "a later session, or a split reported since, confirms it"
INGESTED_TABLES = ("equity_bars", "equity_bars_quarantine", "corporate_actions", "ingestion_sessions")
ACTIONS_BACK = timedelta(days=30)  # vendors tell late, correct and withdraw
ACTIONS_AHEAD = timedelta(days=10)  # and announce what takes effect at the next opens


class SessionStatus(StrEnum):
    """Whether a session was fetched or imported by this request, had been before, or could not be answered."""

    COLLECTED = "collected"
    IMPORTED = "imported"
    PRESENT = "present"
    MISSING = "missing"


@dataclass(frozen=True)
class FetchedSession:
    """One session's checked rows, and the SHA-256 of the vendor's."""

    checked: CheckedRows
    digest: str


@dataclass(frozen=True)
class SessionBatch:
    """A fetched batch in memory.

    `sessions` are those that the vendor answered, in order; `missing` has the reason of each of the others; `actions`
    is everything that the vendor `source` states of the days in `action_days`.
    """

    sessions: dict[date, FetchedSession]
    missing: dict[date, str]
    source: str
    action_days: tuple[date, date]
    actions: pl.DataFrame


def fetch_batch(market_data: MarketData, sessions: list[date], on_session: Callable[[], object]) -> SessionBatch:
    """Fetch the sessions' bars, then their corporate actions; the first error ends it, nothing is written.

    A session that the vendor cannot answer is no error. Corporate actions are asked for a window around the batch: see
    `ACTIONS_BACK` and `ACTIONS_AHEAD`.
    """
    answers = market_data.daily_bars(sessions, on_session)
    start, end = sessions[0] - ACTIONS_BACK, sessions[-1] + ACTIONS_AHEAD
    return SessionBatch(
        sessions={one.date: _check(one.rows, one.date) for one in answers if one.rows is not None},
        missing={one.date: _explain(one) for one in answers if one.rows is None},
        source=market_data.source,
        action_days=(start, end),
        actions=market_data.corporate_actions(start, end),
    )


def _check(raw: pl.DataFrame, session: date) -> FetchedSession:
    return FetchedSession(check_bars(raw, session), compute_digest(raw))


def _explain(answer: VendorSession) -> str:
    return answer.missing or f"the vendor sent no bars of {answer.date}"


def commit_batch(lake: Lake, batch: SessionBatch, collected_at: datetime) -> pl.DataFrame:
    """Replace the answered sessions in every table, the ingestion log last; the rows of the ingestion log.

    Held bars of earlier sessions that the batch confirms are released at the end. Where the vendor answered no session,
    its corporate actions are not recorded either: a vendor that has nothing withdraws nothing.
    """
    record_missing(lake, batch.missing, collected_at)
    if not batch.sessions:
        return pl.DataFrame(schema=INGESTION_SESSIONS_COLUMNS)
    record_actions(lake, batch.actions, batch.source, *batch.action_days, collected_at)
    judged = judge_bars(lake, {day: one.checked for day, one in batch.sessions.items()})
    digests = {day: one.digest for day, one in batch.sessions.items()}
    log = pl.concat(
        commit_sessions(lake, run, judged.checked, digests, SessionStatus.COLLECTED, collected_at)
        for run in split_at_gaps(sorted(batch.sessions), len(batch.sessions))
    )
    record_repaired(lake, batch.sessions, collected_at)
    release_bars(lake, judged.released, Release(LATER_BARS, CONFIRMED, collected_at))
    COLLECTED_SESSIONS.inc(log.height)
    return log


def commit_sessions(  # noqa: PLR0913, PLR0917 - where, what, and what the log says of it
    lake: Lake,
    days: list[date],
    checked: Mapping[date, CheckedRows],
    digests: Mapping[date, str],
    status: SessionStatus,
    collected_at: datetime,
) -> pl.DataFrame:
    """Replace sessions without another one between them: bars, quarantine, and last the log; the rows of the log."""
    start, end = days[0], days[-1]
    lake.replace_days("equity_bars", pl.concat(checked[day].valid for day in days), start, end)
    replace_quarantine(lake, _collect_quarantined(days, checked, collected_at.date()), start, end)
    log = pl.DataFrame(
        {
            "date": days,
            "status": [status.value] * len(days),
            "rows": [checked[day].valid.height for day in days],
            "quarantined": [checked[day].quarantined.height for day in days],
            "vendor_digest": [digests[day] for day in days],
            "collected_at": [collected_at] * len(days),
        },
        schema=INGESTION_SESSIONS_COLUMNS,
    )
    lake.replace_days("ingestion_sessions", log, start, end)
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


def _collect_quarantined(days: list[date], checked: Mapping[date, CheckedRows], today: date) -> pl.DataFrame:
    """Every quarantined row; one without a date of the sessions gets the date of the last one."""
    first, last = days[0], days[-1]
    return pl.concat(checked[day].quarantined for day in days).with_columns(
        pl.lit(today).alias("collected_date"),
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
