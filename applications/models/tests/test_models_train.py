"""Training: from a dataset to a registered champion, the leak gate, the rule of promotion, and the evaluation."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from internal.baselines.forecast import RowQuantiles
from internal.errors import ArtifactError, InvalidRequestError
from internal.features.panel import build_panel
from internal.features.variables import observe
from internal.tft.artifact import load_artifact
from internal.tft.forecaster import load_forecaster
from internal.tft.registry import Registry
from models.dataset import Dataset
from models.evaluate import evaluate
from models.fitting import Candidate, Material, choose_fold, fit_baseline
from models.leak_gate import find_leaks
from models.progress import Progress
from models.report import write_report
from models.tracking import FileTracker
from models.train import LeakError, pass_leak_gate, train

MakeDataset = Callable[[int, date, date], Dataset]
START, END = date(2023, 1, 3), date(2024, 6, 28)


@pytest.fixture(name="dataset", scope="module")
def _dataset(make_dataset: MakeDataset) -> Dataset:
    return make_dataset(6, START, END)


@pytest.fixture(name="material", scope="module")
def _material(dataset: Dataset) -> Material:
    frame = observe(build_panel(dataset.bars, dataset.details, end=dataset.end).frame)
    return Material(frame, choose_fold(frame), dataset.bars_version)


def _tracker(folder: Path) -> FileTracker:
    return FileTracker(folder / "runs", "run", {})


def test_network_from_dataset_to_forecast(dataset: Dataset, tmp_path: Path) -> None:
    """The small network trains, passes the gate, becomes champion, forecasts; the same seed makes the same version."""
    registry = Registry(tmp_path / "registry")
    seen: list[Progress] = []
    done = train(dataset, registry, _tracker(tmp_path), model="small", on_progress=seen.append)
    assert done.promoted
    assert registry.path("champion").name == done.version
    assert {progress.step for progress in seen} == {"training", "leak gate", "evaluating"}
    forecast = load_forecaster(registry.path()).forecast(dataset.bars, dataset.details, END, bars_version=4)
    assert (forecast.frame.height, forecast.excluded) == (6 * 7, [])

    artifact = load_artifact(registry.path())
    fold = artifact.configuration["fold"]
    assert fold["training_last"] >= artifact.scaler["fitted_to"]
    assert artifact.metrics["held_out"].keys() >= {"temporal_fusion_transformer", "heterogeneous_volatility"}
    lines = [json.loads(line) for line in (tmp_path / "runs" / "run.jsonl").read_text().splitlines()]
    assert lines[-1]["summary"]["version"] == done.version
    assert all(np.isfinite(line["loss"]) for line in lines if "loss" in line)

    again = train(dataset, Registry(tmp_path / "other"), _tracker(tmp_path), model="small")
    assert again.version == done.version


@pytest.mark.parametrize("kind", ["rolling_history", "heterogeneous_volatility", "boosted_volatility"])
def test_baseline_can_be_champion(dataset: Dataset, tmp_path: Path, kind: str) -> None:
    """A baseline is trained, registered and forecast with like a network."""
    registry = Registry(tmp_path / "registry")
    done = train(dataset, registry, _tracker(tmp_path), model=kind)
    assert done.promoted
    assert (
        load_forecaster(registry.path()).forecast(dataset.bars, dataset.details, END, bars_version=4).frame.height == 42
    )


def test_worse_model_is_not_promoted(dataset: Dataset, tmp_path: Path) -> None:
    """Against a champion that is better on the held-out block, the new model is registered and no more."""
    registry = Registry(tmp_path / "registry")
    champion = train(dataset, registry, _tracker(tmp_path), model="heterogeneous_volatility")
    worse = train(dataset, registry, _tracker(tmp_path), model="expanding_history")
    assert not worse.promoted
    assert "above the champion's" in worse.reason
    assert registry.path("champion").name == champion.version
    assert len(registry.list()) == 2


def test_unusable_champion_is_replaced(dataset: Dataset, tmp_path: Path) -> None:
    """A champion whose files were changed cannot be compared with: the new model takes its place and says why."""
    registry = Registry(tmp_path / "registry")
    first = train(dataset, registry, _tracker(tmp_path), model="heterogeneous_volatility")
    (registry.path() / "weights.safetensors").write_bytes(b"")
    second = train(dataset, registry, _tracker(tmp_path), model="rolling_history")
    assert first.version != second.version
    assert second.promoted
    assert "changed after it was written" in second.reason


class _Oracle:
    """A model that looks at the next close of the panel that it is given."""

    def predict(self, frame: pl.DataFrame, origins: np.ndarray) -> np.ndarray:
        following = frame.select(pl.col("close").shift(-1).over("segment").fill_null(pl.col("close"))).to_series()
        ahead = np.log(following.to_numpy() / frame.get_column("close").to_numpy())[origins]
        return np.broadcast_to(ahead[:, None, None], (len(origins), 7, 3))

    def quantiles(self, frame: pl.DataFrame, origins: np.ndarray) -> RowQuantiles:
        cumulative = self.predict(frame, origins)
        return RowQuantiles(cumulative, np.expm1(cumulative))


def test_leak_is_found(dataset: Dataset, material: Material) -> None:
    """A model that uses the next close is found out by every poison, and is refused."""
    day = material.fold.test.first
    assert set(find_leaks(_Oracle(), dataset, day)) == {"removed", "not a number", "1e9", "half as high"}
    candidate = fit_baseline(material, "heterogeneous_volatility")
    assert find_leaks(candidate.model, dataset, day) == []
    with pytest.raises(LeakError, match="removed"):
        pass_leak_gate(Candidate(_Oracle(), candidate.artifact), dataset, material)


def test_scaler_from_the_future_is_found(dataset: Dataset, material: Material) -> None:
    """A scaler whose dates reach beyond the training fold is a leak, whatever the forecasts say."""
    candidate = fit_baseline(material, "heterogeneous_volatility")
    late = replace(candidate.artifact, scaler={"fitted_to": material.fold.test.first.isoformat()})
    with pytest.raises(LeakError, match="scaler"):
        pass_leak_gate(Candidate(candidate.model, late), dataset, material)


def test_gate_needs_a_forecast(dataset: Dataset, material: Material) -> None:
    """A day on which nothing can be forecast proves nothing, and does not pass."""
    assert find_leaks(fit_baseline(material, "rolling_history").model, dataset, START) == ["no forecast at all"]


def test_fold_is_purged(material: Material) -> None:
    """The blocks follow each other with at least seven sessions between, inside the dataset."""
    fold = material.fold
    days = material.frame.get_column("date").unique().sort().to_list()
    assert days.index(fold.validation.first) - days.index(fold.training.last) == 8
    assert days.index(fold.test.first) - days.index(fold.validation.last) == 8
    assert days.index(fold.test.last) == len(days) - 8


def test_too_short(make_dataset: MakeDataset, tmp_path: Path) -> None:
    """Half a year is too little; the sentence says how many sessions there are and are needed."""
    short = make_dataset(3, date(2024, 1, 2), date(2024, 6, 28))
    with pytest.raises(InvalidRequestError, match="are too few"):
        train(short, Registry(tmp_path / "registry"), _tracker(tmp_path))


def test_unknown_model(dataset: Dataset, tmp_path: Path) -> None:
    """A model that does not exist: the ones that do are listed."""
    with pytest.raises(InvalidRequestError, match="small, full, rolling_history"):
        train(dataset, Registry(tmp_path / "registry"), _tracker(tmp_path), model="huge")


def test_empty_bars(dataset: Dataset, tmp_path: Path) -> None:
    """A dataset without bars cannot train."""
    with pytest.raises(InvalidRequestError, match="too few"):
        train(replace(dataset, bars=dataset.bars.clear()), Registry(tmp_path / "registry"), _tracker(tmp_path))


def test_evaluation(dataset: Dataset, tmp_path: Path) -> None:
    """Best first, the best baseline differs from itself by nothing, the block lies after the training, files beside."""
    registry = Registry(tmp_path / "registry")
    seen: list[Progress] = []
    train(dataset, registry, _tracker(tmp_path), model="blended_volatility")
    evaluation = evaluate(dataset, registry, on_progress=seen.append)
    losses = [line.score.cumulative for line in evaluation.lines]
    assert losses == sorted(losses)
    best = next(line for line in evaluation.lines if line.is_baseline)
    assert best.cumulative_difference == (0.0, 0.0, 0.0)
    fold = load_artifact(registry.path()).configuration["fold"]
    assert evaluation.first.isoformat() == fold["test_first"]
    assert "does NOT beat" in evaluation.verdict[0]
    page = write_report(tmp_path / "report", evaluation).read_text()
    assert all(line.score.name in page for line in evaluation.lines)
    stored = json.loads((tmp_path / "report" / "evaluation.json").read_text())
    assert [line["score"]["cumulative"] for line in stored["lines"]] == losses
    assert isinstance(seen[-1], Progress)
    assert seen[-1].done == seen[-1].total


def test_slow_swings_are_seen(make_dataset: MakeDataset, tmp_path: Path) -> None:
    """Where volatility swings slowly, the volatility baselines beat history in the evaluation."""
    dataset = make_dataset(12, date(2021, 1, 4), END)
    registry = Registry(tmp_path / "registry")
    evaluation = train(dataset, registry, _tracker(tmp_path), model="heterogeneous_volatility").evaluation
    order = [line.score.name for line in evaluation.lines]
    assert order.index("blended_volatility") < order.index("rolling_history")


def test_nothing_to_evaluate(dataset: Dataset, make_dataset: MakeDataset, tmp_path: Path) -> None:
    """A dataset that ends before the held-out block, and a registry without a champion."""
    registry = Registry(tmp_path / "registry")
    with pytest.raises(ArtifactError, match="models train"):
        evaluate(dataset, registry)
    train(dataset, registry, _tracker(tmp_path), model="blended_volatility")
    with pytest.raises(InvalidRequestError, match="no complete origin"):
        evaluate(make_dataset(6, START, date(2024, 1, 31)), registry)
