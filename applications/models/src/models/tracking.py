"""Tracking of training runs: JSON lines in a folder, and Weights & Biases when it is configured."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Protocol

from internal.write_errors import explain_write_error
from models.configuration import Configuration
from models.weights_and_biases import WeightsAndBiasesTracker

FREE_SPACE: Final = "free some disk space"
GO_ON: Final = f"{FREE_SPACE} and run the same command again; a network goes on after the last epoch that was saved"


class Tracker(Protocol):
    """Where a run's metrics are written."""

    def log(self, step: int, metrics: Mapping[str, float]) -> None:
        """Write the metrics of one step."""
        ...

    def finish(self, summary: Mapping[str, Any]) -> None:
        """Write the run's summary; nothing follows."""
        ...


class FileTracker:
    """One JSON object a line: first the run's settings, then one line a step, last the summary.

    Args:
        folder: The folder of the file.
        name: The run's name; a second run of the name is appended to its file.
        settings: The run's settings.

    Raises:
        UnavailableError: The file cannot be written, for example because the disk is full; so do its methods.
    """

    def __init__(self, folder: Path, name: str, settings: Mapping[str, Any]) -> None:
        self._file = folder / f"{name}.jsonl"
        self._write({"run": name, "settings": dict(settings)}, GO_ON)

    def _write(self, line: Mapping[str, Any], remedy: str) -> None:
        with explain_write_error("the run's log", self._file, remedy):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with self._file.open("a") as file:
                file.write(json.dumps(line) + "\n")

    def log(self, step: int, metrics: Mapping[str, float]) -> None:
        """Append the metrics."""
        self._write({"step": step, **metrics}, GO_ON)

    def finish(self, summary: Mapping[str, Any]) -> None:
        """Append the summary."""
        self._write({"summary": dict(summary)}, FREE_SPACE)


class Trackers:
    """Several trackers as one."""

    def __init__(self, trackers: list[Tracker]) -> None:
        self._trackers = trackers

    def log(self, step: int, metrics: Mapping[str, float]) -> None:
        """Log to each tracker."""
        for tracker in self._trackers:
            tracker.log(step, metrics)

    def finish(self, summary: Mapping[str, Any]) -> None:
        """Finish each tracker."""
        for tracker in self._trackers:
            tracker.finish(summary)


def open_tracker(configuration: Configuration, name: str, settings: Mapping[str, Any]) -> Tracker:
    """Open a run's tracker: always a file, and Weights & Biases when configured.

    Raises:
        ConfigurationError: Weights & Biases is configured but not installed.
        UnavailableError: The file cannot be written.
    """
    trackers: list[Tracker] = [FileTracker(configuration.state_directory / "runs", name, settings)]
    if configuration.tracks_weights_and_biases:
        trackers.append(WeightsAndBiasesTracker(configuration, name, settings))
    return Trackers(trackers)
