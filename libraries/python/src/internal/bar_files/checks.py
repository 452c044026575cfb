"""Refuses a file whose cells are impossible: the message names rows, columns and what was expected."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from internal.bar_files.errors import TableFileError
from internal.bar_files.known_table import KnownTable

SHOWN_FAULTS, ROWS_A_FAULT = 8, 3


@dataclass(frozen=True)
class Rule:
    """`broken` marks the rows that make the file unusable; `column` and `expected` go into the message."""

    column: str
    expected: str
    broken: pl.Expr


def require_columns(table: KnownTable, required: Sequence[str]) -> None:
    """Raise TableFileError unless the table has the columns."""
    missing = [name for name in required if name not in table.frame.columns]
    if missing:
        found = ", ".join([*(name for _, name in table.columns), *table.ignored])
        raise TableFileError(
            f"{table.source.name}: missing column {', '.join(missing)}; found {found or 'none'}. Rename a column, or "
            "add a first line with the names"
        )


def refuse_broken(frame: pl.DataFrame, rules: Sequence[Rule], table: KnownTable, cells: pl.DataFrame) -> None:
    """Raise TableFileError with the first broken cells of every broken rule.

    Args:
        frame: The rows that the rules look at, with `row` and `file`.
        rules: What is refused.
        table: Where the rows came from.
        cells: The same rows as the message shows them.
    """
    marks = frame.select(rule.broken.fill_null(value=False).alias(str(place)) for place, rule in enumerate(rules))
    listed = [
        fault
        for place, rule in enumerate(rules)
        if marks.get_column(str(place)).any()
        for fault in _faults(cells.filter(marks.get_column(str(place))), rule, table)
    ]
    if listed:
        raise TableFileError(f"{table.source.name}: " + "; ".join(listed[:SHOWN_FAULTS]))


def _faults(broken: pl.DataFrame, rule: Rule, table: KnownTable) -> list[str]:
    more = f" (and {broken.height - ROWS_A_FAULT:,} more such)" if broken.height > ROWS_A_FAULT else ""
    column = table.name_in_file(rule.column)
    first = broken.select("file", "row", rule.column).head(ROWS_A_FAULT).rows()
    faults = [
        f"{table.source.place(file, row)}, column {column}: {_shown(value)}, expected {rule.expected}"
        for file, row, value in first
    ]
    return [*faults[:-1], faults[-1] + more]


def _shown(value: object) -> str:
    return "nothing" if value is None else repr(value) if isinstance(value, str) else str(value)
