"""Walk-forward forecasts: a baseline fitted again every few sessions, and its forecasts of every session in between."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import date
from typing import Final, cast

import numpy as np
import polars as pl

from internal.baselines.catalogue import BASELINES
from internal.baselines.forecast import Baseline
from internal.baselines.heterogeneous import HeterogeneousVolatility
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
    seen = frame.filter(pl.col("date") <= blocks[-1].last)
    days = sessions(blocks[0].first, blocks[-1].last)
    builder = TableBuilder(kind, days, seen.get_column("ticker").unique().sort().to_list(), horizons)
    baseline = BASELINES[kind]
    if issubclass(baseline, HeterogeneousVolatility):
        _add_sums(builder, seen, baseline, blocks)
    else:
        _add_refits(builder, seen, baseline, blocks)
    return builder.table


def _add_sums(
    builder: "TableBuilder", frame: pl.DataFrame, baseline: type[HeterogeneousVolatility], blocks: Sequence[Block]
) -> None:
    """Add the forecasts of a baseline whose fits are sums over sessions."""
    rows = baseline.arrange(frame)
    for block, fitted in zip(blocks, baseline.fit_each(rows, _folds(frame, blocks)), strict=True):
        first, last = bisect_left(rows.days, block.first), bisect_right(rows.days, block.last) - 1
        part = rows.frame(rows.span(first, last))
        origins = np.flatnonzero(part.get_column("is_origin").to_numpy())
        builder.add(part, origins, fitted.quantiles_of_sessions(rows, first, last).cumulative[origins])


def _add_refits(
    builder: "TableBuilder", frame: pl.DataFrame, baseline: type[Baseline], blocks: Sequence[Block]
) -> None:
    """Add the forecasts of a baseline that reads all rows again at each refit."""
    for block, fold in zip(blocks, _folds(frame, blocks), strict=True):
        fitted = baseline.fit(frame.filter(pl.col("date") <= fold.last), fold=fold)
        known = frame.filter(pl.col("date") <= block.last)
        origins = find_origins(known, block)
        builder.add(known, origins, fitted.quantiles(known).cumulative[origins])


def _folds(frame: pl.DataFrame, blocks: Sequence[Block]) -> list[Block]:
    """What the forecasts of each block are fitted on: all sessions up to its first."""
    first = cast("date", frame.get_column("date").min())
    return [Block(first, block.first) for block in blocks]


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
