"""Locates: shares that are hard to borrow, found and paid for before a short sale (Alpaca's `/v1/locates`).

A locate's fee is one day of the ticker's borrow rate at the last price, and one session's volume in a hundred can be
located; both are this exchange's own rules. A locate ends at 20:00 New York of its day.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum

from internal.venue.charges import BORROW_YEAR
from internal.venue.clock import NEW_YORK
from internal.venue.market.listing import Bar, Listing
from internal.venue.money import cents_up, decimal_of, to_price

ROUND_LOT = 100
AVAILABLE_SHARE = 0.01  # of the last session's volume
DAY_END = time(20)


class LocateStatus(StrEnum):
    """What became of a locate."""

    ACTIVE = "active"
    EXPIRED = "expired"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class LocateQuote:
    """How many shares can be located, and the fee a share in dollars."""

    price: Decimal
    available: int

    def fee(self, quantity: int) -> Decimal:
        """Dollars for so many shares, rounded up to the cent."""
        return cents_up(self.price * quantity)


@dataclass(frozen=True, slots=True)
class LocateRequest:
    """What a client asks for."""

    ticker: str
    quantity: int
    limit_price: Decimal | None
    all_or_none: bool


@dataclass(frozen=True, slots=True)
class Locate:
    """One located, or rejected, request; `key` is the client's idempotency key."""

    id: str
    request: LocateRequest
    created_at: datetime
    located_quantity: int
    price: Decimal | None
    rejection_reason: str | None
    key: str | None

    @property
    def trading_day(self) -> date:
        """The day of the locate: from 20:00 New York on it is the next one."""
        return trading_day(self.created_at)

    @property
    def expires_at(self) -> datetime:
        """When the locate ends."""
        return datetime.combine(self.trading_day, DAY_END, NEW_YORK)

    def status(self, now: datetime) -> LocateStatus:
        """The locate's state at the moment."""
        if self.rejection_reason is not None:
            return LocateStatus.REJECTED
        return LocateStatus.ACTIVE if now < self.expires_at else LocateStatus.EXPIRED


def trading_day(moment: datetime) -> date:
    """The day that a locate of this moment is for."""
    local = moment.astimezone(NEW_YORK)
    return local.date() if local.time() < DAY_END else local.date() + timedelta(days=1)


def quote_locate(listing: Listing, bar: Bar) -> LocateQuote:
    """The present quote, from the last session's bar."""
    price = to_price(bar.close_price * decimal_of(listing.borrow_rate) / BORROW_YEAR)
    return LocateQuote(price, int(bar.volume * AVAILABLE_SHARE) // ROUND_LOT * ROUND_LOT)


def decide_locate(request: LocateRequest, quote: LocateQuote) -> tuple[int, str | None]:
    """The shares that are located, and why none are."""
    located = min(request.quantity, quote.available)
    if not located or (request.all_or_none and located < request.quantity):
        return 0, "inventory_unavailable"
    if request.limit_price is not None and quote.price > request.limit_price:
        return 0, "limit_price_exceeded"
    return located, None
