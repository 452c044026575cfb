"""How far forecasts follow a break of volatility: the strengths of the corrections, which an artifact holds.

A model forecasts for as long as it is served with the strengths that it was judged with, whatever later code would
choose.
"""

from collections.abc import Mapping
from dataclasses import astuple, dataclass
from typing import Final, Self

import numpy as np

from internal.baselines.volatility import require_shapes

RESPONSE: Final = "response"


@dataclass(frozen=True)
class BreakResponse:
    """The strengths of the corrections; decisions/breaks.md has the measurements.

    Attributes:
        market: What the market's average surprise is multiplied by.
        noise: How large that average becomes without a break: it counts by its share of signal, a^2 / (a^2 + noise^2).
        groups: What the average surprises of a third and of a sector, beyond the market's, are multiplied by.
        sector_rate: How fast the intervals of a sector adapt to its misses beyond those of all tickers.
    """

    market: float
    noise: float
    groups: float
    sector_rate: float

    def to_arrays(self) -> dict[str, np.ndarray]:
        """The strengths in one array, f64 [strength]."""
        return {RESPONSE: np.array(astuple(self))}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], *, absent: Self) -> Self:
        """The strengths of an artifact; `absent` where it was made before they were kept."""
        if RESPONSE not in arrays:
            return absent
        (values,) = require_shapes(arrays, {RESPONSE: (4,)})
        return cls(*values.tolist())


CURRENT: Final = BreakResponse(market=1.3, noise=0.1, groups=1.0, sector_rate=0.05)
MARKET_ALONE: Final = BreakResponse(market=0.7, noise=0.0, groups=0.0, sector_rate=0.0)
NO_RESPONSE: Final = BreakResponse(market=0.0, noise=0.0, groups=0.0, sector_rate=0.0)
