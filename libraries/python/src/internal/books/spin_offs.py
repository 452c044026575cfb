"""How the basis of shares is divided between them and what was spun off: by their values after it (26 USC 358).

The values are those of the first session's closes; the issuer's Form 8937 may say otherwise.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

BOOKED_WITHIN: Final = timedelta(days=14)  # of the first session


@dataclass(frozen=True, slots=True)
class BasisDivision:
    """A spin-off whose values are known.

    Attributes:
        parent: The ticker of the shares that stay.
        ticker: The ticker of the shares that come.
        day: The first session without them.
        fraction: Of the parent's basis that is theirs.
    """

    parent: str
    ticker: str
    day: date
    fraction: Decimal


def divide_by_value(
    parent: str, ticker: str, day: date, *, ratio: Decimal, prices: tuple[Decimal, Decimal]
) -> BasisDivision:
    """The division of a spin-off.

    Args:
        parent: The ticker of the shares that stay.
        ticker: The ticker of the shares that come.
        day: The first session.
        ratio: Shares that come for one.
        prices: Of a share of the parent and of one that comes, dollars, after the spin-off.
    """
    stays, comes = prices[0], ratio * prices[1]
    return BasisDivision(parent, ticker, day, comes / (stays + comes))


def find_division(divisions: Iterable[BasisDivision], ticker: str, day: date) -> BasisDivision | None:
    """The division of shares that were booked on the day."""
    return next((one for one in divisions if one.ticker == ticker and abs(one.day - day) <= BOOKED_WITHIN), None)
