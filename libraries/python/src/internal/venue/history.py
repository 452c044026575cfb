"""The rows of the account's history: what changed cash or shares, as facts.

Ids, descriptions and a broker's field names are made where the rows are shown.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from internal.venue.margin_account import fill_amount
from internal.venue.orders import OrderStatus, Side


class ActivityType(StrEnum):
    """Alpaca's types of account activity that occur here."""

    FILL = "FILL"
    SPLIT = "SPLIT"
    CASH_IN_LIEU = "CIL"
    DIVIDEND = "DIV"
    REORGANIZATION = "REORG"
    FEE = "FEE"


class MovementKind(StrEnum):
    """Why cash or shares moved without a fill."""

    SPLIT = "split"
    CASH_IN_LIEU = "cash_in_lieu"
    DIVIDEND = "dividend"
    DELISTING = "delisting"
    SEC_FEE = "sec_fee"
    TAF_FEE = "taf_fee"
    BORROW_FEE = "borrow_fee"

    @property
    def activity_type(self) -> ActivityType:
        """The type under which the broker lists it."""
        return ACTIVITY_TYPES[self]


ACTIVITY_TYPES = {
    MovementKind.SPLIT: ActivityType.SPLIT,
    MovementKind.CASH_IN_LIEU: ActivityType.CASH_IN_LIEU,
    MovementKind.DIVIDEND: ActivityType.DIVIDEND,
    MovementKind.DELISTING: ActivityType.REORGANIZATION,
    MovementKind.SEC_FEE: ActivityType.FEE,
    MovementKind.TAF_FEE: ActivityType.FEE,
    MovementKind.BORROW_FEE: ActivityType.FEE,
}


@dataclass(frozen=True, slots=True)
class Fill:
    """One fill of an order: unsigned shares at a price; the last three fields are the order's right after it."""

    order_id: str
    ticker: str
    side: Side
    quantity: Decimal
    price: Decimal
    order_status: OrderStatus
    cumulative_quantity: Decimal
    leaves_quantity: Decimal

    @property
    def activity_type(self) -> ActivityType:
        """Always FILL."""
        return ActivityType.FILL

    @property
    def net_amount(self) -> Decimal:
        """Dollars that came in (a sell) or went out (a buy), to the cent."""
        return fill_amount(self.side.sign * self.quantity, self.price)


@dataclass(frozen=True, slots=True)
class Movement:
    """One change of cash or shares that is no fill.

    `quantity` is signed shares and `price` dollars a share, where the kind has them. Splits and cash in lieu name the
    split's terms; fees name what was charged for: dollars of sales (SEC), shares sold (TAF), or `nights` of borrowing.
    """

    kind: MovementKind
    ticker: str | None
    net_amount: Decimal
    quantity: Decimal | None = None
    price: Decimal | None = None
    split_from: Decimal | None = None
    split_to: Decimal | None = None
    charged: Decimal | None = None
    nights: int | None = None

    @property
    def activity_type(self) -> ActivityType:
        """The type under which the broker lists it."""
        return self.kind.activity_type


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """An entry of the account's history: its number from 1, its session and its moment (UTC)."""

    sequence: int
    session: date
    moment: datetime
    entry: Fill | Movement

    @property
    def activity_type(self) -> ActivityType:
        """The type under which the broker lists it."""
        return self.entry.activity_type

    @property
    def net_amount(self) -> Decimal:
        """What the entry did to cash, dollars."""
        return self.entry.net_amount
