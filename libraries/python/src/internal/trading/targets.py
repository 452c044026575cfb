"""Targets: what a strategy wants to hold, as signed weights of its capital, with a reason for each name."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from internal.trading.arrays import FloatArray


@dataclass(frozen=True, slots=True)
class Target:
    """What a strategy wants of one name.

    Attributes:
        ticker: Its name at the broker.
        weight: Dollars over the strategy's capital, negative for a short; 0 closes the position. None keeps exactly
            the shares that are held.
        reason: One sentence for people.
        locked: Whether the shares must not be touched by the cuts that keep the sides equal when orders fail.
    """

    ticker: str
    weight: float | None
    reason: str
    locked: bool = False


@dataclass(frozen=True, slots=True)
class Targets:
    """What a strategy wants to hold; a position that is not named is closed.

    Attributes:
        rows: What it wants of each name.
        notes: What fell short.
        scores: [N] floats, which put the names in their order, NaN for no score; None where the strategy has none.
    """

    rows: tuple[Target, ...] = ()
    notes: tuple[str, ...] = field(default=())
    scores: FloatArray | None = field(default=None, compare=False, repr=False)

    @classmethod
    def of(cls, weights: Mapping[str, float], reason: str, notes: Iterable[str] = ()) -> "Targets":
        """Targets of signed weights by ticker that share one reason."""
        return cls(tuple(Target(ticker, weight, reason) for ticker, weight in weights.items()), tuple(notes))
