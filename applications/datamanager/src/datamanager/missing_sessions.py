"""The sessions that the vendor could not answer: why, how often it was asked, and when to ask again."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta

import polars as pl

from internal.lake.store import Lake
from internal.lake.tables import MISSING_SESSIONS_COLUMNS

LONGEST_PAUSE_DAYS = 32
FIRST_ATTEMPT = 1
GIVEN_UP_AFTER = 5  # attempts, over 15 days and more: no bars exist, as of a day without trading


def record_missing(lake: Lake, reasons: Mapping[date, str], asked_at: datetime) -> None:
    """Write down that the vendor could not answer these sessions."""
    if not reasons:
        return
    asked = pl.DataFrame(
        {"date": list(reasons), "reason_now": list(reasons.values())}, schema_overrides={"date": pl.Date}
    )
    now = pl.lit(asked_at).cast(MISSING_SESSIONS_COLUMNS["last_asked_at"])
    rows = asked.join(read_missing(lake), on="date", how="left").select(
        "date",
        pl.col("reason_now").alias("reason"),
        (pl.col("attempts").fill_null(0) + 1).alias("attempts"),
        pl.col("first_asked_at").fill_null(now),
        now.alias("last_asked_at"),
        pl.lit(None, MISSING_SESSIONS_COLUMNS["repaired_at"]).alias("repaired_at"),
    )
    lake.upsert("missing_sessions", rows, ["date"])


def record_repaired(lake: Lake, collected: Iterable[date], repaired_at: datetime) -> None:
    """Write down that sessions that were missing are in the lake now; others are left alone."""
    rows = read_missing(lake).filter(pl.col("date").is_in(list(collected)) & pl.col("repaired_at").is_null())
    if rows.height:
        now = pl.lit(repaired_at).cast(MISSING_SESSIONS_COLUMNS["repaired_at"])
        lake.upsert("missing_sessions", rows.with_columns(now.alias("repaired_at")), ["date"])


def read_missing(lake: Lake) -> pl.DataFrame:
    """Every session that was missing at some time, ordered by date."""
    return lake.scan("missing_sessions").sort("date").collect()


def list_given_up(asked: pl.DataFrame) -> set[date]:
    """The sessions of `missing_sessions` that the vendor could not answer so often that no one has to act."""
    given_up = pl.col("repaired_at").is_null() & (pl.col("attempts") >= GIVEN_UP_AFTER)
    return set(asked.filter(given_up).get_column("date"))


def choose_due(lacking: list[date], asked: pl.DataFrame, now: datetime, most: int) -> list[date]:
    """The lacking sessions to ask for again, those never asked for first, then the longest not asked for.

    The pause doubles with each attempt, from one day to 32: an exchange that was closed that day never answers.

    Args:
        lacking: Sessions that the ledger lacks.
        asked: The table `missing_sessions`.
        now: The clock by which the attempts were written down.
        most: How many at most.
    """
    days = pl.min_horizontal(pl.lit(2).pow(pl.col("attempts") - FIRST_ATTEMPT), LONGEST_PAUSE_DAYS)
    due = pl.col("last_asked_at") + pl.duration(days=1) * days.cast(pl.Int64) <= now
    waiting = set(asked.filter(~due).get_column("date"))
    last_asked = dict(asked.select("date", "last_asked_at").iter_rows())
    wanted = [day for day in lacking if day not in waiting]
    never = now - timedelta(days=36_500)
    return sorted(sorted(wanted, key=lambda day: (last_asked.get(day, never), day))[:most])
