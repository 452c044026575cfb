"""The market of a backtest: its bars as arrays, what the companies are, and the sessions that are played."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from hashlib import sha256

import numpy as np
import polars as pl

from internal.dates import sessions
from internal.errors import InvalidRequestError
from internal.simulation.market_tables import FIELDS, MarketTables, read_details, read_market_tables
from internal.simulation.renamed_columns import continue_renamed
from internal.trading.corporate_actions import list_splits
from internal.trading.day_inputs import Details
from internal.venue.market.protocol import MarketData, market_name

MINIMUM_SESSIONS = 2


@dataclass(frozen=True, eq=False)
class BacktestMarket:
    """A market and the sessions of a backtest on it.

    Attributes:
        market: Opens at the first of `days`.
        tables: Its bars up to the last of `days`.
        details: What the companies are, in the order of the tables' tickers.
        days: The sessions, the opening one first: it is decided at its close, and nothing is traded in it.
        description: Where the bars come from, in words that stay the same when sessions are added.
    """

    market: MarketData
    tables: MarketTables
    details: Details
    days: tuple[date, ...]
    description: str

    @cached_property
    def first(self) -> int:
        """The opening session's place in the tables."""
        return len(self.tables.days) - len(self.days)

    @cached_property
    def bars_digest(self) -> str:
        """SHA-256 of the bars and corporate actions, and of the market's name, which the account's id is made of."""
        tables = self.tables
        labels = (market_name(self.market), tables.days, tables.tickers, tuple(list_splits(tables.actions)))
        digest = sha256(repr((labels, tables.split_factors, tables.dividend_factors, self.details)).encode())
        for name in FIELDS:
            digest.update(np.ascontiguousarray(getattr(tables, name)).tobytes())
        return digest.hexdigest()

    @cached_property
    def details_frame(self) -> pl.DataFrame:
        """ticker, sector, industry."""
        names = {"ticker": self.tables.tickers, "sector": self.details.sector, "industry": self.details.industry}
        return pl.DataFrame(names, schema=dict.fromkeys(names, pl.String))


def find_sessions(
    known: Sequence[date], first_day: date | None, last_day: date | None, warm_up: int
) -> tuple[date, ...]:
    """The sessions of a backtest, the opening one first.

    Args:
        known: All sessions of the market, ascending.
        first_day: The first day that is traded; None for the first one after `warm_up` sessions.
        last_day: The last one; None for the market's last.
        warm_up: Sessions of bars that the first decision should have read.

    Raises:
        InvalidRequestError: The days hold fewer than two sessions, or are not all in the market.
    """
    first = first_day or known[min(warm_up, len(known) - 1)]
    last = last_day or known[-1]
    days = sessions(first, last)
    if len(days) < MINIMUM_SESSIONS:
        raise InvalidRequestError(
            f"{first} to {last} holds {len(days)} sessions; a backtest trades {MINIMUM_SESSIONS} or more: give an "
            "earlier --first-day or a later --last-day"
        )
    if days[0] <= known[0] or days[-1] > known[-1]:
        raise InvalidRequestError(
            f"the bars are of {known[0]} to {known[-1]}, so a backtest trades {known[1]} to {known[-1]}, not "
            f"{days[0]} to {days[-1]}: give a --first-day and a --last-day in them, or other bars"
        )
    opening = known[known.index(days[0]) - 1]
    return (opening, *days)


def read_backtest_market(market: MarketData, days: tuple[date, ...], description: str) -> BacktestMarket:
    """The market with its tables; it must open at the first of `days`."""
    tables = continue_renamed(read_market_tables(market, days[-1]))
    return BacktestMarket(market, tables, read_details(market, tables.tickers), days, description)
