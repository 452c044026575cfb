"""Whether scores rank: too few of them, equal ones, or ones in the order of something else open nothing."""

import numpy as np

from internal.trading.arrays import BoolArray, FloatArray
from internal.trading.ranks import find_ranked, may_be_ranked
from internal.trading.situation import Situation

ROUNDING = 1e-9  # scores that differ by less, relative to the largest, are the same
FLAT = (
    0.35  # scores that vary by less, relative to the largest, are one multiple but for curvature and adapted intervals
)
SAME_ORDER = 0.999  # a rank correlation above it is the same order, but for neighbours that rounding swaps
NEARLY_SAME_ORDER = 0.9  # of medians and widths: intervals that adapt to misses by third and sector swap many names
FEWEST_SCORES = 2  # one name is in no order
FEWEST_NAMES = 6  # fewer are in the same order by chance too often


def has_too_few_scores(situation: Situation, scores: FloatArray) -> bool:
    """Whether the session has no order of names at all, as after a hole in the bars: no name is left out by its own."""
    return int(np.count_nonzero(find_ranked(situation, scores))) < FEWEST_SCORES


def find_ranking_problem(situation: Situation, scores: FloatArray) -> str | None:
    """Why the scores put the names that may be opened in no order; None when they do. scores: [N], NaN for none."""
    if has_too_few_scores(situation, scores):
        count, names = np.count_nonzero(find_ranked(situation, scores)), np.count_nonzero(may_be_ranked(situation))
        return f"nothing is opened: {count} of {names} names have a score, too few to rank"
    known = scores[situation.may_open & np.isfinite(scores)]
    if len(known) > 1 and _spread(known) <= ROUNDING:
        return f"nothing is opened: all {len(known)} names have the same score, which ranks nothing"
    return None


def find_forecast_problem(situation: Situation, scores: FloatArray) -> str | None:
    """Why scores made of a forecast's median say nothing about direction; None when they do. See `find_width_bet`."""
    bands = situation.inputs.bands
    known: BoolArray = situation.may_open & np.isfinite(scores) & np.isfinite(bands).all(axis=1)
    problem = find_width_bet(bands[known], scores[known])
    return None if problem is None else f"nothing is opened: {problem}"


def find_width_bet(bands: FloatArray, scores: FloatArray) -> str | None:
    """Why scores made of a session's forecasts are a bet on the forecasts' widths; None where they are not.

    A forecast of volatility alone gives every name the same median in units of its band's width. What is left in the
    ratio of the two is curvature (quantiles of simple returns are the exponential of those of log returns), rounding,
    and intervals that adapt to misses by third and sector, so that ranking by it bets on one of them. The scores are in
    the order of the width then, or in the opposite one, or they differ little and the medians have the widths' order.

    Args:
        bands: [N, 3] quantiles of simple returns, ascending.
        scores: [N], all known.
    """
    width = bands[:, 2] - bands[:, 0]
    if len(width) < FEWEST_NAMES or _spread(width) <= ROUNDING:
        return None
    if abs(_rank_correlation(scores, width)) >= SAME_ORDER:
        return "the score's order is that of the forecasts' widths, a bet on volatility"
    if _spread(scores) <= FLAT and abs(_rank_correlation(bands[:, 1], width)) >= NEARLY_SAME_ORDER:
        return "the forecasts' medians are all one multiple of their widths and rank nothing"
    return None


def _spread(values: FloatArray) -> float:
    """The difference of the largest and the smallest, relative to the largest absolute value."""
    largest = float(np.abs(values).max())
    return float(np.ptp(values)) / largest if largest > 0 else 0.0


def _rank_correlation(one: FloatArray, other: FloatArray) -> float:
    """Spearman's; 0 where one of them is constant."""
    first, second = _average_ranks(one), _average_ranks(other)
    return float(np.corrcoef(first, second)[0, 1]) if np.ptp(first) and np.ptp(second) else 0.0


def _average_ranks(values: FloatArray) -> FloatArray:
    """Ranks from 1; equal values have the mean of theirs."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[places]
