"""The rows that every forecast of an evaluation is scored on, and what happened after them."""

from collections.abc import Iterable

import numpy as np
import polars as pl

from internal.baselines.forecast import to_daily
from internal.forecasting.quantiles import RowQuantiles
from models.traits import measure_traits
from models.truth import Truth


def make_truth(frame: pl.DataFrame, origins: np.ndarray, ahead: np.ndarray, folds: np.ndarray) -> Truth:
    """The returns after some rows of an observed panel, with the columns that scores are grouped by."""
    columns = {name: frame.get_column(name).gather(origins) for name in ("date", "ticker", "volatility", "sector")}
    volatility = columns["volatility"].to_numpy()
    return Truth(
        dates=columns["date"],
        cumulative=ahead,
        daily=to_daily(ahead),
        volatility=volatility,
        sectors=columns["sector"],
        folds=folds,
        tickers=columns["ticker"],
        traits=measure_traits(frame, origins),
    )


def find_complete_rows(forecasts: Iterable[RowQuantiles]) -> np.ndarray:
    """Which rows have every forecast, bool [row]; at least one forecast."""
    return np.logical_and.reduce(
        [np.isfinite(values).all(axis=(1, 2)) for one in forecasts for values in (one.cumulative, one.daily)]
    )


def select_rows(forecast: RowQuantiles, rows: np.ndarray) -> RowQuantiles:
    """The forecast of some rows."""
    return RowQuantiles(forecast.cumulative[rows], forecast.daily[rows])
