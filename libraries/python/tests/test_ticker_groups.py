"""The order of sessions against NumPy's sort, and thirds of a session by volatility against Polars' ranks."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from internal.baselines.ticker_groups import SessionOrder, TickerGroups


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
    assert order.is_given or not is_sorted


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
