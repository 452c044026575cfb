"""Reconciliation of the books with the broker: cash to the cent, shares exactly, and a cause for each difference."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from internal.books.activities import Activity, ActivityKind
from internal.books.ledger import Books
from internal.venue.money import ZERO, cents


class DifferenceKind(StrEnum):
    """What differs."""

    CASH = "cash"
    SHARES = "shares"


@dataclass(frozen=True, slots=True)
class ExpectedFill:
    """Signed shares that the broker says an order has filled, and at which average price (dollars)."""

    broker_order_id: str
    ticker: str
    quantity: Decimal
    price: Decimal


@dataclass(frozen=True, slots=True)
class Difference:
    """Books and broker differ.

    Attributes:
        kind: Cash or shares.
        ticker: Whose shares; None for cash.
        books: Dollars or signed shares by the activities.
        broker: Dollars or signed shares at the broker.
        causes: What may explain it, one sentence each.
    """

    kind: DifferenceKind
    ticker: str | None
    books: Decimal
    broker: Decimal
    causes: Sequence[str]

    @property
    def amount(self) -> Decimal:
        """What the broker has more than the books."""
        return self.broker - self.books


def reconcile_books(
    books: Books,
    activities: Sequence[Activity],
    cash: Decimal,
    positions: Mapping[str, Decimal],
    fills: Iterable[ExpectedFill],
) -> list[Difference]:
    """Every difference between the books and the broker; empty when they agree.

    Args:
        books: The books.
        activities: What they were made of.
        cash: The broker's cash, dollars.
        positions: The broker's signed shares by ticker.
        fills: What the broker says of the fund's orders.
    """
    missing = _find_missing_fills(activities, fills)
    shares, found = books.shares, list[Difference]()
    for ticker in sorted(shares.keys() | positions.keys()):
        own, other = shares.get(ticker, ZERO), positions.get(ticker, ZERO)
        if own != other:
            causes = _name_causes(ticker, other - own, activities, missing)
            found.append(Difference(DifferenceKind.SHARES, ticker, own, other, causes))
    if cents(cash) != books.cash:
        amount = cents(cash) - books.cash
        found.append(
            Difference(DifferenceKind.CASH, None, books.cash, cents(cash), _name_cash_causes(amount, found, missing))
        )
    return found


def _find_missing_fills(activities: Iterable[Activity], fills: Iterable[ExpectedFill]) -> list[ExpectedFill]:
    """What the orders have filled beyond the activities."""
    booked: dict[str, Decimal] = {}
    for row in activities:
        if row.kind is ActivityKind.FILL:
            booked[row.order_id] = booked.get(row.order_id, ZERO) + row.quantity
    return [
        ExpectedFill(fill.broker_order_id, fill.ticker, left, fill.price)
        for fill in fills
        if (left := fill.quantity - booked.get(fill.broker_order_id, ZERO))
    ]


def _name_causes(
    ticker: str, amount: Decimal, activities: Iterable[Activity], missing: Iterable[ExpectedFill]
) -> list[str]:
    fills = [
        f"no FILL says that order {fill.broker_order_id} filled {fill.quantity:f} {ticker}"
        for fill in missing
        if fill.ticker == ticker
    ]
    unknown = [
        f"{row.type} of {row.day} moved {row.quantity:f} shares; the books do not know this type"
        for row in activities
        if row.kind is ActivityKind.OTHER and row.ticker == ticker and row.quantity
    ]
    return [*fills, *unknown] or [f"an activity that moved {amount:f} {ticker} is missing, or the position was changed"]


def _name_cash_causes(amount: Decimal, differences: Iterable[Difference], missing: Iterable[ExpectedFill]) -> list[str]:
    fills = [
        f"no FILL says that order {fill.broker_order_id} moved {-cents(fill.quantity * fill.price):f} dollars"
        for fill in missing
    ]
    positions = [f"the shares of {one.ticker} differ too" for one in differences]
    return [*fills, *positions] or [f"an activity that moved {amount:f} dollars is missing"]
