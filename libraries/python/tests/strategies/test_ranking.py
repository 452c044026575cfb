"""Scores that rank nothing: constants, and forecasts of volatility alone."""

from dataclasses import replace

import numpy as np
import pytest
from loaded_strategies import ten_by_ten

from internal.strategies.constructions.ranking import find_forecast_problem, find_ranking_problem
from internal.trading.arrays import FloatArray
from internal.trading.decision import decide
from internal.trading.enums import Action
from internal.trading.limits import RiskLimits
from internal.trading.ranks import rank_names
from libraries.python.tests.strategies.small_situations import make_situation

NAMES = tuple(f"T{number:02d}" for number in range(40))
PRICES = dict.fromkeys(NAMES, 50.0)


def volatility_bands(median: float, digits: int = 12, seed: int = 1) -> FloatArray:
    """Bands as a HAR has them: each name's scale x quantiles that all names share, as simple returns."""
    scale = np.random.default_rng(seed).lognormal(-3, 0.4, len(NAMES))
    return np.round(np.expm1(np.outer(scale, [-1.2, median, 1.25])), digits)


def median_over_width(bands: FloatArray) -> FloatArray:
    """The score of `ten_by_ten`."""
    return bands[:, 1] / (bands[:, 2] - bands[:, 0])


@pytest.mark.parametrize("median", [0.0, 0.03, -0.05])
@pytest.mark.parametrize("digits", [12, 6])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_forecast_of_volatility_opens_nothing(median: float, digits: int, seed: int) -> None:
    """Medians that are one multiple of the width are found, stored with twelve digits or with six."""
    bands = volatility_bands(median, digits, seed)
    situation = make_situation(PRICES, bands=bands, capital=1e5)
    scores = median_over_width(bands)
    assert (find_ranking_problem(situation, scores) or find_forecast_problem(situation, scores)) is not None
    decision = decide(situation, ten_by_ten(), RiskLimits())
    assert decision.rows == ()
    (note,) = decision.notes  # names were not looked for: no note says that there are too few, or too little capital
    assert note.startswith("nothing is opened: ")


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_intervals_that_adapt_by_group_open_nothing(seed: int) -> None:
    """One multiple of the scale, each of twelve groups' intervals widened by -10 to +10 %: their misses rank nobody."""
    generator = np.random.default_rng(seed)
    factors = generator.uniform(0.9, 1.1, 12)[generator.integers(12, size=len(NAMES))]
    scale = generator.lognormal(-3, 0.4, len(NAMES))
    bands = np.expm1(scale[:, None] * np.stack([-1.2 * factors, np.full(len(NAMES), 0.05), 1.25 * factors], axis=1))
    situation = make_situation(PRICES, bands=bands, capital=1e5)
    assert np.ptp(scores := median_over_width(bands)) / scores.max() > 0.1
    assert find_forecast_problem(situation, scores) is not None
    assert decide(situation, ten_by_ten(), RiskLimits()).rows == ()


def test_equal_medians_open_nothing() -> None:
    """All medians 1 %: the score is in the opposite order of the width."""
    width = np.random.default_rng(2).uniform(0.05, 0.3, len(NAMES))
    bands = np.stack([0.01 - width / 2, np.full(len(NAMES), 0.01), 0.01 + width / 2], axis=1)
    situation = make_situation(PRICES, bands=bands)
    problem = find_forecast_problem(situation, median_over_width(bands))
    assert problem == "nothing is opened: the score's order is that of the forecasts' widths, a bet on volatility"


def test_exits_go_on() -> None:
    """With forecasts of volatility alone, a position outside its band is closed all the same."""
    bands = volatility_bands(0.03)
    situation = make_situation(PRICES, bands=bands, held={"T05": 10.0, "T06": 10.0})
    fallen, calm = situation.positions
    moved = replace(situation, positions=(replace(fallen, entry_price=200.0), calm))
    rows = {row.ticker: row.action for row in decide(moved, ten_by_ten(), RiskLimits()).rows}
    assert rows["T05"] is Action.CLOSE
    assert Action.OPEN not in rows.values()


def test_medians_that_differ_rank() -> None:
    """Medians drawn beside the widths, widths that are all alike, and too few names: no problem."""
    bands = volatility_bands(0.0)
    drawn = bands + np.random.default_rng(4).normal(0, 0.005, (len(NAMES), 1))
    situation = make_situation(PRICES, bands=drawn)
    assert find_forecast_problem(situation, median_over_width(drawn)) is None
    medians = np.linspace(-0.02, 0.02, len(NAMES))
    alike = np.stack([medians - 0.05, medians, medians + 0.05], axis=1)
    situation = make_situation(PRICES, bands=alike)
    assert find_forecast_problem(situation, median_over_width(alike)) is None
    few = make_situation(dict.fromkeys("ABC", 50.0), bands=bands[:3])
    assert find_forecast_problem(few, median_over_width(bands[:3])) is None


def test_another_score_is_not_measured_by_forecasts() -> None:
    """Momentum beside forecasts of volatility ranks: its order is not that of the widths."""
    situation = make_situation(PRICES, bands=volatility_bands(0.03))
    assert find_forecast_problem(situation, np.random.default_rng(5).normal(size=len(NAMES))) is None


def test_ranking_by_hand() -> None:
    """Best first, ties by ticker; no score, not in the universe: no rank; a held name has one all the same."""
    situation = make_situation(dict.fromkeys("ABCDE", 10.0), held={"E": 1.0})
    situation.inputs.liquid[[3, 4]] = False
    scores = np.array([1.0, 2.0, 1.0, 9.0, 0.0])
    assert rank_names(situation, scores) == [1, 0, 2, 4]
    assert rank_names(situation, np.where(np.arange(5) == 1, np.nan, scores)) == [0, 2, 4]
