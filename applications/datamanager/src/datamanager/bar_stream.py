"""Bars of a range as they are read, a few months at a time, so that memory is bounded by what is on its way."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from pathlib import Path

import polars as pl

from internal.http.bar_parts import WantedBars, decode_bars, order_bars
from internal.lake.store import Lake
from internal.price_adjustment import PRICES, apply_factors, find_factors, find_payments
from internal.schemas import equity_bars
from internal.schemas.corporate_actions import actions_in_force, splits_of
from internal.security_names import SecurityNames

SECURITY_ID = "security_id"
ONE_DAY = timedelta(days=1)
MONTHS_AT_ONCE = 3
MOST_DAYS_OF_FRAMES = 62  # a shorter range would send whole months of which little is wanted


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


def stream_frames(lake: Lake, wanted: BarRange) -> Iterator[pl.DataFrame]:
    """The bars, ordered by date and ticker, in frames of a few months; at least one, which may be empty."""
    factors = find_adjustment(lake, wanted)
    for bars in _read_in_order(lake, wanted):
        named = _name_bars(bars, wanted)
        adjusted = named if factors is None else apply_factors(named.lazy(), factors.lazy()).collect()
        yield adjusted.select(list(wanted.columns))


def _name_bars(bars: pl.DataFrame, wanted: BarRange) -> pl.DataFrame:
    """The bars with their security's id where it is wanted, and under its name where they are adjusted, in order."""
    rows = bars.lazy()
    if wanted.names is not None and SECURITY_ID in wanted.columns:
        rows = wanted.names.add_security_id(rows, pl.col("date"))
    return order_bars(_name(rows, pl.col("date"), wanted).collect())


def find_changed_names(wanted: BarRange) -> pl.DataFrame | None:
    """The aliases of the securities that are read under another name than their ticker; None where names stay."""
    return None if wanted.names is None or wanted.adjusted_as_of is None else wanted.names.changed


def _name(rows: pl.LazyFrame, day: pl.Expr, wanted: BarRange) -> pl.LazyFrame:
    """The rows under the names as of the wanted day; `day` is the one on which they had their tickers."""
    if wanted.names is None or wanted.adjusted_as_of is None:
        return rows
    renamed = wanted.names.rename(rows, day)
    return renamed if wanted.named is None else renamed.filter(pl.col("ticker").is_in(list(wanted.named)))


def _read_in_order(lake: Lake, wanted: BarRange) -> Iterator[pl.DataFrame]:
    """The bars as traded, with date and ticker among the columns, without the security's id."""
    stored = [name for name in dict.fromkeys([*wanted.columns, "date", "ticker"]) if name != SECURITY_ID]
    needed = WantedBars(wanted.start, wanted.end, stored)
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
    actions = _select(actions_in_force(lake.scan("corporate_actions"), wanted.known_at), wanted).filter(
        pl.col("effective_date") > wanted.start
    )
    every = lake.scan("equity_bars", wanted.version).filter(
        pl.col("date").is_between(wanted.start, max(as_of, wanted.start))
    )
    # an action names its security as on the session before it takes effect
    payments = _name(find_payments(actions, every), pl.col("ex_dividend_date") - ONE_DAY, wanted)
    splits = _name(splits_of(actions), pl.col("execution_date") - ONE_DAY, wanted)
    return find_factors(_name(_select(every, wanted), pl.col("date"), wanted), splits, payments, as_of).collect()


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
