"""The baselines by name.

Knows which there are. Knows nothing of how they forecast.
"""

from typing import Final

from internal.baselines.conditional_variance import ConditionalVariance
from internal.baselines.forecast import Baseline
from internal.baselines.heterogeneous import AdaptiveVolatility, ClockedVolatility, HeterogeneousVolatility
from internal.baselines.history import ExpandingHistory, RollingHistory
from internal.baselines.volatility import BlendedVolatility

BASELINES: Final[dict[str, type[Baseline]]] = {
    baseline.kind: baseline
    for baseline in (
        RollingHistory,
        ExpandingHistory,
        BlendedVolatility,
        ConditionalVariance,
        HeterogeneousVolatility,
        ClockedVolatility,
        AdaptiveVolatility,
    )
}
