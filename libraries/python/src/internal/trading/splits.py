"""A split of a security: the day from which on it has another number of shares."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Split:
    """A split: `shares` new shares for one old share from the execution date on."""

    ticker: str
    execution_date: date
    shares: float
