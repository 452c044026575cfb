"""Finds the security behind a ticker on a day: tickers are changed, and used again by others."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import date

from internal.venue.market.listing import Listing


class ListingIndex:
    """Listings by each of their tickers.

    Args:
        listings: Every security of a market with its whole life, under any of its tickers.
    """

    def __init__(self, listings: Iterable[Listing]) -> None:
        holders: defaultdict[str, list[tuple[date, Listing]]] = defaultdict(list)
        for one in listings:
            if not one.tickers:
                holders[one.ticker].append((one.listed_date, one))
            for period in one.tickers:
                holders[period.ticker].append((period.start_date, replace(one, ticker=period.ticker)))
        for found in holders.values():
            found.sort(key=lambda holder: holder[0])
        self._only = {
            ticker: found[0][1] for ticker, found in holders.items() if len(found) == 1 and not found[0][1].tickers
        }
        self._starts = {ticker: [start for start, _ in found] for ticker, found in holders.items()}
        self._listings = {ticker: [one for _, one in found] for ticker, found in holders.items()}

    def find(self, ticker: str, day: date | None = None) -> Listing | None:
        """The security that has the ticker on the day, or had it when it was delisted; None where there is none.

        Its whole life is in it. Without a day the last security that ever has the ticker is found.
        """
        only = self._only.get(ticker)  # nearly all: one security that never had another name
        if only is not None:
            return only if day is None or only.listed_date <= day else None
        found = self._listings.get(ticker)
        if found is None:
            return None
        place = len(found) if day is None else bisect_right(self._starts[ticker], day)
        if not place:
            return None
        holder = found[place - 1]
        return holder if day is None or holder.ticker_on(day) == ticker else None
