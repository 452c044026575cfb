"""Ports of the application beside those of the trading core: the data service's frames, the journal, the activities."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Protocol

import polars as pl

from internal.books.activities import Activity
from internal.cloud_events.responses import RecentEvents
from internal.http.schedule_response import Schedule
from internal.trading.enums import OrderState
from internal.trading.orders import Order
from internal.trading.ports import Journal
from internal.trading.runs import RebalanceRun
from internal.trading.snapshots import Snapshot


class ForecastStore(Protocol):
    """What forecasts are made from and stored in.

    Raises the data service's problems as FundErrors, UnavailableError when it cannot be reached.
    """

    def bars(
        self,
        start: date,
        end: date,
        *,
        adjusted_as_of: date | None,
        columns: Sequence[str] = (),
        tickers: Sequence[str] = (),
    ) -> tuple[pl.DataFrame, int]:
        """Bars and their version; no columns or tickers means all."""
        ...

    def details(self) -> pl.DataFrame:
        """The frame `equity_details`."""
        ...

    def predictions(self, start: date, end: date, *, named_as_of: date | None = None) -> pl.DataFrame:
        """Predictions by date of origin, under the tickers of their dates or of the day `named_as_of`."""
        ...

    def save_predictions(self, frame: pl.DataFrame, trained_through: date | None) -> int:
        """Store predictions of a model whose training ended with that session.

        The first of a session stay; how many rows are re-forecasts instead.
        """
        ...


class FundJournal(Journal, Protocol):
    """The journal with the questions of pages, routes and metrics, which may read all of it."""

    def runs(self) -> Sequence[RebalanceRun]:
        """All runs, oldest first."""
        ...

    def orders(self) -> Sequence[Order]:
        """All orders, oldest first."""
        ...

    def order_counts(self) -> Mapping[OrderState, int]:
        """How many orders are in each state."""
        ...

    def snapshots(self) -> Sequence[Snapshot]:
        """All snapshots, oldest first."""
        ...


class ActivityFeed(Protocol):
    """The broker's account activities. Raises UpstreamError or UnavailableError, as every read of the broker."""

    def read_new(self) -> Sequence[Activity]:
        """Read what is new; all activities that are known."""
        ...

    def forget(self) -> None:
        """Read everything that is not stored again at the next reading."""
        ...


class ActivityStore(Protocol):
    """Stored account activities; a write is on disk when it returns."""

    def read(self) -> Sequence[Activity]:
        """All activities."""
        ...

    def save(self, activities: Sequence[Activity]) -> None:
        """Insert or replace activities by their id, all or none."""
        ...

    def replace(self, activities: Sequence[Activity]) -> None:
        """Store these activities and no others."""
        ...


class UpdateFeed(Protocol):
    """The broker's updates of orders, as a signal."""

    @property
    def is_connected(self) -> bool:
        """Whether updates arrive."""
        ...

    async def run(self) -> None:
        """Receive updates until the task is canceled."""
        ...

    async def wait(self) -> None:
        """Return when something has happened to an order since the last call."""
        ...


class Peer(Protocol):
    """Another service of the fund. Raises UnavailableError when it cannot be reached, UpstreamError for odd answers.

    Attributes:
        url: Its address.
    """

    url: str

    def checks(self) -> dict[str, str]:
        """The result of each readiness check."""
        ...

    def events(self) -> RecentEvents:
        """The newest events that it sent and received."""
        ...

    def redeliver(self, event_id: str) -> None:
        """Let a parked event be handled again. Raises NotFoundError where none is parked under that id."""
        ...


class SchedulerPeer(Peer, Protocol):
    """The scheduler."""

    def schedule(self) -> Schedule:
        """What ran last, what is overdue, and what is due next."""
        ...
