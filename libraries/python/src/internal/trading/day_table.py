"""What a decision reads of a day, from arrays of bars: universe, realized volatility and last prices.

One function serves one session and all of them. Row t is a function of its own window alone, summed in a fixed order:
a service that has only the window computes the same bits as a pass over all history, and no later bar changes a row.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from internal.trading.arrays import BoolArray, FloatArray, IntArray
from internal.trading.universe import Universe

BETA_DECIMALS = 6
CHUNK = 32  # sessions worked on at once: their windows fit the cache

type ActionFactors = Mapping[int, Sequence[tuple[int, float]]]
"""By ticker's place: (first session in new terms, price factor), oldest first."""


@dataclass(frozen=True, slots=True)
class BarTable:
    """Bars of S consecutive sessions and N tickers, NaN where there is none.

    Attributes:
        days: S sessions, ascending.
        tickers: N tickers, sorted.
        close: [S, N] dollars, as traded in the terms of each session, or already in the terms of one day.
        volume: [S, N] shares, in the same terms.
        splits: Factors on earlier closes, and inversely on earlier volumes; none for bars already in one day's terms.
        dividends: Factors on earlier closes; as `splits`.
    """

    days: Sequence[date]
    tickers: tuple[str, ...]
    close: FloatArray
    volume: FloatArray
    splits: ActionFactors = field(default_factory=dict[int, Sequence[tuple[int, float]]])
    dividends: ActionFactors = field(default_factory=dict[int, Sequence[tuple[int, float]]])


@dataclass(frozen=True, slots=True)
class DayTable:
    """Of sessions [first, first + D) of a BarTable.

    Attributes:
        first: The first session's place in the bars.
        liquid: [D, N] whether the name is in the universe.
        volatility: [D, N] standard deviation of daily log returns over the lookback, a session, not annualized; NaN
            with too few returns, and for a name that never moved: the weight that it would get is no measurement.
        last_price: [D, N] the last close in the window, in the terms of the session; NaN without one.
        mean_volume: [D, N] mean volume over the lookback, in the terms of the session; NaN without a bar in it.
        missing_sessions: [D, N] sessions since the last bar: 0 with one in the session, at most `window_sessions`.
        previous_price: [D, N] the last close before the session, in its terms; NaN without one in the window.
        beta: [D, N] of daily log returns over the lookback to the mean return of all names, to six decimals, so that
            the order of summation does not show; NaN with too few returns.
    """

    first: int
    liquid: BoolArray
    volatility: FloatArray
    last_price: FloatArray
    mean_volume: FloatArray
    missing_sessions: IntArray
    previous_price: FloatArray
    beta: FloatArray


def window_sessions(universe: Universe) -> int:
    """How many sessions, the day included, a row is made of."""
    return universe.lookback_sessions + 2


def compute_day_table(bars: BarTable, first: int, last: int, universe: Universe) -> DayTable:
    """The rows of the sessions at the places `first` to `last`, both included."""
    starts = range(first, last + 1, CHUNK)
    parts = [_compute_rows(bars, start, min(start + CHUNK, last + 1), universe) for start in starts]
    return DayTable(first, *(np.concatenate(part) for part in zip(*parts, strict=True)))


def _compute_rows(
    bars: BarTable, start: int, end: int, universe: Universe
) -> tuple[BoolArray, FloatArray, FloatArray, FloatArray, IntArray, FloatArray, FloatArray]:
    length = window_sessions(universe)
    close, volume = _windows(bars.close, start, end, length), _windows(bars.volume, start, end, length)
    splits = _window_factors(bars.splits, start, end, close.shape)
    dividends = _window_factors(bars.dividends, start, end, close.shape)
    if splits is not None:
        close *= splits
        volume /= splits
    if dividends is not None:
        close *= dividends
    known = np.isfinite(close)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean_volume = np.where(known[:, 2:], volume[:, 2:], 0.0).sum(axis=1) / known[:, 2:].sum(axis=1)
        carried, returns = _carry_forward(close, known), _daily_returns(close[:, 1:], known[:, 1:])
        return (
            _is_liquid(close[:, 2:], mean_volume, known[:, 2:], universe),
            _realized_volatility(returns, universe.minimum_sessions),
            carried[:, -1],
            mean_volume,
            np.where(known.any(axis=1), known[:, ::-1].argmax(axis=1), length),
            carried[:, -2],
            _beta(returns, universe.minimum_sessions),
        )


def _windows(values: FloatArray, start: int, end: int, length: int) -> FloatArray:
    """[end - start, length, N], a copy: the rows that end at each session, NaN before the first."""
    first = start - length + 1
    rows = values[max(first, 0) : end]
    if first < 0:
        rows = np.concatenate([np.full((-first, values.shape[1]), np.nan), rows])
    return np.array(sliding_window_view(rows, length, axis=0).transpose(0, 2, 1), order="C")


def _window_factors(actions: ActionFactors, start: int, end: int, shape: tuple[int, ...]) -> FloatArray | None:
    """[end - start, length, N] factors to the terms of each window's last session; None where nothing happened."""
    factors: FloatArray | None = None
    length = shape[1]
    for ticker, found in actions.items():
        for effective, factor in reversed(found):
            for session in range(max(effective, start), min(effective + length - 1, end)):
                factors = np.ones(shape) if factors is None else factors
                factors[session - start, : effective - (session - length + 1), ticker] *= factor
    return factors


def _is_liquid(close: FloatArray, mean_volume: FloatArray, known: BoolArray, universe: Universe) -> BoolArray:
    """[D, N] means above the policy's limits, enough sessions with a bar, and a bar in the last one.

    Without a price today nothing is opened.
    """
    count = known.sum(axis=1)
    mean_close = np.where(known, close, 0.0).sum(axis=1) / count
    is_large = (mean_close > universe.minimum_mean_close) & (mean_volume > universe.minimum_mean_volume)
    return is_large & (count >= universe.minimum_sessions) & known[:, -1]


class _Returns(NamedTuple):
    """[D, T, N] daily log returns with 0 where there is none, those less each name's mean, and which there are."""

    change: FloatArray
    deviation: FloatArray
    is_return: BoolArray
    counts: IntArray


def _daily_returns(close: FloatArray, known: BoolArray) -> _Returns:
    """The log returns between sessions with a bar."""
    logarithm = _carry_forward(np.log(close), known)
    change = logarithm[:, 1:] - logarithm[:, :-1]
    is_return = known[:, 1:] & np.isfinite(change)
    count = is_return.sum(axis=1)
    change = np.where(is_return, change, 0.0)
    deviation = np.where(is_return, change - (change.sum(axis=1) / count)[:, None], 0.0)
    return _Returns(change, deviation, is_return, count)


def _realized_volatility(returns: _Returns, minimum_returns: int) -> FloatArray:
    """[D, N] sample standard deviation of the returns."""
    volatility = np.sqrt((returns.deviation * returns.deviation).sum(axis=1) / (returns.counts - 1))
    return np.where((returns.counts >= minimum_returns) & (volatility > 0), volatility, np.nan)


def _beta(returns: _Returns, minimum_returns: int) -> FloatArray:
    """[D, N] covariance with the mean return of all names over its variance, in the sessions that a name has."""
    names = returns.is_return.sum(axis=2)  # [D, T]
    market = np.where(names > 0, returns.change.sum(axis=2) / names, 0.0)
    market = np.where(names > 0, market - (market.sum(axis=1) / (names > 0).sum(axis=1))[:, None], 0.0)
    covariance: FloatArray = np.einsum("dtn,dt->dn", returns.deviation, market)
    variance: FloatArray = np.einsum("dtn,dt->dn", returns.is_return, market * market)
    return np.where(returns.counts >= minimum_returns, np.round(covariance / variance, BETA_DECIMALS), np.nan)


def _carry_forward(values: FloatArray, known: BoolArray) -> FloatArray:
    """The values with each gap filled by the last known one before it."""
    filled = values.copy()
    for session in range(1, values.shape[1]):
        np.copyto(filled[:, session], filled[:, session - 1], where=~known[:, session])
    return filled
