"""The JSON bodies of the trading state and of closing all positions."""

import datetime as dt
from collections.abc import Sequence
from typing import Self

from pydantic import BaseModel, Field

from internal.modes import Mode
from internal.trading.flatten_report import FlattenReport
from internal.trading.orders import Order
from internal.trading.trading_state import StateCause, TradingState, TradingStateChange
from portfoliomanager.responses import OrderResponse, RowResponse


class StateChangeResponse(RowResponse):
    """A trading state since it was set; `number` is 0 where it was never changed."""

    state: TradingState
    meaning: str = Field(description="one sentence")
    changed_at: dt.datetime | None = Field(description="by the clock of the machine that changed it, UTC")
    changed_by: str
    cause: StateCause
    reason: str
    number: int

    @classmethod
    def of(cls, change: TradingStateChange) -> Self:
        """The change as JSON."""
        return cls(
            state=change.state,
            meaning=change.state.meaning,
            changed_at=change.changed_at if change.number else None,
            changed_by=change.changed_by,
            cause=change.cause,
            reason=change.reason,
            number=change.number,
        )


class TradingStateResponse(StateChangeResponse):
    """The trading state, and the orders that it finds."""

    mode: Mode
    planned_orders: int = Field(description="orders that are written down and not sent")
    orders_at_broker: int = Field(description="orders of the fund that may still fill")
    undecided: str = Field(description="why the last session is not decided, and what becomes of it; empty where it is")

    @classmethod
    def at(cls, change: TradingStateChange, mode: Mode, unfinished: Sequence[Order], undecided: str = "") -> Self:
        """The change with the counts of unfinished orders."""
        planned = sum(order.broker_order_id is None for order in unfinished)
        return cls(
            **StateChangeResponse.of(change).model_dump(),
            mode=mode,
            planned_orders=planned,
            orders_at_broker=len(unfinished) - planned,
            undecided=undecided,
        )


class StateSetResponse(TradingStateResponse):
    """The trading state after a request to set it."""

    changed: bool = Field(description="false where trading was to be resumed and is active: nothing was changed")
    losses_accepted: bool = Field(
        description="true where the state is looser than before: the limits of losses are measured from now on"
    )


class OpenHoldingResponse(RowResponse):
    """Shares of the fund's that are still held, and why."""

    ticker: str
    quantity: float = Field(description="shares, negative when short")
    reason: str


class FlattenResponse(BaseModel):
    """How far closing all positions is."""

    as_of: dt.datetime = Field(description="the market's clock")
    mode: Mode
    trading_state: StateChangeResponse
    flat: bool = Field(description="the fund holds nothing, and no order of it may still fill")
    fills_from: dt.datetime | None = Field(
        description="when the closes at the broker can fill: now, or at the next open; null where none waits"
    )
    orders: list[OrderResponse] = Field(description="the closes")
    still_open: list[OpenHoldingResponse]
    foreign: dict[str, float] = Field(description="signed shares of others by ticker, left alone")

    @classmethod
    def of(cls, report: FlattenReport, mode: Mode) -> Self:
        """The report as JSON."""
        return cls(
            as_of=report.as_of,
            mode=mode,
            trading_state=StateChangeResponse.of(report.change),
            flat=report.is_flat,
            fills_from=report.fills_from,
            orders=[OrderResponse.model_validate(order) for order in report.orders],
            still_open=[OpenHoldingResponse.model_validate(one) for one in report.still_open],
            foreign=report.foreign,
        )
