"""Portfolio rows in one line, and what becomes of the orders that are planned for them."""

from dataclasses import replace
from datetime import UTC, date, datetime

from internal.trading.enums import Action, OrderState, Side
from internal.trading.limits import RiskLimits
from internal.trading.order_planning import plan_orders
from internal.trading.orders import Order
from internal.trading.portfolio import Decision, PortfolioRow
from internal.trading.shortfalls import (
    adjust_to_shortfall,
)

DAY = date(2024, 3, 15)
MOMENT = datetime(2024, 3, 15, 20, tzinfo=UTC)
LATER = datetime(2024, 3, 15, 21, tzinfo=UTC)
LIMITS = RiskLimits()


LONG, SHORT = Side.LONG, Side.SHORT


OPEN, HOLD, CLOSE = Action.OPEN, Action.HOLD, Action.CLOSE


REJECTED, SUBMITTED, PLANNED = OrderState.REJECTED, OrderState.SUBMITTED, OrderState.PLANNED


def make_row(  # noqa: PLR0913, PLR0917 - a row in one line
    ticker: str, side: Side, action: Action, held: float, quantity: float, price: float, *, frozen: bool = False
) -> PortfolioRow:
    """A row of a portfolio: shares before and after, and the close of the day."""
    return PortfolioRow(ticker, side, action, held, quantity, price, date(2024, 3, 1), price, None, frozen, "decided")


def plan(*rows: PortfolioRow) -> dict[str, Order]:
    """The planned orders of the rows, by ticker."""
    return {order.ticker: order for order in plan_orders(Decision(rows, ()), "account", "p", DAY, MOMENT)}


def fail(order: Order) -> Order:
    """The order as a broker refused it."""
    return replace(order, state=REJECTED, reason="refused: not shortable")


def send(order: Order) -> Order:
    """The order as it waits at the broker."""
    return replace(order, state=SUBMITTED, broker_order_id="b")


def cancel(order: Order) -> Order:
    """The order as the broker canceled it, without a fill."""
    return replace(order, state=OrderState.CANCELED)


def merge(orders: list[Order], changed: list[Order]) -> list[Order]:
    """The journal's orders after the changed ones were written."""
    return sorted(({o.client_order_id: o for o in [*orders, *changed]}).values(), key=lambda one: one.client_order_id)


def adjust(orders: list[Order], *rows: PortfolioRow) -> list[Order]:
    """The adjustment of the limits, by ticker and leg."""
    changed = adjust_to_shortfall(orders, rows, "account", LIMITS, LATER)
    return sorted(changed, key=lambda order: (order.ticker, order.client_order_id))
