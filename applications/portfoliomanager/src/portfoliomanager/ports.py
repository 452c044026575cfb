"""Ports of the application beside those of the trading core: frames of the data service, and the whole journal."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Protocol

import polars as pl

from internal.trading.enums import OrderState
from internal.trading.ports import Journal
from internal.trading.rows import Order, RebalanceRun, Snapshot


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

    def predictions(self, start: date, end: date) -> pl.DataFrame:
        """Predictions by date of origin."""
        ...

    def save_predictions(self, frame: pl.DataFrame) -> None:
        """Replace the predictions of the frame's dates."""
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
