"""Training: fit a model, pass the leak gate, evaluate it, register it, and promote it when it is better."""

import math
import shutil
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any, Final

import polars as pl

from internal.baselines.catalogue import BASELINES
from internal.baselines.forecast import Baseline
from internal.baselines.model import BaselineModel
from internal.errors import ArtifactError, FundError, UnavailableError
from internal.features.splits import Block, Fold
from internal.forecasting.artifact import Artifact, load_artifact, save_artifact
from internal.forecasting.held_out_bands import write_bands
from internal.forecasting.held_out_coverage import write_coverage
from internal.forecasting.quantiles import QuantileModel
from internal.forecasting.rank_evidence import find_rank_evidence
from internal.forecasting.ranking_bets import BET_ON
from internal.forecasting.registry import CHAMPION, LEAK_GATE, Registry
from internal.model_registry import load_model
from models.baseline_fitting import Candidate, fit_baseline
from models.dataset import Dataset
from models.evaluate import ScoredBaselines, compute_held_out_loss, evaluate_model, score_baselines
from models.evaluation import NAIVE_BASELINES, STRONG_BASELINES, Evaluation
from models.folds import FoldData, choose_fold, has_network_columns, observe_dataset
from models.held_out import describe_bands, summarise_coverage
from models.leak_gate import describe_pass, drop_early_bars, find_late_fits, find_leaks
from models.model_specification import require_fittable, require_known_model
from models.progress import PANEL_SHARE, OnProgress, Progress, Step, ignore_progress
from models.side_task import start_beside
from models.sizes import SIZES
from models.stored_frame import StoredFrame
from models.tracking import Tracker

TIE: Final = 1.001  # a difference of 0.1 % of the loss is noise, which newer data are worth


class LeakError(FundError):
    """A trained model's forecasts changed with later bars; it was not registered."""

    status = 500
    title = "Model uses future data"
    slug = "leak"


class InterruptedTrainingError(KeyboardInterrupt):
    """Ctrl-C after the model was registered; the message says what became of it."""


@dataclass(frozen=True)
class Training:
    """The result of one training.

    Attributes:
        version: The artifact's version in the registry.
        promoted: Whether it is the champion now.
        reason: Why, or why not.
        evaluation: Its scores and those of the baselines it is compared with, on the held-out block.
    """

    version: str
    promoted: bool
    reason: str
    evaluation: Evaluation

    def describe(self) -> str:
        """What became of the model, in a sentence."""
        became = "the champion" if self.promoted else "registered, not champion"
        return f"Model {self.version} is {became}: {self.reason}."


def train(  # noqa: PLR0913 - the settings of a run, each its own
    dataset: Dataset,
    registry: Registry,
    tracker: Tracker,
    *,
    model: str = "small",
    seed: int = 7,
    checkpoints: Path | None = None,
    on_progress: OnProgress = ignore_progress,
) -> Training:
    """Train networks of a size, or fit a baseline by its kind, and register the model.

    The newest origins are held out for the evaluation, those before them choose the epoch, the rest train. With a
    folder for checkpoints, an interrupted training continues after its last epoch; once the model is registered, the
    folder is removed.

    Networks are compared with the naive and the strong baselines, a baseline only with the naive ones, so that fitting
    one model does not take the time and memory of all: `evaluate` and `walk_forward` compare with every baseline.

    Raises:
        InvalidRequestError: The model's name is unknown, or the dataset has too few sessions (it says how many).
        ConfigurationError: The model is fitted with LightGBM, which is not installed or lacks a system library.
        LeakError: The leak gate found a forecast that depends on later bars; nothing was registered.
        InterruptedTrainingError: Ctrl-C after the model was registered.
    """
    require_known_model(model)
    require_fittable(model)
    on_progress(Progress(Step.PREPARING, 0, 100, "panel"))
    for_networks = model not in BASELINES or _is_network(_load_champion(registry))
    frame = observe_dataset(dataset, for_networks=for_networks)
    fold = choose_fold(frame)
    dataset = drop_early_bars(dataset, fold.test.first)  # a caller that does not keep them has the memory again
    data, bars = FoldData(frame, fold, dataset.bars_version), StoredFrame.of(dataset.bars)
    dataset = replace(dataset, bars=dataset.bars.clear())  # nothing reads them before the gate
    scoring = start_beside(partial(_score_baselines, frame, fold, model)) if model in BASELINES else None
    candidate = _fit_candidate(data, model, seed, tracker, on_progress, checkpoints)
    scored = None if scoring is None else scoring.result()
    late, stored = find_late_fits(candidate.artifact, frame, fold), StoredFrame.of(frame)
    del frame, data  # the gate makes panels of its own
    dataset = replace(dataset, bars=bars.read())
    del bars
    gate = pass_leak_gate(candidate.model, dataset, fold.test.first, late, on_progress)
    del dataset
    frame = stored.read()
    del stored
    if scored is None:
        scored = _score_baselines(frame, fold, model, candidate.fitted, on_progress)
    judged = evaluate_model(frame, candidate.artifact, candidate.model, "candidate", scored, on_progress=on_progress)
    evaluation = judged.evaluation
    measured = {LEAK_GATE: gate, **_summarise_evaluation(evaluation)}
    with _save_candidate(candidate, measured) as (folder, version), _explain_interrupt(registry, version):
        registry.register(folder)
        promoted, reason = _promote(registry, version, frame, candidate.artifact, judged.loss)
        if checkpoints is not None and checkpoints.exists():
            shutil.rmtree(checkpoints)
        done = Training(version, promoted, reason, replace(evaluation, version=version))
        _finish(tracker, done)
        return done


def _fit_candidate(  # noqa: PLR0913, PLR0917 - the settings of a run, each its own
    data: FoldData, model: str, seed: int, tracker: Tracker, on_progress: OnProgress, checkpoints: Path | None
) -> Candidate:
    if model in BASELINES:
        on_progress(Progress(Step.PREPARING, PANEL_SHARE, 100, f"fit of {model}"))
        fitted = fit_baseline(data, model)
        on_progress(Progress(Step.PREPARING, 100, 100))
        return fitted
    from models.network_fitting import TrainingRun, fit_network  # noqa: PLC0415 - tinygrad takes seconds and a compiler

    return fit_network(data, TrainingRun(model, SIZES[model], seed), tracker, on_progress, checkpoints)


def _score_baselines(
    frame: pl.DataFrame,
    fold: Fold,
    model: str,
    fitted: Sequence[Baseline] = (),
    on_progress: OnProgress = ignore_progress,
) -> ScoredBaselines:
    """Score the baselines that a training compares its model with: the naive ones beside the fit of a baseline."""
    compared = NAIVE_BASELINES if model in BASELINES else {**NAIVE_BASELINES, **STRONG_BASELINES}
    baselines = {kind: one for kind, one in compared.items() if kind != model}
    blocks = Block(fold.training.first, fold.validation.last), Block(fold.test.first, date.max)
    return score_baselines(frame, *blocks, baselines, fitted=fitted, on_progress=on_progress)


def pass_leak_gate(
    model: QuantileModel,
    dataset: Dataset,
    day: date,
    late: Sequence[str],
    on_progress: OnProgress = ignore_progress,
) -> dict[str, Any]:
    """Forecast at the first test session with later bars removed and altered, and refuse fits beyond the fold.

    Args:
        model: The fitted model.
        dataset: Its bars; of those before the day only what a forecaster reads.
        day: The first test session.
        late: What `find_late_fits` found.
        on_progress: Receives the progress.

    Returns:
        The record of the passed gate, for the artifact.

    Raises:
        LeakError: A forecast changed, or something was fitted beyond the training fold; the message says what.
    """
    changed = find_leaks(model, dataset, day, on_progress)
    sentences = [f"forecasts at {day} change when later bars do ({', '.join(changed)})"] if changed else []
    if sentences or late:
        raise LeakError(f"{'; '.join([*sentences, *late])}: the model was not registered")
    return describe_pass(day)


@contextmanager
def _save_candidate(candidate: Candidate, measured: dict[str, Any]) -> Generator[tuple[Path, str]]:
    """Save a candidate's artifact with what was measured, and give its folder, which is removed, and its version."""
    metrics = {**candidate.artifact.metrics, **measured}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "artifact"
        yield path, save_artifact(path, replace(candidate.artifact, metrics=metrics))


@contextmanager
def _explain_interrupt(registry: Registry, version: str) -> Generator[None]:
    """Say of an interrupt what the registry says then: whether the model is registered, and the champion."""
    try:
        yield
    except KeyboardInterrupt as interrupt:
        became = _find_what_became(registry, version)
        if became is None:
            raise
        raise InterruptedTrainingError(f"Interrupted: {became}.") from interrupt


def _find_what_became(registry: Registry, version: str) -> str | None:
    """What the registry says of a version; None where it is not registered."""
    try:
        if not registry.has_version(version):
            return None
        if registry.champion() == version:
            return f"model {version} is registered, and the champion"
    except UnavailableError as error:
        return (
            f"whether model {version} was registered is not known, because {error.detail}. When the registry answers, "
            "`./fund models list` shows it, and the same command goes on"
        )
    return (
        f"model {version} is registered, but not the champion. The same command compares the two; "
        f"`./fund models promote {version}` makes it the champion without"
    )


def _finish(tracker: Tracker, done: Training) -> None:
    """Track what became of the model; where that cannot be written, the error says it too."""
    became = {"version": done.version, "promoted": done.promoted, "reason": done.reason}
    try:
        tracker.finish(became | _summarise_losses(done.evaluation))
    except UnavailableError as error:
        raise UnavailableError(f"{error.detail}. {done.describe()}") from error


def _summarise_evaluation(evaluation: Evaluation) -> dict[str, Any]:
    losses = {"held_out": _summarise_losses(evaluation), "verdict": evaluation.verdict}
    return losses | write_bands(describe_bands(evaluation)) | write_coverage(summarise_coverage(evaluation))


def _summarise_losses(evaluation: Evaluation) -> dict[str, dict[str, float]]:
    return {
        line.score.name: {
            "daily_loss": line.score.daily,
            "cumulative_loss": line.score.cumulative,
            "coverage": line.score.coverage,
            **({} if line.score.evidence is None else line.score.evidence.figures()),
            **{f"{BET_ON}{trait}": correlation for trait, correlation in line.score.bets.items()},
        }
        for line in evaluation.lines
    }


def _promote(registry: Registry, version: str, frame: pl.DataFrame, artifact: Artifact, own: float) -> tuple[bool, str]:
    """Make it the champion where there is none, or where its own loss on this held-out block is lower.

    A tie is enough for a newer fit of the champion's kind. A model that does not rank tickers replaces none that does.
    """
    champion = _load_champion(registry)
    if _is_network(champion) and not has_network_columns(frame):
        return False, f"a network became champion while it was trained: compare, then `./fund models promote {version}`"
    if isinstance(champion, str):
        registry.promote(version)
        return True, champion
    if registry.champion() == version:
        return True, "it was before this training"
    try:
        other = compute_held_out_loss(frame, artifact, champion)
    except UnavailableError as error:
        return False, f"it could not be compared with the champion, because {error.detail}"
    replaced = load_artifact(registry.path(CHAMPION))
    is_enough, losses = compare_losses(own, other, is_newer=_is_newer_fit(artifact, replaced))
    if is_enough and _loses_ranking(replaced, load_artifact(registry.path(version))):
        is_enough, losses = False, f"{losses}, but the champion ranks tickers and it does not: `ten_by_ten` would open "
        losses += f"nothing on it. `./fund models promote {version}` makes it the champion all the same"
    if is_enough:
        registry.promote(version)
    return is_enough, losses


def compare_losses(own: float, other: float, *, is_newer: bool) -> tuple[bool, str]:
    """Whether a loss is enough to replace a champion with another one, and the sentence about the two."""
    if not (math.isfinite(own) and math.isfinite(other)):
        return False, (
            f"it could not be compared with the champion, because a forecast of the held-out sessions is missing: its "
            f"loss is {own:g}, the champion's {other:g}"
        )
    losses = f"its held-out loss {1e4 * own:.3f}e-4 is {{}} the champion's {1e4 * other:.3f}e-4"
    if own < other:
        return True, losses.format("below")
    if own > other * TIE:
        return False, losses.format("above")
    tie = losses.format("within 0.1 % of")
    if is_newer:
        return True, f"{tie}, an older fit of its kind"
    return (
        False,
        f"{tie} and not below it: at a tie, a champion is replaced only by its own kind, fitted to later sessions",
    )


def _is_newer_fit(artifact: Artifact, champion: Artifact) -> bool:
    """Whether it is of the champion's kind and size, and saw later sessions."""
    is_same = (artifact.kind, artifact.configuration.get("size")) == (champion.kind, champion.configuration.get("size"))
    through, before = artifact.trained_through, champion.trained_through
    return is_same and through is not None and before is not None and through > before


def _loses_ranking(champion: Artifact, artifact: Artifact) -> bool:
    """Whether the champion ranks tickers and a model does not: the fund would hold cash, which nobody decided."""
    before, own = (find_rank_evidence(one.kind, one.metrics) for one in (champion, artifact))
    return before is not None and before.ranks and own is not None and not own.ranks


def _is_network(champion: QuantileModel | str) -> bool:
    return not isinstance(champion, str | BaselineModel)


def _load_champion(registry: Registry) -> QuantileModel | str:
    """The current champion's model, or the reason why there is none to compare with."""
    if not registry.has_alias():
        return "it is the first model of this registry"
    try:
        return load_model(registry.path(CHAMPION))
    except ArtifactError as error:
        return f"the previous champion cannot be used for a comparison: {error.detail}"
