"""Thirds of a session by volatility, against Polars' ranks."""

import numpy as np
import polars as pl
import pytest

from internal.baselines.ticker_groups import TickerGroups


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
