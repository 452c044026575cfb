"""The settings of `models`: datamanager's address, the registry, and experiment tracking."""

from pathlib import Path
from typing import Literal

from pydantic import AliasChoices, Field, HttpUrl, SecretStr

from internal.forecasting.registry import Registry
from internal.model_registry import open_registry
from internal.settings import ObjectStoreSettings, ServiceSettings, default_registry_address


class Configuration(ServiceSettings, ObjectStoreSettings):
    """The settings of the commands, read from the environment or from secrets.

    Attributes:
        state_directory: The folder of datasets, evaluations and tracking files, unless a command is given another.
        datamanager_url: The address of datamanager.
        registry_directory: The registry of artifacts and the alias `champion`: a folder, or `s3://bucket/prefix`.
            Without it, next to a lake in a bucket, else `.models/registry`.
        data_bucket: The address of the lake; `models` reads the lake through datamanager and needs this only to find
            the registry.
        weights_and_biases_api_key: When set, runs are also tracked at Weights & Biases.
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

    @property
    def scratch(self) -> Path:
        """The folder of arrays that are larger than memory; its files have no names and end with their process."""
        return self.state_directory / "scratch"

    def open_registry(self) -> Registry:
        """Open the registry of models."""
        address = self.registry_directory or default_registry_address(self.data_bucket) or ".models/registry"
        return open_registry(address, self.storage_options_for(address), self.state_directory / "registry-copies")

    @property
    def tracks_weights_and_biases(self) -> bool:
        """Whether runs are also tracked at Weights & Biases."""
        wanted = self.weights_and_biases_mode == "offline" or self.weights_and_biases_api_key is not None
        return wanted and self.weights_and_biases_mode != "disabled"
