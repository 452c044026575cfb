"""Reads the files of a replayed market: bars and, where given, details, as parquet or CSV."""

from datetime import date
from pathlib import Path

import polars as pl

from internal.venue.market.replayed import ReplayedMarket
from internal.venue.market.replayed_bars import TableSource, UnplayableTableError


def load_replayed_market(
    bars_file: Path, details_file: Path | None = None, opening_day: date | None = None
) -> ReplayedMarket:
    """The market that replays a file of bars.

    Raises:
        UnplayableTableError: a file that cannot be read or played, with row, column and what was expected.
        ConfigurationError: an opening day outside the file's sessions.
    """
    details = None if details_file is None else (read_table(details_file), source_of(details_file))
    return ReplayedMarket(read_table(bars_file), source_of(bars_file), details, opening_day)


def source_of(path: Path) -> TableSource:
    """The file as error messages name it; a CSV has lines, a parquet file rows."""
    return TableSource(str(path), "line" if path.suffix.lower() == ".csv" else "row")


def read_table(path: Path) -> pl.DataFrame:
    """The file as it is, with a `row` column: a CSV's line number (all cells text) or a parquet file's row from 1.

    Raises UnplayableTableError when the file cannot be read.
    """
    try:
        match path.suffix.lower():
            case ".csv":
                return pl.read_csv(path, infer_schema=False, row_index_name="row", row_index_offset=2)
            case ".parquet":
                return pl.read_parquet(path, row_index_name="row", row_index_offset=1)
            case suffix:
                raise UnplayableTableError(
                    f"{path}: expected a .parquet or .csv file, not {suffix or 'one without an ending'}"
                )
    except (pl.exceptions.PolarsError, OSError) as error:
        raise UnplayableTableError(
            f"{path}: cannot be read as {path.suffix[1:]}: {str(error).splitlines()[0]}"
        ) from error
