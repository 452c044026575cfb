"""The settings of `models`: where datamanager answers, where artifacts are kept, where experiments are tracked.

Knows names and defaults. Reads nothing by itself: a command makes one `Configuration` and passes it on.
"""

from pathlib import Path
from typing import Literal

from pydantic import AliasChoices, Field, HttpUrl, SecretStr

from internal.forecasting.registry import Registry
from internal.model_registry import open_registry
from internal.settings import ObjectStoreSettings, ServiceSettings, default_registry_address


class Configuration(ServiceSettings, ObjectStoreSettings):
    """What the commands read from the environment.

    Attributes:
        state_directory: Datasets, evaluations and tracking files go here unless a command is told otherwise.
        datamanager_url: Where datamanager answers.
        registry_directory: Where artifacts and the alias `champion` are kept: a folder, or `s3://bucket/prefix`.
            Without it, beside the lake where that is in a bucket, else `.models/registry`.
        data_bucket: Where the lake is; `models` reads the lake through datamanager, and this for the registry alone.
        weights_and_biases_api_key: When set, runs are tracked at Weights & Biases too.
        weights_and_biases_mode: `offline` tracks into a local folder without an account.
    """

    state_directory: Path = Path(".models")
    datamanager_url: HttpUrl = HttpUrl("http://127.0.0.1:8080")
    registry_directory: str | None = None
    data_bucket: str | None = None
    weights_and_biases_api_key: SecretStr | None = None
    weights_and_biases_mode: Literal["online", "offline", "disabled"] | None = Field(
        default=None, validation_alias=AliasChoices("WEIGHTS_AND_BIASES_MODE", "WANDB_MODE")
    )

    @property
    def dataset(self) -> Path:
        """The dataset that commands use unless they are given another."""
        return self.state_directory / "dataset"

    def registry(self) -> Registry:
        """The registry of models, opened."""
        address = self.registry_directory or default_registry_address(self.data_bucket) or ".models/registry"
        return open_registry(address, self.storage_options_for(address), self.state_directory / "registry-copies")

    @property
    def tracks_weights_and_biases(self) -> bool:
        """Whether runs go to Weights & Biases beside the files."""
        wanted = self.weights_and_biases_mode == "offline" or self.weights_and_biases_api_key is not None
        return wanted and self.weights_and_biases_mode != "disabled"
