"""A security's reference data, and one session's bar of it."""

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import cached_property

from internal.venue.money import decimal_of


@dataclass(frozen=True, slots=True)
class TickerPeriod:
    """A ticker that a security has from a session on, until the next one."""

    ticker: str
    start_date: date


@dataclass(frozen=True, slots=True)
class Listing:
    """One security's reference data under one of its tickers.

    `sic_code` and `sic_description` follow the SEC's list (four digits); `primary_exchange` is an ISO 10383 code.
    `borrow_rate` is a yearly fraction of the short's market value (0.003 is 0.3 % a year). `delisted_date` is the
    first session on which the security no longer trades; None while it is listed. `central_index_key` (the SEC's),
    the two FIGIs and `shares_outstanding` are None where they are unknown, as in a replayed market. `security_type` is
    the market data vendor's code; CS is common stock. `tickers` are the dated ones of a security that had several,
    oldest first; where there are none, `ticker` is its only one.
    """

    ticker: str
    name: str
    sector: str | None
    industry: str | None
    sic_code: str | None
    sic_description: str | None
    primary_exchange: str
    listed_date: date
    delisted_date: date | None
    shortable: bool
    easy_to_borrow: bool
    borrow_rate: float
    fractionable: bool
    central_index_key: str | None = None
    composite_figi: str | None = None
    share_class_figi: str | None = None
    shares_outstanding: int | None = None
    security_type: str | None = "CS"
    tickers: tuple[TickerPeriod, ...] = ()
    security_id: str | None = None

    @property
    def permanent_id(self) -> str:
        """What names the security for good: `security_id`, or the ticker of one that never shares or changes it."""
        return self.security_id or self.ticker

    def is_active(self, day: date) -> bool:
        """Whether the security is listed on that day; a halt does not end a listing."""
        return self.listed_date <= day and (self.delisted_date is None or day < self.delisted_date)

    def ticker_on(self, day: date) -> str:
        """The ticker of that day; before the first one, the first."""
        named = [period.ticker for period in self.tickers if period.start_date <= day]
        return named[-1] if named else self.tickers[0].ticker if self.tickers else self.ticker

    def as_of(self, day: date) -> "Listing":
        """The listing as it was known on that day: no later delisting and no later ticker is in it."""
        delisted = None if self.delisted_date is None or self.delisted_date > day else self.delisted_date
        if delisted == self.delisted_date and not self.tickers:
            return self
        known = tuple(period for period in self.tickers if period.start_date <= day)
        return replace(self, ticker=self.ticker_on(day), delisted_date=delisted, tickers=known)


@dataclass(frozen=True)
class Bar:
    """One session of one ticker as traded (unadjusted): prices in US dollars, volume in shares.

    `volume_weighted_average_price` and `transactions` are None where a replayed file does not have them.
    """

    ticker: str
    date: date
    open: float
    high: float
    low: float
    close: float
    volume: float
    volume_weighted_average_price: float | None
    transactions: int | None

    @cached_property
    def open_price(self) -> Decimal:
        """The open as exact dollars."""
        return decimal_of(self.open)

    @cached_property
    def close_price(self) -> Decimal:
        """The close as exact dollars."""
        return decimal_of(self.close)
