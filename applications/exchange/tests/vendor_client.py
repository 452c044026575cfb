"""Polygon's unmodified client under types that say what its calls give for parsed answers.

The client annotates every call as a union with raw answers, and every field as optional.
"""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Protocol, cast

from massive import RESTClient as NewerRESTClient
from polygon import RESTClient

type Filter = str | float | bool | date | Mapping[str, str]


class Aggregate(Protocol):
    """One bar."""

    ticker: str
    open: float
    high: float
    low: float
    close: float
    volume: float
    timestamp: int
    transactions: int


class Ticker(Protocol):
    """A row of the list of tickers."""

    ticker: str
    name: str
    primary_exchange: str
    type: str
    delisted_utc: str | None


class Details(Protocol):
    """One ticker's details."""

    ticker: str
    list_date: str
    share_class_shares_outstanding: int


class Split(Protocol):
    """A split."""

    execution_date: str
    split_from: int
    split_to: int


class Dividend(Protocol):
    """A cash dividend."""

    id: str
    ticker: str
    ex_dividend_date: str
    cash_amount: float
    dividend_type: str


class Status(Protocol):
    """The market's status."""

    market: str
    early_hours: bool
    after_hours: bool
    server_time: str


class VendorClient(Protocol):
    """The calls that the tests use."""

    def get_grouped_daily_aggs(self, date: date | str, adjusted: bool | None = None) -> list[Aggregate]:  # noqa: FBT001 - the client's signature
        """Every ticker's bar of one session."""
        ...

    def get_previous_close_agg(self, ticker: str) -> list[Aggregate]:
        """A ticker's latest bar."""
        ...

    def get_aggs(  # noqa: PLR0913 - the client's signature
        self,
        ticker: str,
        multiplier: int,
        timespan: str,
        start: str | datetime,
        end: str | datetime,
        /,
        *,
        sort: str | None = None,
    ) -> list[Aggregate]:
        """One page of a ticker's bars."""
        ...

    def list_aggs(  # noqa: PLR0913 - the client's signature
        self,
        ticker: str,
        multiplier: int,
        timespan: str,
        start: str | datetime,
        end: str | datetime,
        /,
        *,
        sort: str | None = None,
        limit: int | None = None,
    ) -> Iterator[Aggregate]:
        """All pages of a ticker's bars."""
        ...

    def list_tickers(self, **filters: Filter) -> Iterator[Ticker]:
        """All pages of tickers."""
        ...

    def get_ticker_details(self, ticker: str, *, date: str | None = None) -> Details:
        """One ticker's details."""
        ...

    def list_splits(self, **filters: Filter) -> Iterator[Split]:
        """All pages of splits."""
        ...

    def list_dividends(self, **filters: Filter) -> Iterator[Dividend]:
        """All pages of dividends."""
        ...

    def get_market_status(self) -> Status:
        """The market's status."""
        ...


def connect(url: str, key: str) -> VendorClient:
    """The vendor's own client, its base URL set and nothing else changed."""
    return cast("VendorClient", RESTClient(key, base=url, retries=0))


class StockSplit(Protocol):
    """A row of the newer list of splits."""

    id: str
    ticker: str
    execution_date: str
    adjustment_type: str
    split_from: float
    split_to: float
    historical_adjustment_factor: float


class StockDividend(Protocol):
    """A row of the newer list of dividends."""

    id: str
    ticker: str
    ex_dividend_date: str
    cash_amount: float
    distribution_type: str
    frequency: int


class TickerChanges(Protocol):
    """The tickers of a security; each event is as the vendor sent it."""

    events: list[dict[str, dict[str, str]]]


class NewerClient(Protocol):
    """The calls of the vendor's newer client that the tests use."""

    def list_stocks_splits(self, **filters: Filter) -> Iterator[StockSplit]:
        """All pages of splits."""
        ...

    def list_stocks_dividends(self, **filters: Filter) -> Iterator[StockDividend]:
        """All pages of dividends."""
        ...

    def list_dividends(self, **filters: Filter) -> Iterator[Dividend]:
        """All pages of the older list."""
        ...

    def list_tickers(self, **filters: Filter) -> Iterator[Ticker]:
        """All pages of tickers."""
        ...

    def get_ticker_events(self, ticker: str, /) -> TickerChanges:
        """The tickers of a security."""
        ...


def connect_newer(url: str, key: str) -> NewerClient:
    """The vendor's newer client, its base URL set and nothing else changed."""
    return cast("NewerClient", NewerRESTClient(key, base=url, retries=0))
