"""Coverage of the 80 % interval before, in and after a break, in one line of a table."""

from datetime import date
from typing import Final

import numpy as np
import polars as pl

from internal.baselines.adaptation import past_returns_ahead
from internal.dates import next_session, previous_session
from internal.features.splits import Block
from internal.features.windows import HORIZON

COUNTED: Final = 60
FEWEST_TICKERS: Final = 14  # of a sector; the coverage of fewer says little


def find_windows(first: date) -> tuple[Block, Block, Block]:
    """60 origins whose outcomes end before a break, its first 60, and the next 60."""
    return (
        Block(previous_session(first, COUNTED + HORIZON), previous_session(first, HORIZON + 1)),
        Block(first, next_session(first, COUNTED - 1)),
        Block(next_session(first, COUNTED), next_session(first, 2 * COUNTED - 1)),
    )


def count_inside(frame: pl.DataFrame, rows: np.ndarray, quantiles: np.ndarray, origins: Block) -> pl.DataFrame:
    """How many of a row's cumulative returns lie in its interval, of forecasts at some rows whose outcomes are known.

    Returns:
        `ticker`, `sector`, `third` (0 is the calm one of the date's tickers) and `inside` (per cent), a row each.
    """
    ahead = past_returns_ahead(frame)[rows]
    inside = ((ahead >= quantiles[..., 0]) & (ahead <= quantiles[..., 2])).mean(axis=1)
    third = ((pl.col("volatility").rank("ordinal") - 1) / pl.len() * 3).floor().over("date")
    known = pl.Series(np.isfinite(ahead).all(axis=1)) & frame["date"][rows].is_between(origins.first, origins.last)
    counted = frame.with_columns(third=third)[rows].with_columns(inside=pl.Series(100 * inside))
    return counted.filter(known).select("ticker", "sector", "third", "inside")


def average_groups(counted: pl.DataFrame, group: str) -> pl.DataFrame:
    """The mean of `inside` and the number of `tickers` of each third, or of each sector."""
    return (
        counted.group_by(group).agg(pl.col("inside").mean(), pl.col("ticker").n_unique().alias("tickers")).sort(group)
    )


def describe_coverage(frame: pl.DataFrame, rows: np.ndarray, quantiles: np.ndarray, origins: Block) -> str:
    """Of all, by third of the date and by sector, of forecasts at some rows."""
    counted = count_inside(frame, rows, quantiles, origins)
    by_third = " ".join(f"{one:.1f}" for one in average_groups(counted, "third").get_column("inside"))
    sectors = average_groups(counted, "sector").filter(pl.col("tickers") >= FEWEST_TICKERS)["inside"].to_numpy()
    return f"{counted['inside'].mean():.1f}: {by_third}; {sectors.min():.1f} to {sectors.max():.1f}"
