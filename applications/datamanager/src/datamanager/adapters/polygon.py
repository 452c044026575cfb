"""Market data from Polygon (now Massive) through polygon-api-client: the port `datamanager.ports.MarketData`.

Knows the vendor's endpoints, field names and epoch milliseconds, which end here. Knows nothing of the lake.
Vendor's pages: https://polygon.io/docs/rest/stocks. Bodies are asked for raw: the client itself answers `[]` to a
truncated body, a delayed one and a holiday alike.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any

import polars as pl
from polygon import RESTClient

from datamanager.adapters.polygon_transport import RETRIES, TIMEOUTS, Timeouts, UnknownAtVendorError, VendorTransport
from datamanager.ports import DIVIDEND_SCHEMA, LISTING_SCHEMA, RAW_BAR_SCHEMA, SPLIT_SCHEMA, TickerProfile
from internal.errors import UpstreamError
from internal.retries import RetryPolicy

PAGE_LIMIT = 1000
CONNECTIONS = 8
VENDOR_TIME_ZONE = "America/New_York"
WIRE_LISTING_SCHEMA = pl.Schema([*LISTING_SCHEMA.items(), ("delisted_utc", pl.String())])
_BAR_FIELDS = {
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


class Polygon:
    """The vendor, asked within its rate.

    Args:
        key: the API key, sent as a bearer token in a header.
        base_url: `https://api.polygon.io`, or whoever speaks its API.
        requests_per_minute: the plan's allowance; 0 is unlimited.
        retries: attempts and the pauses between them.
        timeouts: of each attempt.
    """

    def __init__(
        self,
        key: str,
        base_url: str,
        requests_per_minute: int,
        retries: RetryPolicy = RETRIES,
        timeouts: Timeouts = TIMEOUTS,
    ) -> None:
        self._transport = VendorTransport(key, requests_per_minute, retries, timeouts, CONNECTIONS)
        self._client = RESTClient(api_key=key, base=base_url.rstrip("/"), retries=0)
        self._client.client = self._transport

    def now(self) -> datetime:
        """The vendor's clock (UTC), from its market status."""
        body = self._client.get_market_status(raw=True).body
        try:
            moment = datetime.fromisoformat(body["serverTime"])
        except (KeyError, TypeError, ValueError) as failure:
            raise UpstreamError(
                f"the vendor's market status holds no readable serverTime but {body.get('serverTime')!r}"
            ) from failure
        if moment.tzinfo is None:
            raise UpstreamError(f"the vendor's serverTime {body['serverTime']!r} has no offset to UTC")
        return moment.astimezone(UTC)

    def answered_within(self, seconds: float) -> bool:
        """Whether a whole answer came in that time."""
        return self._transport.answered_within(seconds)

    def daily_bars(self, session: date) -> pl.DataFrame:
        """One session's bars as they came; see the port."""
        body = self._client.get_grouped_daily_aggs(session.isoformat(), adjusted=False, raw=True).body
        rows = _counted_rows(body, session)
        frame = _bars_frame(rows)
        if not frame.get_column("date").eq(session.isoformat()).any():
            came = frame.get_column("date").drop_nulls().unique().sort().to_list()
            raise UpstreamError(f"the vendor was asked for the bars of {session} and sent those of {came or 'no day'}")
        return frame

    def splits(self, start: date, end: date) -> pl.DataFrame:
        """Splits by execution date, oldest first."""
        rows = self._client.list_splits(
            execution_date_gte=start.isoformat(),
            execution_date_lte=end.isoformat(),
            sort="execution_date",
            order="asc",
            limit=PAGE_LIMIT,
        )
        return _typed(rows, SPLIT_SCHEMA)

    def dividends(self, start: date, end: date) -> pl.DataFrame:
        """Cash dividends by ex-date, oldest first."""
        rows = self._client.list_dividends(
            ex_dividend_date_gte=start.isoformat(),
            ex_dividend_date_lte=end.isoformat(),
            sort="ex_dividend_date",
            order="asc",
            limit=PAGE_LIMIT,
        )
        return _typed(rows, DIVIDEND_SCHEMA)

    def listings(self) -> pl.DataFrame:
        """Active and delisted tickers; the active one where a ticker was given twice."""
        active, delisted = (
            _typed(
                self._client.list_tickers(market="stocks", active=active, limit=PAGE_LIMIT),
                WIRE_LISTING_SCHEMA,
            )
            for active in (True, False)
        )
        return (
            pl.concat([active, delisted])
            .with_columns(pl.col("delisted_utc").str.slice(0, 10).str.to_date(strict=False).alias("delisted_date"))
            .filter(pl.col("ticker").str.len_bytes() > 0)
            .unique("ticker", keep="first", maintain_order=True)
            .select(LISTING_SCHEMA.names())
        )

    def profile(self, ticker: str) -> TickerProfile | None:
        """One company's SIC code, industry and listing date."""
        try:
            body = self._client.get_ticker_details(ticker, raw=True).body
        except UnknownAtVendorError:
            return None
        details = body.get("results")
        if not isinstance(details, dict) or details.get("ticker") != ticker:
            raise UpstreamError(f"the vendor was asked for the details of {ticker} and sent those of something else")
        return TickerProfile(
            ticker=ticker,
            listed_date=_date_or_none(details.get("list_date")),
            standard_industrial_classification=details.get("sic_code"),
            industry=details.get("sic_description"),
        )

    def close(self) -> None:
        """Let every connection go."""
        self._transport.close()


def _counted_rows(body: dict[str, Any], session: date) -> list[dict[str, Any]]:
    """The body's rows when they are as many as it says, and there are some."""
    rows, count = body.get("results", []), body.get("resultsCount")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise UpstreamError(f"the vendor's bars of {session} are no list of objects")
    if count != len(rows):
        raise UpstreamError(f"the vendor counts {count} bars for {session} and sent {len(rows)}; ask again")
    if not rows:
        raise UpstreamError(
            f"{session} is a session of the calendar and the vendor sent no bar for it: either its figures are not "
            f"ready or its history does not reach back so far. Nothing was stored; ask again later or start later"
        )
    if body.get("adjusted"):
        raise UpstreamError(
            f"the vendor sent split-adjusted bars for {session} although unadjusted ones were asked for"
        )
    return rows


def _bars_frame(rows: list[dict[str, Any]]) -> pl.DataFrame:
    """The rows as text, under our names; `t` (epoch milliseconds) becomes the day that it names in New York."""
    texts = [
        pl.Series(name, [row.get(field) for row in rows], dtype=pl.String, strict=False)
        for name, field in _BAR_FIELDS.items()
    ]
    day = pl.from_epoch(pl.col("date").cast(pl.Int64, strict=False), time_unit="ms").dt.replace_time_zone("UTC")
    return (
        pl.DataFrame(texts)
        .with_columns(day.dt.convert_time_zone(VENDOR_TIME_ZONE).dt.date().cast(pl.String))
        .select(RAW_BAR_SCHEMA.names())
    )


def _typed(rows: Iterable[Any], schema: pl.Schema) -> pl.DataFrame:
    """The client's objects as a frame; dates are parsed from ISO text, what cannot be read is null."""
    objects = list(rows)
    columns = [
        pl.Series(name, [getattr(row, name, None) for row in objects], dtype=_wire_type(kind), strict=False)
        for name, kind in schema.items()
    ]
    dates = [name for name, kind in schema.items() if kind == pl.Date]
    return pl.DataFrame(columns).with_columns(pl.col(dates).str.to_date("%Y-%m-%d", strict=False))


def _wire_type(kind: pl.DataType) -> pl.DataType:
    return pl.String() if kind == pl.Date else kind


def _date_or_none(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except (TypeError, ValueError) as failure:
        raise UpstreamError(f"the vendor's list_date {text!r} is no date") from failure
