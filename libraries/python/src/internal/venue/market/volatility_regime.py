"""A span of sessions in which the simulated market's daily volatility is multiplied, as in a crisis."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np

from internal.errors import ConfigurationError
from internal.venue.market.universe import FloatArray

LARGEST_MULTIPLIER: Final = 10.0


@dataclass(frozen=True)
class VolatilityRegime:
    """When volatility changes, for how long and by how much.

    Attributes:
        first_day: The first session with the other volatility is the first at or after this day.
        session_count: How many sessions it lasts.
        multiplier: What the daily volatility of every ticker, of the market and of each sector is multiplied by.
    """

    first_day: date
    session_count: int
    multiplier: float

    def __post_init__(self) -> None:
        """Raises ConfigurationError where it does not last a session, or the multiplier is not within 0 to 10."""
        if self.session_count < 1:
            raise ConfigurationError(f"a volatility regime lasts {self.session_count} sessions; choose at least 1")
        if not 0 < self.multiplier <= LARGEST_MULTIPLIER:
            raise ConfigurationError(
                f"a volatility regime multiplies volatility by {self.multiplier:g}; choose more than 0 and at most "
                f"{LARGEST_MULTIPLIER:g}"
            )

    def describe(self) -> str:
        """The regime in a few words."""
        return f"volatility {self.multiplier:g} times for {self.session_count} sessions from {self.first_day}"


def volatility_multipliers(days: Sequence[date], regime: VolatilityRegime | None) -> FloatArray:
    """What the volatility of each session is multiplied by, f64 [session].

    Raises:
        ConfigurationError: The regime begins on none of these sessions.
    """
    multipliers = np.ones(len(days))
    if regime is None:
        return multipliers
    if not days[0] <= regime.first_day <= days[-1]:
        raise ConfigurationError(
            f"EXCHANGE_REGIME_DATE is {regime.first_day}; choose a day from {days[0]} to {days[-1]}"
        )
    first = next(number for number, day in enumerate(days) if day >= regime.first_day)
    multipliers[first : first + regime.session_count] = regime.multiplier
    return multipliers
