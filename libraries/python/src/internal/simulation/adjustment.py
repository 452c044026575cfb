"""Adjusting a market's tables: of a window as of a day, and of all sessions so that no later event changes a row."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace
from math import inf

import numpy as np

from internal.simulation.market_tables import MarketTables
from internal.trading.arrays import FloatArray
from internal.trading.day_inputs import BarHistory
from internal.trading.day_table import ActionFactors


def adjusted_window(tables: MarketTables, session: int, sessions: int) -> BarHistory:
    """The last `sessions` sessions up to a session, in its terms; views of the tables where nothing happened."""
    first = max(session - sessions + 1, 0)
    splits = _window_factors(tables.split_factors, first, session, len(tables.tickers))
    dividends = _window_factors(tables.dividend_factors, first, session, len(tables.tickers))

    def adjust(values: FloatArray) -> FloatArray:
        for factors in (splits, dividends):
            values = values if factors is None else values * factors
        return values

    rows = slice(first, session + 1)
    return BarHistory(
        days=tables.days[rows],
        open=adjust(tables.open[rows]),
        high=adjust(tables.high[rows]),
        low=adjust(tables.low[rows]),
        close=adjust(tables.close[rows]),
        volume=tables.volume[rows] if splits is None else tables.volume[rows] / splits,
    )


def adjusted_close(tables: MarketTables, session: int, column: int, as_of: int) -> float:
    """A close in the terms of a later session, in the order of the data service's own operations."""
    price = float(tables.close[session, column])
    for actions in (tables.split_factors, tables.dividend_factors):
        if found := actions.get(column):
            price *= _later_product(found, session, as_of)
    return price


def forward_factors(actions: ActionFactors, shape: tuple[int, int]) -> FloatArray:
    """[S, N] what takes prices to the terms of the ticker's first session; a row reads no later event."""
    factors = np.ones(shape)
    for column, found in actions.items():
        for effective, factor in found:
            factors[effective:, column] /= factor
    return factors


def _later_product(found: Sequence[tuple[int, float]], session: int, as_of: int) -> float:
    product = 1.0
    for place in range(bisect_right(found, (as_of, inf)) - 1, -1, -1):
        effective, factor = found[place]
        if effective <= session:
            break
        product *= factor
    return product


def _window_factors(actions: ActionFactors, first: int, last: int, names: int) -> FloatArray | None:
    """[last - first + 1, N] factors to the terms of the last session; None where nothing happened after the first."""
    factors: FloatArray | None = None
    for column, found in actions.items():
        for effective, factor in reversed(found):
            if first < effective <= last:
                factors = np.ones((last - first + 1, names)) if factors is None else factors
                factors[: effective - first, column] *= factor
    return factors


def first_sessions(tables: MarketTables, count: int) -> MarketTables:
    """The tables as they stood after their first sessions: later bars, splits and dividends are not in them."""
    last = tables.days[count - 1]
    return replace(
        tables,
        days=tables.days[:count],
        open=tables.open[:count],
        high=tables.high[:count],
        low=tables.low[:count],
        close=tables.close[:count],
        volume=tables.volume[:count],
        split_factors=_until(tables.split_factors, count),
        dividend_factors=_until(tables.dividend_factors, count),
        actions=tuple(action for action in tables.actions if action.effective_date <= last),
    )


def _until(actions: ActionFactors, count: int) -> ActionFactors:
    return {column: [one for one in found if one[0] < count] for column, found in actions.items()}
