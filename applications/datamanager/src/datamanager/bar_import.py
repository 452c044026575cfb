"""Import of a file's bars into the lake, without the vendor: valid rows are stored, the others go to quarantine.

A session that the lake holds with the same rows is left alone. One that it holds with other rows, from the vendor or
from another file, is replaced only when that is asked for: whoever trained or traded on it must know.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

import polars as pl

from datamanager.periods import split_into_batches
from datamanager.quality import CheckedRows, to_quarantine
from datamanager.session_batches import SessionStatus, compute_digest, read_ingestion_log, replace_quarantine
from internal.dates import sessions
from internal.errors import ConflictError
from internal.lake.store import Lake
from internal.lake.tables import INGESTION_SESSIONS_COLUMNS, QUARANTINE_COLUMNS
from internal.schemas import equity_bars

SESSIONS_A_COMMIT = 250


@dataclass(frozen=True)
class GivenSession:
    """One session of the file: its rows, checked, and the digest of all of them."""

    checked: CheckedRows
    digest: str


def import_bars(lake: Lake, bars: pl.DataFrame, imported_at: datetime, *, replace: bool) -> pl.DataFrame:
    """Store the bars session by session; every session with its status, rows and quarantined rows (the log's columns).

    Args:
        lake: Where they are stored.
        bars: The columns of `equity_bars`, every date a session; a price may lie outside low..high.
        imported_at: The time of the import.
        replace: Whether sessions that the lake holds with other rows are replaced.

    Raises:
        ConflictError: The lake holds a session with other rows; nothing was stored.
    """
    given = _split_by_session(bars)
    log = read_ingestion_log(lake, min(given), max(given)).filter(pl.col("date").is_in(list(given)))
    stored = dict(log.select("date", "vendor_digest").iter_rows())
    other = sorted(day for day, digest in stored.items() if given[day].digest != digest)
    if other and not replace:
        raise ConflictError(
            f"the lake holds {len(other)} of the {len(given)} sessions with other rows, the first is {other[0]}; "
            "nothing was stored. Import with replace=true (`--replace`) to exchange them, or into another fund's lake"
        )
    wanted = sorted(given.keys() - (stored.keys() - set(other)))
    imported = [_commit(lake, days, given, imported_at) for days in _runs(wanted)]
    present = log.filter(~pl.col("date").is_in(wanted)).with_columns(status=pl.lit(SessionStatus.PRESENT.value))
    return pl.concat([present, *imported]).sort("date")


def _split_by_session(bars: pl.DataFrame) -> dict[date, GivenSession]:
    valid, invalid = equity_bars.split_valid(bars)
    good, bad = _by_day(valid), _by_day(invalid)
    return {
        day: GivenSession(
            CheckedRows(good.get(day, equity_bars.empty()), to_quarantine(bad.get(day, invalid.clear()))),
            compute_digest(rows),
        )
        for day, rows in _by_day(bars).items()
    }


def _by_day(rows: pl.DataFrame) -> dict[date, pl.DataFrame]:
    parts = rows.partition_by("date", maintain_order=True)
    return {part.get_column("date").to_list()[0]: part for part in parts}


def _runs(wanted: list[date]) -> list[list[date]]:
    """The sessions in runs without another session between, each of which is replaced as one range of days."""
    if not wanted:
        return []
    every = sessions(wanted[0], wanted[-1])
    return split_into_batches(every, set(every) - set(wanted), SESSIONS_A_COMMIT)


def _commit(lake: Lake, days: list[date], given: Mapping[date, GivenSession], imported_at: datetime) -> pl.DataFrame:
    """Replace the days: bars, quarantine, and last the log, so that an interrupted import is done again."""
    start, end = days[0], days[-1]
    checked = [given[day].checked for day in days]
    lake.replace_days("equity_bars", pl.concat(one.valid for one in checked), start, end)
    quarantined = pl.concat(one.quarantined for one in checked).with_columns(collected_date=pl.lit(imported_at.date()))
    replace_quarantine(lake, quarantined.select(list(QUARANTINE_COLUMNS)), start, end)
    log = pl.DataFrame(
        {
            "date": days,
            "status": [SessionStatus.IMPORTED.value] * len(days),
            "rows": [one.valid.height for one in checked],
            "quarantined": [one.quarantined.height for one in checked],
            "vendor_digest": [given[day].digest for day in days],
            "collected_at": [imported_at] * len(days),
        },
        schema=INGESTION_SESSIONS_COLUMNS,
    )
    lake.replace_days("ingestion_sessions", log, start, end)
    return log
