"""Releases bars from the quarantine into the lake, each with a line in the audit table.

The audit is written first: after an interruption a repeated release or collection stores the bar, never the other way.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import polars as pl

from datamanager.action_checks import REASON_PREFIX
from datamanager.quality import check_typed_bars, type_bars
from internal.errors import InvalidRequestError, NotFoundError
from internal.lake.store import Lake
from internal.lake.tables import QUARANTINE_RELEASES_COLUMNS
from internal.schemas import equity_bars

LATER_BARS = "later bars"  # who released what the next session or a split confirmed


@dataclass(frozen=True)
class Release:
    """Who releases bars, why, and when."""

    released_by: str
    why: str
    released_at: datetime


def release_by_hand(lake: Lake, keys: Sequence[tuple[str, date]], release: Release) -> pl.DataFrame:
    """Release the bars with these tickers and sessions; the bars.

    Raises:
        NotFoundError: The quarantine has no such bar.
        InvalidRequestError: A bar breaks a rule of its schema, or two different ones have its key.
    """
    rows = [_find_quarantined(lake, ticker, day) for ticker, day in dict.fromkeys(keys)]
    bars = pl.concat([equity_bars.empty(), *rows])
    release_bars(lake, bars, release)
    return bars


def _find_quarantined(lake: Lake, ticker: str, day: date) -> pl.DataFrame:
    is_bar = (pl.col("ticker") == ticker) & ~pl.col("reason").str.starts_with(REASON_PREFIX)
    found = lake.scan("equity_bars_quarantine").filter(is_bar & (pl.col("date") == str(day))).collect()
    if found.is_empty():
        raise NotFoundError(f"the quarantine has no bar of {ticker} on {day}; GET /quarantine lists what it has")
    checked = check_typed_bars(type_bars(found, day))
    if checked.valid.is_empty():
        reason = checked.quarantined.item(0, "reason")
        raise InvalidRequestError(
            f"the bar of {ticker} on {day} cannot be released as it is: {reason}. Import the right bar from a file "
            "(`./fund data import`), or collect the session again"
        )
    return checked.valid


def release_bars(lake: Lake, bars: pl.DataFrame, release: Release) -> None:
    """Move the bars (`equity_bars`) of the quarantine into the lake: one new version a session."""
    for rows in bars.partition_by("date", maintain_order=True):
        _release_session(lake, rows.item(0, "date"), rows, release)


def _release_session(lake: Lake, day: date, bars: pl.DataFrame, release: Release) -> None:
    tickers = bars.get_column("ticker").implode()
    of_day = lake.scan("equity_bars_quarantine").filter(pl.col("date") == str(day)).collect()
    is_released = pl.col("ticker").is_in(tickers) & ~pl.col("reason").str.starts_with(REASON_PREFIX)
    lake.append("quarantine_releases", _make_audit(of_day.filter(is_released), release))
    stored = lake.scan("equity_bars").filter((pl.col("date") == day) & ~pl.col("ticker").is_in(tickers)).collect()
    lake.replace_days("equity_bars", pl.concat([stored, bars]), day, day)
    lake.replace_where("equity_bars_quarantine", of_day.filter(~is_released.fill_null(value=False)), date=str(day))
    left = of_day.filter(~is_released & ~pl.col("reason").str.starts_with(REASON_PREFIX)).height
    _count_in_log(lake, day, stored.height + bars.height, left)


def _make_audit(rows: pl.DataFrame, release: Release) -> pl.DataFrame:
    return rows.with_columns(
        pl.lit(release.released_at).cast(QUARANTINE_RELEASES_COLUMNS["released_at"]).alias("released_at"),
        pl.lit(release.released_by).alias("released_by"),
        pl.lit(release.why).alias("why"),
    ).select(list(QUARANTINE_RELEASES_COLUMNS))


def _count_in_log(lake: Lake, day: date, rows: int, quarantined: int) -> None:
    log = lake.scan("ingestion_sessions").filter(pl.col("date") == day).collect()
    counted = log.with_columns(
        pl.lit(rows).cast(pl.Int64).alias("rows"), pl.lit(quarantined).cast(pl.Int64).alias("quarantined")
    )
    lake.replace_days("ingestion_sessions", counted, day, day)
