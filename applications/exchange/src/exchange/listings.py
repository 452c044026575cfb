"""Finds a listing by what a client calls it: its ticker, a class share's other spelling, or Alpaca's asset id."""

from datetime import date

from internal.venue.identity import asset_id
from internal.venue.market.listing import Listing
from internal.venue.market.protocol import Market


def find_listing(market: Market, name: str, day: date | None = None) -> Listing | None:
    """The listing under a ticker of the day; a class share listed as `BF/B` is found as `BF.B` too, and the reverse."""
    for spelling in (name, name.replace(".", "/"), name.replace("/", ".")):
        if (listing := market.listing(spelling, day)) is not None:
            return listing
    return None


def find_asset(market: Market, symbol_or_id: str, today: date) -> Listing | None:
    """The listing under a symbol or an asset id; None for one that was not listed yet on the day."""
    named = find_listing(market, symbol_or_id, today)
    if named is not None:
        return named
    return next((one for one in market.listings(today) if asset_id(one.permanent_id) == symbol_or_id), None)


def ticker_named(market: Market, symbol_or_id: str, today: date) -> str:
    """The ticker that a client means; what no listing has stays as it was given."""
    listing = find_asset(market, symbol_or_id, today)
    return symbol_or_id if listing is None else listing.ticker
