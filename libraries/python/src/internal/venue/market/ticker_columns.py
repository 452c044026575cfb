"""Maps tickers to columns of a market's arrays and back, by session: a name changes, and is used again by another."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from internal.venue.market.listing import Listing, TickerPeriod


class Span(NamedTuple):
    """The sessions in which a column has a ticker: `start` up to before `end`."""

    column: int
    start: int
    end: int


class TickerColumns:
    """The tickers of a market's columns.

    Args:
        listings: The securities, one a column.
        sessions: The market's sessions.
    """

    def __init__(self, listings: Sequence[Listing], sessions: Sequence[date]) -> None:
        self._spans: defaultdict[str, list[Span]] = defaultdict(list)
        self._names = pl.Series("ticker", [listing.ticker for listing in listings], dtype=pl.String)
        renamed: list[tuple[Span, str]] = []
        for column, listing in enumerate(listings):
            spans = _spans(column, listing, sessions)
            renamed += spans if len(spans) > 1 else []
            for span, ticker in spans:
                self._spans[ticker].append(span)
        self._changes = dict(renamed)

    @property
    def ordered(self) -> bool:
        """Whether the columns are in the order of their tickers in every session."""
        return not self._changes and self._names.is_sorted()

    def spans(self, ticker: str) -> Sequence[Span]:
        """Where the ticker is, oldest first; nothing for an unknown one."""
        return sorted(self._spans.get(ticker, ()), key=lambda span: span.start)

    def column(self, ticker: str, session: int) -> int | None:
        """The column that has the ticker in the session."""
        return next((span.column for span in self._spans.get(ticker, ()) if span.start <= session < span.end), None)

    def names(self, rows: npt.NDArray[np.int64], columns: npt.NDArray[np.int64]) -> pl.Series:
        """The tickers of these places, [session number, column]."""
        found = self._names.gather(columns)
        if not self._changes:
            return found
        renamed = found.to_numpy().copy()
        for span, ticker in self._changes.items():
            renamed[(columns == span.column) & (rows >= span.start) & (rows < span.end)] = ticker
        return pl.Series("ticker", renamed, dtype=pl.String)


def _spans(column: int, listing: Listing, sessions: Sequence[date]) -> list[tuple[Span, str]]:
    periods = listing.tickers or (TickerPeriod(listing.ticker, listing.listed_date),)
    last = len(sessions) if listing.delisted_date is None else bisect_left(sessions, listing.delisted_date)
    starts = [bisect_left(sessions, period.start_date) for period in periods]
    ends = [*starts[1:], last]
    return [(Span(column, start, end), period.ticker) for period, start, end in zip(periods, starts, ends, strict=True)]
