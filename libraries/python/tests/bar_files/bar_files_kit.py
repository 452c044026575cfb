"""Sound bars, and files of them, for the tests of the reader."""

from datetime import date
from pathlib import Path

import polars as pl

from internal.bar_files.bars import BarsFile, read_bars
from internal.dates import sessions

DAYS = sessions(date(2024, 1, 2), date(2024, 1, 31))
COLUMNS = ("ticker", "date", "open", "high", "low", "close", "volume")


def bars(tickers: str = "AB", days: list[date] = DAYS, **columns: object) -> pl.DataFrame:
    """Sound bars, one row a ticker and day; columns can be set to one value."""
    rows = [(ticker, day, 10.0, 12.0, 9.0, 11.0, 500.0) for day in days for ticker in tickers]
    return pl.DataFrame(rows, schema=list(COLUMNS), orient="row").with_columns(
        pl.lit(value).alias(name) for name, value in columns.items()
    )


def changed(frame: pl.DataFrame, row: int, column: str, value: object) -> pl.DataFrame:
    """The frame with one cell changed."""
    new = pl.lit(value, frame.schema[column])
    return (
        frame.with_row_index()
        .with_columns(pl.when(pl.col("index") == row).then(new).otherwise(pl.col(column)).alias(column))
        .drop("index")
    )


def write(folder: Path, frame: pl.DataFrame, ending: str = "parquet") -> Path:
    """The frame as a file of that kind."""
    path = folder / f"bars.{ending}"
    if ending == "csv":
        frame.write_csv(path)
    else:
        frame.write_parquet(path)
    return path


def read_text(folder: Path, text: str | bytes, name: str = "bars.csv") -> BarsFile:
    """The bars of a file with that content."""
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_bars(path)
