"""Bars as the vendor writes them: letters for columns, windows of days, and the envelope around them.

Knows frames of daily bars and the vendor's body. Knows no request, no market and no clock.
"""

from typing import Any

import polars as pl

from exchange.routes.polygon_answers import request_id
from exchange.routes.polygon_times import milliseconds_at

FIELDS = {"v": "volume", "vw": "volume_weighted_average_price", "o": "open", "c": "close", "h": "high", "l": "low"}
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


def vendor_fields(hour: int) -> list[pl.Expr]:
    """The vendor's letters; `t` is that hour in New York of the bar's day."""
    letters = [pl.col(column).alias(letter) for letter, column in FIELDS.items()]
    return [*letters, milliseconds_at(hour).alias("t"), pl.col("transactions").alias("n")]


def vendor_rows(frame: pl.DataFrame) -> list[dict[str, Any]]:
    """Rows without what the market does not know: `vw` and `n` are left out, as the vendor leaves them."""
    rows = frame.to_dicts()
    if frame.get_column("vw").null_count() + frame.get_column("n").null_count() == 0:
        return rows
    return [{name: value for name, value in row.items() if value is not None} for row in rows]


def envelope(rows: list[dict[str, Any]], *, adjusted: bool) -> dict[str, Any]:
    """The vendor's body; without bars it has no `results` at all."""
    return {
        "queryCount": len(rows),
        "resultsCount": len(rows),
        "adjusted": adjusted,
        **({"results": rows} if rows else {}),
        "status": "OK",
        "request_id": request_id(),
        "count": len(rows),
    }
