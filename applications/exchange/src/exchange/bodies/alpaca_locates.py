"""Alpaca's locates, made of the stored ones."""

from datetime import datetime

from exchange.bodies.alpaca_moments import optional_number, wire_moment
from exchange.locates import Locate, LocateQuote, LocateStatus
from exchange.responses.alpaca_locates import LocateBody, LocateQuoteBody
from internal.venue.money import plain


def locate_body(locate: Locate, now: datetime) -> LocateBody:
    """One locate at the moment."""
    asked, status = locate.request, locate.status(now)
    found = None if status is LocateStatus.REJECTED or locate.price is None else LocateQuote(locate.price, 0)
    return LocateBody(
        id=locate.id,
        symbol=asked.ticker,
        requested_qty=asked.quantity,
        all_or_none=asked.all_or_none,
        status=str(status),
        created_at=wire_moment(locate.created_at),
        limit_price=optional_number(asked.limit_price),
        located_qty=None if found is None else locate.located_quantity,
        located_price=None if found is None else plain(found.price),
        total_fee=None if found is None else plain(found.fee(locate.located_quantity)),
        expires_at=None if found is None else wire_moment(locate.expires_at),
        rejection_reason=locate.rejection_reason,
    )


def locate_quote_body(ticker: str, quote: LocateQuote, now: datetime) -> LocateQuoteBody:
    """One quote."""
    price = plain(quote.price) if quote.available else None
    return LocateQuoteBody(symbol=ticker, available_qty=quote.available, price=price, quoted_at=wire_moment(now))
