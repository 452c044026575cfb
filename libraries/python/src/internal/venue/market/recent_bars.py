"""Keeps the bars of the last few sessions that were asked for, so that each is made once."""

from collections.abc import Callable
from datetime import date

from internal.venue.market.listing import Bar

KEPT_DAYS = 4  # a step asks for its own session and the one before


class RecentBars:
    """Bars by day and ticker, made by `make_bar` when first asked for; the oldest day is dropped for a new one."""

    def __init__(self, make_bar: Callable[[str, date], Bar | None]) -> None:
        self._make_bar = make_bar
        self._days: dict[date, dict[str, Bar | None]] = {}

    def bar(self, ticker: str, day: date) -> Bar | None:
        """The bar; None where the ticker did not trade."""
        bars = self._days.get(day)
        if bars is None:
            bars = self._add(day)
        if ticker not in bars:
            bars[ticker] = self._make_bar(ticker, day)
        return bars[ticker]

    def _add(self, day: date) -> dict[str, Bar | None]:
        days = dict(list(self._days.items())[-KEPT_DAYS + 1 :])
        self._days = {**days, day: (bars := {})}
        return bars
