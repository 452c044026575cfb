"""The market data port: what datamanager asks of a vendor, independent of any vendor's API."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

import polars as pl

from internal.schemas import corporate_actions


@dataclass(frozen=True)
class TickerProfile:
    """A vendor's description of one company; a field is None where the vendor gives no value."""

    ticker: str
    listed_date: date | None
    standard_industrial_classification: str | None
    industry: str | None


class MarketData(Protocol):
    """A vendor of daily US equity data. Methods raise UpstreamError or UnavailableError; no answer is partial."""

    def now(self) -> datetime:
        """The vendor's clock (UTC). It decides which session has closed."""
        ...

    def has_answered_within(self, seconds: float) -> bool:
        """Whether the vendor gave a complete answer to any request within that time. Sends no request."""
        ...

    def daily_bars(self, session: date) -> pl.DataFrame:
        """Every ticker's unadjusted bar of one session, as received; no row is dropped.

        Returns:
            `RAW_BAR_SCHEMA`: every value as text (a number in its shortest exact form), so that an invalid row can be
            stored as received. At least one row.

        Raises:
            UpstreamError: The body is truncated, delayed, of another day, or empty although the day is a session.
        """
        ...

    def splits(self, start: date, end: date) -> pl.DataFrame:
        """Splits with start <= execution_date <= end, as `SPLIT_SCHEMA`."""
        ...

    def dividends(self, start: date, end: date) -> pl.DataFrame:
        """Cash dividends with start <= ex_dividend_date <= end, as `DIVIDEND_SCHEMA`."""
        ...

    def listings(self) -> pl.DataFrame:
        """Every ticker that the vendor lists, delisted ones included: `LISTING_SCHEMA`, one row a ticker."""
        ...

    def profile(self, ticker: str) -> TickerProfile | None:
        """One company's profile; None when the vendor has no such ticker."""
        ...

    def close(self) -> None:
        """Close every connection."""
        ...


RAW_BAR_SCHEMA = pl.Schema(
    dict.fromkeys(
        (
            "ticker",
            "date",  # ISO 8601, the session of the vendor's timestamp
            "open",
            "high",
            "low",
            "close",
            "volume",
            "volume_weighted_average_price",
            "transactions",
        ),
        pl.String(),
    )
)
SPLIT_SCHEMA = pl.Schema(corporate_actions.SPLITS_COLUMNS)
DIVIDEND_SCHEMA = pl.Schema({**corporate_actions.DIVIDENDS_COLUMNS, "currency": pl.String()})
LISTING_SCHEMA = pl.Schema(
    {
        "ticker": pl.String,
        "name": pl.String,
        "security_type": pl.String,
        "primary_exchange": pl.String,
        "active": pl.Boolean,
        "delisted_date": pl.Date,
    }
)
