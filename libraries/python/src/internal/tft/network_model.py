"""The network as a quantile model: windows in, log returns out; the inverse of the target's scaling lives here.

Knows how a trained network becomes an artifact and back. Knows nothing of training or of services.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import polars as pl
from tinygrad import Tensor
from tinygrad.nn.state import get_state_dict, load_state_dict

from internal.errors import ArtifactError
from internal.features.scaling import Scaler
from internal.features.variables import KNOWN_VARIABLES, OBSERVED_VARIABLES, STATIC_VARIABLES
from internal.features.vocabulary import Vocabulary, vocabularies_from_json
from internal.features.windows import HORIZON, PAST_LENGTH, Windows, lay_out
from internal.tft.artifact import Artifact
from internal.tft.calibration import Calibration
from internal.tft.explanation import Weights
from internal.tft.model import TemporalFusionTransformer, TemporalFusionTransformerConfiguration
from internal.tft.training import explain, predict

KIND: Final = "temporal_fusion_transformer"
BATCH_SIZE: Final = 128
CALIBRATION: Final = "calibration"


@dataclass(frozen=True)
class NetworkModel:
    """A trained network with the scaler, vocabularies and calibration that belong to it."""

    network: TemporalFusionTransformer
    configuration: TemporalFusionTransformerConfiguration
    scaler: Scaler
    vocabularies: dict[str, Vocabulary]
    calibration: Calibration

    def predict(self, frame: pl.DataFrame, origins: np.ndarray) -> np.ndarray:
        """See `QuantileModel.predict`."""
        return self.predict_windows(lay_out(frame, self.scaler, self.vocabularies).at(origins))

    def explain(self, frame: pl.DataFrame, origins: np.ndarray, place: int) -> Weights:
        """See `ExplainingModel.explain`."""
        windows = lay_out(frame, self.scaler, self.vocabularies).at(origins[[place]])
        found = explain(self.network, windows, min(BATCH_SIZE, len(origins)))
        c = self.configuration
        return Weights(
            past=found["past_weights"].astype(np.float64),
            future=found["future_weights"].astype(np.float64),
            static=found["static_weights"].astype(np.float64),
            attention=found["attention"].astype(np.float64),
            past_variables=(*c.observed_variables, *c.known_variables),
            future_variables=c.known_variables,
            static_variables=STATIC_VARIABLES,
        )

    def predict_windows(self, windows: Windows) -> np.ndarray:
        """Quantiles of cumulative log returns, f64 [origin, horizon, quantile]."""
        standardised = self.calibration.apply(self.standardised(windows))
        return np.asarray(standardised * windows.scale(np.arange(len(windows)))[:, :, None])

    def standardised(self, windows: Windows) -> np.ndarray:
        """The network's own quantiles, not calibrated, in units of volatility x sqrt(step)."""
        return predict(self.network, windows, BATCH_SIZE).astype(np.float64)

    def arrays(self) -> dict[str, np.ndarray]:
        """Parameters by name, and the calibration."""
        parameters = {name: np.asarray(tensor.numpy()) for name, tensor in get_state_dict(self.network).items()}
        return {**parameters, CALIBRATION: self.calibration.values}

    @classmethod
    def from_artifact(cls, artifact: Artifact) -> "NetworkModel":
        """Rebuild the network.

        Raises:
            ArtifactError: The artifact was made for other variables, lengths or sizes than it or this code has.
        """
        configuration = read_configuration(artifact.configuration)
        scaler, vocabularies = (
            Scaler.from_json(dict(artifact.scaler)),
            vocabularies_from_json(dict(artifact.vocabulary)),
        )
        cardinalities = tuple(vocabularies[name].cardinality for name in STATIC_VARIABLES if name in vocabularies)
        if cardinalities != configuration.static_cardinalities:
            raise ArtifactError(
                f"the vocabularies have {cardinalities} numbers, the network {configuration.static_cardinalities}"
            )
        network = TemporalFusionTransformer(configuration)
        calibration = Calibration.restore(artifact.arrays.get(CALIBRATION), configuration.horizon)
        _load(network, {name: array for name, array in artifact.arrays.items() if name != CALIBRATION})
        return cls(network, configuration, scaler, vocabularies, calibration)


def read_configuration(stored: Mapping[str, Any]) -> TemporalFusionTransformerConfiguration:
    """The network's configuration from an artifact's plain values. Raises ArtifactError when it does not fit."""
    network: dict[str, Any] = dict(stored.get("network", {}))
    plain: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in network.items()
    }
    try:
        configuration = TemporalFusionTransformerConfiguration(**plain)
    except (TypeError, ValueError) as error:
        raise ArtifactError(f"the artifact's network has other settings than this code: {error}") from error
    expected = (OBSERVED_VARIABLES, KNOWN_VARIABLES, PAST_LENGTH, HORIZON)
    found = (configuration.observed_variables, configuration.known_variables, *_lengths(configuration))
    if found != expected:
        raise ArtifactError(f"the artifact was trained on {found}, this code offers {expected}: train again")
    return configuration


def plain_configuration(configuration: TemporalFusionTransformerConfiguration) -> dict[str, Any]:
    """The network's configuration as plain values; tuples become lists."""
    return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(configuration).items()}


def _lengths(configuration: TemporalFusionTransformerConfiguration) -> tuple[int, int]:
    return configuration.past_length, configuration.horizon


def _load(network: TemporalFusionTransformer, arrays: Mapping[str, np.ndarray]) -> None:
    expected = {name: tuple(tensor.shape) for name, tensor in get_state_dict(network).items()}
    found = {name: array.shape for name, array in arrays.items()}
    if expected != found:
        wrong = sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))
        raise ArtifactError(f"{len(wrong)} weights do not fit the network, the first is {wrong[0]}")
    load_state_dict(network, {name: Tensor(array) for name, array in arrays.items()}, verbose=False)
