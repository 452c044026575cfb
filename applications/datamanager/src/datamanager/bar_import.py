"""Import of a file's bars into the lake, without the vendor: valid rows are stored, the others go to quarantine.

A session that the lake holds with the same rows is left alone. One that it holds with other rows, from the vendor or
from another file, is replaced only when that is asked for: whoever trained or traded on it must know.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

import polars as pl

from datamanager.held_bars import judge_bars
from datamanager.periods import split_at_gaps
from datamanager.quality import CheckedRows, check_typed_bars
from datamanager.releases import LATER_BARS, Release, release_bars
from datamanager.session_batches import CONFIRMED, SessionStatus, commit_sessions, compute_digest, read_ingestion_log
from internal.errors import ConflictError
from internal.lake.store import Lake

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
    imported = [
        _commit(lake, days, given, imported_at) for days in (split_at_gaps(wanted, SESSIONS_A_COMMIT) if wanted else [])
    ]
    present = log.filter(~pl.col("date").is_in(wanted)).with_columns(status=pl.lit(SessionStatus.PRESENT.value))
    return pl.concat([present, *imported]).sort("date")


def _split_by_session(bars: pl.DataFrame) -> dict[date, GivenSession]:
    return {day: GivenSession(check_typed_bars(rows), compute_digest(rows)) for day, rows in _by_day(bars).items()}


def _by_day(rows: pl.DataFrame) -> dict[date, pl.DataFrame]:
    parts = rows.partition_by("date", maintain_order=True)
    return {part.get_column("date").to_list()[0]: part for part in parts}


def _commit(lake: Lake, days: list[date], given: Mapping[date, GivenSession], imported_at: datetime) -> pl.DataFrame:
    """Replace the days, so that an interrupted import is done again; suspicious bars are held back."""
    judged = judge_bars(lake, {day: given[day].checked for day in days})
    digests = {day: given[day].digest for day in days}
    log = commit_sessions(lake, days, judged.checked, digests, SessionStatus.IMPORTED, imported_at)
    release_bars(lake, judged.released, Release(LATER_BARS, CONFIRMED, imported_at))
    return log
