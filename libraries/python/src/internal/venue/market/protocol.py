"""What every market, simulated or replayed, answers.

A market holds its whole future and has no clock: whoever asks must ask only for days that the venue's clock has passed.
"""

from datetime import date
from typing import Literal, Protocol

import polars as pl

from internal.venue.corporate_actions import CorporateAction
from internal.venue.market.event_rates import Events
from internal.venue.market.listing import Bar, Listing
from internal.venue.market.volatility_regime import VolatilityRegime


class Market(Protocol):
    """What orders, fills and the account need: one ticker at a time, as small objects."""

    @property
    def kind(self) -> Literal["simulated", "replayed"]:
        """Where the prices come from."""
        ...

    @property
    def planted_signal(self) -> str:
        """What predictable signal the prices hold, in words that start with its name; `none` where there is none.

        A replayed market answers `unknown`: its prices are whatever its table holds.
        """
        ...

    @property
    def seed(self) -> int | None:
        """The seed that the prices are a function of; None for a replayed market."""
        ...

    @property
    def events(self) -> Events:
        """How often corporate actions beside the usual ones are simulated; `none` for a replayed market."""
        ...

    @property
    def regime(self) -> VolatilityRegime | None:
        """The sessions of a simulated market in which volatility is multiplied; None where there are none."""
        ...

    def sessions(self) -> list[date]:
        """Every session that the market can play, oldest first, history included."""
        ...

    def opening_session(self) -> date:
        """The session at whose close the clock of a fresh exchange starts."""
        ...

    def listings(self, day: date) -> list[Listing]:
        """Every ticker listed on or before that day, ordered by ticker, as known on that day.

        Delisted ones are included; a delisting that is still to come is not shown.
        """
        ...

    def listing(self, ticker: str, day: date | None = None) -> Listing | None:
        """The security that has the ticker on the day, or had it when it was delisted, under that ticker.

        Its whole life is in it, the future included (`as_of` hides it). Without a day the last security that ever has
        the ticker is found; None where there is none.
        """
        ...

    def bar(self, ticker: str, day: date) -> Bar | None:
        """The ticker's bar of the session; None where the ticker did not trade."""
        ...

    def corporate_actions(self, start: date, end: date) -> tuple[CorporateAction, ...]:
        """Actions of every kind with start <= effective date <= end, ordered by date, kind and ticker."""
        ...


class MarketData(Market, Protocol):
    """A market that also answers with frames of many rows, for the market data API."""

    def bars(self, day: date) -> pl.DataFrame:
        """The session's bars in the columns of `equity_bars`, ordered by ticker.

        Prices are unadjusted. Halted and unlisted tickers are absent; a day that is no session has no rows.
        """
        ...

    def bars_between(self, start: date, end: date) -> pl.DataFrame:
        """The bars of all sessions with start <= date <= end, in the columns of `bars`, ordered by date and ticker."""
        ...

    def history(self, ticker: str, start: date, end: date) -> pl.DataFrame:
        """One ticker's bars with start <= date <= end, oldest first, columns as `bars`; no rows for an unknown one."""
        ...

    def splits(self, start: date, end: date) -> pl.DataFrame:
        """Splits with start <= execution_date <= end: ticker, execution_date, split_from, split_to."""
        ...

    def dividends(self, start: date, end: date) -> pl.DataFrame:
        """Dividends with start <= ex_dividend_date <= end, in the contract's columns; amounts in US dollars a share."""
        ...


def market_name(market: Market) -> str:
    """What distinguishes one market from another, in words; prices are a function of it or of the replayed table."""
    days = market.sessions()
    listed = len(market.listings(days[-1]))
    signal = market.planted_signal.split(":")[0]
    events = "" if market.events == "none" else f", {market.events} events"
    regime = "" if market.regime is None else f", {market.regime.describe()}"
    span = f"{days[0]} to {days[-1]}"
    return f"{market.kind}, seed {market.seed}, signal {signal}, {listed} tickers, {span}{events}{regime}"
