"""Whether bars are ordered by date and ticker, as frames and as the lake's files, which never change."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import groupby, pairwise
from pathlib import Path

import polars as pl

KEY = ("date", "ticker")
FILES = 10_000  # whose order is remembered: a few hundred bytes each


@dataclass(frozen=True)
class Days:
    """The first and the last day of a file whose rows are in order."""

    first: date
    last: date


@dataclass(frozen=True)
class FileRun:
    """Files of whole months; where they are in order, their rows are ordered from the first file to the last."""

    files: Sequence[Path]
    in_order: bool


def order_bars(bars: pl.DataFrame) -> pl.DataFrame:
    """The bars ordered by date and ticker; files are in order, so most are only looked at."""
    return bars if are_ordered(bars) else bars.sort(KEY)


def are_ordered(bars: pl.DataFrame) -> bool:
    """Whether days follow one another, and tickers of one day."""
    days, tickers = bars.get_column("date"), bars.get_column("ticker")
    if not days.is_sorted():
        return False
    last = (tickers[1:] < tickers[:-1]).arg_true()  # rows before a lower ticker, which must be of a later day
    return bool((days.gather(last) < days.gather(last + 1)).all())


@lru_cache(FILES)
def find_ordered_days(file: Path) -> Days | None:
    """The days of one of the lake's files; None where its rows are not in order, or there are none."""
    bars = pl.read_parquet(file, columns=["date", "ticker"], hive_partitioning=False)
    if bars.is_empty() or not are_ordered(bars):
        return None
    days = bars.get_column("date")
    return Days(days[0], days[-1])


def find_runs(files: Sequence[Path]) -> list[FileRun]:
    """The files, given in the order of their months, in runs of months that are in order and runs that are not."""
    months = _cut_months(files)
    return [
        FileRun([file for month in run for file in month], in_order)
        for in_order, run in groupby(months, _is_month_ordered)
    ]


def group_files(run: FileRun, bytes_at_once: int) -> Iterator[list[Path]]:
    """The files to read in one go: of about so many bytes, or of one month where rows are to be sorted."""
    if not run.in_order:
        yield from _cut_months(run.files)
        return
    group, size = list[Path](), 0
    for file in run.files:
        group.append(file)
        size += file.stat().st_size
        if size >= bytes_at_once:
            yield group
            group, size = [], 0
    if group:
        yield group


def _cut_months(files: Sequence[Path]) -> list[list[Path]]:
    return [list(of_month) for _, of_month in groupby(files, lambda file: file.parent)]


def _is_month_ordered(files: Sequence[Path]) -> bool:
    """Whether each file is in order and begins after the last day of the one before; an empty one is not."""
    days = [found for file in files if (found := find_ordered_days(file)) is not None]
    return len(days) == len(files) and all(before.last < after.first for before, after in pairwise(days))
