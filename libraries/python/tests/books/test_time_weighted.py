"""Time-weighted return: hand calculations, a fund that is really run beside the account, and invariants."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from internal.books.time_weighted import ExternalFlow, Valuation, link_returns

MONDAY = datetime(2025, 3, 3, 21, tzinfo=UTC)  # the close of a session of six and a half hours, 16:00 in New York


def after(days: float) -> datetime:
    """A moment so many days after Monday's close."""
    return MONDAY + timedelta(days=days)


def value(days: float, dollars: float) -> Valuation:
    """What a fund that uses the whole account is worth."""
    return Valuation(after(days), dollars, dollars)


def index_of(values: dict[float, float], flows: dict[float, float]) -> list[float]:
    """The index of dollars by day, with flows by day."""
    found = link_returns(
        [value(days, dollars) for days, dollars in values.items()],
        [ExternalFlow(after(days), dollars) for days, dollars in flows.items()],
    )
    return found.tolist()


def test_a_deposit_and_its_withdrawal_are_no_return() -> None:
    """100,000, then 50,000 come in and leave a week later: nothing was gained and nothing lost."""
    assert index_of({0: 1e5, 1: 1.5e5, 8: 1e5}, {0.5: 5e4, 7.5: -5e4}) == [1.0, 1.0, 1.0]


def test_an_account_that_starts_at_nothing() -> None:
    """0, then 100,000 arrive, then 101,000: 0, 0, then one per cent; also where nobody said that they arrived."""
    for flows in ({0.5: 1e5}, {}):
        assert index_of({0: 0.0, 1: 1e5, 2: 1.01e5}, flows) == pytest.approx([1.0, 1.0, 1.01])


def test_a_flow_between_two_sessions_earns_from_the_next_open() -> None:
    """100,000 come in at 5:00 in New York; the session gains 1,000 on 200,000: half a per cent."""
    assert index_of({0: 1e5, 1: 2.01e5}, {13 / 24: 1e5}) == pytest.approx([1.0, 1.005])


def test_a_flow_in_the_middle_of_a_session_counts_half() -> None:
    """100,000 come in at 12:45, half of the session: 1,500 of gain on 150,000 on average."""
    assert index_of({0: 1e5, 1: 2.015e5}, {1 - 3.25 / 24: 1e5}) == pytest.approx([1.0, 1.01])


def test_several_flows_of_one_day() -> None:
    """+60,000, -10,000 and -50,000 before the open leave 100,000, which gains one per cent."""
    assert index_of({0: 1e5, 1: 1.01e5}, {0.1: 6e4, 0.2: -1e4, 0.3: -5e4}) == pytest.approx([1.0, 1.01])


def test_a_flow_at_a_valuation_is_contained_in_it() -> None:
    """What came in at the moment of the first valuation is in it; what came in at the second is of the period."""
    assert index_of({0: 1e5, 1: 1.5e5}, {0: 1e5, 1: 5e4}) == [1.0, 1.0]


@pytest.mark.parametrize("moment", [0.1, 0.9, 1.0])
def test_a_withdrawal_of_everything_keeps_what_was_earned(moment: float) -> None:
    """100,000 gain 1,000 and all of it leaves; a deposit later goes on from there."""
    found = index_of({0: 1e5, 1: 0.0, 2: 0.0, 3: 5e4, 4: 5.5e4}, {moment: -1.01e5, 2.5: 5e4})
    assert found == pytest.approx([1.0, 1.01, 1.01, 1.01, 1.111])


def test_a_loss_of_more_than_everything() -> None:
    """100 become -10: the dollar is gone for good, and more money does not bring it back."""
    assert index_of({0: 100.0, 1: -10.0, 2: -20.0, 3: 80.0, 4: 90.0}, {2.5: 100.0}) == [1.0, 0.0, 0.0, 0.0, 0.0]


def test_gains_of_a_part_of_the_account() -> None:
    """20,000 of 100,000 are the fund's: 200 of gain are one per cent; a deposit of 10,000 brings 2,000 of it."""
    values = [Valuation(after(0), 2e4, 1e5), Valuation(after(1), 2e4, 1.002e5), Valuation(after(2), 2.2e4, 1.1022e5)]
    found = link_returns(values, [ExternalFlow(after(1.5), 1e4)])
    assert found.tolist() == pytest.approx([1.0, 1.01, 1.01 * (1 + 20 / 22000)], rel=1e-4)


@pytest.mark.parametrize("amounts", [(1e4,), (-5e3,), (2e4, -2e4)])
def test_gains_on_capital_at_its_bound(amounts: tuple[float, ...]) -> None:
    """The fund may use 20,000 of 30,000: 300 of gain are 1.5 per cent, whatever others pay in and out meanwhile."""
    values = [Valuation(after(0), 2e4, 3e4), Valuation(after(1), 2e4, 3e4 + 300 + sum(amounts))]
    flows = [ExternalFlow(after(0.3 + 0.2 * number), amount) for number, amount in enumerate(amounts)]
    assert link_returns(values, flows).tolist() == pytest.approx([1.0, 1.015])


def test_no_valuation_and_one() -> None:
    """Of nothing there is no index; one valuation is its start."""
    assert link_returns([], []).tolist() == []
    assert index_of({0: 5.0}, {}) == [1.0]


RETURNS = st.lists(st.tuples(st.floats(-0.2, 0.2), st.floats(-0.9, 3.0)), min_size=1, max_size=12)


@given(RETURNS)
def test_flows_at_valuations_change_no_return(steps: list[tuple[float, float]]) -> None:
    """An account of which a share is paid in or out after each session has the index of one without flows."""
    values, flows, dollars = {0.0: 1e5}, dict[float, float](), 1e5
    for day, (gained, paid) in enumerate(steps, start=1):
        values[day] = dollars * (1 + gained)
        flows[day + 0.01] = paid * values[day]
        dollars = values[day + 0.02] = values[day] + flows[day + 0.01]
    expected = np.cumprod([1.0, *(1 + gained for gained, _ in steps)])
    found = dict(zip(values, index_of(values, flows), strict=True))
    assert [found[day] for day in range(len(steps) + 1)] == pytest.approx(expected.tolist())
