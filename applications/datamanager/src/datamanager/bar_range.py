"""A range of bars that is wanted: what of the lake is read, and under which names."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import polars as pl

from internal.security_names import SecurityNames


@dataclass(frozen=True)
class BarRange:
    """Which bars of the lake, at which version of their table, and as of which day they are adjusted and named.

    Attributes:
        columns: In order; `security_id` may be one of them.
        tickers: Under which the bars are stored; None means all.
        version: Of the table of bars; -1 before its first commit.
        adjusted_as_of: None leaves prices and tickers as traded.
        known_at: Corporate actions that were recorded later are left out.
        names: The names as of `adjusted_as_of`; None where no name and no id is wanted.
        named: The names that are wanted; None means all.
    """

    start: date
    end: date
    columns: Sequence[str]
    tickers: Sequence[str] | None
    version: int
    adjusted_as_of: date | None
    known_at: datetime
    names: SecurityNames | None = None
    named: Sequence[str] | None = None


def name_rows(rows: pl.LazyFrame, day: pl.Expr, wanted: BarRange) -> pl.LazyFrame:
    """The rows under the names as of the wanted day; `day` is the one on which they had their tickers."""
    if wanted.names is None or wanted.adjusted_as_of is None:
        return rows
    return select_named(wanted.names.rename(rows, day), wanted)


def select_named(rows: pl.LazyFrame, wanted: BarRange) -> pl.LazyFrame:
    """The rows under the names that are wanted."""
    return rows if wanted.named is None else rows.filter(pl.col("ticker").is_in(list(wanted.named)))


def select_tickers(rows: pl.LazyFrame, wanted: BarRange) -> pl.LazyFrame:
    """The rows under the tickers that are read."""
    return rows if wanted.tickers is None else rows.filter(pl.col("ticker").is_in(list(wanted.tickers)))
