"""Faults of the market that a test injects: fills that are cut, shorts that are refused, orders rejected late."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fnmatch import fnmatchcase


class MarketFaultKind(StrEnum):
    """What goes wrong at the market."""

    PARTIAL_FILL = "partial_fill"
    REFUSED_SHORT = "refused_short"
    LATE_REJECTION = "late_rejection"


@dataclass(frozen=True, slots=True)
class MarketFault:
    """A fault that strikes tickers matching the glob `ticker`, `remaining` times more.

    `share` is the fraction of a fill that is left of it, for partial fills alone.
    """

    id: int
    kind: MarketFaultKind
    ticker: str
    remaining: int
    share: Decimal | None = None


class FaultSchedule:
    """The faults that one request or step may meet; `used` names each that struck, once for each time."""

    def __init__(self, faults: Iterable[MarketFault]) -> None:
        self._remaining = {fault: fault.remaining for fault in faults}
        self.used: list[int] = []

    def take(self, kind: MarketFaultKind, ticker: str) -> MarketFault | None:
        """The oldest fault that strikes this ticker, used up by one; None where there is none."""
        for fault, remaining in self._remaining.items():
            if remaining > 0 and fault.kind is kind and fnmatchcase(ticker, fault.ticker):
                self._remaining[fault] = remaining - 1
                self.used.append(fault.id)
                return fault
        return None
