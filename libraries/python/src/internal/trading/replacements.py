"""Orders that somebody changed at the broker: a changed order is a new one there, and the old one names it."""

from collections.abc import Callable
from dataclasses import replace

from internal.trading.broker_reports import BrokerOrder
from internal.trading.enums import OrderState
from internal.trading.ports import Broker

type FindOrder = Callable[[str], BrokerOrder | None]
"""The order of a broker's id, None when the broker has none."""


def find_order(broker: Broker, client_order_id: str) -> BrokerOrder | None:
    """The order that the fund sent under the id, as its replacements left it; None when the broker has none."""
    found = broker.order(client_order_id)
    return None if found is None else follow_replacements(found, broker.order_by_id)


def follow_replacements(order: BrokerOrder, find: FindOrder) -> BrokerOrder:
    """The order with the state of its last replacement and the fills of all of them, under its own client_order_id.

    An order whose replacement the broker does not show is unresolved: it may fill.
    """
    while order.replaced_by is not None:
        successor = find(order.replaced_by)
        if successor is None:
            return replace(order, state=OrderState.UNRESOLVED)
        order = _join(order, successor)
    return order


def find_original(order: BrokerOrder, broker: Broker) -> BrokerOrder:
    """The first of the orders that replaced one another up to this one."""
    while order.replaces is not None and (before := broker.order_by_id(order.replaces)) is not None:
        order = before
    return order


def _join(order: BrokerOrder, successor: BrokerOrder) -> BrokerOrder:
    filled = order.filled_quantity + successor.filled_quantity
    return replace(
        successor,
        client_order_id=order.client_order_id,
        quantity=order.filled_quantity + successor.quantity,
        filled_quantity=filled,
        filled_average_price=(_paid(order) + _paid(successor)) / filled if filled else None,
        submitted_at=order.submitted_at,
        replaces=order.replaces,
    )


def _paid(order: BrokerOrder) -> float:
    return order.filled_quantity * (order.filled_average_price or 0.0)
