"""The table of securities: which security had which ticker, from the vendor's listings and the bars in the lake."""

import threading
from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

import polars as pl

from datamanager.ports import LISTING_SCHEMA, MarketData, TickerChange
from datamanager.security_aliases import Alias, Evidence, derive_aliases
from datamanager.security_rows import (
    read_aliases,
    read_asked,
    read_changes,
    read_pauses,
    read_traded,
    store_aliases,
    store_asked,
    to_listed,
)
from internal.errors import FundError
from internal.lake.store import Lake
from internal.telemetry import get_logger

FEW_TICKERS = 20  # so many new tickers are asked for one by one; more with all pages of the listing
LONGEST_GAP = timedelta(days=10)  # between the last bar of an old ticker and the first one of the new
ASKED_AGAIN = timedelta(days=30)
logger = get_logger(__name__)


class Securities:
    """Writes the table of securities; one writer at a time in this process."""

    def __init__(self, lake: Lake, market_data: MarketData) -> None:
        self._lake = lake
        self._market_data = market_data
        self._one_at_a_time = threading.Lock()

    def sync(self, listings: pl.DataFrame) -> None:
        """Derive the aliases of every ticker with bars from the vendor's whole listing.

        Changes of ticker that the listing does not show are asked for one by one, at most every 30 days, for tickers
        whose first bar follows the last bar of one that is listed no more, or that pauses, as before another security
        takes it. What was stored before an error stays.
        """
        with self._one_at_a_time:
            traded = read_traded(self._lake)
            aliases = self._derive(listings, read_changes(self._lake), traded)
            now = datetime.now(UTC)
            asked = read_asked(self._lake, now - ASKED_AGAIN)
            successors = _find_successors(aliases, traded, read_pauses(self._lake, LONGEST_GAP))
            self._ask_for_changes([ticker for ticker in successors if ticker not in asked], listings, traded, now)

    def _ask_for_changes(
        self, tickers: Sequence[str], listings: pl.DataFrame, traded: dict[str, tuple[date, date]], now: datetime
    ) -> None:
        answered: list[str] = []
        try:
            for ticker in tickers:
                changes = self._market_data.ticker_changes(ticker)
                if changes:
                    self._derive(listings, changes, traded)
                answered.append(ticker)
        finally:
            store_asked(self._lake, answered, now)

    def follow_bars(self, first: date, last: date) -> None:
        """Derive the aliases of tickers that first appear in the sessions from first to last, and of renamed ones.

        Before the first sync, and where the vendor's listing cannot be had, they are securities of their own until one.
        """
        with self._one_at_a_time:
            known = read_aliases(self._lake)
            changes = [change for change in read_changes(self._lake) if not _is_followed(change, known)]
            unknown = _find_unknown(read_traded(self._lake, period=(first, last)), known)
            renamed = {name for change in changes for name in (change.old_ticker, change.new_ticker)}
            if unknown or renamed:
                listings = self._list_or_nothing(unknown if known else ())
                self._derive(listings, changes, read_traded(self._lake, unknown | renamed))

    def _derive(
        self, listings: pl.DataFrame, changes: Sequence[TickerChange], traded: dict[str, tuple[date, date]]
    ) -> list[Alias]:
        known = read_aliases(self._lake)
        evidence = Evidence(self._market_data.source, to_listed(listings), changes, traded, known)
        aliases = derive_aliases(evidence)
        store_aliases(self._lake, aliases, self._market_data.source, datetime.now(UTC))
        return aliases

    def _list_or_nothing(self, tickers: Collection[str]) -> pl.DataFrame:
        if not tickers:
            return pl.DataFrame(schema=LISTING_SCHEMA)
        try:
            return self._market_data.listings(sorted(tickers) if len(tickers) <= FEW_TICKERS else None)
        except FundError as error:
            logger.warning("securities_without_listing", tickers=len(tickers), error=error.detail)
            return pl.DataFrame(schema=LISTING_SCHEMA)


def _find_unknown(traded: Mapping[str, tuple[date, date]], known: Iterable[Alias]) -> set[str]:
    """The tickers whose last bar no known alias covers."""
    ends: dict[str, date] = {}
    for alias in known:
        ends[alias.ticker] = max(alias.end or date.max, ends.get(alias.ticker, date.min))
    return {ticker for ticker, (_, last) in traded.items() if ends.get(ticker, date.min) < last}


def _is_followed(change: TickerChange, known: Sequence[Alias]) -> bool:
    """Whether both tickers are aliases of one security at the change, or the old one never had a bar."""
    old = {alias.security_id for alias in known if alias.ticker == change.old_ticker and alias.start < change.date}
    new = {alias.security_id for alias in known if alias.ticker == change.new_ticker and alias.start == change.date}
    return not old or bool(old & new)


def _find_successors(
    aliases: Sequence[Alias], traded: dict[str, tuple[date, date]], pauses: Collection[date]
) -> list[str]:
    """The tickers that may continue one whose bars ended and that is listed no more, or one that pauses."""
    ended = [
        traded[alias.ticker][1]
        for alias in aliases
        if alias.end is None and alias.listed.share_class_figi is None and alias.ticker in traded
    ]
    last = max((last for _, last in traded.values()), default=date.min)
    gone = sorted({*pauses, *(day for day in ended if day < last)})
    return [
        ticker
        for ticker, (first, _) in traded.items()
        if bisect_left(gone, first - LONGEST_GAP) < bisect_left(gone, first)
    ]
