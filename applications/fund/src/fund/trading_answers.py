"""The JSON that portfoliomanager answers about the trading state and about closing all positions."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from fund.service_client import ServiceClient
from internal.modes import Mode
from internal.trading.trading_state import TradingState


@dataclass(frozen=True)
class TradingStateAnswer:
    """What the fund may send: `GET /trading-state`."""

    mode: Mode
    state: TradingState
    meaning: str
    changed_at: datetime | None
    changed_by: str
    cause: str
    reason: str
    planned_orders: int
    orders_at_broker: int
    is_unchanged: bool
    losses_accepted: bool
    undecided: str

    @classmethod
    def read(cls, service: ServiceClient) -> Self:
        """What the running fund may send."""
        return cls.parse(service.get("/trading-state"))

    @classmethod
    def parse(cls, answer: Mapping[str, Any]) -> Self:
        """The trading state that portfoliomanager answered."""
        return cls(
            mode=Mode(answer["mode"]),
            state=TradingState(answer["state"]),
            meaning=answer["meaning"],
            changed_at=None if answer["changed_at"] is None else datetime.fromisoformat(answer["changed_at"]),
            changed_by=answer["changed_by"],
            cause=answer["cause"],
            reason=answer["reason"],
            planned_orders=answer["planned_orders"],
            orders_at_broker=answer["orders_at_broker"],
            is_unchanged=not answer.get("changed", True),
            losses_accepted=answer.get("losses_accepted", False),
            undecided=answer["undecided"],
        )

    def describe(self) -> list[str]:
        """The state, its meaning, and who set it when and why, in lines."""
        lines = [f"{self.mode.banner}: trading is {self.state.words}: {self.meaning}."]
        if self.is_unchanged:
            lines.append("It was so before: nothing was changed, and no losses were accepted.")
        if self.changed_at is not None:
            lines.append(
                f"Since {self.changed_at:%Y-%m-%d %H:%M} UTC, by {self.changed_by} ({self.cause}): {self.reason}"
            )
        if self.undecided:
            lines.append(f"{self.undecided[:1].upper()}{self.undecided[1:]}.")
        return lines

    def describe_orders(self) -> list[str]:
        """What the state does not reach: orders that were sent before it, and those that wait for it."""
        if self.state is TradingState.ACTIVE:
            return []
        lines: list[str] = []
        if self.orders_at_broker:
            lines.append(
                f"{self.orders_at_broker} orders are at the broker and may fill; `./fund flatten` cancels them."
            )
        if self.planned_orders:
            lines.append(f"{self.planned_orders} orders are planned and not sent; `./fund resume` goes on with them.")
        return lines


@dataclass(frozen=True)
class OpenHolding:
    """Shares that are still held, and why."""

    ticker: str
    quantity: float
    reason: str


@dataclass(frozen=True)
class Flattening:
    """How far closing all positions is: `GET /flatten`."""

    as_of: datetime
    mode: Mode
    flat: bool
    fills_from: datetime | None
    order_states: tuple[str, ...]
    still_open: tuple[OpenHolding, ...]
    foreign: Mapping[str, float]

    @classmethod
    def parse(cls, answer: Mapping[str, Any]) -> Self:
        """How far closing is, as portfoliomanager answered."""
        holdings = (OpenHolding(one["ticker"], one["quantity"], one["reason"]) for one in answer["still_open"])
        return cls(
            as_of=datetime.fromisoformat(answer["as_of"]),
            mode=Mode(answer["mode"]),
            flat=answer["flat"],
            fills_from=None if answer["fills_from"] is None else datetime.fromisoformat(answer["fills_from"]),
            order_states=tuple(order["state"] for order in answer["orders"]),
            still_open=tuple(holdings),
            foreign=answer["foreign"],
        )

    @property
    def waits_for_open(self) -> bool:
        """Whether closes are at the broker and the market is closed."""
        return self.fills_from is not None and self.fills_from > self.as_of

    def describe(self) -> list[str]:
        """What was closed, and what is still open and why, in lines."""
        filled, count = self.order_states.count("filled"), len(self.order_states)
        lines = [f"{self.mode.banner}: {filled} of {count} closes are filled at {self.as_of:%Y-%m-%d %H:%M} UTC."]
        if self.waits_for_open:
            lines.append(
                f"The market is closed: what has not filled yet does from {self.fills_from:%Y-%m-%d %H:%M} UTC on. "
                "Asked again, `./fund flatten` asks the broker for the fills."
            )
        lines += [f"still open: {one.quantity:g} {one.ticker}: {one.reason}" for one in self.still_open]
        lines += [f"left alone, not the fund's: {shares:g} {ticker}" for ticker, shares in self.foreign.items()]
        if self.flat:
            lines.append("The fund is flat. Nothing is opened before `./fund resume`.")
        return lines
