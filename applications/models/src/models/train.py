"""Train: fit a model, pass the leak gate, measure it, register it, and decide whether it becomes the champion.

Knows the order and the rule of promotion. How a model is fitted is `fitting`'s and `network_fitting`'s.
"""

import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from internal.baselines.catalogue import BASELINES
from internal.errors import ArtifactError, FundError
from internal.features.panel import build_panel
from internal.features.variables import observe
from internal.forecasting.artifact import save_artifact
from internal.forecasting.quantiles import QuantileModel
from internal.forecasting.registry import CHAMPION, LEAK_GATE, Registry
from internal.model_registry import load_model
from models.comparison import Evaluation
from models.dataset import Dataset
from models.evaluate import compare, model_losses
from models.fitting import Candidate, Material, check_model, choose_fold, fit_baseline
from models.leak_gate import find_late_fits, find_leaks, passed
from models.progress import OnProgress, Progress, silent
from models.sizes import SIZES
from models.tracking import Tracker

TIE: Final = 1.001  # 0.1 % of the loss is noise


class LeakError(FundError):
    """A trained model's forecasts changed when the future did; it was not registered."""

    status = 500
    title = "Model sees the future"
    slug = "leak"


@dataclass(frozen=True)
class Training:
    """What one training did.

    Attributes:
        version: The artifact's version in the registry.
        promoted: Whether it is the champion now.
        reason: Why, or why not.
        evaluation: Its scores on the held-out block beside the baselines.
    """

    version: str
    promoted: bool
    reason: str
    evaluation: Evaluation


def train(  # noqa: PLR0913 - a run's settings, each its own
    dataset: Dataset,
    registry: Registry,
    tracker: Tracker,
    *,
    model: str = "small",
    seed: int = 7,
    checkpoints: Path | None = None,
    on_progress: OnProgress = silent,
) -> Training:
    """Train a network of a named size, or fit a baseline by its kind, and register it.

    With a folder for this run's checkpoints, a training that was interrupted goes on from its last epoch; once the
    model is registered, the folder is removed.

    The newest origins are held out for the evaluation, the ones before choose the epoch, the rest train.

    Raises:
        InvalidRequestError: The model's name is unknown, or the dataset has too few sessions (it says how many).
        LeakError: The leak gate found a forecast that depends on later bars; nothing was registered.
    """
    check_model(model)
    frame = observe(build_panel(dataset.bars, dataset.details, end=dataset.end).frame)
    material = Material(frame, choose_fold(frame), dataset.bars_version)
    candidate = _fit(material, model, seed, tracker, on_progress, checkpoints)
    on_progress(Progress("leak gate", 0, 1))
    gate = pass_leak_gate(candidate, dataset, material)
    on_progress(Progress("leak gate", 1, 1))
    evaluation = compare(frame, candidate.artifact, candidate.model, "candidate", on_progress=on_progress)
    version = _register(registry, candidate, {LEAK_GATE: gate, **_measured(evaluation)})
    promoted, reason = _promote(registry, version, material, candidate)
    if checkpoints is not None and checkpoints.exists():
        shutil.rmtree(checkpoints)
    tracker.finish({"version": version, "promoted": promoted, "reason": reason, **_losses(evaluation)})
    return Training(version, promoted, reason, replace(evaluation, version=version))


def _fit(  # noqa: PLR0913, PLR0917 - a run's settings, each its own
    material: Material, model: str, seed: int, tracker: Tracker, on_progress: OnProgress, checkpoints: Path | None
) -> Candidate:
    if model in BASELINES:
        return fit_baseline(material, model)
    from models.network_fitting import Run, fit_network  # noqa: PLC0415 - tinygrad takes seconds and a compiler

    return fit_network(material, Run(model, SIZES[model], seed), tracker, on_progress, checkpoints)


def pass_leak_gate(candidate: Candidate, dataset: Dataset, material: Material) -> dict[str, Any]:
    """Forecast at the first held-out session with later bars removed and poisoned, and look for fits beyond the fold.

    Returns:
        What the artifact says of it from now on.

    Raises:
        LeakError: Something changed, or was fitted to more than the training fold; the sentence says what.
    """
    day = material.fold.test.first
    changed, late = (
        find_leaks(candidate.model, dataset, day),
        find_late_fits(candidate.artifact, material.frame, material.fold),
    )
    sentences = [f"forecasts at {day} change when later bars do ({', '.join(changed)})"] if changed else []
    if sentences or late:
        raise LeakError(f"{'; '.join([*sentences, *late])}: the model was not registered")
    return passed(day)


def _register(registry: Registry, candidate: Candidate, measured: dict[str, Any]) -> str:
    metrics = {**candidate.artifact.metrics, **measured}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "artifact"
        save_artifact(path, replace(candidate.artifact, metrics=metrics))
        return registry.register(path)


def _measured(evaluation: Evaluation) -> dict[str, Any]:
    return {"held_out": _losses(evaluation), "verdict": evaluation.verdict}


def _losses(evaluation: Evaluation) -> dict[str, dict[str, float]]:
    return {
        line.score.name: {
            "daily_loss": line.score.daily,
            "cumulative_loss": line.score.cumulative,
            "coverage": line.score.coverage,
        }
        for line in evaluation.lines
    }


def _promote(registry: Registry, version: str, material: Material, candidate: Candidate) -> tuple[bool, str]:
    """Make it the champion when there is none, or when it is not worse on this training's held-out block."""
    champion = _champion(registry)
    if isinstance(champion, str):
        registry.promote(version)
        return True, champion
    own, other = (model_losses(material.frame, candidate.artifact, one) for one in (candidate.model, champion))
    if own > other * TIE:
        return False, f"its held-out loss {1e4 * own:.3f}e-4 is above the champion's {1e4 * other:.3f}e-4"
    registry.promote(version)
    return (
        True,
        f"its held-out loss {1e4 * own:.3f}e-4 is within 0.1 % of the champion's {1e4 * other:.3f}e-4, or below it",
    )


def _champion(registry: Registry) -> QuantileModel | str:
    """The present champion's model, or the reason why there is none to compare with."""
    if not registry.has_alias():
        return "it is the first one here: there is no champion to compare it with"
    try:
        return load_model(registry.path(CHAMPION))
    except ArtifactError as error:
        return f"the champion before it cannot be compared with: {error.detail}"
