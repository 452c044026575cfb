"""The rows of the account's history: fills and other movements of cash, in Alpaca's own fields.

Knows how a fill or a movement becomes a row. Knows nothing of rules or storage.
"""

from dataclasses import dataclass
from datetime import date, datetime

from exchange.adapters.sqlite_repository import Activity
from internal.venue.history import Movement
from internal.venue.identity import activity_id
from internal.venue.margin_account import fill_amount
from internal.venue.matching import Execution
from internal.venue.money import ZERO, plain, round_shares
from internal.venue.orders import Order, OrderStatus

FILL = "FILL"


def wire_moment(moment: datetime) -> str:
    """A moment as Alpaca writes it: UTC, RFC 3339 with Z, no more digits than it has."""
    return moment.isoformat().replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class Stamp:
    """Which row of whose history: the account, the row's number, its session and moment (UTC)."""

    account: str
    sequence: int
    session: date
    moment: datetime

    @property
    def id(self) -> str:
        """The row's id."""
        return activity_id(self.account, self.sequence, self.moment)


def fill_activity(stamp: Stamp, execution: Execution, order: Order) -> Activity:
    """The row of one fill; `order` is the order after it."""
    left = ZERO if order.status is OrderStatus.FILLED else order.remaining_at(execution.price)
    body: dict[str, str | None] = {
        "activity_type": FILL,
        "cum_qty": plain(order.filled_quantity),
        "id": stamp.id,
        "leaves_qty": plain(round_shares(left, whole=False)),
        "order_id": order.id,
        "order_status": str(order.status),
        "price": plain(execution.price),
        "qty": plain(execution.quantity),
        "side": str(order.side),
        "symbol": order.ticker,
        "transaction_time": wire_moment(stamp.moment),
        "type": "fill" if order.status is OrderStatus.FILLED else "partial_fill",
    }
    amount = fill_amount(order.side.sign * execution.quantity, execution.price)
    return Activity(stamp.sequence, stamp.id, FILL, stamp.session, stamp.moment, amount, order.id, body)


def movement_activity(stamp: Stamp, movement: Movement) -> Activity:
    """The row of a dividend, fee, split or other movement."""
    kind = movement.activity_type
    body: dict[str, str | None] = {
        "activity_type": kind,
        "date": stamp.session.isoformat(),
        "description": movement.description,
        "id": stamp.id,
        "net_amount": plain(movement.net_amount),
        "status": "executed",
    }
    if movement.ticker is not None:
        body["symbol"] = movement.ticker
    if movement.quantity is not None:
        body["qty"] = plain(movement.quantity)
    if movement.price is not None:
        body["per_share_amount" if kind == "DIV" else "price"] = plain(movement.price)
    return Activity(stamp.sequence, stamp.id, kind, stamp.session, stamp.moment, movement.net_amount, None, body)
