"""The probability of backtest overfitting, by combinatorially symmetric cross-validation (CSCV)."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import batched, combinations
from typing import Final

import numpy as np

from internal.backtests.daily_returns import Series
from internal.performance import ROUNDING

BLOCKS: Final = 16
MINIMUM_SESSIONS: Final = 2 * BLOCKS
COMBINATIONS_AT_ONCE: Final = 1000  # bounds the memory: 8 MB an array for a thousand trials


@dataclass(frozen=True)
class Overfitting:
    """How often the best trial of one half of the sessions is no better than the median one in the other half.

    Attributes:
        probability: That share of all ways to choose the half, the probability of backtest overfitting (PBO).
        loss_probability: The share in which the best trial of one half has a Sharpe ratio below zero in the other.
        trials: How many trials were compared.
        combinations: How many ways to choose the half there are.
    """

    probability: float
    loss_probability: float
    trials: int
    combinations: int


def estimate_overfitting(returns: Series, blocks: int = BLOCKS) -> Overfitting | None:
    """The probability of backtest overfitting (Bailey, Borwein, Lopez de Prado, Zhu 2017, same title).

    The sessions are cut into `blocks` equal parts; each choice of half of them is once the sample in which the trial
    with the highest Sharpe ratio is selected. Its relative rank w = rank / (trials + 1) in the other half gives the
    logit ln(w / (1 - w)); the probability is the share of logits that are zero or less. A trial without variance has a
    Sharpe ratio of zero.

    Args:
        returns: Of every trial in the same sessions, f64 [session, trial].
        blocks: An even number.

    Returns:
        None with fewer than two trials, or fewer than two sessions a block.
    """
    count = returns.shape[1]
    if count < 2 or len(returns) < 2 * blocks:  # noqa: PLR2004 - a rank needs two trials
        return None
    ranks, ratios = (np.concatenate(part) for part in zip(*_test_selections(returns, blocks), strict=True))
    relative = ranks / (count + 1)
    logits = np.log(relative / (1 - relative))
    return Overfitting(float((logits <= 0).mean()), float((ratios < 0).mean()), count, len(logits))


def _test_selections(returns: Series, blocks: int) -> Iterator[tuple[Series, Series]]:
    """Rank and Sharpe ratio of each selection in its other half, some combinations at a time."""
    parts = np.array_split(returns, blocks)
    counts = np.array([float(len(part)) for part in parts])
    sums, squares = (np.array([(part**power).sum(axis=0) for part in parts]) for power in (1, 2))
    for chosen in batched(combinations(range(blocks), blocks // 2), COMBINATIONS_AT_ONCE):
        inside = np.zeros((len(chosen), blocks))
        np.put_along_axis(inside, np.array(chosen), 1.0, axis=1)
        selected, outside = (_sharpe(half @ counts, half @ sums, half @ squares) for half in (inside, 1 - inside))
        own = np.take_along_axis(outside, selected.argmax(axis=1)[:, None], axis=1)
        yield (outside < own).sum(axis=1) + ((outside == own).sum(axis=1) + 1) / 2, own[:, 0]


def _sharpe(count: Series, total: Series, squares: Series) -> Series:
    """Sharpe ratios, f64 [combination, trial], from the number of returns, their sum and their sum of squares."""
    mean = total / count[:, None]
    deviation = np.sqrt(np.maximum(squares / count[:, None] - mean**2, 0.0))
    return np.divide(mean, deviation, out=np.zeros_like(mean), where=deviation > ROUNDING)
