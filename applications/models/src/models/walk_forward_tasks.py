"""One task of a walk-forward evaluation: a model's forecasts of a fold's test sessions, cached when computed.

Tasks are independent of each other. tinygrad is imported only to train a network.
"""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from internal.features.windows import find_origins
from internal.forecasting.quantiles import QuantileModel, RowQuantiles
from internal.scratch_arrays import find_scratch_folder, joined_scratch_folder
from internal.task_runners.runner import TaskRunner
from models.baseline_fitting import fit_baseline
from models.folds import FoldData
from models.model_specification import ModelSpecification
from models.progress import OnProgress, ignore_progress
from models.sizes import SIZES
from models.task_cache import TaskCache
from models.tracking import Trackers

if TYPE_CHECKING:
    from internal.tft.network_model import NetworkModel


def forecast_test_sessions(
    specification: ModelSpecification, data: FoldData, cache: TaskCache, on_progress: OnProgress
) -> RowQuantiles:
    """A model's forecasts at every origin of the fold's test block, one row an origin."""
    task = cache.entry(specification, data)
    cached = task.read_forecasts()
    if cached is not None:
        return cached
    model = _fit_model(specification, data, cache, on_progress)
    computed = model.quantiles(data.frame, find_origins(data.frame, data.fold.test))
    # contiguous, as the cache's own arrays are: the last bits of later sums depend on the layout
    forecasts = RowQuantiles(*map(np.ascontiguousarray, (computed.cumulative, computed.daily)))
    task.write_forecasts(forecasts)
    return forecasts


def cache_with(
    runner: TaskRunner, data: Sequence[FoldData], specifications: Sequence[ModelSpecification], cache: TaskCache
) -> Iterator[str]:
    """Have a runner compute the forecasts of all models but ensembles; the names of those that are cached.

    Ensembles are made of networks that are in the cache by then. Raises LostWorkerError, and what the tasks raise.
    """
    single = [one for one in specifications if len(one.seeds) <= 1]
    tasks = [(place, one) for place in range(len(data)) for one in single]
    shared = (tuple(data), cache, find_scratch_folder())
    for number, _ in runner.run(_cache_forecasts, shared, tasks):
        place, specification = tasks[number]
        yield f"fold {place + 1}, {specification.name}"


def _cache_forecasts(
    shared: tuple[Sequence[FoldData], TaskCache, Path | None], task: tuple[int, ModelSpecification]
) -> None:
    (data, cache, scratch), (place, specification) = shared, task
    with joined_scratch_folder(scratch):
        forecast_test_sessions(specification, data[place], cache, ignore_progress)


def _fit_model(
    specification: ModelSpecification, data: FoldData, cache: TaskCache, on_progress: OnProgress
) -> QuantileModel:
    if not specification.seeds:
        return fit_baseline(data, specification.model).model
    from models.network_fitting import combine_networks  # noqa: PLC0415 - tinygrad takes seconds and a compiler

    single = [
        _train_or_read_network(replace(specification, seeds=(seed,)), data, cache, on_progress)
        for seed in specification.seeds
    ]
    return single[0] if len(single) == 1 else combine_networks(data, single, SIZES[specification.model])


def _train_or_read_network(
    specification: ModelSpecification, data: FoldData, cache: TaskCache, on_progress: OnProgress
) -> "NetworkModel":
    """The network of one seed, from the cache or trained; an interrupted training continues after its last epoch."""
    from internal.tft.network_model import NetworkModel  # noqa: PLC0415 - as above
    from models.network_fitting import TrainingRun, fit_network  # noqa: PLC0415 - as above

    task = cache.entry(specification, data)
    artifact = task.read_model()
    if artifact is None:
        run = TrainingRun(specification.model, replace(SIZES[specification.model], seeds=1), specification.seeds[0])
        artifact = fit_network(data, run, Trackers([]), on_progress, task.checkpoints).artifact
        task.write_model(artifact)
        shutil.rmtree(task.checkpoints, ignore_errors=True)
    return NetworkModel.from_artifact(artifact)
