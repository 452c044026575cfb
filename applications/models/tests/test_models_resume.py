"""`models train` of a network, to a champion that forecasts; killed and run again, the same model, bit for bit."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from tinygrad.tensor import Tensor

from internal.features.scaling import Scaler
from internal.features.splits import Block
from internal.features.windows import make_windows
from internal.forecasting.artifact import load_artifact
from internal.forecasting.held_out_bands import read_bands
from internal.forecasting.held_out_coverage import read_coverage
from internal.forecasting.registry import Registry
from internal.model_registry import load_forecaster
from internal.tft.checkpoint import TrainingState
from models import checkpoints
from models.checkpoints import open_checkpoint
from models.dataset import Dataset, save_dataset
from models.folds import observe_dataset
from models.prepared_fold import fit_vocabularies
from models.progress import Progress
from models.relative_target import make_relative_windows
from models.tracking import FileTracker
from models.train import Training, train

RunModels = Callable[..., subprocess.CompletedProcess[str]]
MakeDataset = Callable[[int, date, date], Dataset]
START, END = date(2023, 1, 3), date(2024, 6, 28)


@dataclass(frozen=True)
class Trained:
    """A network that was trained without interruption, what was reported meanwhile, and the folder of its run."""

    done: Training
    registry: Registry
    seen: list[Progress]
    runs: Path


@pytest.fixture(name="dataset", scope="module")
def _dataset(make_dataset: MakeDataset) -> Dataset:
    return make_dataset(6, START, END)


@pytest.fixture(name="trained", scope="module")
def _trained(dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    folder = tmp_path_factory.mktemp("uninterrupted")
    registry, seen = Registry(folder / "registry"), list[Progress]()
    tracker = FileTracker(folder / "runs", "run", {})
    done = train(dataset, registry, tracker, model="small", on_progress=seen.append)
    return Trained(done, registry, seen, folder / "runs")


def require_whole_bars(seen: list[Progress]) -> None:
    """Each step's bar begins near its left end, never goes back and ends at its right one."""
    steps = list(dict.fromkeys(progress.step for progress in seen))
    assert steps == ["preparing", "training", "leak gate", "evaluating"]
    for step in steps:
        shares = [progress.done / progress.total for progress in seen if progress.step == step]
        assert shares == sorted(shares)
        assert shares[0] < 0.1
        assert shares[-1] == 1
    texts = [progress.text for progress in seen if "forecasts" in progress.text]
    assert texts[0].startswith("0 of")
    assert len(texts) > 1  # the network's own forecast reports its progress


def test_network_from_dataset_to_forecast(dataset: Dataset, trained: Trained) -> None:
    """The small network trains, passes the gate, becomes champion and forecasts."""
    registry, done = trained.registry, trained.done
    assert done.promoted
    assert registry.path("champion").name == done.version
    require_whole_bars(trained.seen)
    forecast = load_forecaster(registry.path()).forecast(dataset.bars, dataset.details, END, bars_version=4)
    assert (forecast.frame.height, forecast.excluded) == (6 * 7, [])

    artifact = load_artifact(registry.path())
    fold = artifact.configuration["fold"]
    assert fold["training_last"] >= artifact.scaler["fitted_to"]
    assert artifact.metrics["leak_gate"]["day"] == fold["test_first"]
    assert artifact.metrics["held_out"].keys() >= {"temporal_fusion_transformer", "heterogeneous_volatility"}
    bands = read_bands(artifact.metrics)
    assert bands is not None
    assert [one.level for one in bands.below] == [0.1, 0.5, 0.9]
    assert all(one.lower <= one.share <= one.upper for one in bands.below)
    own = artifact.metrics["held_out"]["temporal_fusion_transformer"]
    assert bands.below[2].share - bands.below[0].share == pytest.approx(own["coverage"])  # no outcome meets an edge
    assert bands.sessions[0].day.isoformat() >= fold["test_first"]
    covered = read_coverage(artifact.metrics)
    assert covered is not None
    assert covered.whole == own["coverage"]
    assert np.mean(covered.thirds) == pytest.approx(covered.whole)  # six tickers: two a third
    scores = {line.score.name: line.score for line in done.evaluation.lines}
    assert covered.sectors == scores["temporal_fusion_transformer"].coverage_by_sector
    assert bands.differences.keys() == artifact.metrics["held_out"].keys()
    lines = [json.loads(line) for line in (trained.runs / "run.jsonl").read_text().splitlines()]
    assert lines[-1]["summary"]["version"] == done.version
    assert all(np.isfinite(line["loss"]) for line in lines if "loss" in line)


def kill_after_an_epoch(state: Path, settings: dict[str, str]) -> bool:
    """Start a training and kill it after its first checkpoint; whether it was still running."""
    words = [sys.executable, "-m", "models", "train"]
    with subprocess.Popen(words, env=os.environ | settings, stdout=subprocess.DEVNULL) as process:  # noqa: S603 - fixed words
        while process.poll() is None and not list(state.glob("checkpoints/small-7/*.checkpoint")):
            time.sleep(0.002)
        process.kill()
    return process.returncode == -9


@pytest.mark.timeout(600)
def test_killed_training_continues(run_models: RunModels, dataset: Dataset, trained: Trained, tmp_path: Path) -> None:
    """One seed gives one version, a digest of weights and metrics, killed or not; no checkpoint is left."""
    save_dataset(tmp_path / "dataset", dataset)
    settings = {"STATE_DIRECTORY": str(tmp_path), "REGISTRY_DIRECTORY": str(tmp_path / "registry")}
    assert kill_after_an_epoch(tmp_path, settings)
    assert not (tmp_path / "registry").exists()
    resumed = run_models("train", **settings)
    assert resumed.returncode == 0, resumed.stderr
    assert "resumes after epoch" in resumed.stdout
    assert not (tmp_path / "checkpoints" / "small-7").exists()
    assert (tmp_path / "evaluations" / trained.done.version / "evaluation.html").is_file()
    assert Registry(tmp_path / "registry").path().name == trained.done.version


def test_checkpoint_of_other_bars(make_dataset: MakeDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkpoint is used only for its own windows and settings, read in any parts; else a message says why not."""
    dataset = make_dataset(2, date(2023, 1, 3), date(2023, 12, 29))
    frame = observe_dataset(dataset)
    block = Block(date(2023, 1, 3), date(2023, 12, 1))
    scaler, vocabularies = Scaler.fit(frame, fold=block), fit_vocabularies(frame, fold=block)
    windows = make_relative_windows(frame, make_windows(frame, scaler, vocabularies, block=block))
    live, random, received = {"weight": Tensor([1.0])}, np.random.default_rng(1), list[Progress]()

    def resume(targets: np.ndarray, seed: int) -> int:
        opened = open_checkpoint(tmp_path, [replace(windows, targets=targets)], {"seed": seed}, 7, received.append)
        return opened.resume(live, random).epochs

    state = TrainingState([0.5], [0.4])
    open_checkpoint(tmp_path, [windows], {"seed": 7}, 7, received.append).save(state, live, random)
    assert resume(windows.targets, 7) == 1
    assert resume(windows.targets * np.float32(1.001), 7) == 0
    assert resume(windows.targets, 8) == 0
    monkeypatch.setattr(checkpoints, "PART_ROWS", 10)
    assert resume(windows.targets, 7) == 1
    expected = ("resumes", "other bars", "other settings", "resumes")
    assert all(words in progress.text for words, progress in zip(expected, received, strict=True))
