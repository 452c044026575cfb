"""One listing in the vendor's words, short (a row of the list) and long (the details).

A simulated company has every field, and says that it is simulated.
"""

from datetime import date

from exchange.responses.polygon import (
    Address,
    Branding,
    TickerChange,
    TickerDetails,
    TickerEvent,
    TickerEvents,
    TickerRow,
)
from internal.venue.market.listing import Listing, TickerPeriod


def ticker_row(listing: Listing, day: date) -> TickerRow:
    """A row of `/v3/reference/tickers` as of the day."""
    active = listing.is_active(day)
    return TickerRow(
        ticker=listing.ticker,
        name=listing.name,
        market="stocks",
        locale="us",
        primary_exchange=listing.primary_exchange,
        type=listing.security_type,
        active=active,
        currency_name="usd",
        cik=listing.central_index_key,
        composite_figi=listing.composite_figi,
        share_class_figi=listing.share_class_figi,
        last_updated_utc=f"{day}T00:00:00Z",
        delisted_utc=None if active or listing.delisted_date is None else f"{listing.delisted_date}T00:00:00Z",
    )


def ticker_events(listing: Listing) -> TickerEvents:
    """The listing's tickers, newest first; the first one dates from its listing."""
    periods = listing.tickers or (TickerPeriod(listing.ticker, listing.listed_date),)
    return TickerEvents(
        name=listing.name,
        composite_figi=listing.composite_figi,
        cik=listing.central_index_key,
        events=[
            TickerEvent(ticker_change=TickerChange(ticker=one.ticker), date=one.start_date.isoformat())
            for one in reversed(periods)
        ],
    )


def ticker_details(listing: Listing, day: date, shares: int | None, close: float | None) -> TickerDetails:
    """The details; `shares` outstanding on the day, last `close` in US dollars."""
    details = TickerDetails(
        **ticker_row(listing, day).model_dump(exclude={"last_updated_utc"}),  # the list has it, the details do not
        sic_code=listing.sic_code,
        sic_description=listing.sic_description,
        ticker_root=listing.ticker,
        list_date=listing.listed_date.isoformat(),
        market_cap=None if shares is None or close is None else round(shares * close, 2),
        share_class_shares_outstanding=shares,
        weighted_shares_outstanding=shares,
        round_lot=100,
    )
    return details if listing.central_index_key is None else _with_simulated_company(details, listing)


def _with_simulated_company(details: TickerDetails, listing: Listing) -> TickerDetails:
    """The details with a company's office; addresses and numbers are those reserved for examples."""
    home = f"https://{listing.ticker.lower()}.example"
    company = {
        "address": Address(address1="1 EXAMPLE STREET", city="NEW YORK", state="NY", postal_code="10001"),
        "branding": Branding(logo_url=f"{home}/logo.svg", icon_url=f"{home}/icon.png"),
        "description": f"{listing.name} is a simulated company of the {listing.sector} sector.",
        "homepage_url": home,
        "phone_number": "(212) 555-0100",
        "total_employees": max(1, (listing.shares_outstanding or 0) // 100_000),
    }
    return details.model_copy(update=company)
