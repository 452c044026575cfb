"""One session's bars as arrays in the order of a fixed list of tickers. Pure."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import polars as pl

type Numbers = np.ndarray[tuple[int], np.dtype[np.float64]]
type Mask = np.ndarray[tuple[int], np.dtype[np.bool_]]

PRICES = ("open", "high", "low", "close")


@dataclass(frozen=True)
class SessionBars:
    """Prices in dollars and volume in shares, one entry a ticker [tickers]; NaN where the ticker has no bar."""

    open: Numbers
    high: Numbers
    low: Numbers
    close: Numbers
    volume: Numbers

    @classmethod
    def from_frame(cls, bars: pl.DataFrame, places: pl.DataFrame) -> Self:
        """The bars of one session.

        Args:
            bars: ticker, prices and volume of one session, unique by ticker, all tickers in `places`.
            places: `ticker` and `place`, its index in the arrays.
        """
        rows = bars.join(places, on="ticker")
        at = rows.get_column("place").to_numpy()

        def spread(name: str) -> Numbers:
            values = np.full(places.height, np.nan)
            values[at] = rows.get_column(name).to_numpy()
            return values

        return cls(*map(spread, (*PRICES, "volume")))

    @property
    def columns(self) -> tuple[Numbers, ...]:
        """The arrays in the order of the fields."""
        return self.open, self.high, self.low, self.close, self.volume

    @property
    def present(self) -> Mask:
        """Whether the ticker has a bar."""
        return ~np.isnan(self.close)

    @property
    def price_fingerprint(self) -> Numbers:
        """One number a bar that two bars share only when all their prices are equal."""
        return self.open + np.pi * self.high + np.e * self.low + np.sqrt(5) * self.close

    @property
    def fingerprint(self) -> Numbers:
        """One number a bar that two bars share only when all their prices and volumes are equal."""
        return self.price_fingerprint + np.sqrt(2) * self.volume

    def keep(self, mask: Mask) -> "SessionBars":
        """The bars of the mask alone."""
        return SessionBars(*(np.where(mask, column, np.nan) for column in self.columns))

    def over(self, below: "SessionBars") -> "SessionBars":
        """These bars, and those of `below` where there is none here."""
        pairs = zip(self.columns, below.columns, strict=True)
        return SessionBars(*(np.where(self.present, mine, other) for mine, other in pairs))

    def split(self, factor: Numbers) -> "SessionBars":
        """The bars in the shares after splits of so many new shares for one old [tickers]."""
        prices = (self.open, self.high, self.low, self.close)
        return SessionBars(*(price / factor for price in prices), volume=self.volume * factor)
