"""Opens a file as a table: CSV (also gzipped) or parquet, by the ending of its name."""

import csv
import gzip
import io
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
from polars.exceptions import PanicException, PolarsError

from internal.bar_files.dialect import COMMENT, Dialect, decode_text, read_dialect
from internal.bar_files.errors import TableFileError
from internal.bar_files.table import RawTable

TEXT_ENDINGS = (".csv", ".txt", ".tsv")
PARQUET_ENDINGS = (".parquet", ".pq")
GZIP_ENDING = ".gz"
LONGEST_REASON = 200  # characters of what a library says
SEPARATOR_NAMES = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}


def is_table_file(path: Path) -> bool:
    """Whether the name ends as a file that `open_file` reads."""
    return not path.name.startswith(".") and _bare_ending(path) in {*TEXT_ENDINGS, *PARQUET_ENDINGS}


def stem_of(path: Path) -> str:
    """The file's name without its ending: `AAPL` of `AAPL.csv.gz`."""
    name = path.name[: -len(GZIP_ENDING)] if path.suffix.lower() == GZIP_ENDING else path.name
    return name[: -len(_bare_ending(path))]


def _bare_ending(path: Path) -> str:
    return (Path(path.stem) if path.suffix.lower() == GZIP_ENDING else path).suffix.lower()


def open_file(path: Path) -> RawTable:
    """The table in a file.

    Raises:
        TableFileError: The file is absent, of another kind, damaged, or no table.
    """
    ending = _bare_ending(path)
    if ending not in {*TEXT_ENDINGS, *PARQUET_ENDINGS}:
        found = ending or "one without an ending"
        raise TableFileError(f"{path}: expected a .csv, .csv.gz or .parquet file, not {found}; export it as CSV")
    try:
        content = path.read_bytes()
        if path.suffix.lower() == GZIP_ENDING:
            content = gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise TableFileError(f"{path}: cannot be read: {error}") from error
    return (open_parquet if ending in PARQUET_ENDINGS else open_csv)(content, str(path))


def open_parquet(content: bytes, name: str) -> RawTable:
    """The table in a parquet file's bytes; TableFileError when they are none."""
    return table_of(_attempt(lambda: pl.read_parquet(io.BytesIO(content)), "parquet", name), name, "parquet")


def table_of(frame: pl.DataFrame, name: str, description: str) -> RawTable:
    """A frame as a table whose rows are numbered from 1."""
    numbers = pl.int_range(1, frame.height + 1, eager=True, dtype=pl.UInt32)
    return RawTable(name, frame, numbers, "row", description)


def open_csv(content: bytes, name: str) -> RawTable:
    """The table in a CSV file's bytes, every cell as text.

    Raises:
        TableFileError: The bytes are no text, there is no header, or a row has more cells than the header.
    """
    text, notes = decode_text(content, name)
    dialect = read_dialect(text, name)
    end = text.find(b"\n", dialect.header_start)
    body = b"" if end < 0 else text[end + 1 :]
    comments = _comment_lines(body)
    frame = _read_rows(body, dialect, name, has_comments=comments.size > 0)
    if comments.size:
        first = dialect.header_line + int(comments[0]) + 1
        notes = (*notes, f"skipped {comments.size} comment line{'s' * (comments.size > 1)}, the first is line {first}")
    numbers = dialect.header_line + 1 + _row_lines(frame.height, comments)
    row_numbers = pl.Series(numbers, dtype=pl.UInt32)
    separator = SEPARATOR_NAMES.get(dialect.separator)
    description = "CSV" if separator is None else f"CSV with {separator} between the columns"
    return RawTable(name, frame, row_numbers, "line", description, (*notes, *dialect.notes))


def _read_rows(body: bytes, dialect: Dialect, name: str, *, has_comments: bool) -> pl.DataFrame:
    schema = dict.fromkeys(_distinct(dialect.header), pl.String())
    if not body.strip():
        return pl.DataFrame(schema=schema)
    try:
        return pl.read_csv(
            io.BytesIO(body),
            has_header=False,
            schema=schema,
            separator=dialect.separator,
            comment_prefix=COMMENT if has_comments else None,
        )
    except (PolarsError, PanicException) as error:
        raise TableFileError(
            f"{name}: cannot be read as CSV: {_find_long_row(body, dialect) or _reason(error)}"
        ) from error


def _find_long_row(body: bytes, dialect: Dialect) -> str | None:
    """The first row with more cells than the header, or with a cell that never ends; None where there is none."""
    rows = csv.reader(io.StringIO(body.decode(errors="replace"), newline=""), delimiter=dialect.separator)
    count = len(dialect.header)
    try:
        long = next((one for one in rows if len(one) > count and not one[0].startswith(COMMENT)), None)
    except csv.Error:  # a cell of more than `csv.field_size_limit` characters
        return f"a cell that ends after line {dialect.header_line + rows.line_num} is too long; close the double quotes"
    if long is None:
        return None
    return (
        f"line {dialect.header_line + rows.line_num} has {len(long)} cells and the header names {count} columns; put "
        "text that holds the separator between double quotes"
    )


def _distinct(header: tuple[str, ...]) -> list[str]:
    """The names, a repeated one with the number of its column."""
    return [name if name not in header[:place] else f"{name} ({place + 1})" for place, name in enumerate(header)]


def _comment_lines(body: bytes) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The numbers, from 0, of the lines that begin with the comment sign."""
    sign = COMMENT.encode()
    if not body.startswith(sign) and b"\n" + sign not in body:
        return np.empty(0, dtype=np.int64)
    return np.array([n for n, line in enumerate(body.split(b"\n")) if line.startswith(sign)], dtype=np.int64)


def _row_lines(
    count: int, comments: np.ndarray[tuple[int], np.dtype[np.int64]]
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The numbers, from 0, of the lines that hold the rows: all lines but the comments."""
    lines = np.delete(np.arange(count + comments.size, dtype=np.int64), comments[comments < count + comments.size])
    return lines[:count]


def _attempt(read: Callable[[], pl.DataFrame], kind: str, name: str) -> pl.DataFrame:
    try:
        return read()
    except (PolarsError, PanicException, OSError, ValueError) as error:
        raise TableFileError(f"{name}: cannot be read as {kind}: {_reason(error)}") from error


def _reason(error: BaseException) -> str:
    """The beginning of what a reader says, which may quote the whole file."""
    return str(error).partition("\n")[0][:LONGEST_REASON] or type(error).__name__
