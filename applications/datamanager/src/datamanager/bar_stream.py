"""Bars of a range as they are read, a few months at a time, so that memory is bounded by what is on its way."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from pathlib import Path

import polars as pl

from internal.http.bar_parts import WantedBars, decode_bars, order_bars
from internal.lake.store import Lake
from internal.price_adjustment import PRICES, apply_factors, find_factors, find_payments
from internal.schemas import equity_bars
from internal.schemas.corporate_actions import actions_in_force, splits_of

MONTHS_AT_ONCE = 3
MOST_DAYS_OF_FRAMES = 62  # a shorter range would send whole months of which little is wanted


@dataclass(frozen=True)
class BarRange:
    """Which bars of the lake, at which version of their table, and as of which day they are adjusted.

    Attributes:
        columns: In order.
        tickers: None means all.
        version: Of the table of bars; -1 before its first commit.
        adjusted_as_of: None leaves prices as traded.
    """

    start: date
    end: date
    columns: Sequence[str]
    tickers: Sequence[str] | None
    version: int
    adjusted_as_of: date | None


def stream_frames(lake: Lake, wanted: BarRange) -> Iterator[pl.DataFrame]:
    """The bars, ordered by date and ticker, in frames of a few months; at least one, which may be empty."""
    factors = find_adjustment(lake, wanted)
    for bars in _read_in_order(lake, wanted):
        adjusted = bars if factors is None else apply_factors(bars.lazy(), factors.lazy()).collect()
        yield adjusted.select(list(wanted.columns))


def _read_in_order(lake: Lake, wanted: BarRange) -> Iterator[pl.DataFrame]:
    """The bars as traded, with date and ticker among the columns."""
    needed = WantedBars(wanted.start, wanted.end, list(dict.fromkeys([*wanted.columns, "date", "ticker"])))
    files = find_files(lake, wanted)
    if files is not None:
        yield equity_bars.empty().select(needed.columns)
        for _, of_month in groupby(files, lambda file: file.parent):
            yield order_bars(pl.concat([decode_bars(file, needed) for file in of_month]))
        return
    scanned = _scan(lake, wanted)
    for start, end in _cut_months(wanted.start, wanted.end):
        yield order_bars(scanned.filter(pl.col("date").is_between(start, end)).select(needed.columns).collect())


def find_files(lake: Lake, wanted: BarRange) -> list[Path] | None:
    """The files that hold a long range of every ticker; None where frames are the better answer."""
    if wanted.tickers is not None or wanted.version < 0 or (wanted.end - wanted.start).days <= MOST_DAYS_OF_FRAMES:
        return None
    return lake.files("equity_bars", wanted.start, wanted.end, wanted.version)


def find_adjustment(lake: Lake, wanted: BarRange) -> pl.DataFrame | None:
    """The factors of every ticker with an action after the first day; None where nothing is to be adjusted."""
    as_of = wanted.adjusted_as_of
    if as_of is None or not {*PRICES, "volume"} & set(wanted.columns):
        return None
    actions = _select(actions_in_force(lake.scan("corporate_actions")), wanted).filter(
        pl.col("effective_date") > wanted.start
    )
    every = lake.scan("equity_bars", wanted.version).filter(
        pl.col("date").is_between(wanted.start, max(as_of, wanted.start))
    )
    payments = find_payments(actions, every)
    return find_factors(_select(every, wanted), splits_of(actions), payments, as_of).collect()


def _scan(lake: Lake, wanted: BarRange) -> pl.LazyFrame:
    if wanted.version < 0:
        return equity_bars.empty().lazy()
    return _select(lake.scan("equity_bars", wanted.version), wanted)


def _select(rows: pl.LazyFrame, wanted: BarRange) -> pl.LazyFrame:
    return rows if wanted.tickers is None else rows.filter(pl.col("ticker").is_in(list(wanted.tickers)))


def _cut_months(start: date, end: date) -> Iterator[tuple[date, date]]:
    """The range in pieces that end with a month."""
    while start <= end:
        month = start.month - 1 + MONTHS_AT_ONCE
        following = date(start.year + month // 12, month % 12 + 1, 1)
        yield start, min(end, following - timedelta(days=1))
        start = following
