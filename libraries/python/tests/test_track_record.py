"""The track record of a series of values, against hand calculations, numpy and invariants."""

from datetime import UTC, date, datetime

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from internal.errors import InvalidRequestError
from internal.performance import MINIMUM_RETURNS_FOR_A_YEAR
from internal.track_record import buy_and_hold, track_record, value_by_session

VALUES = arrays(np.float64, st.integers(3, 90), elements=st.floats(50, 200))


def test_by_hand() -> None:
    """100, 110, 99: returns of 10 and -10 per cent, a total of -1 per cent, a drawdown of 10 per cent."""
    found = track_record(np.array([100.0, 110.0, 99.0]))
    assert found.total_return == pytest.approx(-0.01)
    assert found.volatility == pytest.approx(0.02**0.5 * 252**0.5)  # deviations of 0.1 twice, divided by one
    assert found.maximum_drawdown == pytest.approx(0.1)
    assert (found.annualised_return, found.sharpe, found.sharpe_interval) == (None, None, None)


def test_a_year_by_hand() -> None:
    """252 returns of +2 and -1 per cent in turn: the total is the year's return, the ratio is mean over deviation."""
    returns = np.tile([0.02, -0.01], 126)
    found = track_record(np.cumprod([100.0, *(1 + returns)]))
    assert found.annualised_return == pytest.approx(found.total_return)
    assert found.sharpe is not None
    assert found.sharpe == pytest.approx(0.005 / np.std(returns, ddof=1) * 252**0.5)
    assert found.sharpe_interval is not None
    lower, upper = found.sharpe_interval
    assert lower <= found.sharpe <= upper


def test_the_interval_is_as_wide_as_the_formula_for_independent_returns() -> None:
    """Lo (2002), equation 9: the error of a daily ratio S over n independent returns is the root of (1 + S^2/2) / n."""
    returns = np.random.default_rng(5).normal(0.0005, 0.01, 2000)
    found = track_record(np.cumprod([100.0, *(1 + returns)]))
    assert found.sharpe is not None
    assert found.sharpe_interval is not None
    error = ((1 + (found.sharpe**2 / 252) / 2) / 2000 * 252) ** 0.5
    assert found.sharpe_interval[1] - found.sharpe_interval[0] == pytest.approx(2 * 1.96 * error, rel=0.15)


@given(VALUES)
def test_invariants(values: np.ndarray) -> None:
    """The unit of the values does not matter, a drawdown is between 0 and 1, yearly figures need enough returns."""
    found, cents = track_record(values), track_record(100 * values)
    assert found.total_return == pytest.approx(cents.total_return)
    assert found.maximum_drawdown == pytest.approx(cents.maximum_drawdown)
    assert 0 <= found.maximum_drawdown < 1
    assert (found.annualised_return is None) == (len(values) <= MINIMUM_RETURNS_FOR_A_YEAR)
    assert (found.sharpe is None) == (found.sharpe_interval is None)


def test_values_that_do_not_move_have_no_ratio() -> None:
    """A deviation of zero gives no ratio, and neither does one of rounding alone."""
    assert track_record(np.ones(60)).sharpe is None
    assert track_record(np.cumprod([100.0, *np.full(60, 1.001)])).sharpe is None


@pytest.mark.parametrize("values", [[100.0, 101.0], [100.0, 0.0, 100.0], []])
def test_too_few_values_are_refused(values: list[float]) -> None:
    """Two values or none, or a value of zero."""
    with pytest.raises(InvalidRequestError, match="needs 3 values above zero"):
        track_record(np.array(values))


def test_the_last_snapshot_of_a_session_counts() -> None:
    """Days are New York's: 01:00 UTC is the evening before; a session without a snapshot repeats the previous one."""
    points = pl.DataFrame(
        {
            "timestamp": [
                datetime(2025, 1, 7, 21, 0, tzinfo=UTC),
                datetime(2025, 1, 3, 21, 0, tzinfo=UTC),
                datetime(2025, 1, 4, 1, 0, tzinfo=UTC),
            ],
            "net_asset_value": [3.0, 1.0, 2.0],
        }
    )
    found = value_by_session(points, date(2025, 1, 3), date(2025, 1, 7))
    assert found.rows() == [(date(2025, 1, 3), 2.0), (date(2025, 1, 6), 2.0), (date(2025, 1, 7), 3.0)]


def test_buy_and_hold_by_hand() -> None:
    """Equal dollars of A (10, 12, 15) and B (20, 10, no bar): 1, (1.2 + 0.5) / 2, (1.5 + 0.5) / 2; C starts later."""
    days = [date(2025, 1, 3), date(2025, 1, 6), date(2025, 1, 7)]
    bars = pl.DataFrame(
        {
            "ticker": ["A", "A", "A", "B", "B", "C"],
            "date": [days[2], days[0], days[1], days[0], days[1], days[2]],
            "close": [15.0, 10.0, 12.0, 20.0, 10.0, 99.0],
        }
    )
    found = buy_and_hold(bars, days[0], days[2])
    assert found["date"].to_list() == days
    assert found["buy_and_hold"].to_list() == pytest.approx([1.0, 0.85, 1.0])
