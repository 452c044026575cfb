"""Walk-forward forecasts: a baseline fitted again every few sessions, and its forecasts of every session in between."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final, cast

import numpy as np
import polars as pl

from internal.baselines.catalogue import BASELINES
from internal.dates import sessions
from internal.errors import InvalidRequestError
from internal.features.splits import Block
from internal.features.windows import find_origins
from internal.forecasting.forecast_table import ForecastTable
from internal.forecasting.quantiles import QUANTILES, STEPS

REFIT_SESSIONS: Final = 63  # a quarter


def refit_blocks(first: date, last: date, every: int = REFIT_SESSIONS) -> list[Block]:
    """The sessions from `first` to `last` in blocks of `every`; a model is fitted at the close of each block's first.

    Raises:
        InvalidRequestError: There is no session between the two days, or `every` is below one.
    """
    days = sessions(first, last)
    if not days or every < 1:
        raise InvalidRequestError(f"{first}..{last} in blocks of {every} sessions holds no session: give a longer span")
    return [Block(days[start], days[min(start + every, len(days)) - 1]) for start in range(0, len(days), every)]


def walk_forward_forecasts(
    frame: pl.DataFrame, kind: str, blocks: Sequence[Block], horizons: tuple[int, ...] = STEPS
) -> ForecastTable:
    """Forecasts of every session and ticker by models that were fitted before.

    Args:
        frame: What `variables.observe` returns.
        kind: A key of `BASELINES`.
        blocks: What `refit_blocks` returns. **Guard:** the forecasts of a block are made by a model that was fitted at
            the close of its first session, on returns that had ended by then; a forecast from a session reads that
            session and earlier ones. Later bars change no bit of them.
        horizons: The numbers of sessions ahead to keep.

    Raises:
        InvalidRequestError: An unknown kind, or no row to fit on before the first block.
    """
    if kind not in BASELINES:
        raise InvalidRequestError(f"there is no baseline {kind!r}: choose one of {', '.join(BASELINES)}")
    days = sessions(blocks[0].first, blocks[-1].last)
    builder = TableBuilder(kind, days, frame.get_column("ticker").unique().sort().to_list(), horizons)
    for block, cumulative in _fit_each(frame, kind, blocks):
        origins = find_origins(frame, block)
        builder.add(frame, origins, cumulative[origins])
    return builder.table


def _fit_each(frame: pl.DataFrame, kind: str, blocks: Sequence[Block]) -> Iterator[tuple[Block, np.ndarray]]:
    """Each block and the log quantiles of all rows up to its end, f64 [row, step, quantile]; NaN in later rows."""
    first = cast("date", frame.get_column("date").min())
    for block in blocks:
        fitted = BASELINES[kind].fit(frame.filter(pl.col("date") <= block.first), fold=Block(first, block.first))
        known = frame.select(pl.arg_where(pl.col("date") <= block.last)).to_series().to_numpy()
        everywhere = np.full((frame.height, len(STEPS), len(QUANTILES)), np.nan)
        everywhere[known] = fitted.quantiles(frame[known]).cumulative
        yield block, everywhere


class TableBuilder:
    """Collects forecasts by row of a panel into a `ForecastTable`."""

    def __init__(self, model: str, days: Sequence[date], tickers: Sequence[str], horizons: tuple[int, ...]) -> None:
        """Starts with an empty table."""
        shape = (len(days), len(tickers), len(horizons), len(QUANTILES))
        self.table = ForecastTable(
            model, tuple(days), tuple(tickers), tuple(horizons), QUANTILES, np.full(shape, np.nan)
        )
        self._days = {day: place for place, day in enumerate(days)}
        self._tickers = {ticker: place for place, ticker in enumerate(tickers)}
        self._steps = [STEPS.index(horizon) for horizon in horizons]

    def add(self, frame: pl.DataFrame, origins: np.ndarray, cumulative: np.ndarray) -> None:
        """Add the forecasts of some rows of a frame, log returns f64 [origin, step, quantile]."""
        day, ticker = (
            frame.get_column(column).gather(origins).replace_strict(places, return_dtype=pl.Int64).to_numpy()
            for column, places in (("date", self._days), ("ticker", self._tickers))
        )
        self.table.quantiles[day, ticker] = np.expm1(cumulative[:, self._steps])
