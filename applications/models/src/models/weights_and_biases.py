"""Tracking at Weights & Biases, which the extra `tracking` installs; wandb is imported only when it is configured."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from internal.errors import ConfigurationError
from models.configuration import Configuration

if TYPE_CHECKING:
    import wandb

PROJECT = "pocketsizefund"


class WeightsAndBiasesTracker:
    """A run at Weights & Biases, or in a local folder when its mode is offline.

    Args:
        configuration: Key, mode and folder.
        name: The run's name.
        settings: The run's settings.

    Raises:
        ConfigurationError: wandb is not installed.
    """

    def __init__(self, configuration: Configuration, name: str, settings: Mapping[str, Any]) -> None:
        self._run = start_run(configuration, name, settings)

    def log(self, step: int, metrics: Mapping[str, float]) -> None:
        """Log the metrics of one step."""
        self._run.log(dict(metrics), step=step)

    def finish(self, summary: Mapping[str, Any]) -> None:
        """Set the summary and end the run."""
        self._run.summary.update(dict(summary))  # pyright: ignore[reportUnknownMemberType]  # wandb's own dict
        self._run.finish()


def start_run(configuration: Configuration, name: str, settings: Mapping[str, Any]) -> "wandb.Run":
    """Start a run with the key and mode of the configuration.

    Raises:
        ConfigurationError: wandb is not installed.
    """
    try:
        import wandb  # noqa: PLC0415 - an optional dependency, which takes a second to import
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            "Weights & Biases is configured but not installed: run `uv sync --inexact --package models --extra "
            "tracking`, or unset WEIGHTS_AND_BIASES_API_KEY and WEIGHTS_AND_BIASES_MODE"
        ) from error
    key = configuration.weights_and_biases_api_key
    secret = key.get_secret_value() if key is not None else None
    return wandb.init(
        project=PROJECT,
        name=name,
        config=dict(settings),
        mode=configuration.weights_and_biases_mode or "online",
        dir=configuration.state_directory,
        settings=wandb.Settings(api_key=secret, silent=True, console="off", disable_git=True, save_code=False),
    )
