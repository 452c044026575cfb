"""The baselines by name.

Knows which there are. Knows nothing of how they forecast.
"""

from typing import Final

from internal.baselines.forecast import Baseline
from internal.baselines.history import ExpandingHistory, RollingHistory
from internal.baselines.volatility import BlendedVolatility, HeterogeneousVolatility

BASELINES: Final[dict[str, type[Baseline]]] = {
    baseline.kind: baseline
    for baseline in (RollingHistory, ExpandingHistory, BlendedVolatility, HeterogeneousVolatility)
}
