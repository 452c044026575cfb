"""Finds the simulated company that has one of the SEC's keys, and its security as it is known on a day."""

from datetime import date
from functools import cached_property

from internal.venue.market.listing import Listing
from internal.venue.market.protocol import MarketData


class CompanyIndex:
    """The companies of a market by their key; read at the first question, because a market may have thousands."""

    def __init__(self, market: MarketData) -> None:
        self._market = market

    def find(self, central_index_key: str, day: date) -> Listing | None:
        """The company's security as of the day; None for an unknown key, and before it is listed."""
        listing = self._by_key.get(central_index_key)
        return None if listing is None or listing.listed_date > day else listing.as_of(day)

    @cached_property
    def _by_key(self) -> dict[str, Listing]:
        whole = self._market.listings(self._market.sessions()[-1])
        return {one.central_index_key: one for one in whole if one.central_index_key is not None}
