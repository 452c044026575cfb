"""The order of sessions against NumPy's sort, and thirds of a session by volatility against Polars' ranks."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from internal.baselines.ticker_groups import SessionOrder, TickerGroups, split_sessions


@settings(deadline=None)  # the first one may compile the kernels
@given(st.lists(st.integers(3, 20), max_size=60), st.booleans())
def test_sessions_in_order(sessions: list[int], is_sorted: bool) -> None:  # noqa: FBT001 (a parameter)
    """Rows of a session keep theirs; a session without rows has none, and no rows are one session."""
    session = np.array(sorted(sessions) if is_sorted else sessions, np.int32)
    order, expected = SessionOrder.of(session), np.argsort(session, kind="stable")
    assert order.arrange(np.arange(len(session))).tolist() == expected.tolist()
    each = [np.arange(len(session))[rows].tolist() for rows in order.each()]
    every = range(min(sessions, default=0), max(sessions, default=0) + 1)
    assert each == [np.flatnonzero(session == one).tolist() for one in every]
    assert order.moved is None or not is_sorted
    assert order.day.tolist() == (session - min(sessions, default=0)).tolist()
    arranged, again = order.in_order, SessionOrder.of(order.arrange(session))
    assert all(np.array_equal(value, vars(again)[name]) for name, value in vars(arranged).items())


VALUES = st.sampled_from([float("nan"), float("-inf"), -1.0, -0.0, 0.0, 1.0, 2.0, float("inf")]) | st.floats()


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), VALUES), max_size=60))
def test_thirds_of_any_values(drawn: list[tuple[int, float]]) -> None:
    """A value's third follows from its place among the session's sorted values that are numbers."""
    session, values = np.array([one for one, _ in drawn], np.int32), np.array([value for _, value in drawn], np.float64)
    expected = np.zeros(len(drawn), np.int32)
    for one in set(session.tolist()):
        rows = np.flatnonzero((session == one) & ~np.isnan(values))
        ranks = np.argsort(np.argsort(values[rows], kind="stable"))
        expected[rows] = (3 * ranks) // max(len(rows), 1)
    assert split_sessions(SessionOrder.of(session), values).tolist() == expected.tolist()


def test_a_value_for_each_row() -> None:
    """Fewer values than rows would be read beyond their end."""
    with pytest.raises(ValueError, match=r"3 rows have \(2,\) values"):
        split_sessions(SessionOrder.of(np.array([1, 1, 2])), np.ones(2))


@pytest.mark.parametrize("digits", [1, 6])
@pytest.mark.parametrize("is_sorted", [False, True])
def test_thirds_are_those_of_ranks(digits: int, is_sorted: bool) -> None:  # noqa: FBT001 (a parameter)
    """Equal values are in the order of their rows, tickers without a volatility are calm; 1 to 40 tickers a session."""
    random = np.random.default_rng(4)
    session = np.repeat(np.arange(7, 47), np.arange(1, 41))
    frame = pl.DataFrame({"session": session, "volatility": random.random(len(session)).round(digits)})
    frame = frame.with_columns(
        volatility=pl.when(pl.Series(random.random(len(session)) > 0.1)).then("volatility"), sector_number=0
    )
    frame = frame if is_sorted else frame.sample(fraction=1, shuffle=True, seed=1)
    rank, count = pl.col("volatility").rank("ordinal"), pl.col("volatility").count()
    expected = frame.select((3 * (rank.cast(pl.Int64) - 1) // count).over("session").fill_null(0)).to_series()
    assert TickerGroups.of(frame).third.tolist() == expected.to_list()
