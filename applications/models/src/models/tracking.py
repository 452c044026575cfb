"""Tracking of training runs: JSON lines in a folder, and Weights & Biases beside them when it is configured.

Knows where numbers go. Knows nothing of what they mean; wandb is imported only when it is asked for.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from models.configuration import Configuration

PROJECT = "pocketsizefund"


class Tracker(Protocol):
    """Where a run's numbers go."""

    def log(self, step: int, metrics: Mapping[str, float]) -> None:
        """Keep the metrics of one step."""
        ...

    def finish(self, summary: Mapping[str, Any]) -> None:
        """Keep the run's summary; nothing follows."""
        ...


class FileTracker:
    """One JSON object a line: first the run's settings, then one line a step, last the summary."""

    def __init__(self, folder: Path, name: str, settings: Mapping[str, Any]) -> None:
        """Takes the folder and the run's name; an earlier run of the name is followed by this one in its file."""
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / f"{name}.jsonl"
        self._write({"run": name, "settings": dict(settings)})

    def _write(self, line: Mapping[str, Any]) -> None:
        with self._file.open("a") as file:
            file.write(json.dumps(line) + "\n")

    def log(self, step: int, metrics: Mapping[str, float]) -> None:
        """Append a line."""
        self._write({"step": step, **metrics})

    def finish(self, summary: Mapping[str, Any]) -> None:
        """Append the summary."""
        self._write({"summary": dict(summary)})


class WeightsAndBiasesTracker:
    """A run at Weights & Biases, or in a local folder when its mode is offline."""

    def __init__(self, configuration: Configuration, name: str, settings: Mapping[str, Any]) -> None:
        """Takes the key and mode from the configuration."""
        import wandb  # noqa: PLC0415 - a second of import and its own telemetry: only when asked for

        key = configuration.weights_and_biases_api_key
        secret = key.get_secret_value() if key is not None else None
        self._run = wandb.init(
            project=PROJECT,
            name=name,
            config=dict(settings),
            mode=configuration.weights_and_biases_mode or "online",
            dir=configuration.state_directory,
            settings=wandb.Settings(api_key=secret, silent=True, console="off", disable_git=True, save_code=False),
        )

    def log(self, step: int, metrics: Mapping[str, float]) -> None:
        """Log the step."""
        self._run.log(dict(metrics), step=step)

    def finish(self, summary: Mapping[str, Any]) -> None:
        """Set the summary and end the run."""
        self._run.summary.update(dict(summary))
        self._run.finish()


class Trackers:
    """Several trackers as one."""

    def __init__(self, trackers: list[Tracker]) -> None:
        """Takes the trackers, in order."""
        self._trackers = trackers

    def log(self, step: int, metrics: Mapping[str, float]) -> None:
        """Tell each."""
        for tracker in self._trackers:
            tracker.log(step, metrics)

    def finish(self, summary: Mapping[str, Any]) -> None:
        """Tell each."""
        for tracker in self._trackers:
            tracker.finish(summary)


def open_tracker(configuration: Configuration, name: str, settings: Mapping[str, Any]) -> Tracker:
    """A run's tracker: files always, Weights & Biases when configured."""
    configuration.state_directory.mkdir(parents=True, exist_ok=True)
    trackers: list[Tracker] = [FileTracker(configuration.state_directory / "runs", name, settings)]
    if configuration.tracks_weights_and_biases:
        trackers.append(WeightsAndBiasesTracker(configuration, name, settings))
    return Trackers(trackers)
