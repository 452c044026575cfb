"""Training from a dataset to a registered champion: the leak gate, promotion, and the evaluation."""

import json
import math
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from internal.baselines.catalogue import BASELINES
from internal.dates import previous_session
from internal.errors import ArtifactError, ConfigurationError, InvalidRequestError, UnavailableError
from internal.features.scaling import Scaler
from internal.features.splits import Block
from internal.forecasting.artifact import load_artifact, save_artifact
from internal.forecasting.held_out_bands import describe_calibration
from internal.forecasting.quantiles import RowQuantiles
from internal.forecasting.registry import Registry
from internal.model_registry import load_forecaster, open_registry
from libraries.python.tests.free_ports import free_ports
from models import figures, leak_gate
from models.baseline_fitting import Candidate, fit_baseline
from models.code_version import read_code_revision
from models.dataset import Dataset
from models.evaluate import compute_held_out_loss, evaluate, evaluate_model, score_baselines
from models.evaluation import NAIVE_BASELINES, Evaluation
from models.folds import FoldData, choose_fold, observe_dataset
from models.held_out import describe_bands
from models.leak_gate import find_late_fits, find_leaks
from models.progress import Progress
from models.report import write_report
from models.tracking import FileTracker
from models.train import InterruptedTrainingError, LeakError, compare_losses, pass_leak_gate, train

MakeDataset = Callable[[int, date, date], Dataset]
START, END = date(2023, 1, 3), date(2024, 6, 28)


@pytest.fixture(name="dataset", scope="module")
def _dataset(make_dataset: MakeDataset) -> Dataset:
    return make_dataset(6, START, END)


@pytest.fixture(name="data", scope="module")
def _data(dataset: Dataset) -> FoldData:
    frame = observe_dataset(dataset)
    return FoldData(frame, choose_fold(frame), dataset.bars_version)


def _pass_gate(candidate: Candidate, dataset: Dataset, data: FoldData) -> dict[str, Any]:
    late = find_late_fits(candidate.artifact, data.frame, data.fold)
    return pass_leak_gate(candidate.model, dataset, data.fold.test.first, late)


def _tracker(folder: Path) -> FileTracker:
    return FileTracker(folder / "runs", "run", {})


@pytest.mark.parametrize("kind", ["rolling_history", "heterogeneous_volatility", "boosted_volatility"])
def test_baseline_can_be_champion(dataset: Dataset, tmp_path: Path, kind: str) -> None:
    """A baseline is trained, registered and used like a network."""
    registry = Registry(tmp_path / "registry")
    done = train(dataset, registry, _tracker(tmp_path), model=kind)
    assert done.promoted
    assert (
        load_forecaster(registry.path()).forecast(dataset.bars, dataset.details, END, bars_version=4).frame.height == 42
    )


def test_full_disk_after_the_registration(dataset: Dataset, tmp_path: Path) -> None:
    """A summary that cannot be written hides nothing: the error says that the model is registered, and the champion."""
    registry, tracker = Registry(tmp_path / "registry"), _tracker(tmp_path)
    (tmp_path / "runs" / "run.jsonl").unlink()
    (tmp_path / "runs" / "run.jsonl").symlink_to("/dev/full")
    with pytest.raises(UnavailableError, match=r"run\.jsonl cannot be written .*Model \w{16} is the champion: it is"):
        train(dataset, registry, tracker, model="rolling_history")
    assert registry.has_alias()


def answer[Value](value: Value) -> Callable[..., Value]:
    """A function that always returns a value."""

    def find(*_: object) -> Value:
        return value

    return find


def interrupt(*_: object, **__: object) -> None:
    """What Ctrl-C does at this moment."""
    raise KeyboardInterrupt


def test_interrupted_registration_in_a_bucket_that_does_not_answer(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C ends with the message of an interrupted training, not with the store's error."""
    options = {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{free_ports(1)[0]}", "AWS_ALLOW_HTTP": "true"}
    keys = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_REGION": "us-east-1"}
    registry = open_registry("s3://fund/registry", options | keys, tmp_path / "copies")
    monkeypatch.setattr("models.train._load_champion", answer("it is the first model of this registry"))
    monkeypatch.setattr("internal.forecasting.registry.copy_artifact", interrupt)
    with pytest.raises(
        InterruptedTrainingError, match=r"^Interrupted: whether model \w{16} was registered is not known"
    ):
        train(dataset, registry, _tracker(tmp_path), model="rolling_history")


@pytest.mark.parametrize(
    ("moment", "said"),
    [
        ("internal.forecasting.registry.copy_artifact", None),
        ("models.train.compute_held_out_loss", "is registered, but not the champion."),
        ("models.train._loses_ranking", "is registered, but not the champion."),
        ("models.train._finish", "is registered, and the champion."),
    ],
)
def test_interrupted_registration(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str, said: str | None
) -> None:
    """Ctrl-C while a model is copied, compared, promoted and tracked says what the registry says then."""
    registry = Registry(tmp_path / "registry")
    first = train(dataset, registry, _tracker(tmp_path), model="blended_volatility")
    monkeypatch.setattr("models.train.compute_held_out_loss", answer(1.0))
    monkeypatch.setattr(moment, interrupt)
    with pytest.raises(KeyboardInterrupt) as interrupted:
        train(dataset, registry, _tracker(tmp_path), model="heterogeneous_volatility")
    versions = [model.version for model in registry.list() if model.version != first.version]
    if said is None:
        assert (versions, type(interrupted.value)) == ([], KeyboardInterrupt)
        return
    assert isinstance(interrupted.value, InterruptedTrainingError)
    assert str(interrupted.value).startswith(f"Interrupted: model {versions[0]} {said}")
    assert registry.champion() == (first.version if "not" in said else versions[0])


def test_champion_that_cannot_be_compared(dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is too full for the comparison hides no registration: the champion stays, and the reason is said."""
    registry = Registry(tmp_path / "registry")
    first = train(dataset, registry, _tracker(tmp_path), model="rolling_history")

    def refuse(*_: object) -> float:
        raise UnavailableError("2.0 GB of temporary files cannot be written")

    monkeypatch.setattr("models.train.compute_held_out_loss", refuse)
    second = train(dataset, registry, _tracker(tmp_path), model="blended_volatility")
    assert (second.promoted, registry.champion(), len(registry.list())) == (False, first.version, 2)
    assert second.reason == (
        "it could not be compared with the champion, because 2.0 GB of temporary files cannot be written"
    )
    monkeypatch.setattr("models.train.compute_held_out_loss", answer(float("nan")))
    third = train(dataset, registry, _tracker(tmp_path), model="blended_volatility")
    assert (third.promoted, registry.champion()) == (False, first.version)
    assert "a forecast of the held-out sessions is missing" in third.reason


@pytest.mark.parametrize("is_newer", [False, True])
@pytest.mark.parametrize(("own", "other"), [(math.nan, 0.01), (0.01, math.nan), (math.inf, 0.01), (math.nan, math.nan)])
def test_loss_that_is_no_number_decides_nothing(own: float, other: float, is_newer: bool) -> None:  # noqa: FBT001 - a parameter
    """No comparison with it is true, which a tie would be taken for: the champion stays."""
    assert not compare_losses(own, other, is_newer=is_newer)[0]


def test_one_baseline_fits_no_other(dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Training a baseline fits it and the naive ones alone, and scores them as `evaluate` does, which fits all."""
    registry = Registry(tmp_path / "registry")
    with monkeypatch.context() as context:
        for kind in BASELINES.keys() - {"heterogeneous_volatility", "rolling_history", "blended_volatility"}:
            context.setitem(BASELINES, kind, None)  # fitting it would raise
        few = train(dataset, registry, _tracker(tmp_path), model="heterogeneous_volatility").evaluation
    every = evaluate(dataset, registry)
    scores = {line.score.name: line.score.cumulative for line in every.lines}
    assert scores.keys() == BASELINES.keys()
    assert "heterogeneous_volatility" not in {few.best_baseline, every.best_baseline}  # no baseline of its own
    assert {line.score.name: line.score.cumulative for line in few.lines} == pytest.approx(
        {kind: scores[kind] for kind in ("heterogeneous_volatility", "rolling_history", "blended_volatility")}, rel=1e-8
    )
    assert "`./fund models evaluate` compares all" in few.verdict[-1]
    assert all("the best naive baseline on" in sentence for sentence in few.verdict[:2])
    assert all("the best baseline on" in sentence for sentence in every.verdict[:2])
    assert not [sentence for sentence in every.verdict if "compares all" in sentence]


def test_without_lightgbm(dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Boosted trees name the extra to install; other models are compared without them, and the verdict says so."""
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    registry = Registry(tmp_path / "registry")
    fitted_with_it = ("boosted_volatility", "expert_aggregation")
    for model in fitted_with_it:
        with pytest.raises(ConfigurationError, match="--extra trees"):
            train(dataset, registry, _tracker(tmp_path), model=model)
    evaluation = train(dataset, registry, _tracker(tmp_path), model="rolling_history").evaluation
    assert not {line.score.name for line in evaluation.lines} & set(fitted_with_it)
    absent = "boosted_volatility and expert_aggregation are not in this comparison, because LightGBM is not available"
    assert evaluation.verdict[-1].startswith(absent)


def test_worse_model_is_not_promoted(dataset: Dataset, tmp_path: Path) -> None:
    """A model that is worse than the champion on the held-out block is registered and not promoted."""
    registry = Registry(tmp_path / "registry")
    champion = train(dataset, registry, _tracker(tmp_path), model="heterogeneous_volatility")
    worse = train(dataset, registry, _tracker(tmp_path), model="expanding_history")
    assert not worse.promoted
    assert "above the champion's" in worse.reason
    assert registry.path("champion").name == champion.version
    assert len(registry.list()) == 2


@pytest.fixture(name="loss_of_blended", scope="module")
def _loss_of_blended(dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> float:
    """The held-out loss of a blended volatility that is fitted to the dataset."""
    folder = tmp_path_factory.mktemp("blended")
    own = train(dataset, Registry(folder / "registry"), _tracker(folder), model="blended_volatility").evaluation
    (loss,) = (line.score.cumulative for line in own.lines if line.score.name == "blended_volatility")
    return loss


@pytest.fixture(name="trained_registry", scope="module")
def _trained_registry(dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, date], Path]:
    """`trained_registry(kind, last)`: a registry, to be copied, whose champion is fitted to the bars until a day."""

    @cache
    def make(kind: str, last: date) -> Path:
        folder = tmp_path_factory.mktemp("trained")
        bars = dataset.bars.filter(pl.col("date") <= last)
        train(replace(dataset, bars=bars, end=last), Registry(folder / "registry"), _tracker(folder), model=kind)
        return folder / "registry"

    return make


@pytest.mark.parametrize(
    ("ratio", "is_same_kind", "is_older", "is_promoted"),
    [
        (1.002, True, True, False),
        (1.0005, True, True, True),
        (1.0005, True, False, False),
        (0.9999, True, False, True),
        (1.0005, False, True, False),
        (1.0000001, False, True, False),
        (0.9999, False, True, True),
    ],
)
def test_ties(  # noqa: PLR0913, PLR0917 - a row of the table
    dataset: Dataset,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    loss_of_blended: float,
    trained_registry: Callable[[str, date], Path],
    ratio: float,
    is_same_kind: bool,  # noqa: FBT001 - a column of the table
    is_older: bool,  # noqa: FBT001
    is_promoted: bool,  # noqa: FBT001
) -> None:
    """By the ratio of the losses: a tie replaces an older fit of the kind, and no other champion."""
    kind = "blended_volatility" if is_same_kind else "heterogeneous_volatility"
    trained = trained_registry(kind, previous_session(END, 30) if is_older else END)
    registry = Registry(shutil.copytree(trained, tmp_path / "registry", symlinks=True))
    save_artifact(tmp_path / "copy", replace(load_artifact(registry.path()), code_revision="of another version"))
    registry.promote(registry.register(tmp_path / "copy"))
    monkeypatch.setattr("models.train.compute_held_out_loss", answer(loss_of_blended / ratio))
    monkeypatch.setattr("models.train._loses_ranking", answer(value=False))
    done = train(dataset, registry, _tracker(tmp_path), model="blended_volatility")
    assert (done.promoted, registry.champion() == done.version) == (is_promoted, is_promoted), done.reason


def test_champion_that_is_trained_again(dataset: Dataset, tmp_path: Path) -> None:
    """The same bars, settings and code give the same version: it stays the champion."""
    registry = Registry(tmp_path / "registry")
    first, again = (train(dataset, registry, _tracker(tmp_path), model="rolling_history") for _ in range(2))
    assert (again.version, again.promoted, registry.champion()) == (first.version, True, first.version)
    assert again.describe() == f"Model {first.version} is the champion: it was before this training."


def test_model_that_does_not_rank_replaces_none_that_does(dataset: Dataset, tmp_path: Path) -> None:
    """A lower loss alone does not take the fund out of the market: what it would do and how to have it is said."""
    registry = Registry(tmp_path / "registry")
    ranking = train(dataset, registry, _tracker(tmp_path), model="rolling_history")
    better = train(dataset, registry, _tracker(tmp_path), model="heterogeneous_volatility")
    assert (better.promoted, registry.path().name) == (False, ranking.version)
    assert re.search(r"is below the champion's .*, but the champion ranks tickers and it does not", better.reason)
    assert f"`./fund models promote {better.version}` makes it the champion" in better.reason
    registry.promote(better.version)
    other = train(dataset, registry, _tracker(tmp_path), model="blended_volatility")
    assert "rank" not in other.reason  # neither ranks: the loss alone decides


def test_loss_that_champions_are_compared_by(data: FoldData) -> None:
    """The loss that an evaluation finds of its model is that of another forecast, and its score where all is known."""
    candidate = fit_baseline(data, "blended_volatility")
    fold, others = data.fold, {kind: one for kind, one in NAIVE_BASELINES.items() if kind != "blended_volatility"}
    blocks = Block(fold.training.first, fold.validation.last), Block(fold.test.first, date.max)
    scored = score_baselines(data.frame, *blocks, others)
    judged = evaluate_model(data.frame, candidate.artifact, candidate.model, "one", scored)
    assert judged.loss == compute_held_out_loss(data.frame, candidate.artifact, candidate.model)
    (own,) = (line.score for line in judged.evaluation.lines if line.score.name == "blended_volatility")
    assert judged.loss == pytest.approx(own.cumulative, rel=1e-12)


def test_unusable_champion_is_replaced(dataset: Dataset, tmp_path: Path) -> None:
    """A champion whose files were changed is replaced, with the reason."""
    registry = Registry(tmp_path / "registry")
    first = train(dataset, registry, _tracker(tmp_path), model="heterogeneous_volatility")
    assert "the first model of this registry" in first.reason
    (registry.path() / "weights.safetensors").write_bytes(b"")
    second = train(dataset, registry, _tracker(tmp_path), model="rolling_history")
    assert first.version != second.version
    assert second.promoted
    assert second.reason.startswith("the previous champion cannot be used for a comparison: ")
    assert "changed after it was written" in second.reason
    shutil.rmtree(registry.path())
    third = train(dataset, registry, _tracker(tmp_path), model="heterogeneous_volatility")
    assert third.promoted
    assert load_artifact(registry.path()).kind == "heterogeneous_volatility"  # its damaged files were replaced
    assert not [one.reason for one in (first, second, third) if "run `models train`" in one.reason]


class _Oracle:
    """A model that uses the next close of the panel."""

    def predict(self, frame: pl.DataFrame, origins: np.ndarray) -> np.ndarray:
        following = frame.select(pl.col("close").shift(-1).over("segment").fill_null(pl.col("close"))).to_series()
        ahead = np.log(following.to_numpy() / frame.get_column("close").to_numpy())[origins]
        return np.broadcast_to(ahead[:, None, None], (len(origins), 7, 3))

    def quantiles(self, frame: pl.DataFrame, origins: np.ndarray) -> RowQuantiles:
        cumulative = self.predict(frame, origins)
        return RowQuantiles(cumulative, np.expm1(cumulative))


def test_leak_is_found(dataset: Dataset, data: FoldData) -> None:
    """A model that uses the next close is detected by every alteration and refused."""
    day = data.fold.test.first
    assert set(find_leaks(_Oracle(), dataset, day)) == {"removed", "not a number", "1e9", "half as high"}
    candidate = fit_baseline(data, "heterogeneous_volatility")
    assert find_leaks(candidate.model, dataset, day) == []
    with pytest.raises(LeakError, match="removed"):
        _pass_gate(Candidate(_Oracle(), candidate.artifact), dataset, data)


@pytest.mark.parametrize("kind", BASELINES)
def test_no_baseline_leaks(dataset: Dataset, data: FoldData, kind: str) -> None:
    """No baseline's daily or cumulative forecast changes, and none was fitted beyond the fold."""
    candidate = fit_baseline(data, kind)
    assert _pass_gate(candidate, dataset, data)["unchanged_by"] == [
        "removed",
        "not a number",
        "1e9",
        "half as high",
    ]


class _DailyOracle(_Oracle):
    """A model whose daily forecast uses the next close and whose cumulative one does not."""

    def predict(self, frame: pl.DataFrame, origins: np.ndarray) -> np.ndarray:
        del frame
        return np.broadcast_to(np.array([-0.1, 0.0, 0.1]), (len(origins), 7, 3))

    def quantiles(self, frame: pl.DataFrame, origins: np.ndarray) -> RowQuantiles:
        return RowQuantiles(self.predict(frame, origins), super().predict(frame, origins))


def test_leak_of_daily_quantiles_is_found(dataset: Dataset, data: FoldData) -> None:
    """The gate compares the daily quantiles too, not only the cumulative ones."""
    assert "half as high" in find_leaks(_DailyOracle(), dataset, data.fold.test.first)


class _VolumeOracle(_DailyOracle):
    """A model that uses the next session's volume and no other later value."""

    def predict(self, frame: pl.DataFrame, origins: np.ndarray) -> np.ndarray:
        following = frame.select(pl.col("volume").shift(-1).over("segment").fill_null(0.0)).to_series().to_numpy()
        return np.broadcast_to(following[origins][:, None, None] * np.ones(3), (len(origins), 7, 3)) / 1e12

    def quantiles(self, frame: pl.DataFrame, origins: np.ndarray) -> RowQuantiles:
        return RowQuantiles(self.predict(frame, origins), self.predict(frame, origins))


def test_leak_through_volume_is_found(dataset: Dataset, data: FoldData) -> None:
    """Volumes are altered with the prices; halved prices alone would not detect this model."""
    assert "half as high" in find_leaks(_VolumeOracle(), dataset, data.fold.test.first)


class _CountingModel(_Oracle):
    """A model that reads one close and counts how often it is asked, through the forecaster and through the panel."""

    def __init__(self) -> None:
        self.through_forecaster = self.through_panel = 0

    def predict(self, frame: pl.DataFrame, origins: np.ndarray) -> np.ndarray:
        self.through_forecaster += 1
        return self._read(frame, origins)

    def quantiles(self, frame: pl.DataFrame, origins: np.ndarray) -> RowQuantiles:
        self.through_panel += 1
        return RowQuantiles(self._read(frame, origins), self._read(frame, origins))

    @staticmethod
    def _read(frame: pl.DataFrame, origins: np.ndarray) -> np.ndarray:
        close = frame.get_column("close").to_numpy()[origins]
        return np.broadcast_to(np.log1p(close)[:, None, None], (len(origins), 7, 3))


def test_the_same_panel_is_not_forecast_from_again(dataset: Dataset, data: FoldData) -> None:
    """No later bar reaches the panel of the forecaster: it forecasts once, where training's way is taken five times."""
    model = _CountingModel()
    assert find_leaks(model, dataset, data.fold.test.first) == []
    assert (model.through_forecaster, model.through_panel) == (1, 5)


class _OneWayModel(_CountingModel):
    """A model that reads close and volume through the forecaster alone; through the panel it always says the same."""

    def quantiles(self, frame: pl.DataFrame, origins: np.ndarray) -> RowQuantiles:
        del frame
        same = np.zeros((len(origins), 7, 3))
        return RowQuantiles(same, same)

    @staticmethod
    def _read(frame: pl.DataFrame, origins: np.ndarray) -> np.ndarray:
        product = (frame.get_column("close") * frame.get_column("volume")).to_numpy()[origins]
        return np.broadcast_to(np.log1p(product)[:, None, None] / 100, (len(origins), 7, 3))


def test_another_panel_is_forecast_from_again(
    dataset: Dataset, data: FoldData, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A later bar that reached the forecaster's panel would be found: here bars that it does read are altered."""
    day, model = data.fold.test.first, _OneWayModel()

    def change(name: str, factor: float) -> leak_gate.Alteration:
        changed = pl.when(pl.col("date") == day, pl.col("ticker") == "T03").then(factor).otherwise(1.0)
        return lambda bars: bars.with_columns(pl.col(name) * changed)

    alterations = {"close": change("close", 1 + 1e-9), "volume": change("volume", 2), "nothing": change("close", 1)}
    monkeypatch.setattr(leak_gate, "make_alterations", {day: alterations}.__getitem__)
    assert find_leaks(model, dataset, day) == ["close", "volume"]
    assert model.through_forecaster == 3
    assert find_leaks(fit_baseline(data, "heterogeneous_volatility").model, dataset, day) == ["close", "volume"]


def test_fits_beyond_the_fold_are_found(dataset: Dataset, data: FoldData) -> None:
    """A later scaler, even with the fold's dates, a name of later bars, and blocks too close together are detected."""
    candidate, fold = fit_baseline(data, "heterogeneous_volatility"), data.fold
    correct, late = Scaler.fit(data.frame, fold=fold.training), Scaler.fit(data.frame, fold=fold.test)
    relabelled = replace(late, fitted_from=correct.fitted_from, fitted_to=correct.fitted_to)
    bars = data.frame.filter((pl.col("ticker") != "T05") | (pl.col("date") > fold.training.last))
    vocabulary = {"ticker": ["T04", "T05"], "sector": ["Energy"]}
    unpurged = replace(fold, validation=replace(fold.validation, last=previous_session(fold.test.first, 7)))

    def refusal(scaler: Scaler, vocabulary: dict[str, list[str]], data: FoldData) -> str:
        artifact = replace(candidate.artifact, scaler=scaler.to_json(), vocabulary=vocabulary)
        with pytest.raises(LeakError) as caught:
            _pass_gate(Candidate(candidate.model, artifact), dataset, data)
        return caught.value.detail

    assert _pass_gate(
        Candidate(candidate.model, replace(candidate.artifact, scaler=correct.to_json(), vocabulary=vocabulary)),
        dataset,
        data,
    )
    assert "the scaler is not that of the training fold" in refusal(late, {}, data)
    assert "the scaler is not that of the training fold" in refusal(relabelled, {}, data)
    without_t05 = replace(data, frame=bars)
    assert "the vocabulary of ticker contains T05" in refusal(
        Scaler.fit(bars, fold=fold.training), vocabulary, without_t05
    )
    assert "only 6 sessions are between" in refusal(correct, {}, replace(data, fold=unpurged))


def test_code_revision(tmp_path: Path) -> None:
    """The commit, with `-dirty` when a file differs from it; the version outside of a checkout."""

    def git(*words: str) -> str:
        settings = ("-c", "user.name=a", "-c", "user.email=a@example.org")
        command = ["git", "-C", str(tmp_path), *settings, *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()  # noqa: S603 - fixed words

    assert read_code_revision(tmp_path) == version("models")
    git("init")
    (tmp_path / "code.py").write_text("1")
    git("add", "code.py")
    git("commit", "-m", "first")
    git("tag", "-a", "v1", "-m", "one")
    assert read_code_revision(tmp_path) == git("rev-parse", "HEAD")
    (tmp_path / "code.py").write_text("2")
    assert read_code_revision(tmp_path) == f"{git('rev-parse', 'HEAD')}-dirty"


def test_gate_needs_a_forecast(dataset: Dataset, data: FoldData) -> None:
    """A day without any forecast does not pass the gate."""
    assert find_leaks(fit_baseline(data, "rolling_history").model, dataset, START) == ["no forecast at all"]


def test_fold_is_purged(data: FoldData) -> None:
    """At least seven sessions are between the blocks, which are inside the dataset."""
    fold = data.fold
    days = data.frame.get_column("date").unique().sort().to_list()
    assert days.index(fold.validation.first) - days.index(fold.training.last) == 8
    assert days.index(fold.test.first) - days.index(fold.validation.last) == 8
    assert days.index(fold.test.last) == len(days) - 8


def test_too_short(make_dataset: MakeDataset, tmp_path: Path) -> None:
    """Half a year is too short; the message says how many sessions there are and are needed."""
    short = make_dataset(3, date(2024, 1, 2), date(2024, 6, 28))
    with pytest.raises(InvalidRequestError, match="are too few"):
        train(short, Registry(tmp_path / "registry"), _tracker(tmp_path))


def test_unknown_model(dataset: Dataset, tmp_path: Path) -> None:
    """The error of an unknown model lists the known ones."""
    with pytest.raises(InvalidRequestError, match="small, full, rolling_history"):
        train(dataset, Registry(tmp_path / "registry"), _tracker(tmp_path), model="huge")


def test_empty_bars(dataset: Dataset, tmp_path: Path) -> None:
    """A dataset without bars cannot train."""
    with pytest.raises(InvalidRequestError, match="too few"):
        train(replace(dataset, bars=dataset.bars.clear()), Registry(tmp_path / "registry"), _tracker(tmp_path))


def test_evaluation(dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The best forecast first, no difference from itself, origins after the training, and the report's files."""
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
    calibration = describe_calibration(describe_bands(evaluation).below)
    assert [one for one in evaluation.verdict if one.startswith("Outcomes were")] == [calibration] * bool(calibration)
    charts = figures.draw_charts(evaluation)  # once for both reports

    def repeat(_: Evaluation) -> dict[str, tuple[bytes, bytes]]:
        return charts

    monkeypatch.setattr(figures, "draw_charts", repeat)
    page = write_report(tmp_path / "report", evaluation).read_text()
    assert all(line.score.name in page for line in evaluation.lines)
    assert page.count("<svg") == 4
    assert 'name="viewport"' in page
    assert not re.search(r"<(?:link|script|img)\b|@font-face|url\((?!#)", page)
    (tmp_path / "blocked" / "evaluation.json").mkdir(parents=True)
    with pytest.raises(UnavailableError, match=r"cannot be written .*: free some disk space"):
        write_report(tmp_path / "blocked", evaluation)
    assert not list((tmp_path / "blocked").glob(".*"))  # no part of a file
    stored = json.loads((tmp_path / "report" / "evaluation.json").read_text())
    assert [line["score"]["cumulative"] for line in stored["lines"]] == losses
    assert isinstance(seen[-1], Progress)
    assert seen[-1].done == seen[-1].total


def test_slow_volatility_is_forecast(make_dataset: MakeDataset, tmp_path: Path) -> None:
    """Where volatility changes slowly, the volatility baselines beat the historical one."""
    dataset = make_dataset(12, date(2021, 1, 4), END)
    registry = Registry(tmp_path / "registry")
    evaluation = train(dataset, registry, _tracker(tmp_path), model="heterogeneous_volatility").evaluation
    order = [line.score.name for line in evaluation.lines]
    assert order.index("blended_volatility") < order.index("rolling_history")


def test_nothing_to_evaluate(dataset: Dataset, make_dataset: MakeDataset, tmp_path: Path) -> None:
    """A dataset that ends before the held-out block, and a registry without a champion, are errors."""
    registry = Registry(tmp_path / "registry")
    with pytest.raises(ArtifactError, match="models train"):
        evaluate(dataset, registry)
    train(dataset, registry, _tracker(tmp_path), model="blended_volatility")
    with pytest.raises(InvalidRequestError, match="no complete origin"):
        evaluate(make_dataset(6, START, date(2024, 1, 31)), registry)
