"""Wash sales: losses that US tax law disallows because the same shares were bought within 30 days (26 USC 1091).

The rule of IRS Publication 550, "Wash Sales": a loss is disallowed for as many shares as were acquired within 30 days
before or after the sale, and are not the shares that were sold. It is added to the basis of those shares, and they take
over the holding period. Losses on short sales follow the same rule with further short sales of the same shares.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from internal.books.ledger import Books
from internal.books.lots import Disposal, Lot
from internal.books.share_counts import ShareCounts
from internal.trading.corporate_actions import CorporateAction
from internal.venue.money import ONE, ZERO, cents

WINDOW: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class TaxedDisposal:
    """A disposal as it is reported.

    Attributes:
        disposal: What was closed.
        added_basis: Dollars of earlier disallowed losses that its shares carry.
        disallowed: Dollars of its loss that are disallowed; above 0 it is a wash sale.
        acquired: The day from which its shares count as held.
    """

    disposal: Disposal
    added_basis: Decimal
    disallowed: Decimal
    acquired: date

    @property
    def gain(self) -> Decimal:
        """Dollars that count this year."""
        return self.disposal.gain - self.added_basis + self.disallowed

    @property
    def is_long_term(self) -> bool:
        """Held for more than a year; a short sale that is closed with new shares never is (Publication 550)."""
        closed = self.disposal.closed
        return not self.disposal.is_short and (closed.year - self.acquired.year, closed.month, closed.day) > (
            1,
            self.acquired.month,
            self.acquired.day,
        )


@dataclass(slots=True)
class _Lot:
    """A lot while disposals are gone through: its shares left, those that may still replace others, what it carries."""

    lot: Lot
    left: Decimal
    free: Decimal
    acquired: date
    added: Decimal = ZERO

    def can_replace(self, disposal: Disposal, counts: ShareCounts) -> tuple[Decimal, Decimal]:
        """How many shares it may replace of what was closed, and how many of those one share of its opening is."""
        sold, opened = disposal.lot, self.lot.opened
        if sold.number == self.lot.number or abs(opened - disposal.closed) > WINDOW:
            return ZERO, ONE
        own, other = counts.follow(self.lot.ticker, opened), counts.follow(sold.ticker, disposal.closed)
        if own.ticker != other.ticker or sold.quantity * self.lot.quantity <= 0:
            return ZERO, ONE
        ratio = own.ratio / other.ratio
        return min(self.free, self.left) * ratio, ratio


def find_wash_sales(books: Books, actions: Iterable[CorporateAction] = ()) -> list[TaxedDisposal]:
    """Every disposal, oldest first, with what of its loss is disallowed.

    What is left of the very purchase that was sold from replaces nothing (Revenue Ruling 56-602).

    Args:
        books: The books.
        actions: Splits, stock dividends and name changes, through which a sale and the purchase around it are followed;
            the activities tell of those alone that met something held.
    """
    lots = {
        number: _Lot(lot, abs(lot.quantity), abs(lot.quantity), lot.opened) for number, lot in books.openings.items()
    }
    counts = ShareCounts(actions)
    return [_tax(disposal, lots, counts) for disposal in books.disposals]


def _tax(disposal: Disposal, lots: Mapping[int, _Lot], counts: ShareCounts) -> TaxedDisposal:
    own, shares = lots[disposal.lot.number], abs(disposal.lot.opened_quantity)
    added = cents(own.added * shares / own.left) if own.left else own.added
    own.added -= added
    own.left -= shares
    taxed = TaxedDisposal(disposal, added, ZERO, own.acquired)
    return replace(taxed, disallowed=_disallow(taxed, lots, counts)) if taxed.gain < 0 else taxed


def _disallow(taxed: TaxedDisposal, lots: Mapping[int, _Lot], counts: ShareCounts) -> Decimal:
    """Dollars of the loss that move to the shares that replace what was closed."""
    disposal, shares = taxed.disposal, abs(taxed.disposal.lot.quantity)
    held, unmatched, disallowed = disposal.closed - taxed.acquired, shares, ZERO
    for lot in lots.values():
        replaceable, ratio = lot.can_replace(disposal, counts)
        matched = min(replaceable, unmatched)
        if not matched:
            continue
        unmatched -= matched
        part = cents(-taxed.gain * (shares - unmatched) / shares) - disallowed
        lot.free, lot.added, lot.acquired = lot.free - matched / ratio, lot.added + part, lot.acquired - held
        disallowed += part
    return disallowed
