"""The leak gate: what is forecast at t must not change by one bit when everything after t is removed or poisoned.

Knows how to poison bars and to compare bits, and how to tell from an artifact what it was fitted to. Runs on any
quantile model, through the same panel and variables that training uses, with the panel's end left in the future on
purpose.
"""

from collections.abc import Callable
from datetime import date
from itertools import pairwise
from typing import Any, Final

import numpy as np
import polars as pl

from internal.dates import sessions
from internal.features.panel import PRICES, build_panel
from internal.features.scaling import Scaler
from internal.features.splits import Block, Fold
from internal.features.variables import observe
from internal.features.windows import HORIZON, find_origins
from internal.forecasting.artifact import Artifact
from internal.forecasting.forecaster import PanelForecaster
from internal.forecasting.quantiles import QuantileModel
from models.dataset import Dataset

Poison = Callable[[pl.DataFrame], pl.DataFrame]
AVERAGE: Final = "volume_weighted_average_price"


def _later(day: date, price: pl.Expr, volume: pl.Expr) -> Poison:
    values = {**dict.fromkeys((*PRICES, AVERAGE), price), "volume": volume}

    def poison(bars: pl.DataFrame) -> pl.DataFrame:
        return bars.with_columns(
            pl.when(pl.col("date") > day).then(value).otherwise(pl.col(name)).alias(name)
            for name, value in values.items()
            if name in bars.columns
        )

    return poison


def poisons(day: date) -> dict[str, Poison]:
    """Ways of changing everything after a day: removed, not a number, enormous, and plausible but wrong."""
    return {
        "removed": lambda bars: bars.filter(pl.col("date") <= day),
        "not a number": _later(day, pl.lit(float("nan")), pl.lit(float("nan"))),
        "1e9": _later(day, pl.lit(1e9), pl.lit(1e9)),
        "half as high": _later(day, pl.col("close") / 2, pl.col("volume") * 3),
    }


FLAT: Final = "no forecast at all"


def find_leaks(model: QuantileModel, dataset: Dataset, day: date) -> list[str]:
    """Forecast at a day with later bars as they are and poisoned.

    Returns:
        The poisons that changed something, by name; empty when nothing leaks.
    """
    expected_panel = _panel_forecast(model, dataset.bars, dataset, day)
    expected_door = _door_forecast(model, dataset.bars, dataset, day)
    if expected_panel.is_empty():
        return [FLAT]
    return [
        name
        for name, poison in poisons(day).items()
        if not _panel_forecast(model, poison(dataset.bars), dataset, day).equals(expected_panel)
        or not _door_forecast(model, poison(dataset.bars), dataset, day).equals(expected_door)
    ]


def find_late_fits(artifact: Artifact, frame: pl.DataFrame, fold: Fold) -> list[str]:
    """What in an artifact was fitted to more than the training fold, as sentences; empty when nothing was.

    The dates that the artifact states are not believed: the scaler is fitted again, each name of a vocabulary is looked
    for among the fold's bars, the sessions between the blocks are counted.

    Args:
        artifact: Of a network or of a baseline, which has neither scaler nor vocabulary.
        frame: The observed panel that it was fitted on, later sessions included.
        fold: The blocks.
    """
    rows, found = frame.filter(pl.col("date").is_between(fold.training.first, fold.training.last)), []
    if artifact.scaler and not _is_fitted_on(Scaler.from_json(dict(artifact.scaler)), frame, fold.training):
        found.append(f"the scaler is not that of the training fold {fold.training.first} to {fold.training.last}")
    for variable, names in artifact.vocabulary.items():
        late = sorted(set(names) - set(rows.get_column(variable).to_list()))
        if late:
            found.append(f"the vocabulary of {variable} knows {late[0]}, which has no bar in the training fold")
    for earlier, later in pairwise((fold.training, fold.validation, fold.test)):
        between = len(sessions(earlier.last, later.first)) - 2
        if between < HORIZON:
            found.append(
                f"only {between} sessions lie between {earlier.last} and {later.first}, labels reach {HORIZON}"
            )
    return found


def _is_fitted_on(scaler: Scaler, frame: pl.DataFrame, block: Block) -> bool:
    expected = Scaler.fit(frame, fold=block)
    dates = (scaler.fitted_from, scaler.fitted_to) == (expected.fitted_from, expected.fitted_to)
    pairs = (scaler.means, expected.means), (scaler.deviations, expected.deviations)
    return dates and all(np.allclose(one, other, rtol=1e-9, atol=0) for one, other in pairs)


def passed(day: date) -> dict[str, Any]:
    """What the artifact of a model that passed says of it; without it no model becomes champion."""
    return {"day": day.isoformat(), "unchanged_by": list(poisons(day))}


def _panel_forecast(model: QuantileModel, bars: pl.DataFrame, dataset: Dataset, day: date) -> pl.DataFrame:
    """As training and evaluation see it: the panel is built to the dataset's end, and read at the day."""
    frame = observe(build_panel(bars, dataset.details, end=dataset.end).frame)
    origins = find_origins(frame, Block(day, day))
    tickers = frame.get_column("ticker").gather(origins)
    if not len(origins):
        return pl.DataFrame({"ticker": tickers})
    found = model.quantiles(frame, origins)
    bits = {
        name: np.ascontiguousarray(values, np.float64).reshape(len(origins), -1).view(np.int64)
        for name, values in (("cumulative", found.cumulative), ("daily", found.daily))
    }
    return pl.DataFrame({"ticker": tickers, **bits})


def _door_forecast(model: QuantileModel, bars: pl.DataFrame, dataset: Dataset, day: date) -> pl.DataFrame:
    """As services see it, through the forecaster."""
    forecaster = PanelForecaster(model, "leak-gate")
    return forecaster.forecast(bars, dataset.details, day, bars_version=dataset.bars_version).frame
