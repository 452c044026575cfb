"""Bars of a range as they are read, a few months at a time, so that memory is bounded by what is on its way."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import polars as pl

from datamanager.bar_adjustment import find_adjustment
from datamanager.bar_range import BarRange, select_named, select_tickers
from internal.bar_names import BarNames
from internal.bar_order import find_runs, group_files, order_bars
from internal.factor_table import FactorTable
from internal.http.bar_parts import WantedBars, decode_bars
from internal.lake.store import Lake
from internal.schemas import equity_bars

SECURITY_ID = "security_id"
MONTHS_AT_ONCE = 3
BYTES_AT_ONCE = 12_000_000  # of files: about 450,000 bars
MOST_DAYS_OF_FRAMES = 62  # a shorter range would send whole months of which little is wanted


def stream_frames(lake: Lake, wanted: BarRange) -> Iterator[pl.DataFrame]:
    """The bars, ordered by date and ticker, in frames of a few months; at least one, which may be empty."""
    found = find_adjustment(lake, wanted)
    factors = None if found is None else FactorTable(found)
    names = None if wanted.names is None or wanted.adjusted_as_of is None else BarNames(wanted.names)
    for bars in _read_in_order(lake, wanted):
        identified = _add_security_id(bars, wanted)
        named = identified if names is None else select_named(names.apply(identified).lazy(), wanted).collect()
        adjusted = named if factors is None else factors.apply(named)
        yield adjusted.select(list(wanted.columns))


def _add_security_id(bars: pl.DataFrame, wanted: BarRange) -> pl.DataFrame:
    """The bars in their order with their security's id, where it is wanted."""
    if wanted.names is None or SECURITY_ID not in wanted.columns:
        return bars
    return order_bars(wanted.names.add_security_id(bars.lazy(), pl.col("date")).collect())


def find_changed_names(wanted: BarRange) -> pl.DataFrame | None:
    """The aliases of the securities that are read under another name than their ticker; None where names stay."""
    return None if wanted.names is None or wanted.adjusted_as_of is None else wanted.names.changed


def _read_in_order(lake: Lake, wanted: BarRange) -> Iterator[pl.DataFrame]:
    """The bars as traded, with date and ticker among the columns, without the security's id."""
    stored = [name for name in dict.fromkeys([*wanted.columns, "date", "ticker"]) if name != SECURITY_ID]
    needed = WantedBars(wanted.start, wanted.end, stored)
    files = find_files(lake, wanted)
    if files is not None:
        yield equity_bars.empty().select(needed.columns)
        for run in find_runs(files):
            for some in group_files(run, BYTES_AT_ONCE):
                yield decode_bars(some, needed, in_order=run.in_order)
        return
    scanned = _scan(lake, wanted)
    for start, end in _cut_months(wanted.start, wanted.end):
        yield order_bars(scanned.filter(pl.col("date").is_between(start, end)).select(needed.columns).collect())


def find_files(lake: Lake, wanted: BarRange) -> list[Path] | None:
    """The files that hold a long range of every ticker; None where frames are the better answer."""
    if wanted.tickers is not None or wanted.version < 0 or (wanted.end - wanted.start).days <= MOST_DAYS_OF_FRAMES:
        return None
    return lake.files("equity_bars", wanted.start, wanted.end, wanted.version)


def _scan(lake: Lake, wanted: BarRange) -> pl.LazyFrame:
    if wanted.version < 0:
        return equity_bars.empty().lazy()
    return select_tickers(lake.scan("equity_bars", wanted.version), wanted)


def _cut_months(start: date, end: date) -> Iterator[tuple[date, date]]:
    """The range in pieces that end with a month."""
    while start <= end:
        month = start.month - 1 + MONTHS_AT_ONCE
        following = date(start.year + month // 12, month % 12 + 1, 1)
        yield start, min(end, following - timedelta(days=1))
        start = following
