"""Orders of a decision: their ids, their quantities, and the portfolio that is left when some of them fail.

`shortfalls` makes the sides equal again when orders fail.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime
from math import floor, isclose

from internal.trading.enums import Action, Adjustment, Leg, OrderSide, OrderState, Side
from internal.trading.orders import Order
from internal.trading.portfolio import Decision, PortfolioRow
from internal.trading.runs import RebalanceRun

REPLACED = "an interrupted plan was replaced before anything was sent"
ROUNDING = 1e-9  # quantities this close are the same: sums of fractional shares leave such differences
FLATTEN = "fund.flatten"  # what decides closing everything; no strategy has such a name
READABLE_TICKER = 10  # characters of a ticker that an id shows; its digest holds the whole
DECIMALS = 9  # of a quantity: Alpaca's limit
DIGEST = 16  # hexadecimal digits, 64 bits
LOST = frozenset({OrderState.REJECTED, OrderState.DROPPED})
_ENDED_EARLY = LOST | {OrderState.CANCELED}
_LEGS = {Action.OPEN: {Leg.OPEN, Leg.ADD}, Action.HOLD: {Leg.ADD, Leg.CLOSE}, Action.CLOSE: {Leg.CLOSE}}


def portfolio_id(policy: str, account: str, day: date) -> str:
    """The id of the one portfolio that a policy decides for an account on a day."""
    return f"{policy.replace('_', '-')}-{day.isoformat()}-{_account_digest(account)}"


def is_portfolio_of(identity: str, account: str) -> bool:
    """Whether the portfolio of that id was decided for the account, by whichever strategy."""
    return identity.endswith(f"-{_account_digest(account)}")


def is_flatten(identity: str) -> bool:
    """Whether the portfolio of that id is the closing of everything, which no strategy decided."""
    return identity.startswith(f"{FLATTEN}-")


def list_decisions(runs: Iterable[RebalanceRun]) -> list[RebalanceRun]:
    """The runs that a strategy decided; closing everything is none."""
    return [run for run in runs if run.policy != FLATTEN]


def _account_digest(account: str) -> str:
    return hashlib.sha256(account.encode()).hexdigest()[:8]


def client_order_id(account: str, portfolio: str, ticker: str, leg: str, revision: int) -> str:
    """The id of an order at the broker: a function of what it is, so that a second send is the same order.

    At most 48 characters of [A-Za-z0-9-]; account, portfolio, ticker, leg and revision are all in its digest.
    """
    digest = hashlib.sha256("|".join([account, portfolio, ticker, leg, str(revision)]).encode()).hexdigest()[:DIGEST]
    readable = "".join(letter for letter in ticker if letter.isascii() and letter.isalnum())[:READABLE_TICKER]
    return f"{readable}-{leg}-{revision}-{digest}"


def own_security_id(ticker: str, opened: date) -> str:
    """The id of a security for which the data service has none: a holding of its own, whatever its ticker becomes."""
    return f"fund:{ticker}:{opened.isoformat()}"


def sendable_shares(quantity: float, side: Side) -> float:
    """Shares that the broker takes: at most nine decimals of a long, whole shares of a short that has any."""
    shares = round(quantity, DECIMALS)
    return float(floor(shares)) if side is Side.SHORT and shares >= 1 else shares


def order_side(side: Side, leg: Leg) -> OrderSide:
    """Buy to open or add to a long, or to close a short; else sell."""
    return OrderSide.BUY if (side is Side.LONG) == leg.opens else OrderSide.SELL


def plan_orders(decision: Decision, account: str, portfolio: str, day: date, moment: datetime) -> list[Order]:
    """The orders that turn what is held into what is wanted, all `planned`, sorted by client_order_id.

    A position that is held unchanged needs none; one that is cut gets a partial close of what it loses, one that grows
    an order that adds the difference, which is whole shares where the decision's quantities are.
    """
    orders: list[Order] = []
    for row in decision.rows:
        quantity = sendable_shares(abs(row.quantity - row.held), row.side)
        if quantity > 0:
            leg = _leg(row)
            identity = client_order_id(account, portfolio, row.ticker, leg, 0)
            side = order_side(row.side, leg)
            orders.append(
                Order(
                    *(portfolio, day, identity, row.ticker, side, leg),
                    *(quantity, row.reference_price, row.reason, moment),
                    security_id=row.security_id,
                )
            )
    return sorted(orders, key=lambda order: order.client_order_id)


def _leg(row: PortfolioRow) -> Leg:
    if row.quantity < row.held:
        return Leg.CLOSE
    return Leg.OPEN if row.action is Action.OPEN else Leg.ADD


def replace_plan(journalled: Iterable[Order], planned: Sequence[Order]) -> list[Order]:
    """The planned orders, and those of an interrupted plan of the same portfolio that are not among them: `dropped`."""
    ids = {order.client_order_id for order in planned}
    left = [order for order in journalled if order.client_order_id not in ids]
    return [*planned, *(replace(order, state=OrderState.DROPPED, reason=REPLACED) for order in left)]


def apply_orders(rows: Iterable[PortfolioRow], orders: Iterable[Order]) -> tuple[PortfolioRow, ...]:
    """The portfolio as its orders leave it; applied again, it is the same.

    An opening that was refused or dropped leaves what was held before, nothing or less than was wanted, with the
    order's reason. A close that was refused leaves what is still held, as a hold with the order's reason.
    """
    by_ticker: dict[str, list[Order]] = {}
    for order in orders:
        by_ticker.setdefault(order.ticker, []).append(order)
    return tuple(_apply(row, by_ticker[row.ticker]) if row.ticker in by_ticker else row for row in rows)


def _apply(row: PortfolioRow, orders: Sequence[Order]) -> PortfolioRow:
    own = [order for order in orders if order.leg in _LEGS[row.action]]
    traded = sum(expected_shares(order, row) * (1 if order.leg.opens else -1) for order in own)
    quantity = max(row.held + traded, 0.0)
    if isclose(quantity, row.quantity, rel_tol=ROUNDING, abs_tol=ROUNDING):
        quantity = row.quantity
    lost = [order.reason for order in own if order.state in LOST]
    kept = row.action is Action.CLOSE and quantity > 0
    action, reason = Action.HOLD if kept else row.action, lost[-1] if lost else row.reason
    if (action, quantity, reason) == (row.action, row.quantity, row.reason):
        return row
    return replace(row, action=action, quantity=quantity, reason=reason)


def expected_shares(order: Order, row: PortfolioRow) -> float:
    """Shares that the order trades or still may trade, in the terms of the row's price.

    An order that was refused, canceled or dropped, and one that is being canceled for a smaller one, count with what
    they filled. A split at the broker changes an order's quantity and its reference price inversely.
    """
    ended = order.state in _ENDED_EARLY or order.adjustment is Adjustment.REPLACED
    return (order.filled_quantity if ended else order.quantity) * (order.reference_price / row.reference_price)
