"""Scores of quantile forecasts: pinball loss, coverage, rank evidence, and the paired block bootstrap. Pure."""

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np
import polars as pl

from internal.forecasting.held_out_coverage import BreakCoverage
from internal.forecasting.rank_evidence import RankEvidence
from internal.forecasting.scoring import pinball_loss
from internal.resampling import draw_circular_blocks
from models.break_coverage import measure_break
from models.group_means import average_groups
from models.ranked_book import make_scored_rows, measure_rank_evidence
from models.traits import Trait, measure_bets
from models.truth import Truth

CHUNK_ROWS: Final = 65_536


@dataclass(frozen=True)
class Score:
    """One forecast's score.

    Attributes:
        name: The forecast's name.
        daily: Mean pinball loss of daily simple returns.
        cumulative: Mean pinball loss of cumulative log returns.
        coverage: Share of truths inside the 80 % interval, cumulative.
        evidence: What a book of its best and worst tenth returned and cost; None with too few sessions or tickers.
        bets: Mean over dates of Spearman's correlation of the score that the book is made by with each trait.
        tails: Mean cumulative loss of the two outer quantiles alone.
        by_step: Mean cumulative loss of each step.
        by_quantile: Mean cumulative loss of each quantile.
        calibration: Share of cumulative truths below each quantile, [step][quantile].
        coverage_by_volatility: Coverage of the calm, the middle and the volatile third of the rows.
        coverage_within_date: The same with thirds of each date's rows, so that calm means calmer than other tickers.
        coverage_by_sector: Coverage of each known sector.
        after_break: Coverage after the sharpest rise of volatility; None where it did not double after the first ones.
        daily_by_date: Mean daily loss of each origin date, in date order.
        cumulative_by_date: Mean cumulative loss of each origin date, in date order.
        days: The origin dates, ascending.
        rows_by_date: Rows of each origin date.
        below_by_date: Share of cumulative truths below each quantile, f64 [date, quantile].
        coverage_by_date: Coverage of all, calm, middle and volatile rows, f64 [date, 4]; NaN without such rows.
    """

    name: str
    daily: float
    cumulative: float
    coverage: float
    evidence: RankEvidence | None
    bets: dict[Trait, float]
    tails: float
    by_step: list[float]
    by_quantile: list[float]
    calibration: list[list[float]]
    coverage_by_volatility: list[float]
    coverage_within_date: list[float]
    coverage_by_sector: dict[str, float]
    after_break: BreakCoverage | None
    daily_by_date: np.ndarray
    cumulative_by_date: np.ndarray
    days: list[date]
    rows_by_date: np.ndarray
    below_by_date: np.ndarray
    coverage_by_date: np.ndarray


@dataclass(frozen=True)
class RowScores:
    """Scores of each row over its steps, and of each step over the rows.

    Attributes:
        daily: Mean daily loss, f64 [row].
        cumulative: Mean cumulative loss, f64 [row].
        inside: Share of steps inside the interval, f64 [row].
        below: Share of steps below each quantile, f64 [row, quantile].
        loss: Mean cumulative loss, f64 [step, quantile].
        calibration: Share of rows below each quantile, f64 [step, quantile].
        ranked: What `make_scored_rows` returns.
    """

    daily: np.ndarray
    cumulative: np.ndarray
    inside: np.ndarray
    below: np.ndarray
    loss: np.ndarray
    calibration: np.ndarray
    ranked: pl.DataFrame


def score_rows(truth: Truth, cumulative: np.ndarray, daily: np.ndarray) -> RowScores:
    """Score a few rows at a time, so that the losses of each quantile of each row are never all in memory."""
    count, quantiles = len(cumulative), cumulative.shape[-1]
    daily_by_row, by_row, inside_by_row = np.empty((3, count))
    below_by_row = np.empty((count, quantiles))
    losses, counts = (np.zeros(cumulative.shape[1:]) for _ in range(2))
    for first in range(0, count, CHUNK_ROWS):
        part = slice(first, first + CHUNK_ROWS)
        known, forecast = truth.cumulative[part], cumulative[part]
        loss, below = pinball_loss(known, forecast), known[..., None] <= forecast
        inside = (known >= forecast[..., 0]) & (known <= forecast[..., -1])
        daily_by_row[part] = pinball_loss(truth.daily[part], daily[part]).mean(axis=(1, 2))
        by_row[part], inside_by_row[part] = loss.mean(axis=(1, 2)), inside.mean(axis=1)
        below_by_row[part] = below.mean(axis=1)
        losses += loss.sum(axis=0)
        counts += below.sum(axis=0)
    return RowScores(
        daily_by_row,
        by_row,
        inside_by_row,
        below_by_row,
        losses / count,
        counts / count,
        make_scored_rows(truth, cumulative),
    )


def score_forecast(name: str, truth: Truth, cumulative: np.ndarray, daily: np.ndarray) -> Score:
    """Score forecasts f64 [row, step, quantile], cumulative log and daily simple returns."""
    return summarise_scores(name, truth, score_rows(truth, cumulative, daily))


def summarise_scores(name: str, truth: Truth, rows: RowScores) -> Score:
    """A forecast's score from those of its rows, without the forecast, which takes more memory than they do."""
    by_quantile = rows.loss.mean(axis=0)
    thirds = np.digitize(truth.volatility, np.quantile(truth.volatility, (1 / 3, 2 / 3)))
    of_dates = _divide_dates_into_thirds(truth)
    return Score(
        name=name,
        daily=float(rows.daily.mean()),
        cumulative=float(rows.loss.mean()),
        coverage=float(rows.inside.mean()),
        evidence=measure_rank_evidence(truth, rows.ranked),
        bets=measure_bets(truth.dates, rows.ranked.get_column("score"), truth.traits),
        tails=float(by_quantile[[0, -1]].mean()),
        by_quantile=by_quantile.tolist(),
        calibration=rows.calibration.tolist(),
        coverage_by_volatility=[coverage for _, coverage in _compute_coverage_by(pl.Series(thirds), rows.inside)],
        coverage_within_date=[coverage for _, coverage in _compute_coverage_by(of_dates, rows.inside)],
        coverage_by_sector=dict(_compute_coverage_by(truth.sectors, rows.inside)),
        after_break=measure_break(truth, rows.inside, of_dates),
        by_step=rows.loss.mean(axis=1).tolist(),
        daily_by_date=_average_by_date(truth.dates, rows.daily),
        cumulative_by_date=_average_by_date(truth.dates, rows.cumulative),
        days=truth.dates.unique().sort().to_list(),
        rows_by_date=_count_by_date(truth.dates),
        below_by_date=_average_columns_by_date(truth.dates, rows.below),
        coverage_by_date=_average_columns_by_date(truth.dates, _split_into_thirds(rows.inside, thirds)),
    )


def _average_by_date(dates: pl.Series, loss: np.ndarray) -> np.ndarray:
    frame = pl.DataFrame({"date": dates, "loss": loss})
    return average_groups(frame, "date").get_column("loss").to_numpy()


def _count_by_date(dates: pl.Series) -> np.ndarray:
    return pl.DataFrame({"date": dates}).group_by("date").len().sort("date").get_column("len").to_numpy()


def _split_into_thirds(inside: np.ndarray, thirds: np.ndarray) -> np.ndarray:
    """Coverage of each row, f64 [row, 4]: as it is, and where the row is of that third, else NaN."""
    return np.column_stack([inside, *(np.where(thirds == third, inside, np.nan) for third in range(3))])


def _average_columns_by_date(dates: pl.Series, values: np.ndarray) -> np.ndarray:
    """The means of columns f64 [row, column] by date, f64 [date, column]; NaN are left out."""
    names = [f"column_{number}" for number in range(values.shape[1])]
    frame = pl.DataFrame(values, schema=names).with_columns(dates.alias("date")).fill_nan(None)
    return average_groups(frame, "date").select(names).fill_null(np.nan).to_numpy()


def _compute_coverage_by(groups: pl.Series, inside: np.ndarray) -> list[tuple[Any, float]]:
    """The mean of `inside` [row] in each group that is not null, sorted by group."""
    frame = pl.DataFrame({"group": groups, "inside": inside}).drop_nulls()
    return average_groups(frame, "group").rows()


def _divide_dates_into_thirds(truth: Truth) -> pl.Series:
    """Each row's third of its own date by volatility, 0 calm."""
    rows = pl.DataFrame({"date": truth.dates, "volatility": truth.volatility})
    share = (pl.col("volatility").rank("ordinal") - 1) / pl.len() * 3
    return rows.select(share.over("date").floor().cast(pl.Int64)).to_series()


def compute_relative_difference(
    loss: np.ndarray, reference: np.ndarray, lengths: list[int], *, seed: int = 0
) -> tuple[float, float, float]:
    """Difference of a loss from a reference's, in per cent, with the 95 % interval of a paired block bootstrap.

    Dates are drawn in moving blocks of 10 sessions (Kuensch 1989), the same for both, because neighbouring origins
    share most of their returns. Each fold is drawn separately, so that no block spans two folds.

    Args:
        loss: Mean loss by date, f64 [date].
        reference: The reference's, same dates.
        lengths: Dates of each fold, in order; they add up to the dates.
        seed: Of the random draws.

    Returns:
        Difference, lower and upper bound, each in per cent of the reference; negative is better.
    """
    generator = np.random.default_rng(seed)
    starts = np.cumsum([0, *lengths[:-1]])
    drawn = np.concatenate(
        [first + draw_circular_blocks(count, generator) for first, count in zip(starts, lengths, strict=True)], axis=1
    )
    differences = 100 * (loss[drawn].sum(axis=1) / reference[drawn].sum(axis=1) - 1)
    lower, upper = np.quantile(differences, (0.025, 0.975))
    return float(100 * (loss.sum() / reference.sum() - 1)), float(lower), float(upper)
