"""Money that is dated by its day alone counts where the values show it, so that no limit takes it for a loss."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from internal.books.flow_times import place_flows
from internal.books.time_weighted import ExternalFlow, Valuation, link_returns

EVENING = datetime(2026, 11, 23, 21, 5, tzinfo=UTC)
MIDNIGHT = datetime(2026, 11, 24, 5, tzinfo=UTC)  # in New York
MOMENTS = (EVENING, MIDNIGHT + timedelta(hours=9.6), MIDNIGHT + timedelta(hours=16.1), MIDNIGHT + timedelta(days=1.4))


def value(*dollars: float) -> list[Valuation]:
    """Values of an evening, the next morning and evening, and the morning after."""
    return [Valuation(moment, one, one) for moment, one in zip(MOMENTS, dollars, strict=False)]


@pytest.mark.parametrize(
    ("dollars", "flow", "returns"),
    [
        ((100.0, 100.0, 70.0), -30.0, (1, 1, 1)),  # withdrawn in the afternoon
        ((100.0, 70.0, 70.0), -30.0, (1, 1, 1)),  # before the open
        ((100.0, 100.0, 100.0, 70.0), -30.0, (1, 1, 1, 1)),  # after the close
        ((100.0, 90.0, 60.0), -30.0, (1, 0.9, 0.9)),  # and 10% lost in the morning
        ((100.0, 100.0, 63.0), -30.0, (1, 1, 0.93)),  # and 7% lost in the same hours
        ((100.0, 100.0, 160.0), 60.0, (1, 1, 1)),  # paid in
    ],
)
def test_a_flow_of_a_day_counts_where_it_shows(
    dollars: tuple[float, ...], flow: float, returns: tuple[float, ...]
) -> None:
    """The growth of a dollar by hand: what was paid in or out is none of it."""
    values = value(*dollars)
    index = link_returns(values, place_flows(values, [ExternalFlow(MIDNIGHT, flow)]))
    assert index.tolist() == pytest.approx(returns)


def test_others_stay_where_they_are() -> None:
    """A flow with a time of its own, one that no value shows, and one before all values."""
    flows = [ExternalFlow(MIDNIGHT + timedelta(hours=1), -30.0), ExternalFlow(MIDNIGHT, 5.0)]
    assert place_flows(value(100.0, 100.0, 70.0), flows) == flows
    early = [ExternalFlow(MIDNIGHT - timedelta(days=5), 100.0)]
    assert place_flows(value(100.0, 100.0), early) == early
    assert place_flows([], early) == early


@given(st.lists(st.floats(-1000, 1000), max_size=4))
def test_no_dollar_is_lost(amounts: list[float]) -> None:
    """The same amounts, each on its day or at the first value after it."""
    flows = [ExternalFlow(MIDNIGHT, amount) for amount in amounts]
    placed = place_flows(value(1000.0, 1200.0, 700.0, 900.0), flows)
    assert [one.amount for one in placed] == amounts
    assert all(MIDNIGHT <= one.moment <= MOMENTS[-1] for one in placed)
