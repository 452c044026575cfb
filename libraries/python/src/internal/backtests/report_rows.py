"""Rows of a backtest's report: an estimate with its interval, the result at other costs and capitals, a note."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


@dataclass(frozen=True)
class Estimate:
    """A figure and its 95 % interval; None where it is not defined.

    Attributes:
        value: The figure.
        lower: The interval's lower end.
        upper: Its upper end.
    """

    value: float | None
    lower: float | None = None
    upper: float | None = None


class Basis(StrEnum):
    """How a figure at other costs or another capital was found."""

    BOOKED = "booked"
    FIRST_ORDER = "first order"
    RUN_AGAIN = "run again"


@dataclass(frozen=True)
class CostScenario:
    """The result at a multiple of the venue's costs.

    Attributes:
        multiple: Of spread, impact, fees and borrow rates; 0 is before costs.
        annualised_return: A fraction.
        sharpe: Annualised.
        basis: Whether this was run, or the booked costs were scaled.
    """

    multiple: float
    annualised_return: Estimate
    sharpe: Estimate
    basis: Basis


@dataclass(frozen=True)
class CapacityPoint:
    """The result at one capital.

    Attributes:
        capital: Dollars at the opening.
        annualised_return: A fraction.
        sharpe: Annualised.
        impact: Spread and impact as a fraction of the dollars traded; None when nothing was traded, or it was run.
        above_limit: The share of the dollars traded in orders above the venue's limit of 5 % of a session's volume,
            which would fill in part only; None as `impact`.
        basis: Whether this was run, or found from the booked fills.
    """

    capital: float
    annualised_return: Estimate
    sharpe: Estimate
    impact: float | None
    above_limit: float | None
    basis: Basis


@dataclass(frozen=True, slots=True)
class Note:
    """What a reader should be aware of: a name without a bar, orders that were cut, nothing opened, ..."""

    day: date
    text: str
