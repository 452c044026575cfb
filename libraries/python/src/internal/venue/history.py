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
    SPIN_OFF = "SPIN"
    MERGER = "MA"
    NAME_CHANGE = "NC"
    REORGANIZATION = "REORG"
    FEE = "FEE"
    INTEREST = "INT"
    CASH_DEPOSIT = "CSD"
    CASH_WITHDRAWAL = "CSW"


class MovementKind(StrEnum):
    """Why cash or shares moved without a fill."""

    SPLIT = "split"
    UNIT_SPLIT = "unit_split"
    STOCK_DIVIDEND = "stock_dividend"
    CASH_IN_LIEU = "cash_in_lieu"
    DIVIDEND = "dividend"
    SPIN_OFF = "spin_off"
    RIGHTS_DISTRIBUTION = "rights_distribution"
    CASH_MERGER = "cash_merger"
    STOCK_MERGER = "stock_merger"
    STOCK_AND_CASH_MERGER = "stock_and_cash_merger"
    REDEMPTION = "redemption"
    WORTHLESS_REMOVAL = "worthless_removal"
    NAME_CHANGE = "name_change"
    DELISTING = "delisting"
    SEC_FEE = "sec_fee"
    TAF_FEE = "taf_fee"
    CAT_FEE = "cat_fee"
    BORROW_FEE = "borrow_fee"
    LOCATE_FEE = "locate_fee"
    MARGIN_INTEREST = "margin_interest"
    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"

    @property
    def activity_type(self) -> ActivityType:
        """The type under which the broker lists it."""
        return ACTIVITY_TYPES[self]

    @property
    def moves_shares(self) -> bool:
        """Whether the quantity is added to the position; of the other kinds it is what was paid or charged for."""
        return self not in NO_SHARES


ACTIVITY_TYPES = {
    MovementKind.SPLIT: ActivityType.SPLIT,
    MovementKind.UNIT_SPLIT: ActivityType.SPLIT,
    MovementKind.STOCK_DIVIDEND: ActivityType.DIVIDEND,
    MovementKind.CASH_IN_LIEU: ActivityType.CASH_IN_LIEU,
    MovementKind.DIVIDEND: ActivityType.DIVIDEND,
    MovementKind.SPIN_OFF: ActivityType.SPIN_OFF,
    MovementKind.RIGHTS_DISTRIBUTION: ActivityType.SPIN_OFF,
    MovementKind.CASH_MERGER: ActivityType.MERGER,
    MovementKind.STOCK_MERGER: ActivityType.MERGER,
    MovementKind.STOCK_AND_CASH_MERGER: ActivityType.MERGER,
    MovementKind.REDEMPTION: ActivityType.REORGANIZATION,
    MovementKind.WORTHLESS_REMOVAL: ActivityType.REORGANIZATION,
    MovementKind.NAME_CHANGE: ActivityType.NAME_CHANGE,
    MovementKind.DELISTING: ActivityType.REORGANIZATION,
    MovementKind.SEC_FEE: ActivityType.FEE,
    MovementKind.TAF_FEE: ActivityType.FEE,
    MovementKind.CAT_FEE: ActivityType.FEE,
    MovementKind.BORROW_FEE: ActivityType.FEE,
    MovementKind.LOCATE_FEE: ActivityType.FEE,
    MovementKind.MARGIN_INTEREST: ActivityType.INTEREST,
    MovementKind.DEPOSIT: ActivityType.CASH_DEPOSIT,
    MovementKind.WITHDRAWAL: ActivityType.CASH_WITHDRAWAL,
}
ACTIVITY_SUB_TYPES = {  # Alpaca's codes; a split's is found from its terms
    MovementKind.UNIT_SPLIT: "USPLIT",
    MovementKind.STOCK_DIVIDEND: "SDIV",
    MovementKind.DIVIDEND: "CDIV",
    MovementKind.CASH_MERGER: "CMA",
    MovementKind.STOCK_MERGER: "SMA",
    MovementKind.STOCK_AND_CASH_MERGER: "SCMA",
    MovementKind.WORTHLESS_REMOVAL: "WRM",
    MovementKind.NAME_CHANGE: "SNC",
    MovementKind.SEC_FEE: "REG",
    MovementKind.TAF_FEE: "TAF",
    MovementKind.CAT_FEE: "CAT",
}
NO_SHARES = frozenset(
    {
        MovementKind.CASH_IN_LIEU,
        MovementKind.DIVIDEND,
        MovementKind.SEC_FEE,
        MovementKind.TAF_FEE,
        MovementKind.CAT_FEE,
        MovementKind.BORROW_FEE,
        MovementKind.LOCATE_FEE,
        MovementKind.MARGIN_INTEREST,
    }
)


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

    `quantity` is signed shares and `price` dollars a share, where the kind has them. Corporate actions that give shares
    name their terms, `split_to` for `split_from`, and the other security that they concern (`related_ticker`); fees
    name what was charged for: dollars of sales (SEC), shares sold (TAF) or traded (CAT), `nights` of borrowing, and of
    interest also the dollars that were owed.
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
    related_ticker: str | None = None

    @property
    def activity_type(self) -> ActivityType:
        """The type under which the broker lists it."""
        return self.kind.activity_type

    @property
    def activity_sub_type(self) -> str | None:
        """Alpaca's narrower type; None for a kind that has none."""
        if self.kind is MovementKind.SPLIT and self.split_from is not None and self.split_to is not None:
            return "FSPLIT" if self.split_to > self.split_from else "RSPLIT"
        return ACTIVITY_SUB_TYPES.get(self.kind)


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
