"""Training: from a dataset to a registered champion, the leak gate, the rule of promotion, and the evaluation."""

import json
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from importlib.metadata import version
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from internal.baselines.catalogue import BASELINES
from internal.dates import previous_session
from internal.errors import ArtifactError, InvalidRequestError
from internal.features.panel import build_panel
from internal.features.scaling import Scaler
from internal.features.variables import observe
from internal.forecasting.artifact import load_artifact
from internal.forecasting.quantiles import RowQuantiles
from internal.forecasting.registry import Registry
from internal.model_registry import load_forecaster
from models.dataset import Dataset
from models.evaluate import evaluate
from models.fitting import Candidate, Material, choose_fold, code_revision, fit_baseline
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
    assert artifact.metrics["leak_gate"]["day"] == fold["test_first"]
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
    assert "it is the first one here" in first.reason
    (registry.path() / "weights.safetensors").write_bytes(b"")
    second = train(dataset, registry, _tracker(tmp_path), model="rolling_history")
    assert first.version != second.version
    assert second.promoted
    assert second.reason.startswith("the champion before it cannot be compared with: ")
    assert "changed after it was written" in second.reason
    shutil.rmtree(registry.path())
    third = train(dataset, registry, _tracker(tmp_path), model="heterogeneous_volatility")
    assert third.promoted
    assert not [one.reason for one in (first, second, third) if "run `models train`" in one.reason]


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


@pytest.mark.parametrize("kind", BASELINES)
def test_no_baseline_leaks(dataset: Dataset, material: Material, kind: str) -> None:
    """No kind's daily or cumulative forecast changes by a bit, and none was fitted too far."""
    candidate = fit_baseline(material, kind)
    assert pass_leak_gate(candidate, dataset, material)["unchanged_by"] == [
        "removed",
        "not a number",
        "1e9",
        "half as high",
    ]


class _DailyOracle(_Oracle):
    """A model whose cumulative forecast is honest and whose daily one is not."""

    def predict(self, frame: pl.DataFrame, origins: np.ndarray) -> np.ndarray:
        del frame
        return np.broadcast_to(np.array([-0.1, 0.0, 0.1]), (len(origins), 7, 3))

    def quantiles(self, frame: pl.DataFrame, origins: np.ndarray) -> RowQuantiles:
        return RowQuantiles(self.predict(frame, origins), super().predict(frame, origins))


def test_leak_of_daily_quantiles_is_found(dataset: Dataset, material: Material) -> None:
    """The quantiles of single sessions pass the gate too, not only the cumulative ones."""
    assert "half as high" in find_leaks(_DailyOracle(), dataset, material.fold.test.first)


class _VolumeOracle(_DailyOracle):
    """A model that looks at the next session's volume, and at nothing else that is later."""

    def predict(self, frame: pl.DataFrame, origins: np.ndarray) -> np.ndarray:
        following = frame.select(pl.col("volume").shift(-1).over("segment").fill_null(0.0)).to_series().to_numpy()
        return np.broadcast_to(following[origins][:, None, None] * np.ones(3), (len(origins), 7, 3)) / 1e12

    def quantiles(self, frame: pl.DataFrame, origins: np.ndarray) -> RowQuantiles:
        return RowQuantiles(self.predict(frame, origins), self.predict(frame, origins))


def test_leak_through_volume_is_found(dataset: Dataset, material: Material) -> None:
    """Volumes are poisoned with the prices: halved prices alone would not show it."""
    assert "half as high" in find_leaks(_VolumeOracle(), dataset, material.fold.test.first)


def test_fits_beyond_the_fold_are_found(dataset: Dataset, material: Material) -> None:
    """A later scaler, also under the fold's dates, a name of later bars, and blocks that touch: each is found."""
    candidate, fold = fit_baseline(material, "heterogeneous_volatility"), material.fold
    honest, late = Scaler.fit(material.frame, fold=fold.training), Scaler.fit(material.frame, fold=fold.test)
    dressed = replace(late, fitted_from=honest.fitted_from, fitted_to=honest.fitted_to)
    bars = material.frame.filter((pl.col("ticker") != "T05") | (pl.col("date") > fold.training.last))
    vocabulary = {"ticker": ["T04", "T05"], "sector": ["Energy"]}
    touching = replace(fold, validation=replace(fold.validation, last=previous_session(fold.test.first, 7)))

    def refused(scaler: Scaler, vocabulary: dict[str, list[str]], material: Material) -> str:
        artifact = replace(candidate.artifact, scaler=scaler.to_json(), vocabulary=vocabulary)
        with pytest.raises(LeakError) as caught:
            pass_leak_gate(Candidate(candidate.model, artifact), dataset, material)
        return caught.value.detail

    assert pass_leak_gate(
        Candidate(candidate.model, replace(candidate.artifact, scaler=honest.to_json(), vocabulary=vocabulary)),
        dataset,
        material,
    )
    assert "the scaler is not that of the training fold" in refused(late, {}, material)
    assert "the scaler is not that of the training fold" in refused(dressed, {}, material)
    unlisted = replace(material, frame=bars)
    assert "the vocabulary of ticker knows T05" in refused(Scaler.fit(bars, fold=fold.training), vocabulary, unlisted)
    assert "only 6 sessions lie between" in refused(honest, {}, replace(material, fold=touching))


def test_code_revision(tmp_path: Path) -> None:
    """The commit; with `-dirty` when a file differs from it, tags or not; outside of a checkout the version."""

    def git(*words: str) -> str:
        settings = ("-c", "user.name=a", "-c", "user.email=a@example.org")
        command = ["git", "-C", str(tmp_path), *settings, *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()  # noqa: S603 - fixed words

    assert code_revision(tmp_path) == version("models")
    git("init")
    (tmp_path / "code.py").write_text("1")
    git("add", "code.py")
    git("commit", "-m", "first")
    git("tag", "-a", "v1", "-m", "one")
    assert code_revision(tmp_path) == git("rev-parse", "HEAD")
    (tmp_path / "code.py").write_text("2")
    assert code_revision(tmp_path) == f"{git('rev-parse', 'HEAD')}-dirty"


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
