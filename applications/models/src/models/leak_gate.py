"""The leak gate: what is forecast at t must not change by one bit when everything after t is removed or poisoned.

Knows how to poison bars and to compare bits. Runs on any quantile model, through the same panel and variables that
training uses, with the panel's end left in the future on purpose.
"""

from collections.abc import Callable
from datetime import date
from typing import Final

import numpy as np
import polars as pl

from internal.features.panel import PRICES, build_panel
from internal.features.splits import Block
from internal.features.variables import observe
from internal.features.windows import find_origins
from internal.tft.forecaster import PanelForecaster, QuantileModel
from models.dataset import Dataset

Poison = Callable[[pl.DataFrame], pl.DataFrame]


def _later(day: date, value: pl.Expr) -> Poison:
    columns = [pl.when(pl.col("date") > day).then(value).otherwise(pl.col(name)).alias(name) for name in PRICES]
    return lambda bars: bars.with_columns(columns)


def poisons(day: date) -> dict[str, Poison]:
    """Ways of changing everything after a day: removed, not a number, enormous, and plausible but wrong."""
    return {
        "removed": lambda bars: bars.filter(pl.col("date") <= day),
        "not a number": _later(day, pl.lit(float("nan"))),
        "1e9": _later(day, pl.lit(1e9)),
        "half as high": _later(day, pl.col("close") / 2),
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


def _panel_forecast(model: QuantileModel, bars: pl.DataFrame, dataset: Dataset, day: date) -> pl.DataFrame:
    """As training and evaluation see it: the panel is built to the dataset's end, and read at the day."""
    frame = observe(build_panel(bars, dataset.details, end=dataset.end).frame)
    origins = find_origins(frame, Block(day, day))
    quantiles = model.predict(frame, origins) if len(origins) else np.empty((0, 7, 3))
    return pl.DataFrame(
        {"ticker": frame.get_column("ticker").gather(origins), "bits": quantiles.reshape(-1, 21).view(np.int64)}
    )


def _door_forecast(model: QuantileModel, bars: pl.DataFrame, dataset: Dataset, day: date) -> pl.DataFrame:
    """As services see it, through the forecaster."""
    forecaster = PanelForecaster(model, "leak-gate")
    return forecaster.forecast(bars, dataset.details, day, bars_version=dataset.bars_version).frame
