"""The funnel of a decision: how many names are left after each condition that a name has to meet, and its words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from internal.trading.decision_records import NameRecord


@dataclass(frozen=True)
class Funnel:
    """Counts of names; each is a part of the one before, but for the chosen, some of which were held before."""

    listed: int
    priced: int
    eligible: int
    forecast: int
    shortable: int
    chosen: int

    @classmethod
    def of(cls, names: Sequence["NameRecord"]) -> Self:
        """Count the names of a decision; where no name has a forecast, none was asked for."""
        eligible = [one for one in names if one.is_eligible]
        asked = any(one.forecast is not None for one in names)
        forecast = [one for one in eligible if one.forecast is not None or not asked]
        return cls(
            listed=len(names),
            priced=sum(one.price is not None for one in names),
            eligible=len(eligible),
            forecast=len(forecast),
            shortable=sum(one.is_shortable for one in forecast),
            chosen=sum(one.outcome.is_chosen for one in names),
        )

    @property
    def steps(self) -> tuple[tuple[str, int, str], ...]:
        """The name of each step, its count, and what a name needs to be counted."""
        return (
            ("Listed", self.listed, "a bar in the universe's lookback, or held"),
            ("Priced", self.priced, "a close of the session"),
            ("Eligible", self.eligible, "in the universe, traded by the broker, not refused by the fund, not blocked"),
            ("Forecast", self.forecast, "a forecast of the session, where the strategy needs one"),
            ("Shortable", self.shortable, "lent by the broker; for shorts alone"),
            ("In the book", self.chosen, "opened, or kept from before"),
        )

    @property
    def sentence(self) -> str:
        """The whole funnel in one line."""
        *narrowing, last = [f"{count:,} {name.lower()}" for name, count, _ in self.steps]
        return f"{', '.join(narrowing)}; {last}"
