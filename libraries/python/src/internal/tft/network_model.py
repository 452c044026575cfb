"""The ensemble as a quantile model: networks of several seeds averaged, on HAR's scale, and half of the forecast HAR's.

Windows in, log returns out: the inverse of the target's scaling, and the way to an artifact and back.
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import asdict, dataclass
from functools import cached_property, partial
from typing import Any, Final, cast

import numpy as np
import polars as pl

from internal.baselines.adaptation import widen_intervals
from internal.baselines.heterogeneous import AdaptiveVolatility
from internal.baselines.volatility_fit import Scales
from internal.errors import ArtifactError
from internal.features.scaling import Scaler
from internal.features.variables import KNOWN_VARIABLES, OBSERVED_VARIABLES, STATIC_VARIABLES
from internal.features.vocabulary import Vocabulary, vocabularies_from_json
from internal.features.windows import HORIZON, PAST_LENGTH, Windows, make_unlabelled_windows
from internal.forecasting.artifact import Artifact
from internal.forecasting.calibration import Calibration
from internal.forecasting.explanation import ExplanationWeights
from internal.forecasting.forecast_progress import report_forecast
from internal.forecasting.quantiles import RowQuantiles
from internal.networks.parameters import load_parameters, named_parameters, parameter_arrays
from internal.tft.model import TemporalFusionTransformer, TemporalFusionTransformerConfiguration
from internal.tft.prediction import Predictor, explain

KIND: Final = "temporal_fusion_transformer"
BATCH_SIZE: Final = 512  # one shape for any number of tickers: kernels are compiled once, a small market is one batch
CALIBRATION: Final = "calibration"
NETWORK_SHARE: Final = 0.5
MIXED_ROWS: Final = 65_536  # of a forecast at once, so that its steps take little memory
SCALE, COMPANION = "scale.", "companion_"


@dataclass(frozen=True)
class NetworkModel:
    """Trained networks with the scaler, vocabularies, scale and calibration that belong to them.

    Attributes:
        network: The first seed's.
        configuration: Its configuration; that of the others differs by the seed.
        scaler: Of the observed variables.
        vocabularies: One a static variable.
        calibration: Of the networks' mean.
        scale: The log return that a target of one means, and the other half of the forecast.
        companions: The networks of further seeds.
    """

    network: TemporalFusionTransformer
    configuration: TemporalFusionTransformerConfiguration
    scaler: Scaler
    vocabularies: dict[str, Vocabulary]
    calibration: Calibration
    scale: AdaptiveVolatility
    companions: tuple[TemporalFusionTransformer, ...] = ()

    def predict(self, frame: pl.DataFrame, origins: np.ndarray) -> np.ndarray:
        """See `QuantileModel.predict`."""
        return self.quantiles(frame, origins).cumulative

    def quantiles(self, frame: pl.DataFrame, origins: np.ndarray) -> RowQuantiles:
        """See `QuantileModel.quantiles`: half the networks', half HAR's, both in units of HAR's scale.

        A single session's quantiles do not follow from cumulative ones, so HAR's are widened by as much as the
        networks widen the cumulative interval, on average over the steps. Both follow HAR's recent misses.
        The scales are computed beside the networks, each of which leaves a core idle at times, and in the other thread:
        tinygrad's cache of kernels can be read in one alone.
        """
        with ThreadPoolExecutor(1) as pool:
            computed = pool.submit(copy_context().run, self.scale.scales_and_factors, frame, origins)
            windows = make_unlabelled_windows(frame, origins, self.scaler, self.vocabularies)
            own = self.calibration.apply(self.predict_standardised(windows))
            scales, factors = computed.result()
        whole = RowQuantiles(own, np.empty_like(own))
        for first in range(0, len(own), MIXED_ROWS):
            part = slice(first, first + MIXED_ROWS)
            mixed = self._mix(own[part], scales.at(part), (factors[0][part], factors[1][part]))
            whole.cumulative[part], whole.daily[part] = mixed.cumulative, mixed.daily
        return whole

    def _mix(self, own: np.ndarray, scales: Scales, factors: tuple[np.ndarray, np.ndarray]) -> RowQuantiles:
        mixed = NETWORK_SHARE * own + (1 - NETWORK_SHARE) * self.scale.cumulative  # [origin, step, quantile]
        wider = (_width(mixed) / _width(self.scale.cumulative)).mean(axis=1)[:, None, None]
        cumulative, daily = scales.cumulative[:, :, None] * mixed, self.scale.plain(scales).daily * wider
        return RowQuantiles(widen_intervals(cumulative, factors[0]), widen_intervals(daily, factors[1]))

    def explain(self, frame: pl.DataFrame, origins: np.ndarray, place: int) -> ExplanationWeights:
        """See `ExplainingModel.explain`."""
        windows = make_unlabelled_windows(frame, origins[[place]], self.scaler, self.vocabularies)
        each = [explain(one, windows, BATCH_SIZE) for one in (self.network, *self.companions)]
        found = {name: np.mean([weights[name] for weights in each], axis=0) for name in each[0]}
        c = self.configuration
        return ExplanationWeights(
            past=found["past_weights"].astype(np.float64),
            future=found["future_weights"].astype(np.float64),
            static=found["static_weights"].astype(np.float64),
            attention=found["attention"].astype(np.float64),
            past_variables=(*c.observed_variables, *c.known_variables),
            future_variables=c.known_variables,
            static_variables=STATIC_VARIABLES,
        )

    def predict_standardised(self, windows: Windows) -> np.ndarray:
        """The mean of the networks' own quantiles, not calibrated, in units of the windows' scale."""
        total, networks, count = np.zeros(()), len(self._predictors), len(windows)

        def report(before: int, done: int) -> None:
            report_forecast((before * count + done) // networks, count)

        for number, predict in enumerate(self._predictors):
            total = total + predict(windows, partial(report, number))[0]
        return np.asarray(total / networks)

    @cached_property
    def _predictors(self) -> list[Predictor]:
        """Stored with the networks, so that only the first forecasts pay for capturing them."""
        return [Predictor(one, BATCH_SIZE) for one in (self.network, *self.companions)]

    def arrays(self) -> dict[str, np.ndarray]:
        """Parameters by name, those of companions after their number, the scale's and the calibration."""
        parameters = _parameters(self.network, "")
        for number, companion in enumerate(self.companions):
            parameters |= _parameters(companion, f"{COMPANION}{number}.")
        scale = {f"{SCALE}{name}": array for name, array in self.scale.to_arrays().items()}
        return {**parameters, **scale, CALIBRATION: self.calibration.values}

    @classmethod
    def from_artifact(cls, artifact: Artifact) -> "NetworkModel":
        """Rebuild the network.

        Raises:
            ArtifactError: The artifact was made for other variables, lengths or sizes than it or this code has.
        """
        configuration = decode_configuration(artifact.configuration)
        scaler, vocabularies = (
            Scaler.from_json(dict(artifact.scaler)),
            vocabularies_from_json(dict(artifact.vocabulary)),
        )
        cardinalities = tuple(vocabularies[name].cardinality for name in STATIC_VARIABLES if name in vocabularies)
        if cardinalities != configuration.static_cardinalities:
            raise ArtifactError(
                f"the vocabularies have {cardinalities} numbers, the network {configuration.static_cardinalities}"
            )
        calibration = Calibration.restore(artifact.arrays.get(CALIBRATION), configuration.horizon)
        scale = AdaptiveVolatility.from_arrays(_select_arrays(artifact.arrays, SCALE))
        networks = [
            _load(configuration, _select_arrays(artifact.arrays, prefix))
            for prefix in ("", *_companion_prefixes(artifact))
        ]
        return cls(networks[0], configuration, scaler, vocabularies, calibration, scale, tuple(networks[1:]))


def _width(quantiles: np.ndarray) -> np.ndarray:
    """Of the 80 % interval, without the last axis."""
    return np.asarray(quantiles[..., -1] - quantiles[..., 0])


def _parameters(network: TemporalFusionTransformer, prefix: str) -> dict[str, np.ndarray]:
    return {f"{prefix}{name}": array for name, array in parameter_arrays(network).items()}


def _companion_prefixes(artifact: Artifact) -> list[str]:
    return sorted({f"{name.split('.')[0]}." for name in artifact.arrays if name.startswith(COMPANION)})


def _select_arrays(arrays: Mapping[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    """The arrays whose names have a prefix, without it; without a prefix, those that belong to the first network."""
    if prefix:
        return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
    others = (SCALE, COMPANION, CALIBRATION)
    return {name: array for name, array in arrays.items() if not name.startswith(others)}


def decode_configuration(stored: Mapping[str, Any]) -> TemporalFusionTransformerConfiguration:
    """The network's configuration from an artifact's plain values. Raises ArtifactError when it does not fit."""
    network = cast("dict[str, object]", stored.get("network", {}))
    values: dict[str, Any] = {
        name: tuple(cast("list[object]", value)) if isinstance(value, list) else value
        for name, value in network.items()
    }
    try:
        configuration = TemporalFusionTransformerConfiguration(**values)
    except (TypeError, ValueError) as error:
        raise ArtifactError(f"the artifact's network does not fit this code: {error}") from error
    expected = (OBSERVED_VARIABLES, KNOWN_VARIABLES, PAST_LENGTH, HORIZON)
    found = (configuration.observed_variables, configuration.known_variables, *_lengths(configuration))
    if found != expected:
        raise ArtifactError(f"the artifact was trained on {found}, this code offers {expected}: train again")
    return configuration


def encode_configuration(configuration: TemporalFusionTransformerConfiguration) -> dict[str, Any]:
    """The network's configuration as plain values; tuples become lists."""
    values: dict[str, object] = asdict(configuration)
    return {
        name: list(cast("tuple[object, ...]", value)) if isinstance(value, tuple) else value
        for name, value in values.items()
    }


def _lengths(configuration: TemporalFusionTransformerConfiguration) -> tuple[int, int]:
    return configuration.past_length, configuration.horizon


def _load(
    configuration: TemporalFusionTransformerConfiguration, arrays: Mapping[str, np.ndarray]
) -> TemporalFusionTransformer:
    network = TemporalFusionTransformer(configuration)
    expected = {name: tuple(tensor.shape) for name, tensor in named_parameters(network).items()}
    found = {name: array.shape for name, array in arrays.items()}
    if expected != found:
        wrong = sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))
        raise ArtifactError(f"{len(wrong)} weights do not fit the network, the first is {wrong[0]}")
    load_parameters(network, arrays)
    return network
