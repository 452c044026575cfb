"""Tracking: always a file, and Weights & Biases, without an account in its offline mode."""

import json
import re
import sys
from pathlib import Path

import pytest

from internal.errors import ConfigurationError, UnavailableError
from models.configuration import Configuration
from models.tracking import FileTracker, open_tracker


def test_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings first, one line a step, the summary last; no folder of wandb."""
    monkeypatch.delenv("WANDB_MODE", raising=False)
    tracker = open_tracker(Configuration(state_directory=tmp_path), "run", {"seed": 7})
    tracker.log(1, {"loss": 0.5})
    tracker.finish({"version": "abc"})
    lines = [json.loads(line) for line in (tmp_path / "runs" / "run.jsonl").read_text().splitlines()]
    assert lines == [
        {"run": "run", "settings": {"seed": 7}},
        {"step": 1, "loss": 0.5},
        {"summary": {"version": "abc"}},
    ]
    assert not (tmp_path / "wandb").exists()


def test_full_disk(tmp_path: Path) -> None:
    """A log that cannot be written is named with its folder, and what goes on after it; the summary ends a run."""
    tracker = FileTracker(tmp_path / "runs", "run", {})
    log = tmp_path / "runs" / "run.jsonl"
    log.unlink()
    log.symlink_to("/dev/full")
    said = f"the run's log {log} cannot be written (No space left on device): free some disk space"
    again = f"{said} and run the same command again; a network goes on after the last epoch that was saved"
    with pytest.raises(UnavailableError, match=f"^{re.escape(again)}$"):
        tracker.log(1, {"loss": 0.5})
    with pytest.raises(UnavailableError, match=f"^{re.escape(said)}$"):
        tracker.finish({})
    (tmp_path / "file").write_text("")
    with pytest.raises(UnavailableError, match=r"file/runs/run\.jsonl cannot be written"):
        open_tracker(Configuration(state_directory=tmp_path / "file"), "run", {})


def test_weights_and_biases_offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With WANDB_MODE=offline wandb writes a run besides the file."""
    monkeypatch.setenv("WANDB_MODE", "offline")
    tracker = open_tracker(Configuration(state_directory=tmp_path), "run", {"seed": 7})
    tracker.log(1, {"loss": 0.5})
    tracker.finish({"version": "abc"})
    assert list(tmp_path.glob("wandb/offline-run-*/*.wandb"))
    assert (tmp_path / "runs" / "run.jsonl").is_file()


def test_weights_and_biases_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without wandb the error says what to install, or which settings to unset."""
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(ConfigurationError, match="--extra tracking"):
        open_tracker(Configuration(state_directory=tmp_path), "run", {"seed": 7})


def test_wrong_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error of an unknown mode names the setting."""
    monkeypatch.setenv("WANDB_MODE", "sometimes")
    with pytest.raises(ConfigurationError, match="WEIGHTS_AND_BIASES_MODE"):
        Configuration()
