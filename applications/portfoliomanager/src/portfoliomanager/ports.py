"""Ports: what the use cases ask of a broker, of the data service and of the journal.

Knows shapes and promises. Knows no vendor, no URL and no file.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

import polars as pl

from internal.errors import FundError

BROKER_POSITION_COLUMNS: dict[str, pl.DataType] = {
    "ticker": pl.String(),
    "quantity": pl.Float64(),  # shares, negative when short
    "average_entry_price": pl.Float64(),  # dollars
    "current_price": pl.Float64(),  # dollars; null when the broker has none
    "market_value": pl.Float64(),  # dollars, negative when short
    "unrealized_profit": pl.Float64(),  # dollars
}
ASSET_COLUMNS: dict[str, pl.DataType] = {"ticker": pl.String(), "tradable": pl.Boolean(), "shortable": pl.Boolean()}
COST_COLUMNS: dict[str, pl.DataType] = {
    "activity_id": pl.String(),
    "date": pl.Date(),
    "kind": pl.String(),  # "fees" or "borrow"
    "amount": pl.Float64(),  # dollars, positive is paid
}


class RefusedOrderError(FundError):
    """The broker looked at an order and said no; it is certain that it does not exist there."""

    status = 409
    title = "Order refused"
    slug = "order-refused"


class SuspendedAccountError(FundError):
    """Trading is switched off at the broker; nothing is sent until somebody switches it on again."""

    status = 409
    title = "Trading suspended"
    slug = "trading-suspended"


@dataclass(frozen=True)
class Account:
    """The account as the broker reports it; dollars. `halted` says why no order may be sent, "" when one may."""

    account_id: str
    halted: str
    net_asset_value: float
    cash: float
    long_market_value: float
    short_market_value: float  # negative


@dataclass(frozen=True)
class BrokerOrder:
    """An order as the broker knows it; `state` is one of the orders frame's."""

    client_order_id: str
    broker_order_id: str
    ticker: str
    side: str
    state: str
    quantity: float
    filled_quantity: float
    filled_average_price: float | None


@dataclass(frozen=True)
class Ticket:
    """What is sent: market orders, in shares."""

    client_order_id: str
    ticker: str
    side: str
    quantity: float
    time_in_force: str


class Broker(Protocol):
    """A broker. Reads raise UpstreamError (answered wrongly) or UnavailableError (not reachable)."""

    def moment(self) -> datetime:
        """The market's clock, UTC; the only clock that decisions are taken by."""

    def account(self) -> Account:
        """Totals and whether trading is allowed."""

    def positions(self) -> pl.DataFrame:
        """All positions, BROKER_POSITION_COLUMNS."""

    def assets(self) -> pl.DataFrame:
        """All active assets, ASSET_COLUMNS."""

    def open_orders(self) -> list[BrokerOrder]:
        """Orders that may still fill, ours and others'."""

    def order(self, client_order_id: str) -> BrokerOrder | None:
        """The order under that id, None when the broker has none."""

    def submit(self, ticket: Ticket) -> BrokerOrder:
        """Send once. An id that is there already answers with the order that has it.

        Raises RefusedOrderError (it does not exist), UnavailableError (rate limited: not sent) or
        UnresolvedOrderError (it may exist: ask).
        """

    def costs(self) -> pl.DataFrame:
        """Fees and borrow cost booked so far, COST_COLUMNS."""


class DataStore(Protocol):
    """The data service. Raises its problems as FundErrors, UnavailableError when it cannot be reached."""

    def bars(
        self, start: date, end: date, *, adjusted_as_of: date | None, columns: Sequence[str], tickers: Sequence[str]
    ) -> tuple[pl.DataFrame, int]:
        """Bars and their version; no columns or tickers means all."""

    def details(self) -> pl.DataFrame:
        """The equity_details frame."""

    def splits(self, start: date, end: date) -> pl.DataFrame:
        """Splits by execution date."""

    def predictions(self, start: date, end: date) -> pl.DataFrame:
        """Predictions by date of origin."""

    def save_predictions(self, frame: pl.DataFrame) -> None:
        """Replace the predictions of the frame's dates."""

    def portfolios(self, start: date, end: date) -> pl.DataFrame:
        """Portfolios by date of decision."""

    def portfolio(self, portfolio_id: str) -> pl.DataFrame:
        """One portfolio; empty when there is none."""

    def save_portfolio(self, frame: pl.DataFrame) -> None:
        """Replace the rows of the frame's portfolio."""

    def check_health(self) -> None:
        """Nothing when it can be asked; raises otherwise."""


class Lease(Protocol):
    """The right to act for the fund, which one process has at a time."""

    def require(self) -> int:
        """The fencing number of this process's holding; a later holder's is larger. Raises StandbyError without it."""


@dataclass(frozen=True)
class Rebalance:
    """One run of the state machine: planned, submitted, filled, reconciled.

    `lease_number` is the fencing number of the holder who last went on with it; None in runs older than the lease.
    """

    portfolio_id: str
    date: date
    state: str
    policy: str
    model_version: str
    bars_version: int
    notes: tuple[str, ...]
    created_at: datetime
    updated_at: datetime
    lease_number: int | None = None


class Journal(Protocol):
    """What was decided and sent; every write is durable when it returns."""

    def rebalance(self, portfolio_id: str) -> Rebalance | None:
        """The run of that portfolio, None when it was never planned."""

    def rebalances(self) -> list[Rebalance]:
        """All runs, oldest first."""

    def save_rebalance(self, rebalance: Rebalance) -> None:
        """Insert or replace the run."""

    def orders(self) -> pl.DataFrame:
        """Every order ever planned: the orders frame."""

    def save_orders(self, frame: pl.DataFrame) -> None:
        """Insert or replace orders by client_order_id, all or none."""

    def snapshots(self) -> pl.DataFrame:
        """Account snapshots, oldest first."""

    def save_snapshot(self, frame: pl.DataFrame) -> None:
        """Insert or replace snapshots by timestamp."""
