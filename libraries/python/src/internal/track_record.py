"""The track record of a series of net asset values: return, risk and the Sharpe ratio with its interval."""

from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import polars as pl

from internal.dates import sessions
from internal.errors import InvalidRequestError
from internal.performance import (
    MINIMUM_RETURNS_FOR_A_YEAR,
    annualised_return,
    annualised_volatility,
    maximum_drawdown,
    returns_of,
    sharpe_ratio,
)
from internal.resampling import draw_circular_blocks

MINIMUM_VALUES: Final = 3  # two returns: a standard deviation needs as many


@dataclass(frozen=True)
class TrackRecord:
    """Return and risk of one series of values.

    Attributes:
        total_return: Last over first value, minus 1.
        volatility: Standard deviation of the daily returns, times the square root of 252.
        annualised_return: The total return, compounded to 252 sessions; None below 40 returns.
        sharpe: Mean over standard deviation of the daily returns, times the square root of 252 (Sharpe 1994, with a
            risk-free rate of zero); None below 40 returns, or when the returns are constant.
        sharpe_interval: Its 95 % interval by a circular block bootstrap of the returns; None where there is no ratio.
        maximum_drawdown: The largest fall from an earlier peak, as a positive fraction of that peak.
    """

    total_return: float
    volatility: float
    annualised_return: float | None
    sharpe: float | None
    sharpe_interval: tuple[float, float] | None
    maximum_drawdown: float


def track_record(values: np.ndarray, *, seed: int = 0) -> TrackRecord:
    """Compute return and risk of net asset values, f64 [session], oldest first.

    Raises:
        InvalidRequestError: Fewer than three values, or one that is not above zero.
    """
    if len(values) < MINIMUM_VALUES or not (values > 0).all():
        raise InvalidRequestError(f"a track record needs {MINIMUM_VALUES} values above zero; these are {len(values)}")
    returns, enough = returns_of(values), len(values) > MINIMUM_RETURNS_FOR_A_YEAR
    sharpe = float(sharpe_ratio(returns)) if enough else np.nan
    return TrackRecord(
        total_return=float(values[-1] / values[0]) - 1,
        volatility=float(annualised_volatility(returns)),
        annualised_return=float(annualised_return(returns)) if enough else None,
        sharpe=None if np.isnan(sharpe) else sharpe,
        sharpe_interval=None if np.isnan(sharpe) else _sharpe_interval(returns, seed),
        maximum_drawdown=maximum_drawdown(values),
    )


def _sharpe_interval(returns: np.ndarray, seed: int) -> tuple[float, float]:
    drawn = returns[draw_circular_blocks(len(returns), np.random.default_rng(seed))]
    lower, upper = np.nanquantile(sharpe_ratio(drawn), (0.025, 0.975))
    return float(lower), float(upper)


def value_by_session(points: pl.DataFrame, first: date, last: date) -> pl.DataFrame:
    """The account at the end of each session: its last snapshot, or the previous one where a session has none.

    Args:
        points: `timestamp` (UTC) and the measured columns, in any order.
        first: The first session, included; there is a snapshot at or before it.
        last: The last session, included.

    Returns:
        `date` and the measured columns, one row a session.
    """
    days = pl.DataFrame({"date": sessions(first, last)}, schema={"date": pl.Date})
    day = pl.col("timestamp").dt.convert_time_zone("America/New_York").dt.date().alias("date")
    ends = points.sort("timestamp").with_columns(day).group_by("date", maintain_order=True).last()
    return days.join_asof(ends.sort("date").drop("timestamp"), on="date", strategy="backward")


def buy_and_hold(bars: pl.DataFrame, first: date, last: date) -> pl.DataFrame:
    """The value of equal dollars of every ticker with a close at the first session, held to the last; starts at 1.0.

    A ticker without a close on a session counts with its last one.

    Args:
        bars: `ticker`, `date`, `close`, adjusted for splits and dividends.
        first: The session at whose close the tickers are bought.
        last: The last session, included.

    Returns:
        `date`, `buy_and_hold`: one row a session.
    """
    held = bars.filter(pl.col("date") == first).select("ticker", pl.col("close").alias("bought"))
    days = pl.DataFrame({"date": sessions(first, last)}, schema={"date": pl.Date})
    grid = days.join(held, how="cross").join(bars.select("ticker", "date", "close"), on=["ticker", "date"], how="left")
    ratio = pl.col("close").forward_fill().over("ticker", order_by="date") / pl.col("bought")
    return (
        grid.with_columns(ratio.alias("ratio")).group_by("date").agg(buy_and_hold=pl.col("ratio").mean()).sort("date")
    )
