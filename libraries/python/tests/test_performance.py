"""Exposure and drawdown against hand calculations and by invariants."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from internal.performance import (
    annualised_return,
    annualised_volatility,
    beta,
    drawdowns,
    gross_exposure,
    maximum_drawdown,
    net_exposure,
    returns_of,
    sharpe_ratio,
)


def test_exposure_by_hand() -> None:
    """60 long and 40 short of 200: 0.5 gross and 0.1 net; nothing of nothing is 0."""
    assert gross_exposure(60.0, -40.0, 200.0) == pytest.approx(0.5)
    assert net_exposure(60.0, -40.0, 200.0) == pytest.approx(0.1)
    assert gross_exposure(0.0, 0.0, 0.0) == net_exposure(0.0, 0.0, 0.0) == 0.0


def test_drawdown_by_hand() -> None:
    """100, 120, 90, 130, 117: a quarter below 120, later a tenth below 130."""
    values = np.array([100.0, 120.0, 90.0, 130.0, 117.0])
    assert drawdowns(values).tolist() == pytest.approx([0.0, 0.0, 0.25, 0.0, 0.1])
    assert maximum_drawdown(values) == pytest.approx(0.25)
    assert maximum_drawdown(values[:0]) == 0.0


@given(st.lists(st.floats(0.01, 1e9), min_size=1, max_size=30))
def test_maximum_drawdown_is_the_worst_buy_and_sell(values: list[float]) -> None:
    """It is the largest loss of any purchase and later sale, and no rise changes it when all is doubled."""
    pairs = [1 - later / earlier for place, earlier in enumerate(values) for later in values[place:]]
    assert maximum_drawdown(np.array(values)) == pytest.approx(max(*pairs, 0.0), abs=1e-12)
    assert maximum_drawdown(2 * np.array(values)) == pytest.approx(maximum_drawdown(np.array(values)), abs=1e-12)


@given(arrays(np.float64, st.integers(3, 90), elements=st.floats(50, 200)))
def test_beta_of_half_the_market(values: np.ndarray) -> None:
    """A fund whose returns are half the market's has half its beta; the market has one."""
    market = returns_of(values)
    if market.var() > 1e-9:
        assert beta(market, market) == pytest.approx(1)
        assert beta(0.5 * market, market) == pytest.approx(0.5)


def test_figures_of_many_series_at_once_are_those_of_each() -> None:
    """A row of a matrix gives what the row alone gives."""
    many, market = np.random.default_rng(3).normal(0.001, 0.01, (2, 4, 60))
    for figure in (annualised_return, annualised_volatility, sharpe_ratio):
        assert figure(many).tolist() == pytest.approx([float(figure(one)) for one in many])
    assert beta(many, market).tolist() == pytest.approx([float(beta(*pair)) for pair in zip(many, market, strict=True)])


@pytest.mark.parametrize(
    "returns", [np.full(60, 0.001), np.zeros(60), np.array([0.1]), np.array([]), np.full(9, np.nan)]
)
def test_no_ratio_and_no_beta_without_variance(returns: np.ndarray) -> None:
    """Equal returns, one return, none, or unknown ones: NaN instead of a ratio of 1e14, and no warning."""
    with np.errstate(all="raise"):
        assert np.isnan(sharpe_ratio(returns))
        assert np.isnan(beta(returns, returns))


def test_returns_that_differ_by_the_rounding_of_cents_do_not_vary() -> None:
    """0.1 per cent a day of 100,000 dollars, to the cent: neither a ratio nor a beta, as of the unrounded values."""
    values = np.round(100_000 * np.cumprod([1.0, *np.full(60, 1.001)]), 2)
    returns = returns_of(values)
    assert np.isnan(sharpe_ratio(returns))
    assert np.isnan(beta(returns, returns))


def test_no_return_after_everything_was_lost() -> None:
    """100, 50, -10, -5, 5: half is lost, then more than all; from there on a ratio means nothing."""
    found = returns_of(np.array([100.0, 50.0, -10.0, -5.0, 5.0]))
    assert found.tolist() == pytest.approx([-0.5, -1.2, np.nan, np.nan], nan_ok=True)


def test_a_total_loss_is_minus_one_a_year() -> None:
    """A return of -100 per cent, or below it, ends at nothing."""
    assert annualised_return(np.array([0.1, -1.0, 0.5])) == -1
    assert annualised_return(np.array([0.1, -1.5, 0.5])) == -1
