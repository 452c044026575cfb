"""The one door to prices: what every market, simulated or replayed, answers.

Knows days, never the clock: a market holds its whole future, so whoever asks must ask only for days that the
exchange's clock has passed. Routes and matching keep that rule.
"""

from datetime import date
from typing import Literal, Protocol

import polars as pl

from internal.venue.market.listing import Bar, Listing


class Market(Protocol):
    """Daily prices, listings and corporate actions of one market."""

    @property
    def kind(self) -> Literal["simulated", "replayed"]:
        """Where the prices come from."""

    @property
    def planted_signal(self) -> str:
        """What predictable signal the prices hold, in words that start with its name; `none` where there is none.

        A replayed market answers `unknown`: its prices are whatever the file holds.
        """

    @property
    def seed(self) -> int | None:
        """The seed that the prices are a function of; None for a replayed market."""

    def sessions(self) -> list[date]:
        """Every session that the market can play, oldest first, history included."""

    def opening_session(self) -> date:
        """The session at whose close the clock of a fresh exchange starts."""

    def listings(self, day: date) -> list[Listing]:
        """Every ticker listed on or before that day, ordered by ticker, as known on that day.

        Delisted ones are included; a delisting that is still to come is not shown.
        """

    def listing(self, ticker: str) -> Listing | None:
        """One ticker with its whole life, the future included (`as_of` hides it); None for an unknown ticker."""

    def bars(self, day: date) -> pl.DataFrame:
        """The session's bars in the columns of `equity_bars`, ordered by ticker.

        Prices are unadjusted. Halted and unlisted tickers are absent; a day that is no session has no rows.
        """

    def bar(self, ticker: str, day: date) -> Bar | None:
        """One row of `bars(day)`; None where the ticker did not trade."""

    def history(self, ticker: str, start: date, end: date) -> pl.DataFrame:
        """One ticker's bars with start <= date <= end, oldest first, columns as `bars`; no rows for an unknown one."""

    def splits(self, start: date, end: date) -> pl.DataFrame:
        """Splits with start <= execution_date <= end: ticker, execution_date, split_from, split_to."""

    def dividends(self, start: date, end: date) -> pl.DataFrame:
        """Dividends with start <= ex_dividend_date <= end, in the contract's columns; amounts in US dollars a share."""
