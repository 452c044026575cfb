"""Rows of the lake under the names of a day, and with the permanent ids of their securities."""

from dataclasses import dataclass
from datetime import date

import polars as pl

from internal.lake.store import Lake
from internal.security_names import name_securities


@dataclass(frozen=True)
class Naming:
    """How rows name their security: under the ticker of the row's day, or, with a day, under that of the day.

    `with_ids` adds the column `security_id`, null for a ticker that no security is known to have had.
    """

    named_as_of: date | None = None
    with_ids: bool = False


AS_STORED = Naming()


def name_rows(lake: Lake, rows: pl.LazyFrame, day: pl.Expr, naming: Naming) -> pl.LazyFrame:
    """The rows, whose tickers are those of `day`, as the naming says."""
    if naming == AS_STORED:
        return rows
    names = name_securities(lake.scan("securities").collect(), naming.named_as_of or date.max)
    named = names.add_security_id(rows, day) if naming.with_ids else rows
    return named if naming.named_as_of is None else names.rename(named, day)
