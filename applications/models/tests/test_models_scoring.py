"""Scores compared with hand calculations, and the bootstrap with its known properties."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from internal.dates import sessions
from internal.forecasting.held_out_coverage import BreakCoverage, describe_break
from models.break_coverage import find_sharpest_rise
from models.scoring import compute_relative_difference, score_forecast
from models.traits import Trait
from models.truth import Truth


def _truth(days: int, tickers: int) -> Truth:
    dates = [date(2024, 1, 1) + timedelta(days=place) for place in range(days) for _ in range(tickers)]
    random = np.random.default_rng(1)
    returns = random.normal(0, 0.02, (days * tickers, 7))
    volatility = np.tile(np.linspace(0.01, 0.03, tickers), days)
    sectors = pl.Series([["Energy", None, "Health"][place % 3] for place in range(tickers)] * days)
    folds = np.zeros(days * tickers, np.int64)
    names = pl.Series([f"T{place:02}" for place in range(tickers)] * days)
    traits = {Trait.VOLATILITY: volatility, Trait.BETA: np.full(days * tickers, np.nan)}
    return Truth(pl.Series(dates), np.cumsum(returns, axis=1), returns, volatility, sectors, folds, names, traits)


def test_score_of_a_perfect_median() -> None:
    """A median that is the truth has rank correlation 1; an interval that contains every truth has coverage 1."""
    truth = _truth(20, 15)
    wide = np.stack([truth.cumulative - 1, truth.cumulative, truth.cumulative + 1], axis=2)
    found = score_forecast("perfect", truth, wide, np.zeros((300, 7, 3)))
    assert found.evidence is not None
    assert found.evidence.rank_correlation == pytest.approx(1.0)
    assert found.coverage == 1.0
    assert found.cumulative == pytest.approx(2 * 0.1 / 3)
    assert np.mean(found.by_step) == pytest.approx(found.cumulative)
    assert np.mean(found.cumulative_by_date) == pytest.approx(found.cumulative)


def test_groups_and_calibration() -> None:
    """Coverage by third and by sector, with an interval that contains every truth of the calm third only."""
    truth = _truth(20, 15)
    calm = np.tile(np.arange(15) < 5, 20)
    width = np.where(calm, 1.0, 0.0)[:, None, None] * np.array([-1.0, 0.0, 1.0])
    found = score_forecast("calm", truth, np.broadcast_to(width, (300, 7, 3)), np.zeros((300, 7, 3)))
    assert found.coverage_by_volatility == pytest.approx([1.0, 0.0, 0.0])
    assert found.coverage_by_sector == pytest.approx({"Energy": 2 / 5, "Health": 1 / 5})
    below = (truth.cumulative[:, 2] <= 0).mean()
    assert found.calibration[2][1] == pytest.approx(below)
    assert found.tails == pytest.approx((found.by_quantile[0] + found.by_quantile[2]) / 2)


def test_coverage_and_calibration_by_date() -> None:
    """Each date has its own figures, and their mean over dates with as many rows is that of all rows."""
    truth = _truth(20, 15)
    calm = np.tile(np.arange(15) < 5, 20)
    width = np.where(calm, 1.0, 0.0)[:, None, None] * np.array([-1.0, 0.0, 1.0])
    found = score_forecast("calm", truth, np.broadcast_to(width, (300, 7, 3)), np.zeros((300, 7, 3)))
    assert found.days == [date(2024, 1, 1) + timedelta(days=place) for place in range(20)]
    assert found.rows_by_date.tolist() == [15] * 20
    assert found.coverage_by_date == pytest.approx(np.tile([1 / 3, 1.0, 0.0, 0.0], (20, 1)))
    assert found.below_by_date.mean(axis=0) == pytest.approx(np.mean(found.calibration, axis=0))
    first = truth.cumulative[:15]
    assert found.below_by_date[0, 1] == pytest.approx((first <= 0).mean())
    rising = replace(truth, volatility=np.repeat(np.arange(20.0), 15))  # a third is some of the dates
    by_time = score_forecast("calm", rising, np.broadcast_to(width, (300, 7, 3)), np.zeros((300, 7, 3)))
    assert np.isnan(by_time.coverage_by_date[0]).tolist() == [False, False, True, True]


def test_thirds_of_dates_and_of_rows() -> None:
    """With volatility that rises by date, thirds of all rows are thirds of time; thirds of each date are not."""
    truth = _truth(21, 15)
    grown = replace(truth, volatility=truth.volatility + np.repeat(np.arange(21.0), 15))
    width = np.where(np.tile(np.arange(15) < 5, 21), 1.0, 0.0)[:, None, None] * np.array([-1.0, 0.0, 1.0])
    found = score_forecast("calm", grown, np.broadcast_to(width, (315, 7, 3)), np.zeros((315, 7, 3)))
    assert found.coverage_within_date == pytest.approx([1.0, 0.0, 0.0])
    assert found.coverage_by_volatility == pytest.approx([1 / 3, 1 / 3, 1 / 3])


def test_sharpest_rise_by_hand() -> None:
    """Five sessions over the twenty before; the first origin whose next session is in the break, and how often."""
    moves = np.repeat([0.01, 0.03, 0.01], [50, 10, 40])
    assert find_sharpest_rise(moves) == (50, pytest.approx(3.0))
    assert find_sharpest_rise(np.repeat([0.01, 0.0199], 50)) is None  # it must double
    assert find_sharpest_rise(np.repeat([0.01, 0.021], [20, 5])) == (20, pytest.approx(2.1))
    assert find_sharpest_rise(np.repeat([0.01, 0.021], [20, 4])) is None  # too few sessions to judge
    assert find_sharpest_rise(np.zeros(100)) is None


def _after_break(session_count: int) -> BreakCoverage | None:
    """Returns triple after the 31st session; an interval holds those of the calm third from then on, others before."""
    days = sessions(date(2024, 1, 2), date(2024, 6, 28))[:session_count]
    origin, calm = np.repeat(np.arange(session_count), 15), np.tile(np.arange(15) < 5, session_count)
    moves = np.where(origin[:, None] >= 30, 0.03, 0.01) * np.ones((len(origin), 7))
    dates = pl.Series([day for day in days for _ in range(15)])
    truth = replace(_truth(session_count, 15), dates=dates, daily=moves)
    held = np.where((origin > 30) & (origin <= 90), calm, ~calm)
    quantiles = held[:, None, None] * np.array([-1.0, 0.0, 1.0]) * np.ones((len(origin), 7, 3))
    return score_forecast("broken", truth, quantiles, quantiles).after_break


def test_coverage_after_a_break() -> None:
    """The origins from the close of the break's first session on are counted, sixty at most, by third of their date."""
    days = sessions(date(2024, 1, 2), date(2024, 6, 28))
    for session_count, counted in ((120, 60), (41, 10)):
        found = _after_break(session_count)
        assert found is not None
        assert (found.first_day, found.session_count, found.thirds) == (days[31], counted, (1.0, 0.0, 0.0))
        assert (found.rise, found.whole) == pytest.approx((3.0, 1 / 3))
    assert _after_break(30) is None


@pytest.mark.parametrize("begin", [0, 10])
def test_a_break_in_the_first_sessions_is_not_denied(begin: int) -> None:
    """It is not found, because twenty sessions before it are not there; the sentence denies later ones alone."""
    moves = np.repeat([0.01, 0.05], [begin, 100 - begin])
    assert find_sharpest_rise(moves) is None
    assert "after the first 20 held-out sessions" in describe_break(None)
    assert find_sharpest_rise(np.repeat([0.01, 0.05], [20, 80])) == (20, pytest.approx(5.0))


def test_rank_t_of_a_random_median() -> None:
    """A random median has a small t statistic; the truth with noise has a large one."""
    truth, random = _truth(140, 30), np.random.default_rng(3)
    spread = np.array([-1.0, 0.0, 1.0])
    for known, within in ((0.0, (0, 2.5)), (1.0, (10, 1000))):
        median = known * truth.cumulative + random.normal(0, 0.05, truth.cumulative.shape)
        found = score_forecast("random", truth, median[..., None] + spread, np.zeros((4200, 7, 3)))
        assert found.evidence is not None
        assert found.evidence.rank_t is not None
        assert within[0] <= abs(found.evidence.rank_t) <= within[1]


def test_flat_median_has_no_rank() -> None:
    """Equal medians for every ticker have no rank correlation, and do not rank."""
    found = score_forecast("flat", _truth(20, 15), np.zeros((300, 7, 3)), np.zeros((300, 7, 3))).evidence
    assert found is not None
    assert (found.rank_correlation, found.ranks, found.is_enough) == (None, False, False)


def test_difference_of_equals_is_zero() -> None:
    """The difference of a loss from itself is 0, with an interval from 0 to 0."""
    loss = np.random.default_rng(0).uniform(1, 2, 80)
    assert compute_relative_difference(loss, loss, [80]) == (0.0, 0.0, 0.0)


def test_difference_by_hand_and_its_interval() -> None:
    """Two per cent more on every date is a difference of two per cent with an interval of width 0."""
    loss = np.random.default_rng(0).uniform(1, 2, 80)
    assert compute_relative_difference(1.02 * loss, loss, [80]) == pytest.approx((2.0, 2.0, 2.0))


def test_interval_covers_noise() -> None:
    """Of 200 pairs without a difference, about 95 % have zero in the interval (blocks of 10 on 250 dates)."""
    inside = 0
    for seed in range(200):
        random = np.random.default_rng(seed)
        reference = random.uniform(1, 2, 250)
        _, lower, upper = compute_relative_difference(reference + random.normal(0, 0.1, 250), reference, [250])
        inside += lower <= 0 <= upper
    assert 0.86 <= inside / 200 <= 0.99


def test_few_dates() -> None:
    """Fewer dates than a block's length are one block."""
    assert compute_relative_difference(np.array([1.0, 2.0]), np.array([1.0, 1.0]), [2])[0] == pytest.approx(50.0)


def test_no_block_spans_two_folds() -> None:
    """One per cent in one fold and three in the other are always two, because each fold is drawn separately."""
    loss = np.repeat([1.01, 1.03], 40)
    assert compute_relative_difference(loss, np.ones(80), [40, 40]) == pytest.approx((2.0, 2.0, 2.0))
    _, lower, upper = compute_relative_difference(loss, np.ones(80), [80])
    assert lower < 1.9
    assert upper > 2.1


def test_folds_are_counted_in_dates() -> None:
    """Two folds of 8 and 12 dates with 15 rows each."""
    truth = _truth(20, 15)
    assert replace(truth, folds=np.repeat([0, 1], [8 * 15, 12 * 15])).dates_by_fold() == [8, 12]
