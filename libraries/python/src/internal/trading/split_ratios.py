"""The ratio of a split whose terms may be rounded: a vendor states 1 for 3 as 1 to 0.3333."""

from decimal import Decimal
from fractions import Fraction

SMALL = 30  # shares: what the terms of splits are whole numbers up to, but for 1 for n and n for 1


def read_split_ratio(old: float, new: float) -> float:
    """New shares for one old share.

    Terms that are whole numbers, or make a fraction with a small number, are exact. Others are taken for a rounded
    fraction of small numbers, if there is one that rounds to them.

    >>> read_split_ratio(1.0, 0.3333) == 1 / 3, read_split_ratio(8.0, 5.0), read_split_ratio(1.0, 0.0625)
    (True, 0.625, 0.0625)
    """
    stated, tolerance = _exact(new) / _exact(old), _half_unit(new) / _exact(old)
    if tolerance and min(stated.numerator, stated.denominator) > SMALL:
        for simple in (stated.limit_denominator(SMALL), Fraction(1, max(round(1 / stated), 1))):
            if simple and abs(simple - stated) <= tolerance:
                return float(simple)
    return new / old


def _exact(shares: float) -> Fraction:
    return Fraction(repr(shares))


def _half_unit(shares: float) -> Fraction:
    """Half a unit of the last decimal; 0 for whole numbers."""
    places = -int(Decimal(repr(shares)).normalize().as_tuple().exponent)
    return Fraction(1, 2 * 10**places) if places > 0 else Fraction(0)
