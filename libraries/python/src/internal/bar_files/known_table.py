"""The known columns of a file, or of all files of a folder, under the fund's own names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl
from polars.exceptions import PolarsError

from internal.bar_files.columns import recognize_columns
from internal.bar_files.errors import TableFileError
from internal.bar_files.opening import is_table_file, open_file, stem_of
from internal.bar_files.table import RawTable, TableSource

Names = Mapping[str, Sequence[str]]
SHOWN_NOTES = 3


@dataclass(frozen=True)
class KnownTable:
    """The known columns as they are in the file, numbers as text where it is a CSV file.

    Attributes:
        frame: The known columns that the file has, `row` (the file's own number of the row) and `file` (its place in a
            folder, else 0).
        source: Names rows in messages.
        columns: Each known column with its name in the file; a folder's files may differ.
        ignored: The file's other columns.
        description: The kind of file in a few words.
        notes: What was done to read it.
    """

    frame: pl.DataFrame
    source: TableSource
    columns: tuple[tuple[str, str], ...]
    ignored: tuple[str, ...]
    description: str
    notes: tuple[str, ...]

    def name_in_file(self, column: str) -> str:
        """What the file calls a known column."""
        return dict(self.columns).get(column, column)


def read_known_table(path: Path, names: Names, *, tickers_from_files: bool) -> KnownTable:
    """The known columns of a file, or of every file of a folder.

    Args:
        path: The file or the folder.
        names: The usual names of each known column.
        tickers_from_files: Whether a file without tickers in a folder holds the ticker that it is called after.

    Raises:
        TableFileError: A file cannot be read, or the folder has none.
    """
    if not path.is_dir():
        return known_table(open_file(path), names)
    files = sorted(file for file in path.iterdir() if file.is_file() and is_table_file(file))
    if not files:
        raise TableFileError(f"{path}: the folder has no .csv, .csv.gz or .parquet file; expected one a ticker")
    return _join(
        [known_table(open_file(file), names, place) for place, file in enumerate(files)],
        path,
        files,
        tickers_from_files=tickers_from_files,
    )


def known_table(raw: RawTable, names: Names, place: int = 0) -> KnownTable:
    """The known columns of one table."""
    found = recognize_columns(raw.frame.columns, names, raw.name)
    frame = raw.frame.select(
        raw.row_numbers.alias("row"),
        pl.lit(place, pl.Int32).alias("file"),
        *[_simple(pl.col(name), raw.frame.schema[name]).alias(known) for known, name in found.names.items()],
    )
    source = TableSource(raw.name, (raw.row_word,))
    return KnownTable(frame, source, tuple(found.names.items()), found.ignored, raw.description, raw.notes)


def _simple(column: pl.Expr, kind: pl.DataType) -> pl.Expr:
    """The column with every kind of text as text and every decimal as a number."""
    if isinstance(kind, pl.Categorical | pl.Enum | pl.Null | pl.Binary):
        return column.cast(pl.String, strict=False)
    return column.cast(pl.Float64) if isinstance(kind, pl.Decimal) else column


def _join(tables: Sequence[KnownTable], folder: Path, files: Sequence[Path], *, tickers_from_files: bool) -> KnownTable:
    notes = sorted({f"{table.source.name}: {note}" for table in tables for note in table.notes})[:SHOWN_NOTES]
    if tickers_from_files and any("ticker" not in table.frame.columns for table in tables):
        tables, note = _with_tickers(tables, [stem_of(file) for file in files])
        notes.append(note)
    try:
        frame = pl.concat([table.frame for table in tables], how="diagonal_relaxed")
    except PolarsError as error:
        raise TableFileError(f"{folder}: the files hold one column in different types: {error}") from error
    return KnownTable(
        frame,
        TableSource(
            str(folder), tuple(table.source.row_words[0] for table in tables), tuple(file.name for file in files)
        ),
        tuple(dict.fromkeys(pair for table in tables for pair in table.columns)),
        tuple(dict.fromkeys(name for table in tables for name in table.ignored)),
        f"folder of {len(files):,} files, {' and '.join(sorted({table.description for table in tables}))}",
        tuple(notes),
    )


def _with_tickers(tables: Sequence[KnownTable], stems: Sequence[str]) -> tuple[list[KnownTable], str]:
    """The tables, with the file's name as the ticker where one has none; in capitals where no name has any."""
    in_capitals = all(stem == stem.lower() for stem in stems)
    tickers = [stem.upper() if in_capitals else stem for stem in stems]
    named = [
        table
        if "ticker" in table.frame.columns
        else replace(table, frame=table.frame.with_columns(ticker=pl.lit(ticker)))
        for table, ticker in zip(tables, tickers, strict=True)
    ]
    return named, "tickers: the names of the files" + ", in capitals" * in_capitals
