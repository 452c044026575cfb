"""The control API's answers."""

from typing import Literal

from pydantic import BaseModel

from exchange.responses.alpaca import OrderBody


class State(BaseModel):
    """The exchange's clock and market; `sessions_left` counts the sessions whose close is still to come.

    `first_session` is the first that the market has bars of.
    """

    timestamp: str
    session: str
    phase: str
    next_session: str | None
    sessions_left: int
    market: Literal["simulated", "replayed"]
    planted_signal: str
    seed: int | None
    tickers: int
    first_session: str


class FillRecord(BaseModel):
    """One fill of an order: shares, and dollars a share."""

    id: str
    quantity: str
    price: str
    timestamp: str


class OrderRecord(OrderBody):
    """An order with its number from 1 and its fills, oldest first."""

    sequence: int
    fills: list[FillRecord]


class OrderRecords(BaseModel):
    """Every order that was ever accepted, oldest first."""

    orders: list[OrderRecord]
