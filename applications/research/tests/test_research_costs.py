"""Other costs and other capitals: by hand, and against the venue's own slippage of larger orders."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from applications.research.tests.research_results import DAYS, buy, drawn_result, example_result
from internal.backtests.report_rows import Basis
from internal.performance import annualised_return
from internal.venue.market.listing import Bar
from internal.venue.matching import slippage
from research.result import BacktestResult
from research.statistics.capacity import estimate_capacity, impact_at
from research.statistics.costs import returns_at, scale_costs

NOISE = np.random.default_rng(0).normal(0, 0.01, 100)


def test_scaled_costs_by_hand() -> None:
    """A fill that paid 5, a fee of 3, borrow of 2 on 100,000: at twice the costs 10 more are lost, at none 10 fewer."""
    zeros = np.zeros(5)
    result = example_result(
        fees=zeros + np.array([0, 3, 0, 0, 0]),
        borrow=zeros + np.array([0, 2, 0, 0, 0]),
        fills=(buy(DAYS[1], 10, 100, 101, 101.5),),
    )
    assert returns_at(result, 2.0).tolist() == pytest.approx([-1e-4, 0, 0, 0])
    assert returns_at(result, 1.0).tolist() == [0, 0, 0, 0]
    assert returns_at(result, 0.0).tolist() == pytest.approx([1e-4, 0, 0, 0])


def test_costs_of_a_run_at_twice_the_costs() -> None:
    """Booked costs of 2x: the booked row is that of 2x, and 1x takes half of them away."""
    doubled = drawn_result(NOISE, cost_multiple=2.0)
    rows = {row.multiple: row for row in scale_costs(doubled, {})}
    assert rows[2.0].basis is Basis.BOOKED
    assert rows[1.0].basis is Basis.FIRST_ORDER
    assert rows[2.0].annualised_return.value == pytest.approx(float(annualised_return(NOISE)))
    saved = 1.5 / doubled.net_asset_value[:-1]
    assert rows[1.0].annualised_return.value == pytest.approx(float(annualised_return(NOISE + saved)))


def test_a_run_takes_the_place_of_scaled_costs() -> None:
    """Where the strategy was run with other costs, its own returns count."""
    rows = {row.multiple: row for row in scale_costs(drawn_result(NOISE), {2.0: NOISE - 0.001, 3.0: NOISE, 1.0: NOISE})}
    assert [rows[multiple].basis for multiple in (1.0, 2.0, 3.0)] == [Basis.BOOKED, Basis.RUN_AGAIN, Basis.RUN_AGAIN]
    assert rows[2.0].annualised_return.value == pytest.approx(float(annualised_return(NOISE - 0.001)))


def test_a_run_without_costs_cannot_be_scaled() -> None:
    """Nothing was booked, so only what was run is defined."""
    rows = {row.multiple: row for row in scale_costs(drawn_result(NOISE, cost_multiple=0.0), {})}
    assert rows[0.0].annualised_return.value is not None
    assert rows[1.0].annualised_return.value is None


@given(st.floats(0.01, 500), st.integers(1, 50), st.floats(1.001, 1.1))
def test_impact_is_the_venue_s_of_larger_orders(multiple: float, quantity: int, high_over_low: float) -> None:
    """An order k times as large pays what the venue's model charges that order, to the last digit."""
    bar = Bar("ABC", DAYS[1], 100.0, 100.0 * high_over_low, 100.0, 100.0, 1e6, None, None)
    booked = buy(DAYS[1], quantity, 100, 100, 100 * (1 + slippage(quantity, bar)))
    expected = multiple * quantity * 100 * slippage(multiple * quantity, bar)
    assert impact_at(example_result(fills=(booked,)), multiple)[1] == pytest.approx(expected, rel=1e-6)


def result_with_fills() -> BacktestResult:
    """Ten fills of 1,000 shares in a ticker of a million shares a session, with 10 basis points of slippage."""
    result = drawn_result(NOISE)
    return replace(result, fills=tuple(buy(day, 1000, 100, 100, 100.1) for day in result.days[1:11]))


def test_more_capital_costs_more() -> None:
    """Return falls with the capital; 50 times as large the orders are 5 % of the volume, 51 times above it."""
    points = estimate_capacity(result_with_fills(), {}, (0.1, 1.0, 49.0, 51.0))
    returns = [point.annualised_return.value for point in points]
    assert returns == sorted(returns, key=lambda value: -(value or 0.0))
    assert [point.above_limit for point in points] == [0, 0, 0, 1]
    assert [point.basis for point in points] == [Basis.FIRST_ORDER, Basis.BOOKED, Basis.FIRST_ORDER, Basis.FIRST_ORDER]
    assert points[1].impact == pytest.approx(0.1 / 100.1)


def test_a_run_takes_the_place_of_scaled_capital() -> None:
    """Where the strategy was run with another capital, its own returns count."""
    point = estimate_capacity(result_with_fills(), {1_000_000.0: NOISE - 0.001}, (10.0,))[-1]
    assert (point.capital, point.basis, point.impact) == (1_000_000.0, Basis.RUN_AGAIN, None)
    assert point.annualised_return.value == pytest.approx(float(annualised_return(NOISE - 0.001)))


def test_without_fills_capital_does_not_matter() -> None:
    """Nothing was traded: no impact, and the same return at every capital."""
    points = estimate_capacity(drawn_result(NOISE), {})
    assert len({point.annualised_return.value for point in points}) == 1
    assert {(point.impact, point.above_limit) for point in points} == {(None, None)}
