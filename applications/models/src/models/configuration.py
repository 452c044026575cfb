"""The settings of `models`: where datamanager answers, where artifacts are kept, where experiments are tracked.

Knows names and defaults. Reads nothing by itself: a command makes one `Configuration` and passes it on.
"""

from pathlib import Path
from typing import Literal

from pydantic import AliasChoices, Field, HttpUrl, SecretStr

from internal.settings import ServiceSettings


class Configuration(ServiceSettings):
    """What the commands read from the environment.

    Attributes:
        state_directory: Datasets, evaluations and tracking files go here unless a command is told otherwise.
        datamanager_url: Where datamanager answers.
        registry_directory: Where artifacts and the alias `champion` are kept.
        weights_and_biases_api_key: When set, runs are tracked at Weights & Biases too.
        weights_and_biases_mode: `offline` tracks into a local folder without an account.
    """

    state_directory: Path = Path(".models")
    datamanager_url: HttpUrl = HttpUrl("http://127.0.0.1:8080")
    registry_directory: Path = Path(".models/registry")
    weights_and_biases_api_key: SecretStr | None = None
    weights_and_biases_mode: Literal["online", "offline", "disabled"] | None = Field(
        default=None, validation_alias=AliasChoices("WEIGHTS_AND_BIASES_MODE", "WANDB_MODE")
    )

    @property
    def dataset(self) -> Path:
        """The dataset that commands use unless they are given another."""
        return self.state_directory / "dataset"

    @property
    def tracks_weights_and_biases(self) -> bool:
        """Whether runs go to Weights & Biases beside the files."""
        wanted = self.weights_and_biases_mode == "offline" or self.weights_and_biases_api_key is not None
        return wanted and self.weights_and_biases_mode != "disabled"
