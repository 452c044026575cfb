"""Reads a file of equity details: one row a ticker with any of name, sector, industry, classification and exchange."""

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from internal.bar_files.checks import Rule, refuse_broken, require_columns
from internal.bar_files.columns import DETAIL_NAMES
from internal.bar_files.known_table import KnownTable, known_table, read_known_table
from internal.bar_files.report import LeftOut, ReadReport
from internal.bar_files.table import RawTable

COLUMNS = tuple(DETAIL_NAMES)


@dataclass(frozen=True)
class DetailsFile:
    """The details of a file, one row a ticker in `COLUMNS` as text, null where unknown, and the report on them."""

    details: pl.DataFrame
    report: ReadReport


def read_details(path: Path) -> DetailsFile:
    """The details in a file.

    Raises:
        TableFileError: The file cannot be read, has no tickers, or says different things of one ticker.
    """
    return _understand(read_known_table(path, DETAIL_NAMES, tickers_from_files=False))


def read_details_table(raw: RawTable) -> DetailsFile:
    """The details in a table that was opened already; raises as `read_details` does."""
    return _understand(known_table(raw, DETAIL_NAMES))


def _understand(table: KnownTable) -> DetailsFile:
    require_columns(table, ["ticker"])
    present = [name for name in COLUMNS if name in table.frame.columns]
    absent = [pl.lit(None, pl.String).alias(name) for name in COLUMNS if name not in present]
    cells = table.frame.select(
        "row", "file", pl.col(present).cast(pl.String).str.strip_chars().replace("", None), *absent
    )
    is_blank = pl.all_horizontal(pl.col(COLUMNS).is_null())
    rows = cells.filter(~is_blank).unique(COLUMNS, keep="first", maintain_order=True)
    rules = [
        Rule("ticker", "a ticker", pl.col("ticker").is_null()),
        Rule("ticker", "a ticker without control characters", pl.col("ticker").str.contains(r"[[:cntrl:]]")),
        Rule("ticker", "one row a ticker, or equal ones", pl.col("ticker").is_duplicated()),
    ]
    refuse_broken(rows, rules, table, rows)
    return DetailsFile(rows.select(COLUMNS), _report(table, rows))


def _report(table: KnownTable, rows: pl.DataFrame) -> ReadReport:
    repeated = table.frame.height - rows.height
    left_out = LeftOut("blank, or the same row again", repeated, ())
    return ReadReport(
        name=table.source.name,
        description=table.description,
        columns=table.columns,
        ignored_columns=table.ignored,
        rows_read=table.frame.height,
        rows_used=rows.height,
        tickers=rows.height,
        left_out=(left_out,) if repeated else (),
        notes=(*table.notes, *_missing_sectors_note(rows)),
    )


def _missing_sectors_note(rows: pl.DataFrame) -> list[str]:
    """Models group tickers by sector, so it is said where the file is read which ones have none."""
    missing = rows.filter(pl.col("sector").is_null()).get_column("ticker").sort()
    if missing.is_empty():
        return []
    return [f"without a sector: {len(missing):,} of {rows.height:,} tickers, the first is {missing[0]}"]
