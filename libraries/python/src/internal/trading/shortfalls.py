"""The decided difference of the sides although orders fail: what a run changes when a side gets less, or keeps more."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import count
from math import ceil, floor

from internal.trading.buying_power import are_equal
from internal.trading.enums import Action, Adjustment, Leg, OrderState, Side
from internal.trading.limits import RiskLimits
from internal.trading.order_planning import LOST, apply_orders, client_order_id, order_side
from internal.trading.orders import Order
from internal.trading.portfolio import PortfolioRow

CENT = 0.01  # dollars; a smaller difference is rounding


@dataclass(frozen=True, slots=True)
class _Excess:
    """How much of a side is to be given up, and what it can be taken from; dollars.

    Attributes:
        side: The side that misses less of what was decided.
        dollars: How much less.
        decided: Dollars of each side after the decision.
        rows: The portfolio as its orders leave it so far.
        orders: All of the run.
        account: The account's id.
        moment: The market's clock.
    """

    side: Side
    dollars: float
    decided: Mapping[Side, float]
    rows: tuple[PortfolioRow, ...]
    orders: Sequence[Order]
    account: str
    moment: datetime

    @property
    def is_alone(self) -> bool:
        """Whether the other side was to hold nothing: what is given up is what a failed close of this side left."""
        return not self.decided[self.side.opposite]

    @property
    def reason(self) -> str:
        """One sentence for the orders that change."""
        opposite = self.side.opposite
        return "cut because a close failed" if self.is_alone else f"cut to what the {opposite} side got"


def adjust_to_shortfall(
    orders: Sequence[Order], rows: Iterable[PortfolioRow], account: str, limits: RiskLimits, moment: datetime
) -> list[Order]:
    """The orders that change or are added when one side falls short, to be written to the journal in one commit.

    orders: all of one run. rows: its portfolio. A side falls short when its openings are refused or canceled (an
    opening is whatever makes a position larger); it keeps too much when its closes are, for a position that was not
    closed is still held. In both cases the side that misses less gives up the difference, so that long less short is as
    decided, equal or not:

    1. Openings that were not sent are cut, in proportion and to whole shares; without a share left, dropped. When the
       sides were to be equal and nothing of the other one is left, all of them are dropped.
    2. What is still missing, when it is more than the limits' tolerance, is taken from openings that were sent and
       have not filled: they are `REPLACED`, which asks for their cancellation, and a smaller one follows each.
    3. The rest is taken from held positions that are not frozen, by partial closes (`TRIM`); from one that was to grow
       only after its order is canceled, for no two orders of a name stand on different sides. Nothing is trimmed where
       the other side was to hold nothing.

    Every change is a fact of an order, so that the same question after a restart finds equal sides and changes
    nothing. After the first adjustment only a difference above the tolerance makes another one.
    """
    excess = _find_excess(orders, tuple(rows), account, moment)
    if excess.dollars < CENT or (_is_adjusted(orders) and excess.dollars <= _tolerated(excess, limits)):
        return []
    unsent = [order for order in _openings(orders, excess.side) if order.state is OrderState.PLANNED]
    part = _kept_part(unsent, excess.dollars, excess, limits)
    changed = [_cut(order, part, excess) for order in unsent]
    rest = excess.dollars - _value(unsent)
    sent = [order for order in _openings(orders, excess.side) if _is_replaceable(order)]
    held = [row for row in excess.rows if row.side is excess.side and row.action is Action.HOLD]
    if rest <= limits.balance_tolerance * (sum(row.kept_dollars for row in held) + _value(sent)):
        return changed
    replaced = _replace_sent(sent, _kept_part(sent, rest, excess, limits), excess)
    return [*changed, *replaced, *_trim_held(held, rest - _value(sent), excess)]


def orders_to_cancel(orders: Iterable[Order]) -> list[Order]:
    """Orders that a smaller one replaces and that may still be at the broker."""
    return [order for order in orders if order.adjustment is Adjustment.REPLACED and not order.state.is_final]


def is_held_back(order: Order, orders: Iterable[Order]) -> bool:
    """Whether an order must wait until the one that it replaces is canceled."""
    return order.adjustment is Adjustment.CUT and any(one.ticker == order.ticker for one in orders_to_cancel(orders))


def settle_filled_replacements(orders: Sequence[Order], moment: datetime) -> list[Order]:
    """What changes where replaced orders filled, in whole or in part, before they were canceled.

    The replacement is sent for what is left of it, or dropped where nothing is; the order that it replaces counts as
    cut from then on, so that its fill is taken off once.
    """
    changed: list[Order] = []
    for order in orders:
        if order.adjustment is not Adjustment.REPLACED or not order.state.is_final or not order.filled_quantity:
            continue
        changed.append(replace(order, adjustment=Adjustment.CUT, updated_at=moment))
        unsent = [one for one in orders if one.ticker == order.ticker and _is_unsent_replacement(one)]
        changed += [_take_off(one, order.filled_quantity, moment) for one in unsent]
    return changed


def _is_unsent_replacement(order: Order) -> bool:
    return order.adjustment is Adjustment.CUT and order.state is OrderState.PLANNED


def _take_off(order: Order, filled: float, moment: datetime) -> Order:
    left = float(floor(max(order.quantity - filled, 0.0)))
    if left:
        return replace(order, quantity=left, updated_at=moment)
    reason = "not sent: the order that it replaces was filled before it was canceled"
    return replace(order, state=OrderState.DROPPED, reason=reason, updated_at=moment)


def describe_shortfalls(orders: Sequence[Order]) -> list[str]:
    """One sentence for each order that was refused, and one for each way in which a side was cut."""
    refused = sorted((order for order in orders if order.state is OrderState.REJECTED), key=lambda one: one.ticker)
    cut = {(one.position_side, one.reason) for one in orders if _is_adjusted([one]) and one not in refused}
    return [
        *(f"{order.side} of {order.quantity:g} {order.ticker} {order.reason}" for order in refused),
        *(f"the {side} side was {reason}" for side, reason in sorted(cut)),
    ]


def _find_excess(orders: Sequence[Order], rows: tuple[PortfolioRow, ...], account: str, moment: datetime) -> _Excess:
    """The side that misses less of the decision, and by how much less than the other."""
    left = apply_orders(rows, orders)
    difference = _missing(rows, left, Side.SHORT) - _missing(rows, left, Side.LONG)
    side = Side.LONG if difference > 0 else Side.SHORT
    decided = {side: _side_value(rows, side) for side in Side}
    return _Excess(side, abs(difference), decided, left, orders, account, moment)


def _missing(rows: Sequence[PortfolioRow], left: Sequence[PortfolioRow], side: Side) -> float:
    pairs = ((row, now) for row, now in zip(rows, left, strict=True) if row.side is side)
    return sum((row.quantity - now.quantity) * row.reference_price for row, now in pairs)


def _side_value(rows: Iterable[PortfolioRow], side: Side) -> float:
    return sum(row.dollar_amount for row in rows if row.side is side)


def _tolerated(excess: _Excess, limits: RiskLimits) -> float:
    return limits.balance_tolerance * max(_side_value(excess.rows, side) for side in Side)


def _is_adjusted(orders: Iterable[Order]) -> bool:
    return any(order.adjustment is not Adjustment.NONE for order in orders)


def _openings(orders: Iterable[Order], side: Side) -> list[Order]:
    return [order for order in orders if order.leg.opens and order.position_side is side]


def _is_replaceable(order: Order) -> bool:
    """Whether the order waits at the broker without a fill."""
    waits = order.state is OrderState.SUBMITTED and order.filled_quantity == 0
    return waits and order.adjustment is not Adjustment.REPLACED


def _value(orders: Iterable[Order]) -> float:
    return sum(order.quantity * order.reference_price for order in orders)


def _kept_part(orders: Sequence[Order], dollars: float, excess: _Excess, limits: RiskLimits) -> float:
    """The fraction of the orders that is left when they give up the dollars; 0 when an equal side got nothing."""
    value, opposite = _value(orders), excess.side.opposite
    equal = are_equal(excess.decided, limits.balance_tolerance)
    if not value or (equal and not _side_value(excess.rows, opposite)):
        return 0.0
    return max(1 - dollars / value, 0.0)


def _cut(order: Order, part: float, excess: _Excess) -> Order:
    quantity = float(floor(order.quantity * part))
    cut = replace(order, adjustment=Adjustment.CUT, reason=excess.reason, updated_at=excess.moment)
    return replace(cut, quantity=quantity) if quantity else replace(cut, state=OrderState.DROPPED)


def _replace_sent(sent: Sequence[Order], part: float, excess: _Excess) -> list[Order]:
    """The sent orders as REPLACED, and those with a part of their shares that follow them."""
    orders: list[Order] = []
    for order in sent:
        orders.append(replace(order, adjustment=Adjustment.REPLACED, reason=excess.reason, updated_at=excess.moment))
        quantity = float(floor(order.quantity * part))
        if quantity:
            orders.append(_new_order(order, order.leg, quantity, Adjustment.CUT, excess))
    return orders


def _trim_held(held: Sequence[PortfolioRow], dollars: float, excess: _Excess) -> list[Order]:
    """Partial closes worth the dollars, rounded up to whole shares; frozen positions and refused closes are left.

    A position that grows, or still may, gives its share when the run is asked again and its order has ended unfilled.
    """
    refused = {order.ticker for order in excess.orders if order.leg is Leg.CLOSE and order.state in LOST}
    growing = {order.ticker for order in excess.orders if order.leg.opens and _is_live(order)}
    movable = [] if excess.is_alone else [row for row in held if not row.frozen and row.ticker not in refused]
    value = sum(row.kept_dollars for row in movable)
    part = min(max(dollars, 0.0) / value, 1.0) if value else 0.0
    closes = [(row, min(float(ceil(row.quantity * part)), row.quantity)) for row in movable]
    return [
        _new_order(row, Leg.CLOSE, quantity, Adjustment.TRIM, excess)
        for row, quantity in closes
        if quantity > 0 and row.ticker not in growing
    ]


def _is_live(order: Order) -> bool:
    return order.filled_quantity > 0 or not order.state.is_final


def _new_order(of: Order | PortfolioRow, leg: Leg, quantity: float, adjustment: Adjustment, excess: _Excess) -> Order:
    """A planned order in the name of another one, or of a row, under the first revision that no order has."""
    portfolio, day = excess.orders[0].portfolio_id, excess.orders[0].date
    taken = {order.client_order_id for order in excess.orders}
    ids = (client_order_id(excess.account, portfolio, of.ticker, leg, revision) for revision in count(1))
    identity = next(one for one in ids if one not in taken)
    side = order_side(excess.side, leg)
    return Order(
        *(portfolio, day, identity, of.ticker, side, leg, quantity, of.reference_price, excess.reason, excess.moment),
        adjustment=adjustment,
        security_id=of.security_id,
    )
