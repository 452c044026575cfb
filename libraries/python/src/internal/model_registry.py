"""Opens the registry of models at its address, and loads a model, whatever its kind.

The only module that depends on the store and on every kind of model; tinygrad is imported when a network is loaded.
"""

from collections.abc import Mapping
from pathlib import Path

from internal.baselines.catalogue import BASELINES
from internal.baselines.model import BaselineModel
from internal.errors import ArtifactError
from internal.forecasting.artifact import Artifact, artifact_version, load_artifact
from internal.forecasting.forecaster import Forecaster, PanelForecaster
from internal.forecasting.quantiles import QuantileModel
from internal.forecasting.registry import Registry
from internal.forecasting.shared_registry import SharedRegistry
from internal.lake.objects import Objects
from internal.object_stores import is_bucket


def open_registry(address: str, storage_options: Mapping[str, str], copies: Path) -> Registry:
    """Open the registry at an address.

    Args:
        address: A folder, or `s3://`, `az://` or `gs://bucket/prefix`.
        storage_options: `ObjectStoreSettings.storage_options_for(address)`.
        copies: The folder of this machine's copies, used for a bucket alone.
    """
    if is_bucket(address):
        return SharedRegistry(Objects(address, storage_options), address, copies)
    return Registry(Path(address))


def load_forecaster(folder: Path) -> Forecaster:
    """Load an artifact, whatever its kind, as a forecaster.

    Raises:
        ArtifactError: Missing, tampered with, incompatible, or of an unknown kind.
    """
    artifact = load_artifact(folder)
    return PanelForecaster(make_model(artifact, folder), artifact_version(folder), artifact.trained_through)


def load_model(folder: Path) -> QuantileModel:
    """Load an artifact's model alone, for evaluation. Raises as `load_forecaster`."""
    return make_model(load_artifact(folder), folder)


def make_model(artifact: Artifact, folder: Path) -> QuantileModel:
    """The model of an artifact that was read from the folder. Raises ArtifactError for an unknown kind."""
    if artifact.kind in BASELINES:
        return BaselineModel(BASELINES[artifact.kind].from_arrays(dict(artifact.arrays)))
    from internal.tft.network_model import KIND, NetworkModel  # noqa: PLC0415 - tinygrad takes seconds and a compiler

    if artifact.kind != KIND:
        known = ", ".join([KIND, *BASELINES])
        raise ArtifactError(f"{folder} is of the kind {artifact.kind!r}; this code can load {known}")
    return NetworkModel.from_artifact(artifact)
