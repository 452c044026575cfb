"""`models train` killed with SIGKILL and run again: the same model, bit for bit."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from tinygrad.tensor import Tensor

from internal.features.scaling import Scaler
from internal.features.splits import Block
from internal.features.windows import make_windows
from internal.forecasting.registry import Registry
from internal.tft.checkpoint import TrainingState
from models import checkpoints
from models.checkpoints import open_checkpoint
from models.dataset import Dataset, save_dataset
from models.folds import observe_dataset
from models.prepared_fold import fit_vocabularies
from models.progress import Progress
from models.relative_target import make_relative_windows
from models.tracking import FileTracker
from models.train import train

RunModels = Callable[..., subprocess.CompletedProcess[str]]
MakeDataset = Callable[[int, date, date], Dataset]


def kill_after_an_epoch(state: Path, settings: dict[str, str]) -> bool:
    """Start a training and kill it after its first checkpoint; whether it was still running."""
    words = [sys.executable, "-m", "models", "train"]
    with subprocess.Popen(words, env=os.environ | settings, stdout=subprocess.DEVNULL) as process:  # noqa: S603 - fixed words
        while process.poll() is None and not list(state.glob("checkpoints/small-7/*.checkpoint")):
            time.sleep(0.002)
        process.kill()
    return process.returncode == -9


@pytest.mark.timeout(600)
def test_killed_training_continues(run_models: RunModels, make_dataset: MakeDataset, tmp_path: Path) -> None:
    """One seed gives one version, a digest of weights and metrics, killed or not; no checkpoint is left."""
    dataset = make_dataset(2, date(2023, 1, 3), date(2024, 6, 28))
    save_dataset(tmp_path / "dataset", dataset)
    settings = {"STATE_DIRECTORY": str(tmp_path), "REGISTRY_DIRECTORY": str(tmp_path / "registry")}
    assert kill_after_an_epoch(tmp_path, settings)
    assert not (tmp_path / "registry").exists()
    trained = run_models("train", **settings)
    assert trained.returncode == 0, trained.stderr
    assert "resumes after epoch" in trained.stdout
    assert not (tmp_path / "checkpoints" / "small-7").exists()
    uninterrupted = train(
        dataset, Registry(tmp_path / "uninterrupted"), FileTracker(tmp_path / "uninterrupted", "run", {})
    )
    assert (tmp_path / "evaluations" / uninterrupted.version / "evaluation.html").is_file()
    assert Registry(tmp_path / "registry").path().name == uninterrupted.version


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
