"""The baselines by name, and which of them this machine can fit."""

from typing import Final

from internal.baselines.boosted_volatility import BoostedVolatility
from internal.baselines.conditional_variance import ConditionalVariance
from internal.baselines.expert_aggregation import ExpertAggregation
from internal.baselines.forecast import Baseline
from internal.baselines.heterogeneous import AdaptiveVolatility, EarningsVolatility, HeterogeneousVolatility
from internal.baselines.history import ExpandingHistory, RollingHistory
from internal.baselines.trees import require_lightgbm
from internal.baselines.volatility import BlendedVolatility
from internal.errors import ConfigurationError

BASELINES: Final[dict[str, type[Baseline]]] = {
    baseline.kind: baseline
    for baseline in (
        RollingHistory,
        ExpandingHistory,
        BlendedVolatility,
        ConditionalVariance,
        HeterogeneousVolatility,
        EarningsVolatility,
        AdaptiveVolatility,
        BoostedVolatility,
        ExpertAggregation,
    )
}
FITTED_WITH_LIGHTGBM: Final = (BoostedVolatility, ExpertAggregation)


def fittable_baselines() -> dict[str, type[Baseline]]:
    """All baselines; without LightGBM or its OpenMP library, all but those that are fitted with it.

    `fund doctor` says what is missing; a comparison goes on without it.
    """
    try:
        require_lightgbm()
    except ConfigurationError:
        return {kind: baseline for kind, baseline in BASELINES.items() if baseline not in FITTED_WITH_LIGHTGBM}
    return BASELINES
