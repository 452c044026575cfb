"""The loss of the second expert of `expert_aggregation`, trees that follow surprises, which is no kind of its own.

`benchmarks.published_evaluation` shows how far the aggregation is from the better of its experts in each fold.
"""

from datetime import date

import numpy as np
import polars as pl

from benchmarks.tuned_blend import Losses, compute_losses
from internal.baselines.expert_aggregation import ExpertAggregation
from internal.baselines.forecast import future_log_returns
from internal.features.splits import Block, Fold
from internal.features.windows import find_origins
from internal.forecasting.quantiles import RowQuantiles


def forecast_trees(fitted: ExpertAggregation, frame: pl.DataFrame, rows: np.ndarray) -> RowQuantiles:
    """The trees' quantiles with scales that follow surprises, as the aggregation reads them."""
    _, surprise, _ = fitted.adaptive.scales_and_surprises(frame, rows)
    return fitted.boosted.plain(fitted.boosted.scales(frame, rows).times(surprise))


def score_trees(frame: pl.DataFrame, fold: Fold) -> tuple[Losses, int]:
    """Their losses on a fold's test sessions when fitted before them, and the origins counted."""
    fitted = ExpertAggregation.fit(frame, fold=Block(fold.training.first, fold.validation.last))
    rows = find_origins(frame, fold.test)
    return compute_losses(future_log_returns(frame, last=date.max, rows=rows), forecast_trees(fitted, frame, rows))
