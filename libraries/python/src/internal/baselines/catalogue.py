"""The baselines by name, which of them this machine can fit, and which was best beside a model."""

from collections.abc import Mapping
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


def find_best_baseline(held_out: Mapping[str, Mapping[str, float]], own: str) -> str | None:
    """The kind with the lowest cumulative loss among the baselines that a model was measured beside; None without any.

    Args:
        held_out: The figures of each forecaster, from the metrics of the model's artifact.
        own: The model's kind, which is no baseline of its own.
    """
    losses = {kind: one["cumulative_loss"] for kind, one in held_out.items() if kind in BASELINES and kind != own}
    return min(losses, key=losses.__getitem__, default=None)
