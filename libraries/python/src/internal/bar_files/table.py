"""A table as a file holds it, before its columns are understood, and where each of its rows is in the file."""

from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True)
class RawTable:
    """One file's columns as they are: every cell of a CSV file is text, a parquet file has its own types.

    Attributes:
        name: The file's path, or what the sender calls the table.
        frame: The columns under the file's own names.
        row_numbers: The number of each row: a CSV file's line, the header's line included, or a table's row from 1.
        row_word: `line` or `row`.
        description: The kind of file in a few words.
        notes: What was skipped or converted to read it.
    """

    name: str
    frame: pl.DataFrame
    row_numbers: pl.Series
    row_word: str
    description: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class TableSource:
    """Names the rows of one or more files in error messages and reports.

    Attributes:
        name: The file, or the folder.
        row_words: `line` or `row` of each file.
        files: The file names of a folder; empty for one file.
    """

    name: str
    row_words: tuple[str, ...] = ("row",)
    files: tuple[str, ...] = ()

    def place(self, file: int, row: int) -> str:
        """One row, as in `line 7`, or `AAPL.csv line 7` in a folder."""
        number = f"{self.row_words[file]} {row}"
        return f"{self.files[file]} {number}" if self.files else number
