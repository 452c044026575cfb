"""Account activities as typed rows: what the broker says moved cash or shares, and which kind of movement it was."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

from internal.books.time_weighted import ExternalFlow
from internal.venue.money import ZERO, cents


class ActivityKind(StrEnum):
    """What an activity means to the books."""

    OPENING = "opening"  # what the account held before its first activity; the fund writes it
    SPLIT = "split"
    SPIN_OFF = "spin_off"
    NAME_CHANGE = "name_change"
    REORGANIZATION = "reorganization"  # mergers, redemptions, removals
    CASH_IN_LIEU = "cash_in_lieu"
    DIVIDEND = "dividend"
    RETURN_OF_CAPITAL = "return_of_capital"  # lowers the basis of what it is paid on
    TRANSFER = "transfer"  # deposits, withdrawals, journals: an external flow
    FILL = "fill"
    FEE = "fee"
    BORROW = "borrow"
    INTEREST = "interest"
    OTHER = "other"  # a type that the books do not know: kept, its cash counted, and named


FILL_TYPE: Final = "FILL"
OPENING_TYPE: Final = "OPENING"
KINDS: Final = {
    FILL_TYPE: ActivityKind.FILL,
    OPENING_TYPE: ActivityKind.OPENING,
    "CIL": ActivityKind.CASH_IN_LIEU,
    **dict.fromkeys(("CSD", "CSW", "CSR", "JNL", "JNLC", "JNLS", "ACATC", "ACATS"), ActivityKind.TRANSFER),
    **dict.fromkeys(("DIV", "DIVCGL", "DIVCGS", "DIVFEE", "DIVFT", "DIVNRA"), ActivityKind.DIVIDEND),
    **dict.fromkeys(("DIVTW", "DIVTXEX", "DIVWH", "WH"), ActivityKind.DIVIDEND),
    "DIVROC": ActivityKind.RETURN_OF_CAPITAL,
    **dict.fromkeys(("INT", "INTNRA", "INTTW"), ActivityKind.INTEREST),
    **dict.fromkeys(("FEE", "CFEE", "PTC", "PTR"), ActivityKind.FEE),
    **dict.fromkeys(("SPLIT", "SSP"), ActivityKind.SPLIT),
    **dict.fromkeys(("SPIN", "SSO"), ActivityKind.SPIN_OFF),
    **dict.fromkeys(("NC", "SC"), ActivityKind.NAME_CHANGE),
    **dict.fromkeys(("MA", "REORG"), ActivityKind.REORGANIZATION),
}
STOCK_DIVIDEND: Final = "SDIV"
SUB_KINDS: Final = {
    STOCK_DIVIDEND: ActivityKind.SPLIT,  # it gives shares of the name itself, seldom of another one
    "USPLIT": ActivityKind.REORGANIZATION,  # a unit becomes shares of other names
}
CHARGES: Final = frozenset({ActivityKind.FEE, ActivityKind.INTEREST})
CHANGES_SHARES: Final = frozenset(
    {
        *(ActivityKind.OPENING, ActivityKind.SPLIT, ActivityKind.SPIN_OFF, ActivityKind.NAME_CHANGE),
        *(ActivityKind.REORGANIZATION, ActivityKind.TRANSFER, ActivityKind.FILL),
    }
)
ORDER_OF_A_MOMENT: Final = {kind: place for place, kind in enumerate(ActivityKind)}


@dataclass(frozen=True, slots=True)
class Activity:
    """One activity of the account.

    Attributes:
        activity_id: The broker's id.
        type: The broker's word for it, such as `FILL` or `JNLC`.
        sub_type: The broker's finer word, empty without one.
        moment: When it happened, UTC; of a row that has only a date, the midnight in New York that begins it.
        day: The date in New York.
        ticker: The security, None where it is about cash alone.
        quantity: Signed shares that came in or went out; of a dividend and of cash in lieu, those that it is paid on.
        price: Dollars a share, where the row has it.
        net_amount: What it did to cash, dollars to the cent.
        order_id: The broker's id of the order that a fill is of, empty otherwise.
        description: The broker's sentence; no rule but the borrow fee's reads it.
        number: The place in which the broker listed it, from 1; it decides between rows of one moment and kind.
    """

    activity_id: str
    type: str
    sub_type: str
    moment: datetime
    day: date
    ticker: str | None
    quantity: Decimal
    price: Decimal | None
    net_amount: Decimal
    order_id: str
    description: str
    number: int

    @property
    def kind(self) -> ActivityKind:
        """What it means to the books; borrow cost is a fee or interest whose description says so."""
        kind = SUB_KINDS.get(self.sub_type) or KINDS.get(self.type, ActivityKind.OTHER)
        return ActivityKind.BORROW if kind in CHARGES and "borrow" in self.description.lower() else kind

    @property
    def shares(self) -> Decimal:
        """What it did to the position, signed shares."""
        return self.quantity if self.kind in CHANGES_SHARES else ZERO

    @property
    def share_value(self) -> Decimal:
        """Its shares at its price, dollars to the cent; 0 without one."""
        return cents(self.quantity * (self.price or ZERO))


def external_flows(activities: Iterable[Activity]) -> list[ExternalFlow]:
    """What came from outside and what went there; transferred shares count at their price."""
    return [
        ExternalFlow(one.moment, float(one.net_amount + one.share_value))
        for one in activities
        if one.kind is ActivityKind.TRANSFER
    ]


def sort_activities(activities: Iterable[Activity]) -> list[Activity]:
    """Activities as they happened; of one moment, corporate actions come first and charges last."""
    return sorted(activities, key=lambda one: (one.moment, ORDER_OF_A_MOMENT[one.kind], one.number))
