"""Walk-forward evaluation: fit a model and every baseline on each fold, and score all on the same rows.

The models are evaluated and not registered.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from internal.baselines.catalogue import BASELINES, fittable_baselines
from internal.baselines.forecast import future_log_returns
from internal.errors import InvalidRequestError
from internal.features.splits import Fold
from internal.features.windows import find_origins
from internal.forecasting.quantiles import RowQuantiles
from internal.task_runners.process_runner import ProcessRunner
from models.code_version import compute_code_digest
from models.comparison import compare_forecasts
from models.dataset import Dataset
from models.evaluation import Evaluation
from models.folds import FoldData, choose_folds, observe_dataset
from models.model_specification import ModelSpecification, require_fittable, require_known_model
from models.progress import OnProgress, Progress, Step, ignore_progress
from models.scored_rows import find_complete_rows, make_truth, select_rows
from models.sizes import SIZES
from models.task_cache import TaskCache, compute_dataset_digest
from models.walk_forward_tasks import cache_with, forecast_test_sessions

FIRST_SEED = 7


@dataclass(frozen=True)
class WalkForwardPlan:
    """The model to evaluate, and the sessions to test it on.

    Attributes:
        model: A size, or a baseline's kind.
        fold_count: Number of folds.
        seeds: Of the networks; none for a baseline; none for a size means those that `models train` uses.
        first: First test session; None: the newest 15 % of the sessions.
        last: Last test session; None: the last one whose horizon is known.
        embargo: **Guard:** sessions left out besides the purge.
    """

    model: str
    fold_count: int
    seeds: tuple[int, ...] = ()
    first: date | None = None
    last: date | None = None
    embargo: int = 0

    def specifications(self) -> list[ModelSpecification]:
        """Every baseline, then a network of each seed, then the ensemble of all seeds."""
        baselines = [ModelSpecification(kind) for kind in fittable_baselines()]
        if self.model in BASELINES:
            return baselines
        seeds = self.seeds or tuple(FIRST_SEED + number for number in range(SIZES[self.model].seeds))
        single = [ModelSpecification(self.model, (seed,)) for seed in seeds]
        return [*baselines, *single, *([ModelSpecification(self.model, seeds)] if len(seeds) > 1 else [])]

    def evaluated_model(self) -> ModelSpecification:
        """The model that the verdict is about."""
        return ModelSpecification(self.model) if self.model in BASELINES else self.specifications()[-1]


def run_walk_forward(
    dataset: Dataset,
    plan: WalkForwardPlan,
    cache_folder: Path,
    *,
    workers: int = 1,
    on_progress: OnProgress = ignore_progress,
) -> Evaluation:
    """Fit every model on each fold, forecast its test sessions, pool the forecasts and compare them.

    **Guard:** a fold's test sessions begin a purge (and an embargo) after the last origin that anything was fitted on.

    Args:
        dataset: The bars and details.
        plan: The model to evaluate and the sessions.
        cache_folder: Where the results of tasks are cached; an interrupted evaluation continues with the missing ones.
        workers: Processes that fit models at the same time; each holds the whole panel in memory.
        on_progress: Receives the progress of every task and, with one worker, of the training inside it.

    Raises:
        InvalidRequestError: An unknown model, seeds for a baseline or a repeated seed, too few sessions.
        ArtifactError: A cached result was changed; the message says what to remove.
        ConfigurationError: The model is fitted with LightGBM, which is not installed or lacks a system library.
        LostWorkerError: A worker was killed again and again, for example for its memory.
    """
    _require_valid(plan)
    frame = observe_dataset(dataset)
    folds = choose_folds(frame, plan.fold_count, first=plan.first, last=plan.last, embargo=plan.embargo)
    cache = TaskCache(cache_folder, compute_dataset_digest(dataset), compute_code_digest())
    tasks = [(fold, specification) for fold in folds for specification in plan.specifications()]
    if workers > 1:
        parts = [FoldData(frame, fold, dataset.bars_version) for fold in folds]
        for done, text in enumerate(cache_with(ProcessRunner(workers), parts, plan.specifications(), cache), start=1):
            on_progress(Progress(Step.EVALUATING, done, len(tasks), text))
    forecasts: list[RowQuantiles] = []
    for place, (fold, specification) in enumerate(tasks):
        report = _report_task(on_progress, place, len(tasks), f"fold {folds.index(fold) + 1}, {specification.name}")
        report(Progress(Step.EVALUATING, 0, 1))
        data = FoldData(frame, fold, dataset.bars_version)
        forecasts.append(forecast_test_sessions(specification, data, cache, report))
    evaluation = _compare_pooled(frame, plan, folds, forecasts)
    on_progress(Progress(Step.EVALUATING, len(tasks), len(tasks)))
    return evaluation


def _require_valid(plan: WalkForwardPlan) -> None:
    require_known_model(plan.model)
    if plan.seeds and plan.model in BASELINES:
        raise InvalidRequestError(f"{plan.model} is a baseline: it has no seed")
    if len(set(plan.seeds)) < len(plan.seeds):
        raise InvalidRequestError(f"a seed is repeated in {', '.join(map(str, plan.seeds))}")
    require_fittable(plan.model)


def _report_task(on_progress: OnProgress, place: int, total: int, text: str) -> OnProgress:
    """A callback that passes a task's progress on and adds it to the progress of the evaluation."""

    def report(progress: Progress) -> None:
        if progress.step != Step.EVALUATING:
            on_progress(progress)
        part = progress.done / progress.total if progress.step == Step.TRAINING else 0.0
        on_progress(Progress(Step.EVALUATING, place + min(part, 1.0), total, text))

    return report


def _compare_pooled(
    frame: pl.DataFrame, plan: WalkForwardPlan, folds: list[Fold], forecasts: list[RowQuantiles]
) -> Evaluation:
    """Compare the forecasts of all folds on the rows where every forecast and the truth are known."""
    specifications = plan.specifications()
    parts = [find_origins(frame, fold.test) for fold in folds]
    origins = np.concatenate(parts)
    number = np.concatenate([np.full(len(part), place) for place, part in enumerate(parts)])
    ahead = future_log_returns(frame, last=date.max, rows=origins)
    pooled = {
        specification.name: _concatenate(forecasts[place :: len(specifications)])
        for place, specification in enumerate(specifications)
    }
    known = np.isfinite(ahead).all(axis=1) & find_complete_rows(pooled.values())
    if len(set(number[known])) < len(folds):
        raise InvalidRequestError("a fold has no row with every forecast: assemble more tickers or sessions")
    return compare_forecasts(
        _make_title(plan, folds),
        plan.evaluated_model().name,
        make_truth(frame, origins[known], ahead[known], number[known]),
        ((name, select_rows(one, known)) for name, one in pooled.items()),
        [fold.validation.last for fold in folds],
    )


def _concatenate(forecasts: Iterable[RowQuantiles]) -> RowQuantiles:
    pairs = [(one.cumulative, one.daily) for one in forecasts]
    cumulative, daily = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
    return RowQuantiles(cumulative, daily)


def _make_title(plan: WalkForwardPlan, folds: list[Fold]) -> str:
    """The name of the evaluation, valid as the name of a folder."""
    seeds = "".join(f"-seed-{seed}" for seed in plan.evaluated_model().seeds)
    return f"walk-{plan.model}{seeds}-{len(folds)}-folds-{folds[0].test.first}-{folds[-1].test.last}"
