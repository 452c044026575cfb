"""How the fund's daily returns move with its benchmark's: beta and correlation, with their intervals."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from internal.pages.marks import Estimate
from internal.performance import MINIMUM_RETURNS_FOR_A_YEAR, Numbers, beta
from internal.resampling import draw_circular_blocks

SEED = 0


@dataclass(frozen=True)
class BenchmarkRelation:
    """Beta and correlation of daily returns, each with its 95 % interval by a circular block bootstrap."""

    beta: Estimate
    correlation: Estimate


def relate_to_benchmark(own: Numbers, market: Numbers) -> BenchmarkRelation | None:
    """The relation of returns, f64 [session] each; None below 40 of them, or where either does not vary.

    Args:
        own: The fund's.
        market: The benchmark's in the same sessions.
    """
    if len(own) < MINIMUM_RETURNS_FOR_A_YEAR or not (own.std() > 0 and market.std() > 0):
        return None
    drawn = draw_circular_blocks(len(own), np.random.default_rng(SEED))

    def estimate(figure: Callable[[Numbers, Numbers], Numbers]) -> Estimate:
        low, high = np.nanquantile(figure(own[drawn], market[drawn]), (0.025, 0.975))
        return Estimate(float(figure(own, market)), float(low), float(high))

    return BenchmarkRelation(estimate(beta), estimate(_correlate))


def _correlate(own: Numbers, market: Numbers) -> Numbers:
    """Pearson's correlation over the last axis."""
    first, second = own - own.mean(axis=-1, keepdims=True), market - market.mean(axis=-1, keepdims=True)
    below = np.sqrt((first**2).sum(axis=-1) * (second**2).sum(axis=-1))
    return np.divide((first * second).sum(axis=-1), below, out=np.full(np.shape(below), np.nan), where=below > 0)
