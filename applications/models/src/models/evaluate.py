"""Evaluation of a registered model beside baselines on sessions that none of them was fitted on.

The scored origins come a purge after the artifact's training and validation, and every forecast is known there.
`walk_forward` evaluates models that are fitted on several folds instead.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from internal.baselines.catalogue import fittable_baselines
from internal.baselines.forecast import Baseline, future_log_returns
from internal.baselines.model import BaselineModel
from internal.baselines.shared_fits import fit_beside
from internal.errors import ArtifactError, InvalidRequestError
from internal.features.splits import Block
from internal.features.windows import find_origins
from internal.forecasting.artifact import Artifact, load_artifact
from internal.forecasting.forecast_progress import observed_forecast
from internal.forecasting.quantiles import QuantileModel, RowQuantiles
from internal.forecasting.registry import Registry
from internal.forecasting.scoring import pinball_loss
from internal.model_registry import load_model
from models.comparison import compare_scores, score_each
from models.dataset import Dataset
from models.evaluation import Evaluation
from models.folds import observe_dataset
from models.progress import OnProgress, Progress, Step, ignore_progress
from models.scored_rows import find_complete_rows, make_truth, select_rows
from models.scoring import CHUNK_ROWS, Score
from models.stored_forecast import StoredForecast
from models.truth import Truth


@dataclass(frozen=True)
class JudgedModel:
    """An evaluation, and the figure by which its model is compared with another one.

    Attributes:
        evaluation: The scores, on the origins where every forecast is known.
        loss: What `compute_held_out_loss` says of the model, which another forecast would take minutes for.
    """

    evaluation: Evaluation
    loss: float


@dataclass(frozen=True)
class ScoredBaselines:
    """Baselines that a model is compared with.

    Attributes:
        scores: Their scores.
        known: Which labelled origins of the held-out sessions all of them forecast, bool [origin].
    """

    scores: list[Score]
    known: np.ndarray


def evaluate(
    dataset: Dataset, registry: Registry, name: str = "champion", *, on_progress: OnProgress = ignore_progress
) -> Evaluation:
    """Score a registered model and every baseline on the origins after its training.

    **Guard:** baselines are fitted on the model's training and validation sessions, with labels that end there; the
    held-out block begins a purge later.

    Raises:
        ArtifactError: The model is missing or unusable.
        InvalidRequestError: The dataset has no origin after the model's training.
    """
    path = registry.path(name)
    artifact, frame = load_artifact(path), observe_dataset(dataset)
    fold, held_out = _read_blocks(artifact)
    baselines = {kind: one for kind, one in fittable_baselines().items() if kind != artifact.kind}
    scored = score_baselines(frame, fold, held_out, baselines, on_progress=on_progress)
    return evaluate_model(frame, artifact, load_model(path), path.name, scored, on_progress=on_progress).evaluation


def score_baselines(  # noqa: PLR0913 - two of them are named and have defaults
    frame: pl.DataFrame,
    fold: Block,
    held_out: Block,
    baselines: Mapping[str, type[Baseline]],
    *,
    fitted: Sequence[Baseline] = (),
    on_progress: OnProgress = ignore_progress,
) -> ScoredBaselines:
    """Fit baselines on some sessions and score them on later ones.

    Args:
        frame: The observed panel.
        fold: The sessions to fit on.
        held_out: The sessions to score.
        baselines: The baselines by kind, without the kind of the model that they are compared with: the same fit would
            forecast the same. The reference is one of them or is the model.
        fitted: **Guard:** baselines that were fitted on the same sessions already.
        on_progress: Receives the progress.

    Raises:
        InvalidRequestError: No origin of the held-out sessions is known and forecast by all.
    """
    origins, ahead = _find_labelled_origins(frame, held_out)
    each = list(
        _fit_each(frame, baselines, fold, fitted, on_progress)
    )  # first: later a fit beside it takes more memory
    forecasts, known = _forecast_each(frame, each, origins)
    if not known.any():
        raise InvalidRequestError(
            f"the dataset has no complete origin from {held_out.first} on, after the model's training: collect and "
            "assemble later sessions"
        )
    truth = _make_truth(frame, origins[known], ahead[known])
    del ahead
    scores = score_each(truth, ((kind, stored.read(known)) for kind, stored in forecasts.items()))
    return ScoredBaselines(scores, known)


def evaluate_model(  # noqa: PLR0913 - the model in its parts, each its own
    frame: pl.DataFrame,
    artifact: Artifact,
    model: QuantileModel,
    version: str,
    scored: ScoredBaselines,
    *,
    on_progress: OnProgress = ignore_progress,
) -> JudgedModel:
    """Score a model on an observed panel beside baselines. See `evaluate`.

    Args:
        frame: The observed panel.
        artifact: The model's artifact, which has the blocks.
        model: The model.
        version: Its version, or another name of the result.
        scored: What `score_baselines` found on these blocks.
        on_progress: Receives the progress.
    """
    (fold, held_out), name, known = _read_blocks(artifact), artifact.kind, scored.known
    origins, ahead = _find_labelled_origins(frame, held_out)
    found = _forecast_with_progress(model, frame, origins, len(scored.scores), on_progress)
    loss = _average_loss(ahead, found.cumulative)
    if not known.all():
        origins, ahead, found = origins[known], ahead[known], select_rows(found, known)
    truth = _make_truth(frame, origins, ahead)  # after the forecast, which takes the most memory
    scores = [*scored.scores, *score_each(truth, [(name, found)])]
    evaluation = compare_scores(version, name, truth, scores, [fold.last])
    on_progress(Progress(Step.EVALUATING, len(scores), len(scores)))
    return JudgedModel(evaluation, loss)


def compute_held_out_loss(frame: pl.DataFrame, artifact: Artifact, model: QuantileModel) -> float:
    """A model's mean cumulative pinball loss on every labelled origin of an artifact's held-out block."""
    _, held_out = _read_blocks(artifact)
    origins, ahead = _find_labelled_origins(frame, held_out)
    return _average_loss(ahead, model.predict(frame, origins))


def _average_loss(ahead: np.ndarray, cumulative: np.ndarray) -> float:
    """The mean loss of quantiles f64 [row, step, quantile], a few rows at a time."""
    parts = (slice(first, first + CHUNK_ROWS) for first in range(0, len(ahead), CHUNK_ROWS))
    return sum(float(pinball_loss(ahead[part], cumulative[part]).sum()) for part in parts) / cumulative.size


def _forecast_with_progress(
    model: QuantileModel, frame: pl.DataFrame, origins: np.ndarray, fitted: int, on_progress: OnProgress
) -> RowQuantiles:
    """Forecast from some rows, as the last part of an evaluation with so many baselines."""

    def report(done: int, total: int) -> None:
        on_progress(Progress(Step.EVALUATING, fitted + done / total, fitted + 1, f"{done:,} of {total:,} forecasts"))

    report(0, len(origins))
    with observed_forecast(report):
        return model.quantiles(frame, origins)


def _find_labelled_origins(frame: pl.DataFrame, block: Block) -> tuple[np.ndarray, np.ndarray]:
    """Origins of a block whose whole horizon is known, i64 [origin], and their returns, f64 [origin, step]."""
    origins = find_origins(frame, block)
    ahead = future_log_returns(frame, last=block.last, rows=origins)
    known = np.isfinite(ahead).all(axis=1)
    return origins[known], ahead[known]


def _make_truth(frame: pl.DataFrame, origins: np.ndarray, ahead: np.ndarray) -> Truth:
    return make_truth(frame, origins, ahead, np.zeros(len(origins), np.int64))


def _read_blocks(artifact: Artifact) -> tuple[Block, Block]:
    """The sessions that the model was fitted and chosen on, and those from which it may be evaluated."""
    try:
        fold = artifact.configuration["fold"]
        days = {name: date.fromisoformat(fold[name]) for name in ("training_first", "validation_last", "test_first")}
    except (KeyError, TypeError, ValueError) as error:
        raise ArtifactError(f"the artifact does not say on which sessions it was trained: {error!r}") from error
    return Block(days["training_first"], days["validation_last"]), Block(days["test_first"], date.max)


def _fit_each(
    frame: pl.DataFrame,
    baselines: Mapping[str, type[Baseline]],
    fold: Block,
    fitted: Sequence[Baseline],
    on_progress: OnProgress,
) -> Iterator[tuple[str, Baseline]]:
    """Fit the baselines one after another, with what those before them have fitted."""
    known = list(fitted)
    for place, (kind, baseline) in enumerate(baselines.items()):
        on_progress(Progress(Step.EVALUATING, place, len(baselines) + 1, kind))
        known.append(fit_beside(baseline, known, frame, fold=fold))
        yield kind, known[-1]


def _forecast_each(
    frame: pl.DataFrame, baselines: Iterable[tuple[str, Baseline]], origins: np.ndarray
) -> tuple[dict[str, StoredForecast], np.ndarray]:
    """The baselines' forecasts at some rows, and which rows every one of them forecasts, bool [row]."""
    forecasts, known = dict[str, StoredForecast](), np.ones(len(origins), bool)
    for kind, baseline in baselines:
        found = BaselineModel(baseline).quantiles(frame, origins)
        known &= find_complete_rows([found])
        forecasts[kind] = StoredForecast.of(found)
        del found  # before the next one is forecast
    return forecasts, known
