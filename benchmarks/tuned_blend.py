"""The blended volatility with the decay and the share that were best before each fold: a reference that is tuned.

`benchmarks.published_evaluation` measures every kind against it too, so that a fixed reference does not flatter them.
"""

from dataclasses import dataclass
from datetime import date
from itertools import product
from typing import Final

import numpy as np
import polars as pl

from internal.baselines.forecast import future_log_returns, to_daily
from internal.baselines.volatility import BlendedVolatility
from internal.features.splits import Block, Fold
from internal.features.variables import (
    DECAY,
    LONG_RUN_SESSIONS,
    RECENT_SHARE,
    VOLATILITY_FLOOR,
    VOLATILITY_MINIMUM_SESSIONS,
)
from internal.features.windows import find_origins
from internal.forecasting.quantiles import RowQuantiles
from internal.forecasting.scoring import pinball_loss

DECAYS: Final = (0.88, 0.91, DECAY, 0.97)
RECENT_SHARES: Final = (0.3, RECENT_SHARE, 0.7, 1.0)
Losses = tuple[float, float]  # (daily, cumulative) mean pinball loss


@dataclass(frozen=True)
class TunedBlend:
    """A blend that was chosen before a fold, and its losses in it.

    Attributes:
        decay: Of the exponentially weighted volatility.
        recent_share: Its share; the rest is the long-run volatility's.
        rows: Origins scored.
        losses: On the fold's test sessions.
    """

    decay: float
    recent_share: float
    rows: int
    losses: Losses


def tune_blend(frame: pl.DataFrame, fold: Fold) -> TunedBlend:
    """Choose decay and share on a fold's training and validation sessions, and score them on its test sessions.

    **Guard:** the choice reads no label that ends after the validation sessions.
    """
    before = Block(fold.training.first, fold.validation.last)
    found = {pair: _score(frame, before, before, pair, last=before.last)[0] for pair in product(DECAYS, RECENT_SHARES)}
    fixed = found[DECAY, RECENT_SHARE]
    best = min(found, key=lambda pair: sum(own / other for own, other in zip(found[pair], fixed, strict=True)))
    losses, rows = _score(frame, before, fold.test, best, last=date.max)
    return TunedBlend(*best, rows, losses)


def trailing_volatility(decay: float, recent_share: float) -> pl.Expr:
    """`volatility` of an observed panel, as it is with another decay and share of the exponentially weighted one."""
    squares, fewest = pl.col("log_return").pow(2), VOLATILITY_MINIMUM_SESSIONS
    weighted = squares.ewm_mean(alpha=1 - decay, min_samples=fewest).over("segment").sqrt()
    year = squares.rolling_mean(LONG_RUN_SESSIONS, min_samples=fewest).over("segment").clip(0).sqrt()
    blend = recent_share * weighted + (1 - recent_share) * year.clip(VOLATILITY_FLOOR)
    return blend.clip(VOLATILITY_FLOOR)


def compute_losses(ahead: np.ndarray, forecast: RowQuantiles) -> tuple[Losses, int]:
    """The losses over the rows whose returns and forecasts are known, and their number; returns f64 [row, step]."""
    known = np.isfinite(ahead).all(axis=1) & np.isfinite(forecast.cumulative).all(axis=(1, 2))
    truth = ahead[known]
    daily = float(pinball_loss(to_daily(truth), forecast.daily[known]).mean())
    return (daily, float(pinball_loss(truth, forecast.cumulative[known]).mean())), int(known.sum())


def _score(
    frame: pl.DataFrame, fitted: Block, scored: Block, pair: tuple[float, float], *, last: date
) -> tuple[Losses, int]:
    """The losses of a pair on one block after pooling on another, and the origins counted; answers end by `last`."""
    blended = frame.with_columns(volatility=trailing_volatility(*pair))
    rows = find_origins(frame, scored)
    ahead = future_log_returns(frame, last=last, rows=rows)
    return compute_losses(ahead, BlendedVolatility.fit(blended, fold=fitted).quantiles(blended, rows))
