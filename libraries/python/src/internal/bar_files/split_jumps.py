"""Finds prices that jump overnight by the ratio of a split, which a file of adjusted prices does not have."""

import polars as pl

from internal.bar_files.columns import ADJUSTED_CLOSE
from internal.bar_files.report import SplitLikeJump
from internal.data_quality.ratios import FORWARD_SPLITS, SPLIT_RATIOS

OPEN_TOLERANCE = 0.03  # of the ratio, for what the price moved overnight
CLOSE_TOLERANCE = 0.10  # for what it moved until the close
ADJUSTMENT_TOLERANCE = 0.005  # adjusted closes state the ratio exactly, but for their rounding


def find_split_jumps(bars: pl.DataFrame) -> tuple[SplitLikeJump, ...]:
    """The jumps of bars sorted by date; where the file has adjusted closes, only those that these confirm.

    Args:
        bars: ticker, date, open, close and, where known, `adjusted_close`.
    """
    previous = pl.col("close").shift(1).over("ticker")
    columns = [previous.alias("previous")]
    if ADJUSTED_CLOSE in bars.columns:
        factor = pl.col("close") / pl.when(pl.col(ADJUSTED_CLOSE) > 0).then(pl.col(ADJUSTED_CLOSE))
        columns.append((factor.shift(1).over("ticker") / factor).alias("adjustment"))
    moved = bars.with_columns(columns).with_columns(
        (pl.col("previous") / pl.col("open")).alias("ratio"), (pl.col("previous") / pl.col("close")).alias("lasting")
    )
    smallest = min(FORWARD_SPLITS) * (1 - OPEN_TOLERANCE)
    moved = moved.filter(~pl.col("ratio").is_between(1 / smallest, smallest))  # nearly every row is none
    near = pl.any_horizontal(
        ((pl.col("ratio") / ratio - 1).abs() < OPEN_TOLERANCE)
        & ((pl.col("lasting") / ratio - 1).abs() < CLOSE_TOLERANCE)
        & _confirmed(moved, ratio)
        for ratio in SPLIT_RATIOS
    )
    found = moved.filter(near).sort("date", "ticker").select("ticker", "date", "ratio", "previous", "open")
    return tuple(SplitLikeJump(*row) for row in found.iter_rows())


def _confirmed(moved: pl.DataFrame, ratio: float) -> pl.Expr:
    """Whether the adjusted closes have the split that the closes lack; true where there are none."""
    if "adjustment" not in moved.columns:
        return pl.lit(value=True)
    return ((pl.col("adjustment") / ratio - 1).abs() < ADJUSTMENT_TOLERANCE).fill_null(value=True)
