"""The strip of the Fund page: trading, the session, last and next run, exposure, orders, and how fresh the bars are."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

import polars as pl

from internal.dates import (
    is_early_close,
    is_market_open,
    is_session,
    last_closed_session,
    next_session,
    session_close,
    session_open,
)
from internal.dates import sessions as sessions_between
from internal.pages.formats import count
from internal.trading.enums import OrderState
from internal.trading.orders import Order
from internal.trading.runs import RebalanceRun

SHOWN_SESSIONS = 5


@dataclass(frozen=True)
class SessionHours:
    """A session to come, UTC."""

    day: date
    opens: datetime
    closes: datetime

    @property
    def is_short(self) -> bool:
        """Whether it closes early."""
        return is_early_close(self.day)


@dataclass(frozen=True)
class MarketDay:
    """Where the market's clock is among the sessions.

    Attributes:
        moment: The market's clock, UTC.
        last: The last closed session.
        ahead: The sessions that have not closed, the next one first.
    """

    moment: datetime
    last: date
    ahead: tuple[SessionHours, ...]

    @property
    def is_open(self) -> bool:
        """Whether a session is going on."""
        return is_market_open(self.moment)


def read_market_day(moment: datetime) -> MarketDay:
    """The sessions around a moment."""
    last = last_closed_session(moment)
    days = [next_session(last, step) for step in range(1, SHOWN_SESSIONS + 1)]
    return MarketDay(moment, last, tuple(SessionHours(day, session_open(day), session_close(day)) for day in days))


@dataclass(frozen=True)
class LastRun:
    """The last run and what became of its orders."""

    run: RebalanceRun
    orders: tuple[Order, ...]

    @property
    def words(self) -> str:
        """How many orders, and how far they are."""
        if not self.orders:
            return "no orders"
        return f"{count(len(self.orders), 'order')}, {self.run.state.words}"

    @property
    def notes(self) -> tuple[str, ...]:
        """What fell short of what the strategy asked for."""
        return self.run.notes


@dataclass(frozen=True)
class OrderCounts:
    """The journal's orders by what became of them."""

    by_state: Mapping[OrderState, int]

    @property
    def unresolved(self) -> int:
        """Orders that may or may not be at the broker."""
        return self.by_state.get(OrderState.UNRESOLVED, 0)

    @property
    def open(self) -> int:
        """Orders that may still fill, those that are not sent yet among them."""
        states = (OrderState.PLANNED, OrderState.SUBMITTED, OrderState.PARTIALLY_FILLED)
        return sum(self.by_state.get(state, 0) for state in states)

    @property
    def filled(self) -> int:
        """Orders that filled."""
        return self.by_state.get(OrderState.FILLED, 0)


@dataclass(frozen=True)
class DataFreshness:
    """The sessions of the lake.

    Attributes:
        newest: The newest one that is collected; None where none is.
        behind: Sessions that have closed since.
        total: Collected sessions.
        missing: Sessions between the first and the newest that are not collected.
    """

    newest: date | None
    behind: int
    total: int
    missing: int


def read_freshness(ledger: pl.DataFrame, last: date) -> DataFreshness:
    """The state of the collected sessions (`date`) beside the last closed one."""
    days = sorted({day for day in ledger.get_column("date").to_list() if is_session(day)})
    if not days:
        return DataFreshness(None, 0, 0, 0)
    behind = len(sessions_between(days[-1], last)) - 1 if days[-1] <= last else 0
    return DataFreshness(days[-1], behind, len(days), len(sessions_between(days[0], days[-1])) - len(days))
