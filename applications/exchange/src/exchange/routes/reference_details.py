"""One listing in the vendor's words, short (a row of the list) and long (the details).

Knows listings and the vendor's field names. What a market does not know is left out, as the vendor leaves it out; a
simulated company has every field, and says that it is simulated.
"""

from datetime import date
from typing import Any

from internal.venue.market.listing import Listing


def ticker_fields(listing: Listing, day: date) -> dict[str, Any]:
    """A row of `/v3/reference/tickers` as of the day; None stands for what is not known."""
    active = listing.is_active(day)
    return {
        "ticker": listing.ticker,
        "name": listing.name,
        "market": "stocks",
        "locale": "us",
        "primary_exchange": listing.primary_exchange,
        "type": "CS",
        "active": active,
        "currency_name": "usd",
        "cik": listing.central_index_key,
        "composite_figi": listing.composite_figi,
        "share_class_figi": listing.share_class_figi,
        "last_updated_utc": f"{day}T00:00:00Z",
        "delisted_utc": None if active or listing.delisted_date is None else f"{listing.delisted_date}T00:00:00Z",
    }


def details_body(listing: Listing, day: date, shares: int | None, close: float | None) -> dict[str, Any]:
    """The `results` of `/v3/reference/tickers/{ticker}`; `shares` outstanding, last `close` in US dollars."""
    fields = ticker_fields(listing, day) | {
        "sic_code": listing.sic_code,
        "sic_description": listing.sic_description,
        "ticker_root": listing.ticker,
        "list_date": listing.listed_date.isoformat(),
        "market_cap": None if shares is None or close is None else round(shares * close, 2),
        "share_class_shares_outstanding": shares,
        "weighted_shares_outstanding": shares,
        "round_lot": 100,
    }
    company = _simulated_company(listing) if listing.central_index_key is not None else {}
    del fields["last_updated_utc"]  # the list has it, the details do not
    return {name: value for name, value in (fields | company).items() if value is not None}


def _simulated_company(listing: Listing) -> dict[str, Any]:
    """What stands in the vendor's body about a company's office; addresses and numbers reserved for examples."""
    home = f"https://{listing.ticker.lower()}.example"
    return {
        "address": {"address1": "1 EXAMPLE STREET", "city": "NEW YORK", "state": "NY", "postal_code": "10001"},
        "branding": {"logo_url": f"{home}/logo.svg", "icon_url": f"{home}/icon.png"},
        "description": f"{listing.name} is a simulated company of the {listing.sector} sector.",
        "homepage_url": home,
        "phone_number": "(212) 555-0100",
        "total_employees": max(1, (listing.shares_outstanding or 0) // 100_000),
    }
