"""Tax lots: shares that were bought, or sold short, together, and what is realised when they are closed.

The oldest lot is closed first (first in, first out: the IRS's rule where none is chosen, Publication 550, chapter 4).
Dollars are split to the cent in such a way that the parts of a lot always sum to the whole.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from internal.venue.money import QUANTITY_STEP, ZERO, cents


@dataclass(frozen=True, slots=True)
class Lot:
    """Shares of one opening.

    Attributes:
        number: From 1; parts of a lot keep it.
        ticker: The name of the shares now.
        quantity: Signed shares, negative when sold short.
        basis: Dollars that the opening took from cash, to the cent; negative of a short sale, which brings dollars in.
        opened: The day on which they were bought or sold short.
        opened_quantity: The same shares as they were counted on that day.
    """

    number: int
    ticker: str
    quantity: Decimal
    basis: Decimal
    opened: date
    opened_quantity: Decimal

    def part(self, quantity: Decimal) -> "Lot":
        """So many of its shares, with their part of the basis."""
        share = quantity / self.quantity
        return replace(
            self,
            quantity=quantity,
            basis=cents(self.basis * share),
            opened_quantity=(self.opened_quantity * share).quantize(QUANTITY_STEP),
        )

    def without(self, part: "Lot") -> "Lot":
        """What is left of it after the part was taken."""
        return replace(
            self,
            quantity=self.quantity - part.quantity,
            basis=self.basis - part.basis,
            opened_quantity=self.opened_quantity - part.opened_quantity,
        )


@dataclass(frozen=True, slots=True)
class Disposal:
    """Shares of a lot that were closed: sold, bought back, or turned into cash by a corporate action.

    Attributes:
        lot: The shares that were closed, with their basis.
        closed: The day.
        cash: Dollars that the closing brought in; negative where a short sale was bought back.
    """

    lot: Lot
    closed: date
    cash: Decimal

    @property
    def gain(self) -> Decimal:
        """Dollars realised; negative is a loss."""
        return self.cash - self.lot.basis

    @property
    def is_short(self) -> bool:
        """Whether a short sale was closed."""
        return self.lot.quantity < 0

    @property
    def proceeds(self) -> Decimal:
        """What the sale brought, of a short sale the sale that opened it."""
        return -self.lot.basis if self.is_short else self.cash

    @property
    def cost(self) -> Decimal:
        """What the purchase took, of a short sale the purchase that closed it."""
        return -self.cash if self.is_short else self.lot.basis


def take_oldest(lots: Sequence[Lot], quantity: Decimal) -> tuple[list[Lot], list[Lot]]:
    """So many shares of the oldest lots, and the lots that are left; quantity has the lots' sign."""
    taken: list[Lot] = []
    left: list[Lot] = []
    for lot in lots:
        wanted = quantity - sum((part.quantity for part in taken), ZERO)
        if not wanted:
            left.append(lot)
        elif abs(lot.quantity) <= abs(wanted):
            taken.append(lot)
        else:
            taken.append(part := lot.part(wanted))
            left.append(lot.without(part))
    return taken, left


def split_cash(cash: Decimal, lots: Sequence[Lot]) -> list[Decimal]:
    """The cash of one closing by lot, in proportion to shares; the cents sum to the whole."""
    parts: list[Decimal] = []
    shares = sum((lot.quantity for lot in lots), ZERO)
    for lot in lots:
        left = cash - sum(parts, ZERO)
        parts.append(cents(left * lot.quantity / shares))
        shares -= lot.quantity
    return parts


def rescale(lots: Sequence[Lot], ticker: str, quantity: Decimal) -> list[Lot]:
    """The lots as `quantity` shares of a name, in proportion; their basis and their days stay.

    The last lot takes what rounding leaves, so that the shares sum to the position.
    """
    factor = quantity / sum((lot.quantity for lot in lots), ZERO)
    shares = [(lot.quantity * factor).quantize(QUANTITY_STEP) for lot in lots[:-1]]
    last = quantity - sum(shares, ZERO)
    return [replace(lot, ticker=ticker, quantity=held) for lot, held in zip(lots, (*shares, last), strict=True)]
