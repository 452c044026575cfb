"""Polygon's rows as frames of the market data port; its field names and epoch milliseconds end here. Pure."""

from collections.abc import Iterable, Sequence
from datetime import date
from itertools import pairwise
from typing import cast

import polars as pl

from datamanager.ports import LISTING_SCHEMA, RAW_BAR_SCHEMA, IncompleteAnswerError, TickerChange
from internal.errors import UpstreamError

VENDOR_TIME_ZONE = "America/New_York"
VENDOR_LISTING_SCHEMA = pl.Schema(
    [*LISTING_SCHEMA.items(), ("delisted_utc", pl.String()), ("type", pl.String()), ("cik", pl.String())]
)
BAR_FIELDS = {
    "ticker": "T",
    "date": "t",
    "open": "o",
    "high": "h",
    "low": "l",
    "close": "c",
    "volume": "v",
    "volume_weighted_average_price": "vw",
    "transactions": "n",
}


def read_bar_rows(body: dict[str, object], session: date) -> list[dict[str, object]]:
    """The rows of a body of daily bars; IncompleteAnswerError when there are none, or not as many as it counts."""
    rows, count = body.get("results", []), body.get("resultsCount")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in cast("list[object]", rows)):
        raise IncompleteAnswerError(f"the vendor's bars of {session} are not a list of objects")
    bars = cast("list[dict[str, object]]", rows)
    if count != len(bars):
        raise IncompleteAnswerError(f"the vendor counts {count} bars for {session} and sent {len(bars)}; ask again")
    if not bars:
        raise IncompleteAnswerError(
            f"{session} is a session of the calendar and the vendor sent no bar for it: either its figures are not "
            f"ready or its history does not reach back so far. Nothing was stored; ask again later or start later"
        )
    if body.get("adjusted"):
        raise IncompleteAnswerError(
            f"the vendor sent split-adjusted bars for {session} although unadjusted ones were requested"
        )
    return bars


def make_bars_frame(rows: Sequence[dict[str, object]], session: date) -> pl.DataFrame:
    """The rows as text (`RAW_BAR_SCHEMA`); `t` (epoch milliseconds) becomes its day in New York.

    Raises IncompleteAnswerError when no row is of the session.
    """
    texts = [
        pl.Series(name, [row.get(field) for row in rows], dtype=pl.String, strict=False)
        for name, field in BAR_FIELDS.items()
    ]
    day = pl.from_epoch(pl.col("date").cast(pl.Int64, strict=False), time_unit="ms").dt.replace_time_zone("UTC")
    frame = (
        pl.DataFrame(texts)
        .with_columns(day.dt.convert_time_zone(VENDOR_TIME_ZONE).dt.date().cast(pl.String))
        .select(RAW_BAR_SCHEMA.names())
    )
    if not frame.get_column("date").eq(session.isoformat()).any():
        received = frame.get_column("date").drop_nulls().unique().sort().to_list()
        raise IncompleteAnswerError(
            f"the vendor was asked for the bars of {session} and sent those of {received or 'no day'}"
        )
    return frame


def make_frame(objects: Iterable[object], schema: pl.Schema) -> pl.DataFrame:
    """The client's objects as a frame; dates are parsed from ISO 8601, an unreadable value is null."""
    rows = list(objects)
    columns = [
        pl.Series(name, [getattr(row, name, None) for row in rows], dtype=_received_type(kind), strict=False)
        for name, kind in schema.items()
    ]
    dates = [name for name, kind in schema.items() if kind == pl.Date]
    return pl.DataFrame(columns).with_columns(pl.col(dates).str.to_date("%Y-%m-%d", strict=False))


def make_listings_frame(active: Iterable[object], delisted: Iterable[object]) -> pl.DataFrame:
    """Active and delisted securities (`LISTING_SCHEMA`), the active ones first; the same row sent twice is one."""
    return (
        pl.concat([make_frame(active, VENDOR_LISTING_SCHEMA), make_frame(delisted, VENDOR_LISTING_SCHEMA)])
        .with_columns(
            pl.col("delisted_utc").str.slice(0, 10).str.to_date(strict=False).alias("delisted_date"),
            pl.col("type").replace("", None).alias("security_type"),
            pl.col("cik").replace("", None).alias("central_index_key"),
        )
        .filter(pl.col("ticker").str.len_bytes() > 0)
        .unique(["ticker", "delisted_date", "active"], keep="first", maintain_order=True)
        .select(LISTING_SCHEMA.names())
    )


def read_ticker_changes(body: dict[str, object]) -> list[TickerChange]:
    """The changes of ticker in a body of ticker events, oldest first; UpstreamError where an event cannot be read."""
    results = cast("dict[str, object]", body.get("results") or {})
    events = cast("list[dict[str, object]]", results.get("events") or [])
    try:
        starts = sorted(
            (date.fromisoformat(str(event["date"])), str(cast("dict[str, object]", event["ticker_change"])["ticker"]))
            for event in events
            if event.get("type") == "ticker_change"
        )
    except (KeyError, TypeError, ValueError) as failure:
        raise UpstreamError(f"the vendor sent an event of a ticker that cannot be read ({failure!r})") from failure
    return [TickerChange(old, new, day) for (_, old), (day, new) in pairwise(starts) if old != new]


def _received_type(kind: pl.DataType) -> pl.DataType:
    return pl.String() if kind == pl.Date else kind
