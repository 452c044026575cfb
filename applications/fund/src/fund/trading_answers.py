"""The JSON that portfoliomanager answers about the trading state and about closing all positions."""

from datetime import datetime
from typing import Any, Self

from pydantic import BaseModel

from fund.service_client import ServiceClient
from internal.modes import Mode

HALTED = "halted"


class TradingState(BaseModel):
    """What the fund may send: `GET /trading-state`."""

    mode: Mode
    state: str
    meaning: str
    changed_at: datetime | None
    changed_by: str
    cause: str
    reason: str
    planned_orders: int
    orders_at_broker: int

    @classmethod
    def read(cls, service: ServiceClient) -> Self:
        """What the running fund may send."""
        return cls.model_validate(service.get("/trading-state"))

    def describe(self) -> list[str]:
        """The state, its meaning, and who set it when and why, in lines."""
        lines = [f"{self.mode.banner}: trading is {self.state}: {self.meaning}."]
        if self.changed_at is not None:
            lines.append(
                f"Since {self.changed_at:%Y-%m-%d %H:%M} UTC, by {self.changed_by} ({self.cause}): {self.reason}"
            )
        return lines

    def describe_orders(self) -> list[str]:
        """What the state does not reach: orders that were sent before it, and those that wait for it."""
        if self.state == "active":
            return []
        lines: list[str] = []
        if self.orders_at_broker:
            lines.append(f"{self.orders_at_broker} orders are at the broker and may fill; `fund flatten` cancels them.")
        if self.planned_orders:
            lines.append(f"{self.planned_orders} orders are planned and not sent; `fund resume` goes on with them.")
        return lines


class OpenHolding(BaseModel):
    """Shares that are still held, and why."""

    ticker: str
    quantity: float
    reason: str


class Flattening(BaseModel):
    """How far closing all positions is: `GET /flatten`."""

    as_of: datetime
    mode: Mode
    trading_state: dict[str, Any]
    flat: bool
    fills_from: datetime | None
    orders: list[dict[str, Any]]
    still_open: list[OpenHolding]
    foreign: dict[str, float]

    @property
    def waits_for_open(self) -> bool:
        """Whether closes are at the broker and the market is closed."""
        return self.fills_from is not None and self.fills_from > self.as_of

    def describe(self) -> list[str]:
        """What was closed, and what is still open and why, in lines."""
        filled = sum(order["state"] == "filled" for order in self.orders)
        lines = [
            f"{self.mode.banner}: {filled} of {len(self.orders)} closes are filled at {self.as_of:%Y-%m-%d %H:%M} UTC."
        ]
        if self.waits_for_open:
            lines.append(
                f"The market is closed: what has not filled yet does from {self.fills_from:%Y-%m-%d %H:%M} UTC on. "
                "Asked again, `./fund flatten` asks the broker for the fills."
            )
        lines += [f"still open: {one.quantity:g} {one.ticker}: {one.reason}" for one in self.still_open]
        lines += [f"left alone, not the fund's: {shares:g} {ticker}" for ticker, shares in self.foreign.items()]
        if self.flat:
            lines.append("The fund is flat. Nothing is opened before `fund resume`.")
        return lines
