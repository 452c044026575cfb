"""Shares that corporate actions moved in the account, as the broker lists them: the proof that it carried one out.

A position alone proves nothing: somebody else may hold, or buy, the very shares that the fund is to receive.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from math import copysign


@dataclass(frozen=True, slots=True)
class ShareMovement:
    """Signed shares of a ticker that a corporate action brought to the account, or took from it, on a day.

    `is_split` is whether a split or a stock dividend changed the count of the position.
    """

    ticker: str
    day: date
    shares: float
    is_split: bool = False


def sum_brought(movements: Iterable[ShareMovement], ticker: str, sign: float) -> float:
    """Signed shares of the ticker that came on the side of the sign; what left again is not taken off."""
    of_ticker = (one.shares for one in movements if one.ticker == ticker)
    return sum(shares for shares in of_ticker if copysign(1, shares) == copysign(1, sign))


def sum_moved(movements: Iterable[ShareMovement], ticker: str) -> float:
    """Signed shares of the ticker that came, less those that left again."""
    return sum(one.shares for one in movements if one.ticker == ticker)
