"""Whether a model's forecasts rank tickers: the evidence that an evaluation measures, and live orders ask for."""

from collections.abc import Mapping
from typing import Final

SIGNIFICANT_T: Final = 2.0  # standard errors
RANK_T: Final = "rank_t"  # the figure of an artifact's held-out block


def ranks_tickers(rank_t: float | None) -> bool:
    """Whether the rank correlation of the median with the truth is significant, in whichever direction."""
    return rank_t is not None and abs(rank_t) >= SIGNIFICANT_T


def has_rank_evidence(held_out: Mapping[str, float]) -> bool:
    """Whether a model's held-out figures show that higher medians had higher returns; not without the figure."""
    return held_out.get(RANK_T, 0.0) >= SIGNIFICANT_T
