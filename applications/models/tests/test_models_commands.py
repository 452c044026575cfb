"""The commands of `models` as processes: exit status and messages."""

import re
import subprocess
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import date
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from internal.forecasting.artifact import Artifact, save_artifact
from internal.forecasting.held_out_coverage import HELD_OUT_COVERAGE
from internal.forecasting.registry import Registry
from internal.tft.training import TrainingProgress
from models import __main__ as models_command
from models.dataset import Dataset, save_dataset
from models.network_fitting import make_reporter, report_share
from models.progress import Progress, Step
from models.terminal import show_progress_bars
from models.tracking import FileTracker

RunModels = Callable[..., subprocess.CompletedProcess[str]]
RefuseModels = Callable[..., tuple[int, str]]
MakeDataset = Callable[[int, date, date], Dataset]
NARROW = 80  # columns of a terminal


def test_train_evaluate_list(run_models: RunModels, make_dataset: MakeDataset, tmp_path: Path) -> None:
    """A baseline is trained, evaluated, listed and promoted; tables and files are written."""
    save_dataset(tmp_path / "dataset", make_dataset(6, date(2023, 1, 3), date(2024, 6, 28)))
    settings = {"STATE_DIRECTORY": str(tmp_path), "REGISTRY_DIRECTORY": str(tmp_path / "registry")}
    trained = run_models("train", "--model", "heterogeneous_volatility", **settings)
    assert trained.returncode == 0, trained.stderr
    assert "is the champion" in trained.stdout
    evaluated = run_models("evaluate", "--output", str(tmp_path / "report"), COLUMNS=str(NARROW), **settings)
    assert evaluated.returncode == 0, evaluated.stderr
    assert "what the book would bet on besides the forecast" in " ".join(evaluated.stdout.split())
    assert "…" not in evaluated.stdout
    assert max(map(len, evaluated.stdout.splitlines())) <= NARROW
    assert re.findall(r"\([-+][\d.]+,(?![-+][\d.]+\))", evaluated.stdout) == []  # no interval goes on in the next line
    assert (tmp_path / "report" / "evaluation.html").is_file()
    listed = run_models("list", **settings, COLUMNS="60")
    first, *others = listed.stdout.splitlines()
    assert first.endswith("heterogeneous_volatility  champion")
    said = " ".join(" ".join(others).split())
    assert "best and the worst tenth" in said or "does not rank" in said
    assert "The 80 % interval covers" in said
    assert all(line.startswith("  ") for line in others)
    promoted = run_models("promote", listed.stdout.split()[0], **settings)
    assert (promoted.returncode, promoted.stdout.split()[-1]) == (0, "champion.")
    (weights,) = tmp_path.glob("registry/versions/*/weights.safetensors")
    weights.write_bytes(weights.read_bytes()[:-7])
    damaged = run_models("list", **settings)
    assert (damaged.returncode, damaged.stdout.split()[1:3]) == (0, ["damaged", "champion"])
    assert "was changed after it was written" in damaged.stdout
    said = " ".join(damaged.stdout.split())
    assert "run the same training again, which repairs it, restore its folder from a backup" in said


def test_coverage_of_another_form_hides_no_model(run_models: RunModels, tmp_path: Path) -> None:
    """Figures that this version cannot read are named in the list, which goes on."""
    registry = Registry(tmp_path / "registry")
    for number, metrics in enumerate(({HELD_OUT_COVERAGE: {"whole": 0.8}}, {})):
        plain = Artifact("rolling_history", {}, {}, {}, {}, metrics, number, "test")
        save_artifact(tmp_path / str(number), plain)
        registry.register(tmp_path / str(number))
    listed = run_models("list", STATE_DIRECTORY=str(tmp_path), REGISTRY_DIRECTORY=str(tmp_path / "registry"))
    said = " ".join(listed.stdout.split())
    assert (listed.returncode, said.count("rolling_history")) == (0, 2)
    assert "held_out_coverage of the artifact's metrics are damaged: train the model again." in said
    assert "Coverage by group and after a break was not measured" in said


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (("train",), 1, "models assemble"),
        (("evaluate",), 1, "models assemble"),
        (("promote", "0123456789abcdef"), 1, "there is no model version"),
        (("collect", "--start-date", "yesterday", "--end-date", "2024-01-05"), 2, "yesterday"),
        (("fly",), 2, "fly"),
    ],
)
def test_refusals(
    refuse_models: RefuseModels, tmp_path: Path, words: tuple[str, ...], code: int, sentence: str
) -> None:
    """Each error ends with its exit status and a helpful message, never with a traceback."""
    status, said = refuse_models(*words, STATE_DIRECTORY=str(tmp_path), REGISTRY_DIRECTORY=str(tmp_path / "registry"))
    assert status == code
    assert sentence in said
    assert "Traceback" not in said


def test_an_interrupted_training_says_how_it_goes_on(
    refuse_models: RefuseModels, make_dataset: MakeDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C at any moment of a training ends with a sentence and the status of an interrupted command."""
    save_dataset(tmp_path / "dataset", make_dataset(1, date(2023, 1, 3), date(2023, 2, 28)))

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(models_command, "train", interrupt)
    status, said = refuse_models("train", STATE_DIRECTORY=str(tmp_path), REGISTRY_DIRECTORY=str(tmp_path / "registry"))
    assert status == 130
    assert "the same command continues after the last finished epoch" in said


def test_an_interrupt_after_the_registration_says_so(
    refuse_models: RefuseModels, make_dataset: MakeDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C while the champion is compared, and while the report is written, hides no registration."""
    save_dataset(tmp_path / "dataset", make_dataset(4, date(2023, 1, 3), date(2024, 6, 28)))
    settings = {"STATE_DIRECTORY": str(tmp_path), "REGISTRY_DIRECTORY": str(tmp_path / "registry")}

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as context:
        context.setattr("models.train._promote", interrupt)
        status, said = refuse_models("train", "--model", "rolling_history", **settings)
    assert status == 130
    assert re.search(r"Interrupted: model \w{16} is registered, but not the champion\.", said)
    monkeypatch.setattr("models.__main__.scratch_folder", interrupted_at_its_end)
    status, said = refuse_models("train", "--model", "rolling_history", **settings)
    assert status == 130
    assert re.search(r"Interrupted\. Model \w{16} is the champion: it is the first model", said)


@contextmanager
def interrupted_at_its_end(_: Path) -> Generator[None]:
    """A scratch folder whose removal is interrupted."""
    yield
    raise KeyboardInterrupt


def test_progress_bar(tmp_path: Path) -> None:
    """The progress bar of a training shows the loss, windows a second, and the time left."""
    output = StringIO()
    with show_progress_bars(Console(file=output, force_terminal=True, width=120)) as show:
        report = make_reporter(FileTracker(tmp_path, "run", {}), show)
        for step in range(1, 40):
            time.sleep(0.01)
            report(TrainingProgress(0, step, 400, 0.4321, 1.0, 1234.0))
    assert "loss 0.4321, 1,234 windows/s" in output.getvalue()
    assert re.search(r"0:00:0[1-9]", output.getvalue())


def test_time_left_in_a_narrow_terminal() -> None:
    """Beside the longest text the time left is whole at 80 columns, and so is the text, in two lines."""
    output = StringIO()
    text = "network 1 of 4, epoch 1, loss 0.2552, 1,234 windows/s"
    with show_progress_bars(Console(file=output, width=NARROW)) as show:
        show(Progress(Step.TRAINING, 1, 4, text))
    assert "-:--:--" in output.getvalue()
    assert text in " ".join(output.getvalue().split())
    assert max(map(len, output.getvalue().splitlines())) <= NARROW


def test_bar_of_several_networks() -> None:
    """Half of the bar is the first network's of two, and a message of another step is passed on as it is."""
    seen = list[Progress]()
    first, second = (report_share(seen.append, number, 2) for number in range(2))
    first(Progress(Step.TRAINING, 3, 12, "loss 0.4"))
    second(Progress(Step.CHECKPOINT, 1, 1, "resumed"))
    second(Progress(Step.TRAINING, 3, 12, "loss 0.3"))
    assert [(one.step, one.done / one.total) for one in seen] == [
        ("training", 0.125),
        ("checkpoint", 1),
        ("training", 0.625),
    ]
    assert seen[2].text == "network 2 of 2, loss 0.3"


def test_wrong_setting(run_models: RunModels, tmp_path: Path) -> None:
    """The error of an invalid address names its setting."""
    ended = run_models("train", STATE_DIRECTORY=str(tmp_path), DATAMANAGER_URL="here")
    assert ended.returncode == 1
    assert "DATAMANAGER_URL" in ended.stderr
