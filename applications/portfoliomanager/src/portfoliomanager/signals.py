"""Signals: which names may be traded, and in which order they are preferred.

Knows bars and predictions up to the day that it is asked about; later rows are cut off first. Knows no position,
no capital and no clock.
"""

from datetime import date

import polars as pl

from internal.dates import previous_session
from portfoliomanager.policy import Policy

NARROWEST_BAND = 1e-6  # a band of width 0 would divide by 0; this ranks its name first or last


def lookback(bars: pl.DataFrame, day: date, session_count: int) -> pl.DataFrame:
    """The bars of the `session_count` sessions that end with `day`; what comes later is unknown and cut off."""
    start = previous_session(day, session_count - 1) if session_count > 1 else day
    return bars.filter(pl.col("date").is_between(start, day))


def universe(bars: pl.DataFrame, day: date, policy: Policy) -> pl.DataFrame:
    """The names that are liquid enough to open: ticker, reference_price (the close of `day`, dollars).

    A name is in when its mean close and mean volume over the lookback lie above the policy's limits, enough of those
    sessions have a bar, and `day` itself has one: without a price today nothing is opened.
    """
    return (
        lookback(bars, day, policy.lookback_sessions)
        .sort("date")
        .group_by("ticker")
        .agg(
            pl.col("close").mean().alias("mean_close"),
            pl.col("volume").mean().alias("mean_volume"),
            pl.len().alias("session_count"),
            pl.col("date").last().alias("last_date"),
            pl.col("close").last().alias("reference_price"),
        )
        .filter(
            pl.col("mean_close") > policy.minimum_mean_close,
            pl.col("mean_volume") > policy.minimum_mean_volume,
            pl.col("session_count") >= policy.minimum_sessions,
            pl.col("last_date") == day,
        )
        .select("ticker", "reference_price")
        .sort("ticker")
    )


def bands(predictions: pl.DataFrame, day: date) -> pl.DataFrame:
    """The forecast of `day` over its longest horizon: ticker, quantile_10, quantile_50, quantile_90."""
    return (
        predictions.filter(pl.col("date") == day)
        .sort("ticker", "horizon")
        .group_by("ticker", maintain_order=True)
        .last()
        .select("ticker", "quantile_10", "quantile_50", "quantile_90")
    )


def scores(predictions: pl.DataFrame, day: date) -> pl.DataFrame:
    """The bands and a `score`, best first: the median return over the width of the 10 % to 90 % band.

    Dividing by the width prefers a likely small gain to an unlikely large one and compares calm names with wild ones.
    Ties go by ticker, so that the order of rows never decides.
    """
    width = (pl.col("quantile_90") - pl.col("quantile_10")).clip(lower_bound=NARROWEST_BAND)
    return (
        bands(predictions, day)
        .with_columns((pl.col("quantile_50") / width).alias("score"))
        .sort("score", "ticker", descending=[True, False])
    )
