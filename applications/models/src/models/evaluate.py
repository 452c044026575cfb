"""Evaluate: a registered model beside every baseline, on sessions that none of them was fitted on.

Knows which rows are fair: origins after the artifact's training and validation, purged, with every forecast known.
`walk_forward` judges a kind of model afresh on several folds; this judges one that is registered, as it is.
"""

from collections.abc import Iterable
from datetime import date

import numpy as np
import polars as pl

from internal.baselines.catalogue import BASELINES, fittable_baselines
from internal.baselines.forecast import future_log_returns, to_daily
from internal.errors import ArtifactError, InvalidRequestError
from internal.features.panel import build_panel
from internal.features.splits import Block
from internal.features.variables import observe
from internal.features.windows import find_origins
from internal.forecasting.artifact import Artifact, load_artifact
from internal.forecasting.quantiles import QuantileModel, RowQuantiles
from internal.forecasting.registry import Registry
from internal.forecasting.scoring import pinball_loss
from internal.model_registry import load_model
from models.comparison import Evaluation, compared
from models.dataset import Dataset
from models.progress import OnProgress, Progress, silent
from models.scoring import Truth


def evaluate(
    dataset: Dataset, registry: Registry, name: str = "champion", *, on_progress: OnProgress = silent
) -> Evaluation:
    """Score a registered model and the baselines on the origins after its training.

    **Guard:** baselines are fitted on the model's training and validation sessions, with labels that end there; the
    held-out block begins a purge later.

    Raises:
        ArtifactError: The model is missing or unusable.
        InvalidRequestError: The dataset has no origin after the model's training.
    """
    path = registry.path(name)
    artifact = load_artifact(path)
    frame = observe(build_panel(dataset.bars, dataset.details, end=dataset.end).frame)
    return compare(frame, artifact, load_model(path), path.name, on_progress=on_progress)


def compare(
    frame: pl.DataFrame, artifact: Artifact, model: QuantileModel, version: str, *, on_progress: OnProgress = silent
) -> Evaluation:
    """Score a model and the baselines on an observed panel. See `evaluate`."""
    fitted, held_out = _blocks(artifact)
    origins = find_origins(frame, held_out)
    forecasts = _baseline_forecasts(frame, fitted, origins, on_progress)
    ahead = future_log_returns(frame, last=held_out.last)[origins]
    known = complete(ahead, forecasts.values())
    if not known.any():
        raise InvalidRequestError(
            f"the dataset has no complete origin from {held_out.first} on, after the model's training: collect and "
            "assemble later sessions"
        )
    on_progress(Progress("evaluating", len(BASELINES), len(BASELINES) + 1, artifact.kind))
    name = artifact.kind if artifact.kind not in BASELINES else f"{artifact.kind} (registered)"
    kept = {kind: rows_of(one, known) for kind, one in forecasts.items()}
    kept[name] = model.quantiles(frame, origins[known])
    truth = truth_of(frame, origins[known], ahead[known], np.zeros(int(known.sum()), np.int64))
    evaluation = compared(version, name, truth, kept, [fitted.last])
    on_progress(Progress("evaluating", len(BASELINES) + 1, len(BASELINES) + 1, ""))
    return evaluation


def truth_of(frame: pl.DataFrame, origins: np.ndarray, ahead: np.ndarray, folds: np.ndarray) -> Truth:
    """What happened after some rows of an observed panel, with what they are grouped by."""
    columns = {name: frame.get_column(name).gather(origins) for name in ("date", "ticker", "volatility", "sector")}
    volatility = columns["volatility"].to_numpy()
    return Truth(
        columns["date"], ahead, to_daily(ahead), volatility, columns["sector"], folds, columns["ticker"].n_unique()
    )


def complete(ahead: np.ndarray, forecasts: Iterable[RowQuantiles]) -> np.ndarray:
    """The one fixed set of rows: a known truth, and every forecast there, bool [row]."""
    known = np.isfinite(ahead).all(axis=1)
    for one in forecasts:
        known &= np.isfinite(one.cumulative).all(axis=(1, 2)) & np.isfinite(one.daily).all(axis=(1, 2))
    return known


def rows_of(forecast: RowQuantiles, rows: np.ndarray) -> RowQuantiles:
    """Some rows of a forecast."""
    return RowQuantiles(forecast.cumulative[rows], forecast.daily[rows])


def model_losses(frame: pl.DataFrame, artifact: Artifact, model: QuantileModel) -> float:
    """A model's mean cumulative pinball loss on an artifact's held-out block, every labelled origin of it."""
    _, held_out = _blocks(artifact)
    origins = find_origins(frame, held_out)
    ahead = future_log_returns(frame, last=held_out.last)[origins]
    known = np.isfinite(ahead).all(axis=1)
    return float(pinball_loss(ahead[known], model.predict(frame, origins[known])).mean())


def _blocks(artifact: Artifact) -> tuple[Block, Block]:
    """The sessions that the model was fitted and chosen on, and those from which it may be judged."""
    try:
        fold = artifact.configuration["fold"]
        days = {name: date.fromisoformat(fold[name]) for name in ("training_first", "validation_last", "test_first")}
    except (KeyError, TypeError, ValueError) as error:
        raise ArtifactError(f"the artifact does not say on which sessions it was trained: {error!r}") from error
    return Block(days["training_first"], days["validation_last"]), Block(days["test_first"], date.max)


def _baseline_forecasts(
    frame: pl.DataFrame, fitted: Block, origins: np.ndarray, on_progress: OnProgress
) -> dict[str, RowQuantiles]:
    forecasts = {}
    for place, (kind, baseline) in enumerate(fittable_baselines().items()):
        on_progress(Progress("evaluating", place, len(BASELINES) + 1, kind))
        forecasts[kind] = rows_of(baseline.fit(frame, fold=fitted).quantiles(frame), origins)
    return forecasts
