"""Account activities as frames of the lake's table `account_activities`, and back."""

from collections.abc import Sequence
from dataclasses import asdict

import polars as pl

from internal.books.activities import Activity
from internal.lake.tables import TABLES

TABLE = "account_activities"


def activity_frame(activities: Sequence[Activity]) -> pl.DataFrame:
    """Activities as rows of the table."""
    rows = [asdict(activity) for activity in activities]
    schema = {"day" if name == "date" else name: kind for name, kind in TABLES[TABLE].columns.items()}
    return pl.DataFrame(rows, schema=schema).rename({"day": "date"})


def read_activities(frame: pl.DataFrame) -> list[Activity]:
    """The rows of the table."""
    return [Activity(**row) for row in frame.rename({"date": "day"}).iter_rows(named=True)]
