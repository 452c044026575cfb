"""What a trained model keeps of its held-out sessions: its bands, its coverage by group, and differences of losses."""

import numpy as np

from internal.forecasting.held_out_bands import HeldOutBands, LossDifference, SessionCoverage, ShareBelow
from internal.forecasting.held_out_coverage import HeldOutCoverage
from internal.forecasting.quantiles import QUANTILES
from internal.resampling import draw_circular_blocks
from models.evaluation import Evaluation
from models.scoring import Score

SEED = 0


def describe_bands(evaluation: Evaluation) -> HeldOutBands:
    """The bands of the evaluated model; the intervals draw its sessions in blocks."""
    score = _own_score(evaluation)
    return HeldOutBands(
        measure_shares_below(score),
        tuple(
            SessionCoverage(day, whole, *(None if np.isnan(one) else one for one in thirds))
            for day, (whole, *thirds) in zip(score.days, score.coverage_by_date.tolist(), strict=True)
        ),
        tuple(score.coverage_by_volatility),
        {line.score.name: LossDifference(*line.cumulative_difference) for line in evaluation.lines},
    )


def summarise_coverage(evaluation: Evaluation) -> HeldOutCoverage:
    """Coverage of the evaluated model by group, and after a break."""
    score = _own_score(evaluation)
    thirds = tuple(score.coverage_within_date)
    return HeldOutCoverage(score.coverage, thirds, score.coverage_by_sector, score.after_break)


def measure_shares_below(score: Score) -> tuple[ShareBelow, ...]:
    """The share of outcomes below each quantile; the intervals draw the sessions in blocks."""
    drawn = draw_circular_blocks(len(score.days), np.random.default_rng(SEED))
    weights = score.rows_by_date[:, None]
    weighted = score.below_by_date * weights
    shares = weighted.sum(axis=0) / weights.sum()
    draws = weighted[drawn].sum(axis=1) / weights[drawn].sum(axis=1)
    lower, upper = np.quantile(draws, (0.025, 0.975), axis=0)
    rows = zip(QUANTILES, shares.tolist(), lower.tolist(), upper.tolist(), strict=True)
    return tuple(ShareBelow(*row) for row in rows)


def _own_score(evaluation: Evaluation) -> Score:
    return next(line.score for line in evaluation.lines if line.score.name == evaluation.model)
