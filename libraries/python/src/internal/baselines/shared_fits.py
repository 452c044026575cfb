"""Fits of several baselines on one fold, in which what one of them has fitted is not fitted again for another."""

from collections.abc import Iterable
from dataclasses import fields

import numpy as np
import polars as pl

from internal.baselines.boosted_volatility import BoostedVolatility
from internal.baselines.expert_aggregation import ExpertAggregation
from internal.baselines.forecast import Baseline
from internal.baselines.heterogeneous import EarningsVolatility, HeterogeneousVolatility
from internal.features.splits import Block


def fit_beside(kind: type[Baseline], fitted: Iterable[Baseline], frame: pl.DataFrame, *, fold: Block) -> Baseline:
    """Fit a baseline with the parts that others have fitted.

    HAR with earnings features is a part of the adaptive kind and of boosted trees, which are a part of the aggregation.

    Args:
        kind: What to fit.
        fitted: **Guard:** baselines that were fitted on the same fold, and not on a later one.
        frame: What `variables.observe` returns.
        fold: The sessions to fit on.
    """
    found = list(fitted)
    trees = next((one for one in found if isinstance(one, BoostedVolatility)), None)
    scales = [*(one for one in found if isinstance(one, EarningsVolatility)), *([] if trees is None else [trees.scale])]
    if issubclass(kind, ExpertAggregation) and trees is not None:
        return kind(trees, fold.last)
    if not scales:
        return kind.fit(frame, fold=fold)
    if issubclass(kind, EarningsVolatility):
        return kind(**_get_regressions(scales[0]))
    if issubclass(kind, BoostedVolatility):
        return kind.fit(frame, fold=fold, scale=EarningsVolatility(**_get_regressions(scales[0])))
    return kind.fit(frame, fold=fold)


def _get_regressions(scale: EarningsVolatility) -> dict[str, np.ndarray]:
    """What HAR's fit found, by name, without the strengths of an adaptive kind."""
    return {field.name: getattr(scale, field.name) for field in fields(HeterogeneousVolatility)}
