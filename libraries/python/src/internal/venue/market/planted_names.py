"""The tickers of a simulated market's securities while its events change them: given up, drawn, used again."""

from collections.abc import Iterable
from datetime import date

import numpy as np

from internal.venue.market.listing import Listing, TickerPeriod

LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
RELEASED_FOR = 5  # sessions until a ticker that was given up is used again
CLASS_CHANGES = 0.25  # of the changes of name give the ticker a share class


class PlantedNames:
    """The dated tickers of each security, by its number.

    Args:
        listings: The securities before any event.
        random: The stream that new tickers are drawn from.
    """

    def __init__(self, listings: Iterable[Listing], random: np.random.Generator) -> None:
        self.periods = [[TickerPeriod(one.ticker, one.listed_date)] for one in listings]
        self._random = random
        self._used = {names[0].ticker for names in self.periods}
        self._released: list[tuple[int, str]] = []

    def before(self, column: int, day: date) -> str:
        """The ticker on the session before the day."""
        known = [period.ticker for period in self.periods[column] if period.start_date < day]
        return known[-1] if known else self.periods[column][0].ticker

    def rename(self, column: int, session: int, day: date) -> str:
        """Give the security a new ticker, of a share class or another one; the old one is free soon."""
        old = self.before(column, day)
        is_class_change = "." not in old and self._random.random() < CLASS_CHANGES
        new = f"{old}.A" if is_class_change and f"{old}.A" not in self._used else self._draw()
        self._used.add(new)
        self.periods[column].append(TickerPeriod(new, day))
        self._released.append((session, old))
        return new

    def add(self, session: int, day: date) -> str:
        """A ticker for the next security: one that another gave up, where there is one, else a new one."""
        free = [pair for pair in self._released if pair[0] + RELEASED_FOR <= session]
        if free:
            self._released.remove(free[0])
        ticker = free[0][1] if free else self._draw()
        self.periods.append([TickerPeriod(ticker, day)])
        return ticker

    def _draw(self) -> str:
        """Five letters, where the market's own tickers have four."""
        while True:
            ticker = "".join(LETTERS[number] for number in self._random.integers(len(LETTERS), size=5).tolist())
            if ticker not in self._used:
                self._used.add(ticker)
                return ticker
