"""Gathering: the situation of a day, collected from the broker, the data service and the journal.

Knows which frames a decision needs and what is missing when it cannot be taken. Decides nothing and writes nothing.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import polars as pl

from internal.dates import previous_session
from internal.errors import ConflictError
from portfoliomanager import book
from portfoliomanager.allocation import Situation
from portfoliomanager.policy import Policy
from portfoliomanager.ports import Account, Broker, BrokerOrder, DataStore, Journal

BAND_SESSIONS = 30  # how far back a stored band is looked for
DECISION_COLUMNS = ("ticker", "date", "close", "volume")


@dataclass(frozen=True)
class Gathered:
    """A situation, what of the account is not ours, and the versions that the decision derives from."""

    situation: Situation
    foreign: list[dict[str, Any]]
    model_version: str
    bars_version: int


def gather(  # noqa: PLR0913, PLR0917 - three ports and the facts of the run
    broker: Broker, store: DataStore, journal: Journal, account: Account, day: date, moment: datetime, policy: Policy
) -> Gathered:
    """Everything that the decision at the close of `day` needs.

    Raises ConflictError that says which POST is missing when there are no bars or no predictions of that day.
    """
    bars, bars_version = _bars(store, day, policy)
    predictions = _predictions(store, day)
    orders, positions, open_orders = journal.orders(), broker.positions(), broker.open_orders()
    held = _own_book(store, orders, positions, day, moment)
    own = held.positions.get_column("ticker").to_list()
    situation = Situation(
        day=day,
        net_asset_value=account.net_asset_value,
        bars=bars,
        predictions=predictions,
        positions=held.positions,
        assets=broker.assets(),
        blocked=frozenset(order.ticker for order in open_orders)
        | frozenset(ticker for ticker in held.foreign.get_column("ticker").to_list() if ticker not in own),
    )
    return Gathered(
        situation, _foreign(held.foreign, open_orders, orders), predictions.item(0, "model_version"), bars_version
    )


def foreign_now(broker: Broker, store: DataStore, journal: Journal, moment: datetime) -> list[dict[str, Any]]:
    """Positions and open orders of the account that the journal does not explain."""
    orders, positions = journal.orders(), broker.positions()
    first = _first_entry(orders, positions)
    splits = book.NO_SPLITS if first is None else store.splits(first, max(first, moment.date()))
    held = book.own(orders, positions, splits, book.NO_FACTORS, book.NO_BANDS)
    return _foreign(held.foreign, broker.open_orders(), orders)


def _bars(store: DataStore, day: date, policy: Policy) -> tuple[pl.DataFrame, int]:
    start = previous_session(day, policy.lookback_sessions + 1)
    bars, version = store.bars(start, day, adjusted_as_of=day, columns=DECISION_COLUMNS, tickers=())
    if bars.filter(pl.col("date") == day).is_empty():
        raise ConflictError(
            f'there are no bars of {day}: POST /equity-bars {{"date": "{day}"}} to datamanager, then try again'
        )
    return bars, version


def _predictions(store: DataStore, day: date) -> pl.DataFrame:
    predictions = store.predictions(day, day)
    if predictions.is_empty():
        raise ConflictError(
            f'there are no predictions of {day}: POST /predictions {{"date": "{day}"}} here, then try again'
        )
    return predictions


def _own_book(
    store: DataStore, orders: pl.DataFrame, positions: pl.DataFrame, day: date, moment: datetime
) -> book.Book:
    """The broker's positions, parted into own and foreign; the data service is asked only when something is held."""
    first = _first_entry(orders, positions)
    if first is None:
        return book.own(orders, positions, book.NO_SPLITS, book.NO_FACTORS, book.NO_BANDS)
    tickers = positions.join(book.entries(orders), on="ticker", how="semi").get_column("ticker").to_list()
    bands = store.portfolios(previous_session(day, BAND_SESSIONS), previous_session(day))
    return book.own(
        orders,
        positions,
        store.splits(first, max(first, moment.date())),
        _price_factors(store, first, day, tickers) if first <= day else book.NO_FACTORS,
        book.stored_bands(bands),
    )


def _first_entry(orders: pl.DataFrame, positions: pl.DataFrame) -> date | None:
    """The earliest session at which something that is held was opened by us; None when nothing was."""
    first = book.entries(orders).join(positions, on="ticker", how="semi").get_column("opened_date").min()
    return first if isinstance(first, date) else None


def _price_factors(store: DataStore, first: date, day: date, tickers: list[str]) -> pl.DataFrame:
    """Adjusted over raw close by name and session: what takes a price of that session to the terms of `day`."""
    columns = ("ticker", "date", "close")
    adjusted, _ = store.bars(first, day, adjusted_as_of=day, columns=columns, tickers=tickers)
    raw, _ = store.bars(first, day, adjusted_as_of=None, columns=columns, tickers=tickers)
    return adjusted.join(raw, on=["ticker", "date"], suffix="_raw").select(
        "ticker", "date", (pl.col("close") / pl.col("close_raw")).alias("factor")
    )


def _foreign(positions: pl.DataFrame, open_orders: list[BrokerOrder], orders: pl.DataFrame) -> list[dict[str, Any]]:
    known = set(orders.get_column("client_order_id").to_list())
    return [
        *({"kind": "position", **row} for row in positions.select("ticker", "quantity").to_dicts()),
        *(
            {
                "kind": "order",
                "ticker": order.ticker,
                "quantity": order.quantity,
                "side": order.side,
                "client_order_id": order.client_order_id,
            }
            for order in open_orders
            if order.client_order_id not in known
        ),
    ]
