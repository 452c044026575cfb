"""Sending: one order to the broker, and what is known about it afterwards.

Knows that an answer can be lost and that an id makes a second send the same order. Knows no phase and no journal.
"""

from datetime import datetime
from typing import Any

import polars as pl
from tenacity import RetryError, Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential_jitter

from internal.errors import UnavailableError, UnresolvedOrderError, UpstreamError
from internal.schemas import orders as schema
from portfoliomanager.ports import Broker, BrokerOrder, RefusedOrderError, Ticket

ATTEMPTS = 3  # sends of one order, each under the same id, each after the broker was asked about it
FIRST_PAUSE = 0.2  # seconds
LONGEST_PAUSE = 5.0  # seconds
SENDABLE_STATES = ("planned", "unresolved")


def send(broker: Broker, order: dict[str, Any], *, ask_first: bool) -> dict[str, Any]:
    """Send one row of the orders frame until its fate is known: the row's new state.

    ask_first: the order may have been sent before (after a restart); the broker is asked before anything is sent.
    After an answer that was lost the broker is asked too; an order that it does not know goes out again under its old
    id, which the broker takes once. Raises UnresolvedOrderError when its fate stays unknown, UnavailableError when the
    broker takes no orders now: then it was not sent.
    """
    ticket = Ticket(order["client_order_id"], order["ticker"], order["side"], order["quantity"], order["time_in_force"])
    found = _ask(broker, ticket) if ask_first else None
    try:
        return learned(found or _submit(broker, ticket))
    except RefusedOrderError as error:
        return {"client_order_id": ticket.client_order_id, "state": "rejected", "reason": f"refused: {error.detail}"}


def _submit(broker: Broker, ticket: Ticket) -> BrokerOrder:
    patient = Retrying(
        retry=retry_if_exception_type(UnresolvedOrderError),
        stop=stop_after_attempt(ATTEMPTS),
        wait=wait_exponential_jitter(initial=FIRST_PAUSE, max=LONGEST_PAUSE, jitter=FIRST_PAUSE),
    )
    try:
        return patient(_submit_or_find, broker, ticket)
    except RetryError:
        raise UnresolvedOrderError(
            f"the {ticket.side} of {ticket.quantity:g} {ticket.ticker} may or may not be at the broker "
            f"({ticket.client_order_id}); POST again when it answers: it is asked before anything is sent"
        ) from None


def _submit_or_find(broker: Broker, ticket: Ticket) -> BrokerOrder:
    try:
        return broker.submit(ticket)
    except UnresolvedOrderError:
        found = _ask(broker, ticket)
        if found is None:
            raise
        return found


def _ask(broker: Broker, ticket: Ticket) -> BrokerOrder | None:
    """The order at the broker; a broker that cannot say leaves it unresolved."""
    try:
        return broker.order(ticket.client_order_id)
    except (UpstreamError, UnavailableError) as error:
        raise UnresolvedOrderError(f"asked about {ticket.client_order_id}: {error.detail}") from error


def learned(order: BrokerOrder) -> dict[str, Any]:
    """What the broker's answer says about our row."""
    return {
        "client_order_id": order.client_order_id,
        "state": order.state,
        "broker_order_id": order.broker_order_id,
        "broker_quantity": order.quantity,
        "filled_quantity": order.filled_quantity,
        "filled_average_price": order.filled_average_price,
    }


UPDATE_SCHEMA: dict[str, pl.DataType] = {
    "client_order_id": pl.String(),
    "state": pl.String(),
    "broker_order_id": pl.String(),
    "broker_quantity": pl.Float64(),
    "filled_quantity": pl.Float64(),
    "filled_average_price": pl.Float64(),
    "reason": pl.String(),
}


def book_updates(orders: pl.DataFrame, updates: list[dict[str, Any]], moment: datetime) -> pl.DataFrame:
    """The rows of the orders frame that the updates change, changed.

    Fills are the broker's running totals: booking one twice changes nothing. An order whose quantity a split changed at
    the broker takes the broker's quantity, and its reference price follows, so that dollars stay what they were.
    """
    news = pl.DataFrame(updates, schema=UPDATE_SCHEMA)
    ratio = (pl.col("broker_quantity") / pl.col("quantity")).fill_null(1.0)
    updated = (
        orders.join(news, on="client_order_id", how="inner", suffix="_new", maintain_order="left")
        .with_columns(
            (pl.col("quantity") * ratio).alias("quantity"),
            (pl.col("reference_price") / ratio).alias("reference_price"),
            *(
                pl.coalesce(f"{name}_new", name).alias(name)
                for name in ("state", "broker_order_id", "filled_quantity", "filled_average_price", "reason")
            ),
        )
        .select(list(schema.COLUMNS))
    )
    changed = updated.join(orders, on=list(schema.COLUMNS), how="anti", nulls_equal=True)
    return changed.with_columns(pl.lit(moment).dt.cast_time_unit("ms").alias("updated_at"))
