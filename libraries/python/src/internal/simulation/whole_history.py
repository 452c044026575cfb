"""The history of all sessions at once, for scores that are computed in one pass."""

import numpy as np
import polars as pl

from internal.simulation.adjustment import forward_factors
from internal.simulation.known_forecasts import KnownForecasts
from internal.simulation.market_tables import MarketTables
from internal.strategies.history import DETAILS, PRICES, QUANTILES, History
from internal.trading.arrays import FloatArray
from internal.trading.day_inputs import Details


def whole_history(
    tables: MarketTables, first: int, details: Details | None, forecasts: KnownForecasts | None
) -> History:
    """Every bar of the tables as a row, in the terms of its ticker's first session.

    Args:
        tables: The market's bars.
        first: The place of the session that the forecasts begin with.
        details: What the companies are.
        forecasts: None leaves the columns of quantiles null.
    """
    bars = known_bars(tables)
    columns = bars.get_column("column").to_numpy()
    return History(
        bars.with_columns(
            *_details(details, columns),
            *_quantiles(forecasts, bars.get_column("session").to_numpy() - first, columns),
        ).drop("session", "column")
    )


def known_bars(tables: MarketTables) -> pl.DataFrame:
    """ticker, date, open, high, low, close, volume of every bar, sorted by ticker and date, with session and column.

    Prices are in dollars, and volumes in shares, of the ticker's first session.
    """
    columns, sessions = np.nonzero(np.isfinite(tables.close).T)
    shape = tables.close.shape
    splits = forward_factors(tables.split_factors, shape)[sessions, columns]
    both = splits * forward_factors(tables.dividend_factors, shape)[sessions, columns]
    names = pl.Series(tables.tickers, dtype=pl.String)
    return pl.DataFrame(
        {
            "ticker": names.gather(columns),
            "date": pl.Series(tables.days, dtype=pl.Date).gather(sessions),
            **{name: _cells(tables, name, sessions, columns) * both for name in PRICES},
            "volume": tables.volume[sessions, columns] / splits,
            "session": sessions,
            "column": columns,
        }
    )


def _cells(tables: MarketTables, name: str, sessions: np.ndarray, columns: np.ndarray) -> FloatArray:
    values: FloatArray = getattr(tables, name)
    return values[sessions, columns]


def _details(details: Details | None, columns: np.ndarray) -> list[pl.Series]:
    known = {name: getattr(details, name, None) for name in DETAILS}
    return [
        pl.Series(name, [None], pl.String).new_from_index(0, len(columns))
        if values is None
        else pl.Series(name, values, pl.String).gather(columns)
        for name, values in known.items()
    ]


def _quantiles(forecasts: KnownForecasts | None, rows: np.ndarray, columns: np.ndarray) -> list[pl.Series]:
    values = np.full((len(columns), len(QUANTILES)), np.nan)
    if forecasts is not None:
        inside = (rows >= 0) & (rows < len(forecasts.bands))
        values[inside] = forecasts.bands[rows[inside], columns[inside]]
    return [pl.Series(name, values[:, place]).fill_nan(None) for place, name in enumerate(QUANTILES)]
