"""Bars as the vendor writes them: windows of days, and the envelope around them."""

import polars as pl
from pydantic import TypeAdapter

from exchange.responses.polygon import AggregatesBody, BarBody
from exchange.routes.polygon_times import milliseconds_at

PRICES = ("open", "high", "low", "close", "volume_weighted_average_price")
BARS = TypeAdapter(list[BarBody])
WINDOWS = {"day": "d", "week": "w", "month": "mo", "quarter": "q", "year": "y"}


def gather_windows(bars: pl.DataFrame, every: str) -> pl.DataFrame:
    """Daily bars gathered into windows; `date` is the window's first day (Sunday for weeks, as the vendor's)."""
    if every == "1d":
        return bars
    weight = pl.col("volume").filter(pl.col("volume_weighted_average_price").is_not_null())
    traded = (pl.col("volume_weighted_average_price") * pl.col("volume")).sum()
    return bars.group_by_dynamic("date", every=every, offset="-1d" if every.endswith("w") else "0d").agg(
        pl.col("open").first(),
        pl.col("high").max(),
        pl.col("low").min(),
        pl.col("close").last(),
        pl.col("volume").sum(),
        pl.when(weight.sum() > 0).then((traded / weight.sum()).round(6)).alias("volume_weighted_average_price"),
        pl.when(pl.col("transactions").count() > 0).then(pl.col("transactions").sum()).alias("transactions"),
    )


def make_bar_bodies(bars: pl.DataFrame, hour: int, *, with_ticker: bool = True) -> list[BarBody]:
    """The bars as the vendor writes them; each bar's moment is that hour in New York of its day."""
    columns = [*(["ticker"] if with_ticker else []), *PRICES, "volume", "transactions"]
    frame = bars.select(*columns, milliseconds_at(hour).alias("timestamp"))
    return BARS.validate_python(frame.to_dicts())


def envelope(results: list[BarBody], status: str, *, adjusted: bool, ticker: str | None = None) -> AggregatesBody:
    """The bars in the vendor's envelope."""
    count = len(results)
    return AggregatesBody(
        status=status,
        ticker=ticker,
        query_count=count,
        results_count=count,
        adjusted=adjusted,
        results=results or None,
        count=count,
    )
