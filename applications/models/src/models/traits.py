"""Traits of a ticker that a ranking may be a bet on without anybody having chosen it, and how far it is."""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Final

import numpy as np
import polars as pl

SIZE_SESSIONS: Final = 20
BETA_SESSIONS: Final = 252
FEWEST_SESSIONS: Final = 60  # without which a beta is noise
PAST_SESSIONS: Final = 20
READ_BEFORE: Final = timedelta(days=400)  # the sessions of a beta, so that no longer history has to be in memory


class Trait(StrEnum):
    """What a ranking's order may be that of."""

    VOLATILITY = "volatility"
    SIZE = "size"
    BETA = "beta"
    PAST_RETURN = "past_return"


def measure_traits(frame: pl.DataFrame, origins: np.ndarray) -> dict[Trait, np.ndarray]:
    """Traits at some rows, f64 [row] each, from the rows up to them; NaN where the history is too short.

    Volatility is the trailing one, size the mean dollar volume of 20 sessions, beta that of log returns to their mean
    over all tickers in 252 sessions, the past return that of 20 sessions.

    Args:
        frame: The observed panel.
        origins: Row numbers, i64 [row], at least one.
    """
    first = frame.get_column("date").gather(origins).min()
    read = frame.select(pl.col("date") >= pl.lit(first) - READ_BEFORE).to_series()
    places = pl.Series((np.cumsum(read.to_numpy(), dtype=np.int32) - 1)[origins])
    size = _gather(
        _select(frame, read, "close", "volume"), _mean(pl.col("close") * pl.col("volume"), SIZE_SESSIONS, 1), places
    )
    recent = _select(frame, read, "date", "log_return")
    recent = recent.with_columns(market=pl.col("log_return").mean().over("date")).drop("date")
    traits = {
        Trait.VOLATILITY: frame.get_column("volatility").gather(origins),
        Trait.SIZE: size,
        Trait.BETA: _measure_beta(recent, places),
        Trait.PAST_RETURN: _gather(recent, pl.col("log_return").rolling_sum(PAST_SESSIONS).over("segment"), places),
    }
    return {trait: values.fill_null(float("nan")).to_numpy() for trait, values in traits.items()}


def _select(frame: pl.DataFrame, rows: pl.Series, *columns: str) -> pl.DataFrame:
    """Some columns of some rows, with their segments."""
    return frame.select("segment", *columns).filter(rows)


def _gather(recent: pl.DataFrame, values: pl.Expr, places: pl.Series) -> pl.Series:
    """Values at some rows; those of all rows are let go before others are computed."""
    return recent.select(values).to_series().gather(places)


def _mean(values: pl.Expr, sessions: int, fewest: int) -> pl.Expr:
    return values.rolling_mean(sessions, min_samples=fewest).over("segment")


def _measure_beta(recent: pl.DataFrame, places: pl.Series) -> pl.Series:
    """Covariance of returns with the market over the market's variance, at some rows."""
    returns, market = pl.col("log_return"), pl.col("market")
    own = _gather(recent, _mean(returns, BETA_SESSIONS, FEWEST_SESSIONS), places)
    other = _gather(recent, _mean(market, BETA_SESSIONS, 1), places)
    product = _gather(recent, _mean(returns * market, BETA_SESSIONS, FEWEST_SESSIONS), places)
    square = _gather(recent, _mean(market**2, BETA_SESSIONS, 1), places)
    return (product - own * other) / (square - other**2)


def measure_bets(dates: pl.Series, scores: pl.Series, traits: Mapping[Trait, np.ndarray]) -> dict[Trait, float]:
    """Mean over dates of Spearman's correlation of a ranking's score with each trait; those without any are left out.

    Args:
        dates: The date of each row.
        scores: The score of each row.
        traits: What `measure_traits` returned of the same rows.
    """
    known = {trait: pl.Series(values).fill_nan(None) for trait, values in traits.items()}
    named = pl.DataFrame({"date": dates, "score": scores, **known})
    correlations = (pl.corr("score", trait, method="spearman").alias(trait) for trait in known)
    by_date = named.group_by("date").agg(correlations).sort("date")
    means = by_date.select(pl.col(trait).fill_nan(None).mean() for trait in known)
    return {trait: value for trait, value in zip(known, means.row(0), strict=True) if value is not None}
