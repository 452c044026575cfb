"""What datamanager needs from the outside, in its own words: a source of market data.

Knows the shape of each answer. Knows no vendor, no HTTP and no store.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

import polars as pl

from internal.schemas import corporate_actions


@dataclass(frozen=True)
class TickerProfile:
    """What the vendor says of one company; None where it says nothing."""

    ticker: str
    listed_date: date | None
    standard_industrial_classification: str | None
    industry: str | None


class MarketData(Protocol):
    """A vendor of daily US equity data. Methods raise UpstreamError or UnavailableError and never answer in part."""

    def now(self) -> datetime:
        """The vendor's own clock (UTC), which decides which session has closed."""

    def answered_within(self, seconds: float) -> bool:
        """Whether the vendor has given a whole answer, to whatever question, in that time. Asks nothing."""

    def daily_bars(self, session: date) -> pl.DataFrame:
        """Every ticker's unadjusted bar of one session, as it came: nothing is dropped.

        Returns:
            `RAW_BAR_SCHEMA`: every value as text (a number in the shortest form that reads back to itself), so that a
            row that is no bar can be kept as it came. At least one row.

        Raises:
            UpstreamError: the body is truncated, delayed, of another day, or empty for a day that is a session.
        """

    def splits(self, start: date, end: date) -> pl.DataFrame:
        """Splits with start <= execution_date <= end: ticker, execution_date, split_from, split_to."""

    def dividends(self, start: date, end: date) -> pl.DataFrame:
        """Cash dividends with start <= ex_dividend_date <= end: the contract's columns and `currency`."""

    def listings(self) -> pl.DataFrame:
        """Every ticker the vendor lists, delisted ones included: `LISTING_SCHEMA`, one row a ticker."""

    def profile(self, ticker: str) -> TickerProfile | None:
        """One company's details; None when the vendor does not know the ticker."""


RAW_BAR_SCHEMA = pl.Schema(
    dict.fromkeys(
        (
            "ticker",
            "date",  # ISO, the session that the vendor's own timestamp names
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
        "primary_exchange": pl.String,
        "active": pl.Boolean,
        "delisted_date": pl.Date,
    }
)
