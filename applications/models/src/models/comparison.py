"""Comparison of forecasts on one set of rows: scores, and differences from the best baseline and from the reference."""

from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np

from internal.baselines.catalogue import BASELINES
from internal.forecasting.quantiles import RowQuantiles
from internal.forecasting.scoring import pinball_loss
from models.evaluation import REFERENCE, Evaluation, FoldLosses, ForecastLine
from models.scoring import Score, compute_relative_difference, score_forecast
from models.truth import Truth
from models.verdict import write_verdict


def compare_forecasts(
    version: str, model: str, truth: Truth, forecasts: Mapping[str, RowQuantiles], fitted_to: Sequence[date]
) -> Evaluation:
    """Score forecasts on the truth's rows and compare them.

    Args:
        version: The name of the result.
        model: The name of the evaluated forecast.
        truth: What happened.
        forecasts: By name, one row a row of the truth; those with a baseline's name are the baselines.
        fitted_to: Each fold's last origin that anything was fitted or chosen on.
    """
    scores = [score_forecast(name, truth, one.cumulative, one.daily) for name, one in forecasts.items()]
    lengths = truth.dates_by_fold()
    return Evaluation(
        version,
        model,
        len(truth.cumulative),
        truth.tickers.n_unique(),
        _compare_scores(scores, lengths),
        [_compute_fold_losses(number, day, truth, forecasts) for number, day in enumerate(fitted_to)],
        write_verdict(scores, model, lengths),
    )


def _compute_fold_losses(
    number: int, fitted_to: date, truth: Truth, forecasts: Mapping[str, RowQuantiles]
) -> FoldLosses:
    rows = np.flatnonzero(truth.folds == number)
    days = truth.dates.gather(rows).sort().to_list()
    losses = {
        name: (
            float(pinball_loss(truth.daily[rows], one.daily[rows]).mean()),
            float(pinball_loss(truth.cumulative[rows], one.cumulative[rows]).mean()),
        )
        for name, one in forecasts.items()
    }
    return FoldLosses(fitted_to, days[0], days[-1], len(rows), losses)


def _compare_scores(scores: list[Score], lengths: list[int]) -> list[ForecastLine]:
    best = min((one for one in scores if one.name in BASELINES), key=lambda one: one.cumulative)
    reference = next(one for one in scores if one.name == REFERENCE)
    lines = [
        ForecastLine(
            one,
            compute_relative_difference(one.daily_by_date, best.daily_by_date, lengths),
            compute_relative_difference(one.cumulative_by_date, best.cumulative_by_date, lengths),
            compute_relative_difference(one.daily_by_date, reference.daily_by_date, lengths),
            compute_relative_difference(one.cumulative_by_date, reference.cumulative_by_date, lengths),
            is_baseline=one.name in BASELINES,
        )
        for one in scores
    ]
    return sorted(lines, key=lambda line: (line.score is not best, line.score.cumulative))
