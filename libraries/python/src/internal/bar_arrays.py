"""Bars of a frame as arrays: a row for each session, a column for each ticker."""

from collections.abc import Iterable, Sequence
from datetime import date

import numpy as np
import polars as pl

from internal.trading.arrays import FloatArray


def find_places(column: pl.Series, tickers: pl.Series) -> np.ndarray:
    """The place of each ticker of the column among the sorted tickers."""
    return column.cast(pl.Enum(tickers)).to_physical().to_numpy()


def make_bar_arrays(
    bars: pl.DataFrame, days: Sequence[date], tickers: pl.Series, columns: Iterable[str]
) -> dict[str, FloatArray]:
    """By column, [S, N] values of S days and N tickers, NaN without a bar.

    Args:
        bars: One row a ticker and date, none of another day or ticker.
        days: Ascending.
        tickers: Sorted.
        columns: Of the bars.
    """
    rows = np.searchsorted(np.array(days, "datetime64[D]"), bars.get_column("date").to_numpy())
    places = find_places(bars.get_column("ticker"), tickers)
    arrays = {name: np.full((len(days), len(tickers)), np.nan) for name in columns}
    for name, values in arrays.items():
        values[rows, places] = bars.get_column(name).to_numpy()
    return arrays
