"""Reads a file of daily bars: finds its columns, dates and numbers, checks every row, and reports what it understood.

Impossible rows are refused with row, column and what was expected; rows on which nothing can be traded and repeated
rows are left out and counted; prices outside low..high are used and counted.
"""

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from internal.bar_files.bar_rows import TypedBars, finish_bars, mark_unusable, refuse_impossible, type_bars
from internal.bar_files.checks import require_columns
from internal.bar_files.columns import ADJUSTED_CLOSE, AVERAGE, BAR_NAMES
from internal.bar_files.errors import TableFileError
from internal.bar_files.known_table import KnownTable, known_table, read_known_table
from internal.bar_files.report import LeftOut, ReadReport
from internal.bar_files.split_jumps import find_split_jumps
from internal.bar_files.table import RawTable

REQUIRED = ("ticker", "date", "open", "high", "low", "close", "volume")
EXAMPLES = 3


@dataclass(frozen=True)
class BarsFile:
    """The bars of a file in the columns of `equity_bars`, ordered by date and ticker, and the report on them."""

    bars: pl.DataFrame
    report: ReadReport


def read_bars(path: Path) -> BarsFile:
    """The bars in a file, or in a folder of files.

    Prices are used as they are, rounded to 4 decimals: `close` is played, an adjusted close beside it only tells
    whether a split was adjusted.

    Raises:
        TableFileError: The file cannot be read, lacks a column, can be understood in two ways, or has impossible rows.
    """
    return understand_bars(read_known_table(path, BAR_NAMES, tickers_from_files=True))


def read_bars_table(raw: RawTable) -> BarsFile:
    """The bars in a table that was opened already; raises as `read_bars` does."""
    return understand_bars(known_table(raw, BAR_NAMES))


def understand_bars(table: KnownTable) -> BarsFile:
    """The bars of a table whose columns are known; raises as `read_bars` does."""
    require_columns(table, REQUIRED)
    typed = type_bars(table)
    marked = mark_unusable(typed.frame)
    usable = marked.filter(pl.col("reason").is_null())
    refuse_impossible(usable, table, has_time_of_day=typed.dates.has_time_of_day)
    usable = usable.sort("date", "ticker")
    if usable.is_empty():
        raise TableFileError(
            f"{table.source.name}: none of its {typed.frame.height:,} rows can be traded; expected prices and volumes "
            "above 0"
        )
    bars = finish_bars(usable)
    return BarsFile(bars, _report(table, typed, marked, usable, bars))


def _report(
    table: KnownTable, typed: TypedBars, marked: pl.DataFrame, usable: pl.DataFrame, bars: pl.DataFrame
) -> ReadReport:
    days = bars.get_column("date")
    outside = ~pl.col("open", "close", AVERAGE).is_between(pl.col("low"), pl.col("high"))
    return ReadReport(
        name=table.source.name,
        description=table.description,
        columns=table.columns,
        ignored_columns=table.ignored,
        rows_read=table.frame.height,
        rows_used=bars.height,
        tickers=bars.get_column("ticker").n_unique(),
        dates=typed.dates.description,
        numbers=typed.numbers,
        first_session=days[0],
        last_session=days[-1],
        sessions=days.n_unique(),
        left_out=_left_out(marked.filter(pl.col("reason").is_not_null()), table),
        outside_range=bars.filter(pl.any_horizontal(outside)).height,
        jumps=find_split_jumps(usable),
        notes=(*table.notes, *_adjusted_note(table, usable)),
    )


def _left_out(rows: pl.DataFrame, table: KnownTable) -> tuple[LeftOut, ...]:
    found: list[LeftOut] = []
    for reason, count in rows.group_by("reason").len().sort("reason").iter_rows():
        first = rows.filter(pl.col("reason") == reason).select("file", "row", "ticker", "date").head(EXAMPLES)
        examples = tuple(
            " ".join([table.source.place(file, row), *(str(one) for one in (ticker, day) if one is not None)])
            for file, row, ticker, day in first.iter_rows()
        )
        found.append(LeftOut(reason, count, examples))
    return tuple(found)


def _adjusted_note(table: KnownTable, usable: pl.DataFrame) -> list[str]:
    if ADJUSTED_CLOSE not in table.frame.columns:
        return []
    close, adjusted = table.name_in_file("close"), table.name_in_file(ADJUSTED_CLOSE)
    known = usable.filter(pl.col(ADJUSTED_CLOSE) > 0).height
    if known == 0:
        return [f"`{close}` is played as it is; `{adjusted}` has no number above 0 and tells nothing"]
    part = "" if known == usable.height else f", in {known:,} of {usable.height:,} rows"
    return [f"`{close}` is played as it is; `{adjusted}` only tells whether splits were adjusted{part}"]
