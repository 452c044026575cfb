"""Finds the last close before a day, for many tickers and days among millions of bars. Pure.

Few bars are close to a wanted day. Those that may be are selected by a bitmap of hashes of ticker and date (a Bloom
filter), so that only these are sorted and joined; a wanted day without a bar in the week before it is looked up among
all bars of its ticker.
"""

import numpy as np
import polars as pl

NEAR_DAYS = 7
BITS_A_DAY = 32  # of the bitmap, for each day near a wanted one: one bar in 32 is selected in vain
MOST_BITS = 1 << 24


def join_last_close(wanted: pl.DataFrame, closes: pl.LazyFrame) -> pl.DataFrame:
    """The wanted rows with `close_date` and `close` of the last bar before their `effective_date`, null without one.

    Args:
        wanted: ticker, effective_date.
        closes: ticker, date, close; in any order.

    Returns:
        The rows ordered by ticker and effective_date.
    """
    bars = closes.select("ticker", pl.col("date").alias("close_date"), "close")
    near = _join(wanted, bars.filter(_may_be_near(wanted)), f"{NEAR_DAYS}d")
    found = near.get_column("close").is_not_null()
    if found.all():
        return near
    rest = near.filter(~found).select(wanted.columns)
    tickers = rest.get_column("ticker").unique().to_list()
    far = _join(rest, bars.filter(pl.col("ticker").is_in(tickers)), None)
    return pl.concat([near.filter(found), far]).sort("ticker", "effective_date")


def _join(wanted: pl.DataFrame, bars: pl.LazyFrame, tolerance: str | None) -> pl.DataFrame:
    return (
        wanted.lazy()
        .sort("ticker", "effective_date")
        .join_asof(
            bars.sort("close_date"),
            left_on="effective_date",
            right_on="close_date",
            by="ticker",
            strategy="backward",
            tolerance=tolerance,
            allow_exact_matches=False,
            check_sortedness=False,
            coalesce=False,
        )
        .collect()
    )


def _may_be_near(wanted: pl.DataFrame) -> pl.Expr:
    """Of bars: whether one is in the week before a wanted day of its ticker; sometimes true without being so."""
    size = min(MOST_BITS, 1 << (wanted.height * NEAR_DAYS * BITS_A_DAY).bit_length())
    place = (pl.col("ticker").hash() ^ pl.col("close_date").hash()) % size
    before = pl.LazyFrame({"days": range(1, NEAR_DAYS + 1)}).select(pl.duration(days="days").alias("before"))
    days = (
        wanted.lazy()
        .join(before, how="cross")
        .with_columns((pl.col("effective_date") - pl.col("before")).alias("close_date"))
    )
    bitmap = np.zeros(size, dtype=np.bool_)
    bitmap[days.select(place).collect().to_series().to_numpy()] = True
    return pl.lit(pl.Series(bitmap)).gather(place)
