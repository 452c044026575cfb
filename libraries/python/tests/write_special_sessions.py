"""Writes `internal/special_sessions.csv` from exchange_calendars.

Run `uv run python libraries/python/tests/write_special_sessions.py` after an update of exchange_calendars that has
another closure; `test_dates.py` fails until then.
"""

from pathlib import Path

import exchange_calendars
import polars as pl

from internal import dates
from internal.dates import CALENDAR, FIRST_DAY, LAST_DAY, NEW_YORK, REGULAR_CLOSE, SPECIAL_SESSIONS


def read_schedule() -> pl.DataFrame:
    """All sessions as exchange_calendars has them: date, open and timestamp (the close), Datetime(ms, UTC)."""
    schedule = exchange_calendars.get_calendar(CALENDAR, start=str(FIRST_DAY), end=str(LAST_DAY)).schedule
    return pl.from_pandas(schedule, include_index=True).select(
        pl.nth(0).cast(pl.Date).alias("date"),
        pl.col("open").dt.cast_time_unit("ms"),
        pl.col("close").dt.cast_time_unit("ms").alias("timestamp"),
    )


def list_special_sessions(schedule: pl.DataFrame) -> pl.DataFrame:
    """Weekdays that are no session (close is null) and sessions that close early (New York time)."""
    close = pl.col("timestamp").dt.convert_time_zone(NEW_YORK).dt.time()
    return (
        dates.list_weekdays()
        .join(schedule.select("date", close=close), on="date", how="left", maintain_order="left")
        .filter(pl.col("close").is_null() | (pl.col("close") != REGULAR_CLOSE))
    )


if __name__ == "__main__":
    list_special_sessions(read_schedule()).write_csv(Path(dates.__file__).with_name(SPECIAL_SESSIONS))
