"""A small network with its first weights, as several tests forecast and explain with it."""

from dataclasses import replace
from datetime import date

import polars as pl

from internal.baselines.heterogeneous import AdaptiveVolatility
from internal.features.scaling import Scaler
from internal.features.splits import Block
from internal.features.variables import KNOWN_VARIABLES, OBSERVED_VARIABLES, STATIC_VARIABLES
from internal.features.vocabulary import Vocabulary
from internal.forecasting.calibration import Calibration
from internal.tft.model import TemporalFusionTransformer, TemporalFusionTransformerConfiguration
from internal.tft.network_model import NetworkModel


def make_untrained_network(observed: pl.DataFrame, start: date) -> NetworkModel:
    """Two networks of different seeds on a scale that was fitted from `start` to the end of 2023."""
    vocabularies = {name: Vocabulary.fit(observed.get_column(name)) for name in STATIC_VARIABLES}
    configuration = TemporalFusionTransformerConfiguration(
        hidden_size=16,
        head_count=2,
        observed_variables=OBSERVED_VARIABLES,
        known_variables=KNOWN_VARIABLES,
        static_cardinalities=tuple(vocabularies[name].cardinality for name in STATIC_VARIABLES),
        seed=3,
    )
    fold = Block(start, date(2023, 12, 29))
    scaler, scale = Scaler.fit(observed, fold=fold), AdaptiveVolatility.fit(observed, fold=fold)
    networks = [TemporalFusionTransformer(replace(configuration, seed=seed)) for seed in (3, 4)]
    none = Calibration.none(configuration.horizon)
    return NetworkModel(networks[0], configuration, scaler, vocabularies, none, scale, (networks[1],))
