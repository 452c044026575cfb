"""Closed positions as the rows of IRS Form 8949."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from internal.books.wash_sales import TaxedDisposal


class Term(StrEnum):
    """The parts of the form."""

    SHORT = "short"
    LONG = "long"


@dataclass(frozen=True, slots=True)
class TaxRow:
    """A row of Form 8949; the letters are the form's columns, dollars to the cent.

    Attributes:
        term: Part I (short) or part II (long).
        description: (a) Shares and name.
        date_acquired: (b) Of a short sale the day on which the shares that closed it were bought.
        date_sold: (c) Of a short sale the day on which it was closed.
        proceeds: (d)
        cost: (e) Cost or other basis, losses that were disallowed earlier included.
        code: (f) `W` for a wash sale.
        adjustment: (g) The loss that is disallowed.
        gain: (h) = d - e + g.
    """

    term: Term
    description: str
    date_acquired: date
    date_sold: date
    proceeds: Decimal
    cost: Decimal
    code: str
    adjustment: Decimal
    gain: Decimal


def list_tax_rows(disposals: Iterable[TaxedDisposal], year: int | None) -> list[TaxRow]:
    """What was closed in the year, in all years without one; oldest first."""
    return [_row(one) for one in disposals if year in {None, one.disposal.closed.year}]


def _row(taxed: TaxedDisposal) -> TaxRow:
    disposal = taxed.disposal
    return TaxRow(
        term=Term.LONG if taxed.is_long_term else Term.SHORT,
        description=f"{abs(disposal.lot.quantity).normalize():f} sh. {disposal.lot.ticker}",
        date_acquired=disposal.closed if disposal.is_short else taxed.acquired,
        date_sold=disposal.closed,
        proceeds=disposal.proceeds,
        cost=disposal.cost + taxed.added_basis,
        code="W" if taxed.disallowed else "",
        adjustment=taxed.disallowed,
        gain=taxed.gain,
    )
