"""Orders that are sent together: the exits of an entry, and what becomes of one when something happens to another.

The exits wait until the entry is filled whole. Of a take-profit and a stop-loss only the first works at the market
(`new`), the second is `held` until its price is reached; what one of them fills the other loses, and when one ends the
other ends with it. An entry that ends before it was filled whole takes its waiting exits with it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from internal.venue.clock import Step
from internal.venue.identity import client_order_id, order_id
from internal.venue.market.listing import Bar
from internal.venue.matching import quote_fill
from internal.venue.orders import (
    Order,
    OrderClass,
    OrderRequest,
    OrderStatus,
    OrderType,
    PositionIntent,
    Side,
)
from internal.venue.session_path import moment_reached

CLOSING = {Side.BUY: PositionIntent.BUY_TO_CLOSE, Side.SELL: PositionIntent.SELL_TO_CLOSE}


def make_exits(account: str, primary: Order, request: OrderRequest) -> list[Order]:
    """The exits of an order, numbered after it; an OCO is its own take-profit and has the stop-loss alone."""
    is_oco, exits = primary.order_class is OrderClass.OCO, list[Order]()
    exit_ = replace(
        primary,
        side=primary.side if is_oco else primary.side.opposite,
        status=OrderStatus.HELD,
        replaces=None,
        parent_id=primary.id,
        is_waiting=not is_oco,
    )
    exit_ = replace(exit_, position_intent=CLOSING[exit_.side])
    if request.take_profit is not None and not is_oco:
        exits.append(replace(exit_, type=OrderType.LIMIT, limit_price=request.take_profit, stop_price=None))
    if request.stop_loss is not None:
        stop_type = OrderType.STOP if request.stop_loss.limit_price is None else OrderType.STOP_LIMIT
        prices = {"limit_price": request.stop_loss.limit_price, "stop_price": request.stop_loss.stop_price}
        exits.append(replace(exit_, type=stop_type, **prices))
    return [_number(account, one, primary.sequence + offset) for offset, one in enumerate(exits, start=1)]


def _number(account: str, order: Order, sequence: int) -> Order:
    name, own = order_id(account, sequence), client_order_id(account, sequence)
    return replace(order, sequence=sequence, id=name, client_order_id=own)


def follow_order(order: Order, open_orders: Mapping[int, Order], moment: datetime) -> list[Order]:
    """What becomes of the orders that were sent with this one, after it filled or ended; those that change."""
    if order.order_class is OrderClass.SIMPLE:
        return []
    others = _others(order, open_orders)
    if order.is_open:
        return _share_quantity(order, others, moment)
    if order.status is OrderStatus.FILLED and order.parent_id is None and order.order_class is not OrderClass.OCO:
        return [_activate(exit_, others, moment) for exit_ in others]
    ended = OrderStatus.EXPIRED if order.status is OrderStatus.EXPIRED else OrderStatus.CANCELED
    return [end_order(one, ended, moment) for one in others]


def follow_replacement(old: Order, new: Order, open_orders: Mapping[int, Order]) -> list[Order]:
    """The exits of an order whose place another takes: they are that one's now, and as large."""
    if old.order_class is OrderClass.SIMPLE:
        return []
    exits = (one for one in open_orders.values() if one.parent_id == old.id)
    return [replace(one, parent_id=new.id, quantity=new.quantity, updated_at=new.submitted_at) for one in exits]


def _others(order: Order, open_orders: Mapping[int, Order]) -> list[Order]:
    root = order.parent_id or order.id
    group = (one for one in open_orders.values() if root in {one.id, one.parent_id})
    return [one for one in group if one.sequence != order.sequence]


def _share_quantity(order: Order, others: Iterable[Order], moment: datetime) -> list[Order]:
    """A part of one exit was filled: the other is for what is left."""
    if order.quantity is None or not order.filled_quantity:
        return []
    left = order.quantity - order.filled_quantity
    return [
        replace(one, quantity=left + one.filled_quantity, updated_at=moment) for one in others if not one.is_waiting
    ]


def _activate(order: Order, exits: Iterable[Order], moment: datetime) -> Order:
    """An exit once its entry is filled; a stop-loss beside a take-profit stays held, at work only at its price."""
    held = order.stop_price is not None and any(one.stop_price is None for one in exits)
    status = OrderStatus.HELD if held else OrderStatus.NEW
    return replace(order, is_waiting=False, status=status, updated_at=moment)


def end_order(order: Order, status: OrderStatus, moment: datetime) -> Order:
    """The order, ended at the moment: canceled, expired, or rejected."""
    ended = replace(order, status=status, updated_at=moment)
    if status is OrderStatus.EXPIRED:
        return replace(ended, expired_at=moment)
    if status is OrderStatus.REJECTED:
        return replace(ended, failed_at=moment)
    return replace(ended, canceled_at=moment)


def later_exits(orders: Iterable[Order], bars: Mapping[str, Bar], step: Step) -> frozenset[int]:
    """Of every two exits that the session could both fill, the one that its prices reach second; by sequence."""
    groups = defaultdict[str, list[tuple[tuple[int, Decimal], int]]](list)
    for order in orders:
        bar = bars.get(order.ticker)
        if order.order_class is OrderClass.SIMPLE or bar is None or quote_fill(order, bar, step) is None:
            continue
        reached = (moment_reached(order, bar, step), order.sequence)
        groups[order.parent_id or order.id].append(reached)
    return frozenset(sequence for found in groups.values() for _, sequence in sorted(found)[1:])
