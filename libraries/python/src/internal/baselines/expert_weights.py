"""Bernstein online aggregation: weights of forecasters from the losses that they have made so far.

The weights are Wintenberger's (2017), with a learning rate for each forecaster that its own losses set, as in Gaillard,
Stoltz and van Erven (2014), so that nothing is tuned. Applied to each quantile of a forecast, the method is CRPS
learning (Berrisch and Ziel 2023).
"""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np

DECAY: Final = 0.99  # of what is remembered, a session: weights are a function of the last year
SMALLEST: Final = 1e-30  # difference of losses: below it squares and their inverses are no numbers


@dataclass(frozen=True)
class ExpertState:
    """What is remembered of the forecasters' losses in each group of quantiles.

    Attributes:
        gain: Sum of how much lower each one's loss was than the combination's, less a penalty of second order,
            f64 [expert, group].
        square: Sum of the squares of these differences, f64 [expert, group].
        largest: The largest difference so far, f64 [group].
    """

    gain: np.ndarray
    square: np.ndarray
    largest: np.ndarray

    @classmethod
    def start(cls, experts: int, groups: int) -> Self:
        """Equal weights: no loss is known."""
        return cls(np.zeros((experts, groups)), np.zeros((experts, groups)), np.zeros(groups))

    @property
    def rates(self) -> np.ndarray:
        """Learning rates, f64 [expert, group], at most half of one over the largest difference."""
        spread = np.sqrt((self.square + self.largest**2) / np.log(len(self.gain)))
        slowest = np.maximum(spread, 2 * self.largest)
        return np.asarray(1 / np.where(slowest > SMALLEST, slowest, 1.0))

    def weights(self) -> np.ndarray:
        """Weights, f64 [expert, group]; those of a group add up to one."""
        logs = np.log(self.rates) + self.rates * self.gain
        raised = np.exp(logs - logs.max(axis=0))
        return np.asarray(raised / raised.sum(axis=0))

    def update(self, gains: np.ndarray, *, decay: float = DECAY) -> "ExpertState":
        """The state when some losses have become known.

        Args:
            gains: The combination's loss minus each expert's, f64 [expert, group].
            decay: What is left of the earlier sums. One gives the sums for which the bound on regret is proved.
        """
        grown = ExpertState(self.gain, self.square, np.maximum(self.largest, np.abs(gains).max(axis=0)))
        return ExpertState(
            decay * self.gain + gains - grown.rates * gains**2, decay * self.square + gains**2, grown.largest
        )
