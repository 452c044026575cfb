"""The ports: what datamanager asks of a market data vendor and of a source of company data, independent of any API."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

import polars as pl

from internal.errors import UpstreamError
from internal.schemas import corporate_actions


@dataclass(frozen=True)
class VendorSession:
    """What a vendor answered for one session: rows, or why there are none.

    Attributes:
        date: The session.
        rows: `RAW_BAR_SCHEMA`: every value as text (a number in its shortest exact form), so that an invalid row can be
            stored as received. None without an answer that is final.
        missing: Why there are no rows: truncated, not final, of another day, or empty although the day is a session.
    """

    date: date
    rows: pl.DataFrame | None
    missing: str | None = None


@dataclass(frozen=True)
class TickerChange:
    """The security that had `old_ticker` until the day before `date` has `new_ticker` from that day on."""

    old_ticker: str
    new_ticker: str
    date: date


class IncompleteAnswerError(UpstreamError):
    """The vendor answered, and what it answered for one session is not final or not complete."""


class MarketData(Protocol):
    """A vendor of daily US equity data. Methods raise UpstreamError or UnavailableError; no answer is partial.

    Attributes:
        source: The vendor's name, as rows carry it in the column `source`.
    """

    source: str

    def now(self) -> datetime:
        """The vendor's clock (UTC). It decides which session has closed."""
        ...

    def has_answered_within(self, seconds: float) -> bool:
        """Whether the vendor gave a complete answer to any request within that time. Sends no request."""
        ...

    def daily_bars(self, sessions: Sequence[date], on_session: Callable[[], object]) -> Sequence[VendorSession]:
        """Every ticker's unadjusted bars of the sessions, as received; no row is dropped.

        A session that the vendor cannot answer is an outcome with its reason, and the others are answered all the same.

        Args:
            sessions: Ascending, each a session that has closed at the vendor.
            on_session: Called once for each session that is fetched, from any thread, for the progress.

        Returns:
            One for each session, in order.

        Raises:
            UpstreamError: The vendor refuses the key, or answers with a body that is not its own.
            UnavailableError: The vendor cannot be reached.
        """
        ...

    def corporate_actions(self, start: date, end: date) -> pl.DataFrame:
        """Everything that the vendor states with start <= effective_date <= end, as `ACTION_SCHEMA`.

        As received: the same action may occur several times, and values may be missing. `action_id` is null where the
        vendor has no id. A row of another day is recorded too.
        """
        ...

    def listings(self, tickers: Sequence[str] | None = None) -> pl.DataFrame:
        """What the vendor lists, delisted securities included: `LISTING_SCHEMA`.

        A ticker that several securities had, one after the other, has a row for each; the active one is the first.

        Args:
            tickers: The tickers that are asked for; None asks for all, which may cost many requests.
        """
        ...

    def ticker_changes(self, ticker: str) -> Sequence[TickerChange]:
        """Every change of ticker of the security that has this ticker now, oldest first; may cost a request.

        Empty where the vendor does not say, or tells of changes in its corporate actions.
        """
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
VERSION_COLUMNS = ("version", "recorded_at", "withdrawn", "change")  # what the lake adds to an action
ACTION_SCHEMA = pl.Schema(
    {
        **{
            name: kind
            for name, kind in corporate_actions.CORPORATE_ACTIONS_COLUMNS.items()
            if name not in VERSION_COLUMNS
        },
        "currency": pl.String(),  # of cash_amount; null is US dollars
    }
)
LISTING_SCHEMA = pl.Schema(
    {
        "ticker": pl.String,
        "name": pl.String,
        "security_type": pl.String,
        "primary_exchange": pl.String,
        "active": pl.Boolean,
        "listed_date": pl.Date,  # null where the vendor's listing does not say
        "delisted_date": pl.Date,
        "composite_figi": pl.String,
        "share_class_figi": pl.String,
        "central_index_key": pl.String,  # ten digits
    }
)


@dataclass(frozen=True)
class Company:
    """What a company states about itself; a field is None where it does not say.

    `central_index_key` is the SEC's, ten digits; `standard_industrial_classification` has four.
    """

    central_index_key: str
    name: str | None
    standard_industrial_classification: str | None
    industry: str | None


@dataclass(frozen=True)
class Filing:
    """One filing: when it became public, and the last day of the period that it is about."""

    accession_number: str
    form: str
    accepted: datetime
    report_date: date | None


@dataclass(frozen=True)
class CompanyFilings:
    """A company and its filings, newest first."""

    company: Company
    filings: Sequence[Filing]


@dataclass(frozen=True)
class Fact:
    """One amount that one filing states: at `end`, or from `start` to `end`.

    `concept` is taxonomy and name, `us-gaap:NetIncomeLoss`. `fiscal_year` and `fiscal_period` (Q1, Q2, Q3, FY) are
    those of the filing, also where the amount is a comparative of an earlier period.
    """

    concept: str
    unit: str
    start: date | None
    end: date
    value: float
    accession_number: str
    form: str
    filed_date: date
    fiscal_year: int | None
    fiscal_period: str | None


class CompanyData(Protocol):
    """A source of what companies file. Methods raise ConfigurationError, UpstreamError or UnavailableError.

    Attributes:
        source: Its name, as rows carry it in the column `source`.
        seconds_between_requests: The least time from one request to the next under its rate limit.
    """

    source: str
    seconds_between_requests: float

    def central_index_keys(self) -> Mapping[str, str]:
        """The key of each ticker that trades now."""
        ...

    def filings(self, central_index_key: str, since: date | None = None) -> CompanyFilings | None:
        """The company with its recent filings, and the older ones since a day; None for an unknown key."""
        ...

    def facts(self, central_index_key: str, concepts: Collection[str]) -> Sequence[Fact]:
        """What the company has filed of the concepts, amendments included; nothing where it files no such data."""
        ...

    def close(self) -> None:
        """Close every connection."""
        ...


def select_current(listings: pl.DataFrame) -> pl.DataFrame:
    """One row a ticker of a listing: the active security, else the one that is listed first."""
    return listings.unique("ticker", keep="first", maintain_order=True)
