"""Evaluate a kind of model walk-forward: fit it and every baseline on each fold, and score all on the same rows.

The models are judged and not registered. `walk_forward_tasks` runs one task, `comparison` compares the forecasts.
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
from internal.features.panel import build_panel
from internal.features.splits import Fold
from internal.features.variables import observe
from internal.features.windows import find_origins
from internal.forecasting.quantiles import RowQuantiles
from models.comparison import Evaluation, compared
from models.dataset import Dataset
from models.evaluate import complete, rows_of, truth_of
from models.fitting import Material, check_model, choose_folds, code_digest
from models.progress import OnProgress, Progress, silent
from models.sizes import SIZES
from models.task_cache import dataset_digest
from models.walk_forward_tasks import Contender, TaskCache, forecast

FIRST_SEED = 7


@dataclass(frozen=True)
class Plan:
    """What is to be judged, and on which sessions.

    Attributes:
        model: A size, or a baseline's kind.
        fold_count: How many times everything is fitted.
        seeds: Of the networks; none for a baseline; none for a size means those that `models train` would take.
        first: First origin that judges; None: the newest 15 % judge.
        last: Last origin that judges; None: the last one whose horizon is known.
        embargo: **Guard:** sessions left out beyond the purge.
    """

    model: str
    fold_count: int
    seeds: tuple[int, ...] = ()
    first: date | None = None
    last: date | None = None
    embargo: int = 0

    def contenders(self) -> list[Contender]:
        """Every baseline, then each seed alone, then the seeds together."""
        baselines = [Contender(kind) for kind in fittable_baselines()]
        if self.model in BASELINES:
            return baselines
        seeds = self.seeds or tuple(FIRST_SEED + number for number in range(SIZES[self.model].seeds))
        alone = [Contender(self.model, (seed,)) for seed in seeds]
        return [*baselines, *alone, *([Contender(self.model, seeds)] if len(seeds) > 1 else [])]

    def judged(self) -> Contender:
        """The contender that the verdict is about."""
        return Contender(self.model) if self.model in BASELINES else self.contenders()[-1]


def run_walk_forward(dataset: Dataset, plan: Plan, store: Path, *, on_progress: OnProgress = silent) -> Evaluation:
    """Fit everything on each fold, forecast its test sessions, pool, compare.

    **Guard:** a fold's test sessions begin a purge (and an embargo) after the last origin that anything was fitted on.

    Args:
        dataset: The bars and details.
        plan: What is judged and where.
        store: Where finished tasks are kept. One that was killed leaves its finished ones, and a network its epochs.
        on_progress: Hears of every task and of the training inside it.

    Raises:
        InvalidRequestError: An unknown model, seeds for a baseline or one twice, too few sessions.
        ArtifactError: A cached result was changed; the sentence says what to remove.
    """
    _check(plan)
    frame = observe(build_panel(dataset.bars, dataset.details, end=dataset.end).frame)
    folds = choose_folds(frame, plan.fold_count, first=plan.first, last=plan.last, embargo=plan.embargo)
    cache = TaskCache(store, dataset_digest(dataset), code_digest())
    tasks = [(fold, contender) for fold in folds for contender in plan.contenders()]
    done = []
    for place, (fold, contender) in enumerate(tasks):
        show = _inside(on_progress, place, len(tasks), f"fold {folds.index(fold) + 1}, {contender.name}")
        show(Progress("evaluating", 0, 1))
        done.append(forecast(contender, Material(frame, fold, dataset.bars_version), cache, show))
    evaluation = _pooled(frame, plan, folds, done)
    on_progress(Progress("evaluating", len(tasks), len(tasks), ""))
    return evaluation


def _check(plan: Plan) -> None:
    check_model(plan.model)
    if plan.seeds and plan.model in BASELINES:
        raise InvalidRequestError(f"{plan.model} is a baseline: it has no seed")
    if len(set(plan.seeds)) < len(plan.seeds):
        raise InvalidRequestError(f"a seed stands twice in {', '.join(map(str, plan.seeds))}")


def _inside(on_progress: OnProgress, place: int, total: int, text: str) -> OnProgress:
    """Pass a task's own progress on, and move the whole's with it."""

    def show(progress: Progress) -> None:
        if progress.step != "evaluating":
            on_progress(progress)
        part = progress.done / progress.total if progress.step == "training" else 0.0
        on_progress(Progress("evaluating", place + min(part, 1.0), total, text))

    return show


def _pooled(frame: pl.DataFrame, plan: Plan, folds: list[Fold], done: list[RowQuantiles]) -> Evaluation:
    """All folds' rows behind one another, those left out that any forecast or the truth lacks."""
    contenders = plan.contenders()
    parts = [find_origins(frame, fold.test) for fold in folds]
    origins = np.concatenate(parts)
    number = np.concatenate([np.full(len(part), place) for place, part in enumerate(parts)])
    ahead = future_log_returns(frame, last=date.max)[origins]
    forecasts = {
        contender.name: _behind_one_another(done[place :: len(contenders)])
        for place, contender in enumerate(contenders)
    }
    known = complete(ahead, forecasts.values())
    if len(set(number[known])) < len(folds):
        raise InvalidRequestError("a fold has no row that every forecast answers: assemble more tickers or sessions")
    return compared(
        _title(plan, folds),
        plan.judged().name,
        truth_of(frame, origins[known], ahead[known], number[known]),
        {name: rows_of(one, known) for name, one in forecasts.items()},
        [fold.validation.last for fold in folds],
    )


def _behind_one_another(forecasts: Iterable[RowQuantiles]) -> RowQuantiles:
    pairs = [(one.cumulative, one.daily) for one in forecasts]
    cumulative, daily = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
    return RowQuantiles(cumulative, daily)


def _title(plan: Plan, folds: list[Fold]) -> str:
    """What the evaluation is called, fit for a folder's name."""
    seeds = "".join(f"-seed-{seed}" for seed in plan.judged().seeds)
    return f"walk-{plan.model}{seeds}-{len(folds)}-folds-{folds[0].test.first}-{folds[-1].test.last}"
