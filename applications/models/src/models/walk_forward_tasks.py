"""One task of a walk: one contender's forecasts of one fold's test sessions, made or taken from what was kept.

Knows how each kind of contender is fitted. Independent of every other task: what it needs of them it takes from the
store, or makes. Knows nothing of other folds or of scores. tinygrad is imported only where a network is asked for.
"""

import shutil
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from internal.features.windows import find_origins
from internal.forecasting.quantiles import QuantileModel, RowQuantiles
from models.fitting import Material, fit_baseline, plain_fold
from models.progress import OnProgress
from models.sizes import SIZES
from models.task_cache import CachedTask, keep
from models.tracking import Trackers

if TYPE_CHECKING:
    from internal.tft.network_model import NetworkModel


@dataclass(frozen=True)
class Contender:
    """Something that forecasts: a baseline, or networks of a size.

    Attributes:
        model: A baseline's kind, or a size.
        seeds: Of the networks that are averaged; none for a baseline.
    """

    model: str
    seeds: tuple[int, ...] = ()

    @property
    def name(self) -> str:
        """As it stands in the table."""
        if not self.seeds:
            return self.model
        numbers = " and ".join(map(str, self.seeds))
        return f"TFT {self.model}, {'seed' if len(self.seeds) == 1 else 'seeds'} {numbers}"


@dataclass(frozen=True)
class TaskCache:
    """Where tasks keep their work, and what all of it is made of.

    Attributes:
        store: The folder.
        bars: Digest of the dataset.
        code: Digest of the code.
    """

    store: Path
    bars: str
    code: str

    def place(self, contender: Contender, material: Material) -> CachedTask:
        """Where a contender's work on a fold is kept."""
        settings = {**asdict(contender), "seeds": list(contender.seeds)}
        if contender.seeds:
            settings["size"] = asdict(SIZES[contender.model])
        return keep(
            self.store,
            {"bars": self.bars, "fold": plain_fold(material.fold), "contender": settings, "code": self.code},
        )


def forecast(contender: Contender, material: Material, cache: TaskCache, on_progress: OnProgress) -> RowQuantiles:
    """A contender's forecasts at every origin of the fold's test block, one row an origin."""
    kept = cache.place(contender, material)
    found = kept.forecasts()
    if found is None:
        model = _fitted(contender, material, cache, on_progress)
        made = model.quantiles(material.frame, find_origins(material.frame, material.fold.test))
        found = RowQuantiles(*map(np.ascontiguousarray, (made.cumulative, made.daily)))  # laid out as they are read:
        kept.keep_forecasts(found)  # sums depend on it, in their last bits
    return found


def _fitted(contender: Contender, material: Material, cache: TaskCache, on_progress: OnProgress) -> QuantileModel:
    if not contender.seeds:
        return fit_baseline(material, contender.model).model
    from models.network_fitting import together  # noqa: PLC0415 - tinygrad takes seconds and a compiler

    alone = [_network(replace(contender, seeds=(seed,)), material, cache, on_progress) for seed in contender.seeds]
    return alone[0] if len(alone) == 1 else together(material, alone, SIZES[contender.model])


def _network(contender: Contender, material: Material, cache: TaskCache, on_progress: OnProgress) -> "NetworkModel":
    """The network of one seed, trained, or as it was kept; a training that was killed goes on from its last epoch."""
    from internal.tft.network_model import NetworkModel  # noqa: PLC0415 - as above
    from models.network_fitting import Run, fit_network  # noqa: PLC0415 - as above

    kept = cache.place(contender, material)
    artifact = kept.model()
    if artifact is None:
        run = Run(contender.model, replace(SIZES[contender.model], seeds=1), contender.seeds[0])
        artifact = fit_network(material, run, Trackers([]), on_progress, kept.checkpoints).artifact
        kept.keep_model(artifact)
        shutil.rmtree(kept.checkpoints, ignore_errors=True)
    return NetworkModel.from_artifact(artifact)
