"""Predictors of how far a ticker will move: its own volatility over many windows, its volume, its market, its sector.

All of them use sessions up to the row's own. Variances are daily, in squared log returns, and given as logarithms.
"""

from typing import Final

import numpy as np
import polars as pl

from internal.features.variables import daily_range_variance

VARIANCE_FLOOR: Final = 1e-7
GROUP_VARIANCE_CEILING: Final = 0.01  # a session of 10 %: one ticker's outlier must not move its group
FEWEST_SESSIONS: Final = 20
GROUP: Final = "sector_of_session"

Named = dict[str, pl.Expr]


def volatility_inputs(frame: pl.DataFrame) -> np.ndarray:
    """The inputs of every row, f64 [row, input]; NaN where history is too short.

    Args:
        frame: What `variables.observe` returns. **Guard:** an input of a row is made of that row and earlier ones, of
            the same segment, or of the same date's other tickers.
    """
    return select_inputs(add_group_columns(frame))


def add_group_columns(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with the columns over tickers of a date that `select_inputs` needs; then no segment needs another."""
    sector = pl.col("sector").cast(pl.Categorical).to_physical().cast(pl.Int64) + 1
    group = (pl.col("session") * 2**32 + sector.fill_null(0)).alias(GROUP)  # one number is looked up, not date and text
    return frame.with_columns(group, variance=daily_range_variance()).with_columns(**_groups()).drop(GROUP)


def select_inputs(grouped: pl.DataFrame) -> np.ndarray:
    """`volatility_inputs` of whole segments of a frame from `add_group_columns`."""
    own, market = _own(), _market_and_sector()
    inputs = grouped.select(**own, **_volume_and_direction(), **market).to_numpy(writable=True)
    for variances in (inputs[:, : len(own)], inputs[:, -len(market) :]):  # in place: NumPy's logarithm is vectorised
        np.log(np.maximum(variances, VARIANCE_FLOOR, out=variances), out=variances)
    return inputs


def _mean(values: pl.Expr, window: int) -> pl.Expr:
    return values.rolling_mean(window, min_samples=min(window, FEWEST_SESSIONS)).over("segment")


def _own() -> Named:
    """The ticker's average variances, before the logarithm."""
    variance, change, gap = pl.col("variance"), pl.col("log_return"), pl.col("past_open")
    span = (pl.col("high") / pl.col("low")).log().pow(2) / (4 * np.log(2))  # Parkinson 1980
    ranged = {f"variance_{window}": _mean(variance, window) for window in (1, 2, 5, 10, 22, 44, 66, 132, 252)}
    squared = {f"squared_{window}": _mean(change.pow(2), window) for window in (5, 22, 66, 252)}
    absolute = {f"absolute_{window}": _mean(change.abs(), window).pow(2) for window in (5, 22, 66, 252)}
    overnight = {f"overnight_{window}": _mean(gap.pow(2), window) for window in (5, 22, 66)}
    spans = {f"span_{window}": _mean(span, window) for window in (1, 5, 22)}
    return ranged | squared | absolute | overnight | spans


def _volume_and_direction() -> Named:
    surprise = pl.col("past_volume_surprise")
    usual = {f"volume_{window}": surprise.rolling_mean(window, min_samples=1).over("segment") for window in (5, 22)}
    week = pl.col("log_return").rolling_sum(5, min_samples=5).over("segment") / pl.col("volatility")
    return {
        "volume_1": surprise,
        **usual,
        "week": week.clip(-8, 8),
        "week_size": week.abs().clip(0, 8),
        "loss": (pl.col("log_return") / pl.col("volatility")).clip(-5, 0),
        "blend": 2 * pl.col("volatility").log(),
    }


def _groups() -> Named:
    """The average variance and the dispersion of returns of the market and of the sector, by date."""
    variance, ceiling = pl.col("variance").clip(0, GROUP_VARIANCE_CEILING), GROUP_VARIANCE_CEILING
    keys = {"market": "session", "sector_group": GROUP}
    variances = {f"{name}_variance": variance.mean().over(key) for name, key in keys.items()}
    apart = {
        f"{name}_dispersion": (pl.col("log_return") - pl.col("log_return").mean().over(key))
        .pow(2)
        .clip(0, ceiling)
        .mean()
        .over(key)
        for name, key in keys.items()
    }
    return variances | apart


def _market_and_sector() -> Named:
    """Averages over time of the columns of `_groups`, before the logarithm."""
    windows = {
        "market_variance": (1, 5, 22, 66),
        "sector_group_variance": (1, 5, 22),
        "market_dispersion": (1, 5, 22),
        "sector_group_dispersion": (5, 22),
    }
    return {f"{name}_{window}": _mean(pl.col(name), window) for name, lengths in windows.items() for window in lengths}


INPUTS: Final = tuple(_own() | _volume_and_direction() | _market_and_sector())
SHARED_BY_DATE: Final = tuple(name.startswith("market_") for name in INPUTS)
