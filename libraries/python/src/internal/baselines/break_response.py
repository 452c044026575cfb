"""How far forecasts follow a break of volatility: the strengths of the corrections, which an artifact holds.

A model forecasts for as long as it is served with the response that it was judged with, whatever later code would
choose.
"""

from collections.abc import Mapping
from dataclasses import astuple, dataclass
from typing import Final, Self

import numpy as np

from internal.baselines.volatility import require_shapes
from internal.errors import ArtifactError

RESPONSE, MOVING_ALONE = "response", "moving_alone"


@dataclass(frozen=True)
class BreakResponse:
    """The strengths of the corrections, and whom they learn from; decisions/breaks.md has the measurements.

    Attributes:
        market: What the market's average surprise is multiplied by.
        noise: How large that average becomes without a break: it counts by its share of signal, a^2 / (a^2 + noise^2).
        groups: What the average surprises of a third and of a sector, beyond the market's, are multiplied by.
        sector_rate: How fast the intervals of a sector adapt to its misses beyond those of all tickers.
        moving_alone: Whether surprises and misses count of rows that move alone (`features.variables.find_moving`).
    """

    market: float
    noise: float
    groups: float
    sector_rate: float
    moving_alone: bool = False

    def to_arrays(self) -> dict[str, np.ndarray]:
        """The strengths in one array, f64 [strength]; `moving_alone` is one, and absent where it is not so."""
        *strengths, moving_alone = astuple(self)
        return {RESPONSE: np.array(strengths), **write_flag(MOVING_ALONE, value=moving_alone)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], *, absent: Self) -> Self:
        """The strengths of an artifact; `absent` where it was made before they were kept."""
        if RESPONSE not in arrays:
            return absent
        (values,) = require_shapes(arrays, {RESPONSE: (4,)})
        return cls(*values.tolist(), moving_alone=read_flag(arrays, MOVING_ALONE))


def write_flag(name: str, *, value: bool) -> dict[str, np.ndarray]:
    """The array of what is so in newer artifacts alone: a one, and none where it is not so."""
    return {name: np.ones(1)} if value else {}


def read_flag(arrays: Mapping[str, np.ndarray], name: str) -> bool:
    """Read what `write_flag` wrote. Raises ArtifactError where the array holds anything else."""
    if name not in arrays:
        return False
    (value,) = require_shapes(arrays, {name: (1,)})
    if value[0] != 1:
        raise ArtifactError(f"the artifact's {name} is {value[0]:g}, which must be 1, or absent")
    return True


CURRENT: Final = BreakResponse(market=1.3, noise=0.1, groups=1.0, sector_rate=0.05, moving_alone=True)
MARKET_ALONE: Final = BreakResponse(market=0.7, noise=0.0, groups=0.0, sector_rate=0.0)
NO_RESPONSE: Final = BreakResponse(market=0.0, noise=0.0, groups=0.0, sector_rate=0.0)
