"""`models evaluate --folds` as a process: folds, cache, continuation after a kill, errors, and files."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextvars import Context
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from internal.baselines.catalogue import BASELINES
from internal.baselines.forecast import future_log_returns
from internal.errors import InvalidRequestError
from internal.features.windows import find_origins
from internal.forecasting.scoring import pinball_loss
from internal.scratch_arrays import find_scratch_folder, scratch_folder
from models.baseline_fitting import fit_baseline
from models.code_version import compute_code_digest
from models.dataset import Dataset, save_dataset
from models.folds import FoldData, choose_folds, observe_dataset
from models.model_specification import ModelSpecification
from models.progress import Progress, Step, ignore_progress
from models.sizes import SIZES
from models.task_cache import CachedTask, TaskCache, compute_dataset_digest
from models.tracking import Trackers
from models.walk_forward import WalkForwardPlan, run_walk_forward
from models.walk_forward_tasks import cache_with

RunModels = Callable[..., subprocess.CompletedProcess[str]]
RefuseModels = Callable[..., tuple[int, str]]
MakeDataset = Callable[[int, date, date], Dataset]
START, END = date(2023, 1, 3), date(2024, 6, 28)
EVALUATE = ("evaluate", "--folds", "2", "--model", "heterogeneous_volatility", "--first-day", "2024-02-01")
ENSEMBLE = {"TFT small, seed 7", "TFT small, seed 8", "TFT small, seeds 7 and 8"}
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(name="dataset", scope="module")
def _dataset(make_dataset: MakeDataset) -> Dataset:
    return make_dataset(5, START, END)


@pytest.fixture(name="frame", scope="module")
def _frame(dataset: Dataset) -> pl.DataFrame:
    return observe_dataset(dataset)


@pytest.fixture(name="settings")
def _settings(dataset: Dataset, tmp_path: Path) -> dict[str, str]:
    save_dataset(tmp_path / "dataset", dataset)
    return {"STATE_DIRECTORY": str(tmp_path), "REGISTRY_DIRECTORY": str(tmp_path / "registry")}


@dataclass(frozen=True)
class Evaluated:
    """One evaluation of two folds in one process: its folder, and what it printed."""

    folder: Path
    printed: str


@pytest.fixture(name="evaluated", scope="module")
def _evaluated(run_models: RunModels, dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Evaluated:
    folder = tmp_path_factory.mktemp("evaluated")
    save_dataset(folder / "dataset", dataset)
    settings = {"STATE_DIRECTORY": str(folder), "REGISTRY_DIRECTORY": str(folder / "registry")}
    ended = run_models(*EVALUATE, "--output", str(folder / "first"), **settings)
    assert ended.returncode == 0, ended.stderr
    return Evaluated(folder, ended.stdout)


def test_folds_are_purged_and_adjacent(frame: pl.DataFrame) -> None:
    """Test blocks are equally long, without gaps, end at the last label, and begin 7 + 3 sessions after fitting."""
    folds = choose_folds(frame, 3, first=date(2024, 1, 2), embargo=3)
    days = frame.get_column("date").unique().sort().to_list()
    blocks = [(days.index(fold.test.first), days.index(fold.test.last)) for fold in folds]
    assert [second[0] - first[1] for first, second in pairwise(blocks)] == [1, 1]
    assert len({last - first for first, last in blocks}) == 1
    assert blocks[-1][1] == len(days) - 8
    for fold in folds:
        assert days.index(fold.test.first) - days.index(fold.validation.last) == 7 + 3 + 1
        assert days.index(fold.validation.first) - days.index(fold.training.last) == 7 + 3 + 1


def test_last_day_is_the_last_origin(frame: pl.DataFrame) -> None:
    """No later session tests; too few sessions between the days are refused with both numbers."""
    assert choose_folds(frame, 2, last=date(2024, 3, 28))[-1].test.last == date(2024, 3, 28)
    with pytest.raises(InvalidRequestError, match=r"18 sessions .* too few for 2 fold"):
        choose_folds(frame, 2, first=date(2024, 3, 1), last=date(2024, 3, 26))


def test_baselines_on_two_folds(evaluated: Evaluated, frame: pl.DataFrame) -> None:
    """Two folds on one set of rows: losses computed separately, the best baseline first, charts; nothing registered."""
    report = evaluated.folder / "first"
    assert not (evaluated.folder / "registry").exists()
    found = json.loads((report / "evaluation.json").read_text())
    assert [fold["rows"] for fold in found["folds"]] == [found["rows"] / 2] * 2
    losses = {line["score"]["name"]: line["score"]["cumulative"] for line in found["lines"]}
    assert losses.keys() == BASELINES.keys()
    best, *others = losses
    assert best == min(losses.keys() - {found["model"]}, key=losses.__getitem__)  # the model is no baseline of its own
    assert others == sorted(others, key=losses.__getitem__)
    assert found["lines"][0]["cumulative_difference"] == [0.0, 0.0, 0.0]
    expected: list[float] = []
    for fold in choose_folds(frame, 2, first=date(2024, 2, 1)):
        origins = find_origins(frame, fold.test)
        ahead = future_log_returns(frame, last=date.max)[origins]
        forecasts = fit_baseline(FoldData(frame, fold, 4), "heterogeneous_volatility").model.predict(frame, origins)
        expected.append(float(pinball_loss(ahead, forecasts).mean()))
    assert losses["heterogeneous_volatility"] == pytest.approx(np.mean(expected))
    page = (report / "evaluation.html").read_text()
    charts = sorted(report.glob("*.png"))
    assert [path.stem for path in charts] == ["calibration", "coverage", "differences", "loss_by_horizon"]
    assert all(path.read_bytes().startswith(PNG) for path in charts)
    assert page.count('role="img"') == page.count("<svg") == len(charts)  # each is in the page too, with a label
    assert all(name in page and name in evaluated.printed for name in losses)
    assert "the best baseline" in evaluated.printed


def test_cache_is_used_and_checked(
    run_models: RunModels, refuse_models: RefuseModels, evaluated: Evaluated, tmp_path: Path
) -> None:
    """A second evaluation reads the cache; a changed byte in it is an error that says what to remove."""
    shutil.copytree(evaluated.folder, tmp_path, dirs_exist_ok=True)
    settings = {"STATE_DIRECTORY": str(tmp_path), "REGISTRY_DIRECTORY": str(tmp_path / "registry")}
    cached = sorted((tmp_path / "walks").glob("*/forecasts/weights.safetensors"))
    assert len(cached) == 2 * len(BASELINES)
    written = [path.stat().st_mtime_ns for path in cached]
    assert run_models(*EVALUATE, "--output", str(tmp_path / "second"), **settings).returncode == 0
    assert [path.stat().st_mtime_ns for path in cached] == written
    for name in ("evaluation.json", "evaluation.html", "differences.png"):
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes()
    cached[0].write_bytes(cached[0].read_bytes()[:-1] + b"\x00")
    status, said = refuse_models(*EVALUATE, "--output", str(tmp_path / "third"), **settings)
    assert status == 1
    assert f"remove{cached[0].parent}" in "".join(said.split())
    assert "Traceback" not in said
    assert not (tmp_path / "third").exists()


def test_two_workers_change_nothing(
    run_models: RunModels, evaluated: Evaluated, settings: dict[str, str], tmp_path: Path
) -> None:
    """Two processes cache the forecasts of every fold and model; the report is that of one process."""
    ended = run_models(*EVALUATE, "--workers", "2", "--output", str(tmp_path / "two"), **settings)
    assert ended.returncode == 0, ended.stderr
    cached = list((tmp_path / "walks").glob("*/forecasts/weights.safetensors"))
    assert len(cached) == 2 * len(BASELINES)
    report = "evaluation.json"
    assert (tmp_path / "two" / report).read_bytes() == (evaluated.folder / "first" / report).read_bytes()


class ScratchFolderQuestion(TaskCache):
    """Ends each task with the name of the folder in which its process would hold large arrays."""

    def entry(self, specification: ModelSpecification, data: FoldData) -> CachedTask:
        """Raise it."""
        raise RuntimeError(f"{specification.name} of {data.fold.test.first}: {find_scratch_folder()}")


class EmptyContextRunner:
    """Runs each task in a context without values, as a process has that was started afresh, but here."""

    def run[Shared, Task, Result](
        self, work: Callable[[Shared, Task], Result], shared: Shared, tasks: Sequence[Task]
    ) -> Iterator[tuple[int, Result]]:
        """Each task's place and result, in order."""
        for place, task in enumerate(tasks):
            yield place, Context().run(work, shared, task)


def test_workers_use_the_scratch_folder(frame: pl.DataFrame, tmp_path: Path) -> None:
    """A worker's large arrays are in files of the folder that the evaluation has opened."""
    (fold,) = choose_folds(frame, 1, first=date(2024, 2, 1))
    cache, tasks = ScratchFolderQuestion(tmp_path, "bars", "code"), [ModelSpecification("rolling_history")]
    with scratch_folder(tmp_path / "scratch"), pytest.raises(RuntimeError, match=f"{tmp_path / 'scratch'}$"):
        list(cache_with(EmptyContextRunner(), [FoldData(frame, fold, 4)], tasks, cache))


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (("--folds", "2", "--model", "champion"), 1, "choose one of small, full, rolling_history"),
        (("--folds", "2", "--seeds", "7,eight"), 2, "whole numbers"),
        (("--folds", "2", "--seeds", "7,7"), 1, "is repeated"),
        (("--folds", "2", "--seeds", "7", "--model", "rolling_history"), 1, "has no seed"),
        (("--folds", "0"), 2, "--folds"),
        (("--folds", "2", "--workers", "0"), 2, "--workers"),
        (("--workers", "2"), 2, "give --folds too"),
        (("--folds", "2", "--embargo", "-1"), 2, "--embargo"),
        (("--folds", "2", "--last-day", "soon"), 2, "soon"),
        (("--folds", "20"), 1, "are too few for 20 fold(s)"),
        (("--folds", "2", "--first-day", "2025-01-02"), 1, "0 sessions with a known answer are too few"),
        (("--seeds", "7"), 2, "give --folds too"),
    ],
)
def test_wrong_arguments(
    refuse_models: RefuseModels, settings: dict[str, str], words: tuple[str, ...], code: int, sentence: str
) -> None:
    """Each error ends with its exit status and a helpful message; nothing is written."""
    status, said = refuse_models("evaluate", *words, **settings)
    assert status == code
    assert sentence in " ".join(said.split())
    assert "Traceback" not in said
    assert sorted(path.name for path in Path(settings["STATE_DIRECTORY"]).iterdir()) == ["dataset"]


def require_uninterrupted_ensemble(walks: Path, dataset: Dataset) -> None:
    """The cached forecasts of the ensemble are, to the last bit, those of one training of both seeds."""
    from models.network_fitting import TrainingRun, fit_network  # noqa: PLC0415 - tinygrad takes seconds

    frame = observe_dataset(dataset)
    data = FoldData(frame, choose_folds(frame, 1)[0], dataset.bars_version)
    cache = TaskCache(walks, compute_dataset_digest(dataset), compute_code_digest())
    cached = cache.entry(ModelSpecification("small", (7, 8)), data).read_forecasts()
    assert cached is not None
    run = TrainingRun("small", replace(SIZES["small"], seeds=2), 7)
    uninterrupted = fit_network(data, run, Trackers([]), ignore_progress, None).model
    assert cached.cumulative.tobytes() == uninterrupted.predict(frame, find_origins(frame, data.fold.test)).tobytes()


def test_interrupted_evaluation_continues(
    make_dataset: MakeDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Interrupted in the second seed's training and run again, it keeps the first and gives the same ensemble."""
    monkeypatch.setitem(SIZES, "small", replace(SIZES["small"], epochs=2))  # there are four trainings
    dataset = make_dataset(2, START, END)
    plan = WalkForwardPlan("small", 1, (7, 8))

    def interrupt(progress: Progress) -> None:
        if progress.step == Step.TRAINING and list(tmp_path.glob("*/model")):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_walk_forward(dataset, plan, tmp_path, on_progress=interrupt)
    (first,) = tmp_path.glob("*/model/manifest.json")
    written = first.stat().st_mtime_ns
    evaluation = run_walk_forward(dataset, plan, tmp_path)
    assert first.stat().st_mtime_ns == written
    assert ENSEMBLE <= {line.score.name for line in evaluation.lines}
    require_uninterrupted_ensemble(tmp_path, dataset)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_killed_evaluation_continues(run_models: RunModels, make_dataset: MakeDataset, tmp_path: Path) -> None:
    """The command, killed after the first seed and run again, gives the same ensemble."""
    dataset = make_dataset(2, START, END)
    save_dataset(tmp_path / "dataset", dataset)
    settings = {"STATE_DIRECTORY": str(tmp_path), "REGISTRY_DIRECTORY": str(tmp_path / "registry")}
    words = ("evaluate", "--folds", "1", "--seeds", "7,8")
    command = [sys.executable, "-m", "models", *words]
    with subprocess.Popen(command, env=os.environ | settings, stdout=subprocess.DEVNULL) as process:  # noqa: S603 - fixed words
        while process.poll() is None and not list(tmp_path.glob("walks/*/model")):
            time.sleep(0.01)
        process.kill()
    assert process.returncode == -9
    assert not (tmp_path / "evaluations").exists()
    (first,) = tmp_path.glob("walks/*/model/manifest.json")
    written = first.stat().st_mtime_ns
    ended = run_models(*words, **settings)
    assert ended.returncode == 0, ended.stderr
    assert first.stat().st_mtime_ns == written
    (report,) = tmp_path.glob("evaluations/*/evaluation.json")
    assert ENSEMBLE <= {line["score"]["name"] for line in json.loads(report.read_text())["lines"]}
    require_uninterrupted_ensemble(tmp_path / "walks", dataset)
