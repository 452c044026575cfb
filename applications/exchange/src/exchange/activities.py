"""The rows of the account's history: fills and other movements of cash, in Alpaca's own fields.

Knows how a fill or a movement becomes a row. Knows nothing of rules or storage.
"""

from datetime import date, datetime

from exchange.account import fill_amount
from exchange.identity import activity_id
from exchange.ledger import Activity
from exchange.matching import Execution
from exchange.money import plain
from exchange.orders import Order, OrderStatus
from exchange.settlement import Movement

FILL = "FILL"


def wire_moment(moment: datetime) -> str:
    """A moment as Alpaca writes it: UTC, RFC 3339 with Z, no more digits than it has."""
    return moment.isoformat().replace("+00:00", "Z")


def fill_activity(
    account: str, sequence: int, session: date, moment: datetime, execution: Execution, order: Order
) -> Activity:
    """The row of one fill; `order` is the order after it."""
    identifier = activity_id(account, sequence, moment)
    left = order.remaining_at(execution.price) if order.status is not OrderStatus.FILLED else 0
    body: dict[str, str | None] = {
        "activity_type": FILL,
        "cum_qty": plain(order.filled_quantity),
        "id": identifier,
        "leaves_qty": plain(left) if left else "0",
        "order_id": order.id,
        "order_status": str(order.status),
        "price": plain(execution.price),
        "qty": plain(execution.quantity),
        "side": str(order.side),
        "symbol": order.ticker,
        "transaction_time": wire_moment(moment),
        "type": "fill" if order.status is OrderStatus.FILLED else "partial_fill",
    }
    amount = fill_amount(order.side.sign * execution.quantity, execution.price)
    return Activity(sequence, identifier, FILL, session, moment, amount, order.id, body)


def movement_activity(account: str, sequence: int, session: date, moment: datetime, movement: Movement) -> Activity:
    """The row of a dividend, fee, split or other movement."""
    identifier = activity_id(account, sequence, moment)
    body: dict[str, str | None] = {
        "activity_type": movement.activity_type,
        "date": session.isoformat(),
        "description": movement.description,
        "id": identifier,
        "net_amount": plain(movement.net_amount),
        "status": "executed",
    }
    if movement.ticker is not None:
        body["symbol"] = movement.ticker
    if movement.quantity is not None:
        body["qty"] = plain(movement.quantity)
    if movement.price is not None:
        body["per_share_amount" if movement.activity_type == "DIV" else "price"] = plain(movement.price)
    return Activity(sequence, identifier, movement.activity_type, session, moment, movement.net_amount, None, body)
