"""Comparison of forecasts on one set of rows: scores, and differences from the best baseline and from the reference."""

from collections.abc import Iterable, Sequence
from datetime import date

import numpy as np
import polars as pl

from internal.baselines.catalogue import BASELINES
from internal.forecasting.quantiles import RowQuantiles
from models.evaluation import REFERENCE, Evaluation, FoldLosses, ForecastLine
from models.scoring import Score, compute_relative_difference, score_rows, summarise_scores
from models.truth import Truth
from models.verdict import write_verdict


def compare_forecasts(
    version: str,
    model: str,
    truth: Truth,
    forecasts: Iterable[tuple[str, RowQuantiles]],
    fitted_to: Sequence[date],
) -> Evaluation:
    """Score forecasts on the truth's rows and compare them.

    Args:
        version: The name of the result.
        model: The name of the evaluated forecast.
        truth: What happened.
        forecasts: Name and forecast, one row a row of the truth; those with a baseline's name are the baselines. Each
            is scored before the next one is asked for.
        fitted_to: Each fold's last origin that anything was fitted or chosen on.
    """
    return compare_scores(version, model, truth, score_each(truth, forecasts), fitted_to)


def compare_scores(
    version: str, model: str, truth: Truth, scores: list[Score], fitted_to: Sequence[date]
) -> Evaluation:
    """Compare forecasts by their scores on the truth's rows. See `compare_forecasts`."""
    lengths = truth.dates_by_fold()
    return Evaluation(
        version,
        model,
        len(truth.cumulative),
        truth.tickers.n_unique(),
        _compare_scores(scores, model, lengths),
        [_compute_fold_losses(number, day, truth, scores) for number, day in enumerate(fitted_to)],
        write_verdict(scores, model, lengths),
    )


def score_each(truth: Truth, forecasts: Iterable[tuple[str, RowQuantiles]]) -> list[Score]:
    """The scores of forecasts on the truth's rows, of which one is held at a time."""
    scores = list[Score]()
    for name, one in forecasts:
        rows = score_rows(truth, one.cumulative, one.daily)
        del one  # before its score is made, and before the next one takes as much memory
        scores.append(summarise_scores(name, truth, rows))
        del rows
    return scores


def _compute_fold_losses(number: int, fitted_to: date, truth: Truth, scores: Sequence[Score]) -> FoldLosses:
    days = truth.dates.filter(pl.Series(truth.folds == number)).unique().sort().to_list()
    inside = np.isin(np.array(scores[0].days, "datetime64[D]"), np.array(days, "datetime64[D]"))
    rows = scores[0].rows_by_date[inside]
    losses = {
        one.name: (_average(one.daily_by_date[inside], rows), _average(one.cumulative_by_date[inside], rows))
        for one in scores
    }
    return FoldLosses(fitted_to, days[0], days[-1], int(rows.sum()), losses)


def _average(losses: np.ndarray, rows: np.ndarray) -> float:
    return float(np.average(losses, weights=rows))


def _compare_scores(scores: list[Score], model: str, lengths: list[int]) -> list[ForecastLine]:
    baselines = (one for one in scores if one.name in BASELINES and one.name != model)
    best = min(baselines, key=lambda one: one.cumulative)
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
