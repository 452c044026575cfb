"""Forecasts of many sessions in the order of a market's tables, for decisions that only read them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from internal.errors import InvalidRequestError
from internal.forecasting.forecast_table import ForecastTable
from internal.trading.arrays import FloatArray, IntArray
from internal.trading.day_inputs import Forecasts


@dataclass(frozen=True, eq=False)
class KnownForecasts:
    """Forecasts of D sessions and N tickers.

    Attributes:
        model: What made them.
        horizons: [H] sessions ahead, ascending.
        levels: [Q] probabilities, ascending.
        quantiles: [D, N, H, Q] simple returns; NaN without a forecast.
        bands: [D, N, Q] those over the longest horizon that a name has; NaN without any.
        key: What their table is kept under; empty where it is not kept.
    """

    model: str
    horizons: IntArray
    levels: FloatArray
    quantiles: FloatArray
    bands: FloatArray
    key: str = ""

    def of_session(self, row: int) -> Forecasts:
        """All horizons of one session."""
        return Forecasts(self.horizons, self.levels, self.quantiles[row])


def align_forecasts(
    table: ForecastTable, days: Sequence[date], tickers: Sequence[str], key: str = ""
) -> KnownForecasts:
    """The table's forecasts of these sessions, in the order of these tickers.

    Raises InvalidRequestError when the table lacks one of the sessions.
    """
    rows = {day: row for row, day in enumerate(table.days)}
    if missing := [day for day in days if day not in rows]:
        raise InvalidRequestError(
            f"there are no forecasts of {missing[0]}: they are of {table.days[0]} to {table.days[-1]}"
        )
    places = {ticker: place for place, ticker in enumerate(table.tickers)}
    known = [column for column, ticker in enumerate(tickers) if ticker in places]
    quantiles = np.full((len(days), len(tickers), len(table.horizons), len(table.levels)), np.nan)
    found = np.array([places[tickers[column]] for column in known], dtype=np.int64)
    quantiles[:, known] = table.quantiles[[rows[day] for day in days]][:, found]
    horizons, levels = np.array(table.horizons, np.int64), np.array(table.levels)
    return KnownForecasts(table.model, horizons, levels, quantiles, _longest(quantiles), key)


def _longest(quantiles: FloatArray) -> FloatArray:
    bands = quantiles[:, :, 0].copy()
    for step in range(1, quantiles.shape[2]):
        later = quantiles[:, :, step]
        np.copyto(bands, later, where=np.isfinite(later))
    return bands
