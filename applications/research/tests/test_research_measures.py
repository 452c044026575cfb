"""Figures of a backtest against empyrical, ffn and hand calculations, and their intervals against known truths."""

import warnings
from dataclasses import astuple, replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from applications.research.tests.other_libraries import empyrical_figures, ffn_drawdowns, regression_line
from applications.research.tests.research_results import DAYS, buy, drawn_result, example_result, sell
from internal.calendar_returns import returns_by_month
from internal.drawdown_periods import deepest_drawdowns
from internal.performance import returns_of, sharpe_ratio
from research.statistics.estimates import UNDEFINED, Bootstrap
from research.statistics.figures import mean
from research.statistics.measures import measure
from research.statistics.rolling import rolling_sharpe

RETURNS = arrays(np.float64, st.integers(40, 90), elements=st.floats(-0.2, 0.2))


@pytest.mark.parametrize("seed", range(5))
def test_figures_are_those_of_empyrical(seed: int) -> None:
    """Return, volatility, Sharpe, Sortino, drawdown, beta and alpha of drawn returns."""
    market, own = np.random.default_rng(seed).normal(0.0004, 0.01, (2, 300))
    found = measure(drawn_result(own + 0.3 * market, market))
    expected = empyrical_figures(own + 0.3 * market, market)
    assert {name: getattr(found, name).value for name in expected} == pytest.approx(expected)


def test_trading_by_hand() -> None:
    """100,000 dollars, 1015 bought and 195 sold over four sessions: turnover 605 / 4 / 100,000 a session."""
    value = np.full(50, 100_000.0)
    result = drawn_result(np.zeros(49))
    days = result.days
    result = replace(
        result,
        net_asset_value=value,
        fills=(buy(days[1], 10, 100, 101, 101.5), sell(days[2], 4, 50, 49, 48.75)),
    )
    found = measure(result)
    assert found.turnover.value == pytest.approx((1015 + 195) / 2 / 49 / 100_000 * 252)
    assert found.impact.value == pytest.approx(6 / 49 / 100_000 * 252)
    assert found.overnight_drift.value == pytest.approx(14 / 49 / 100_000 * 252)
    assert found.fees.value == pytest.approx(1 / 100_000 * 252)
    assert found.borrow.value == pytest.approx(2 / 100_000 * 252)
    assert found.cost.value == pytest.approx((6 / 49 + 1 + 2) / 100_000 * 252)


def test_hit_rate_by_hand() -> None:
    """Two gains, one loss, one session without either: two thirds."""
    value = np.array([100.0, 101.0, 101.0, 100.0, 102.0])
    assert measure(example_result(net_asset_value=value)).hit_rate.value == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("values", "defined"),
    [
        (np.full(60, 100.0), {"total_return", "annualised_return", "volatility", "maximum_drawdown"}),
        (np.cumprod([100.0, *np.full(59, 1.001)]), {"total_return", "hit_rate", "maximum_drawdown", "volatility"}),
        (np.array([100.0, 101.0]), {"total_return", "maximum_drawdown", "hit_rate"}),
        (np.array([100.0]), set[str]()),
        (np.array([100.0, np.nan, 101.0] * 20), set[str]()),
        (np.array([100.0, 0.0, 0.0] * 20), set[str]()),
    ],
    ids=["constant", "equal returns", "one return", "no return", "not a number", "nothing left"],
)
def test_degenerate_values_have_defined_results(values: np.ndarray, defined: set[str]) -> None:
    """No variance, too few sessions, unknown values: None, never 1e14, an error or a warning."""
    result = drawn_result(np.zeros(len(values) - 1))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = measure(replace(result, net_asset_value=values))
    assert defined <= {name for name in found.__dataclass_fields__ if getattr(found, name).value is not None}
    for name in ("sharpe", "sortino", "beta"):
        assert getattr(found, name) == UNDEFINED
    for estimate in astuple(found):
        assert all(value is None or np.isfinite(value) for value in estimate)


@given(RETURNS)
def test_intervals_hold_their_order(returns: np.ndarray) -> None:
    """The lower end is not above the upper one, and a mean is inside its interval."""
    estimate = Bootstrap.draw(len(returns)).estimate(mean, returns)
    assert estimate.value is not None
    assert estimate.lower is not None
    assert estimate.upper is not None
    assert estimate.lower - 1e-12 <= estimate.value <= estimate.upper + 1e-12


def test_intervals_of_shuffled_strategies_cover_zero_at_the_nominal_rate() -> None:
    """200 strategies without skill: the Sharpe ratio's 95 % interval covers zero for 95 % of them, within chance.

    The binomial deviation of 200 draws is 1.5 %; blocks of ten make intervals of 500 sessions about 1 % too narrow.
    """
    market = np.random.default_rng(0).standard_t(4, 500) * 0.01
    covered = 0
    for seed in range(200):
        generator = np.random.default_rng(seed)
        positions = generator.permutation(np.repeat([-1.0, 1.0], 250))
        estimate = Bootstrap.draw(500).estimate(sharpe_ratio, positions * generator.permutation(market))
        covered += estimate.lower is not None and estimate.upper is not None and estimate.lower < 0 < estimate.upper
    assert 0.90 <= covered / 200 <= 0.98


def test_drawdowns_are_those_of_ffn() -> None:
    """Start, end and depth of every fall of a drawn path."""
    result = drawn_result(np.random.default_rng(4).normal(0.001, 0.01, 300))
    found = deepest_drawdowns(result.days, result.net_asset_value, count=1000)
    expected = ffn_drawdowns(result.days, result.net_asset_value)
    assert sorted(period.depth for period in found) == pytest.approx(sorted(expected.values()))
    first_below = {result.days[result.days.index(period.peak) + 1]: period.depth for period in found}
    assert first_below == pytest.approx(expected)


def test_a_drawdown_by_hand() -> None:
    """100, 120, 90, 110, 130: a quarter below 120, one session down and two up; the open one after it has no end."""
    found = deepest_drawdowns(DAYS, np.array([120.0, 90.0, 110.0, 130.0, 117.0]))
    assert [astuple(period) for period in found] == [
        (DAYS[0], DAYS[1], DAYS[3], 0.25, 1, 2),
        (DAYS[3], DAYS[4], None, pytest.approx(0.1), 1, None),
    ]


def test_no_drawdown_without_a_fall() -> None:
    """Rising values have none, and values that are not known neither."""
    assert deepest_drawdowns(DAYS, np.arange(1.0, 6.0)) == ()
    assert deepest_drawdowns(DAYS, np.array([1.0, np.nan, 1, 1, 1])) == ()


def test_months_by_hand() -> None:
    """Two sessions of December and one of February compound to their year."""
    days = (date(2023, 12, 28), date(2023, 12, 29), date(2024, 2, 1))
    first, second = returns_by_month(days, np.array([0.1, -0.5, 0.2]))
    assert (first.year, first.months[11], first.total) == (2023, pytest.approx(-0.45), pytest.approx(-0.45))
    assert (second.months[0], second.months[1], second.total) == (None, pytest.approx(0.2), pytest.approx(0.2))


def test_the_rolling_ratio_is_that_of_each_window() -> None:
    """Its last value is the ratio of the last window; it is unknown before the first is full."""
    returns = np.random.default_rng(1).normal(0, 0.01, 30)
    found = rolling_sharpe(returns, window=20)
    assert np.isnan(found[:19]).all()
    assert found[-1] == pytest.approx(float(sharpe_ratio(returns[-20:])))
    assert np.isnan(rolling_sharpe(returns[:5], window=20)).all()


def test_alpha_is_the_intercept_of_the_regression() -> None:
    """Numpy's least squares line through the two series of returns."""
    market, own = np.random.default_rng(2).normal(0.0004, 0.01, (2, 100))
    slope, intercept = regression_line(market, own)
    found = measure(drawn_result(own, market))
    assert found.alpha.value == pytest.approx(intercept * 252)
    assert found.beta.value == pytest.approx(slope)


def test_returns_of_values() -> None:
    """100 to 110 to 99."""
    assert returns_of(np.array([100.0, 110.0, 99.0])).tolist() == pytest.approx([0.1, -0.1])
