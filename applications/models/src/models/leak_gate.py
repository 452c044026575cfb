"""The leak gate: a forecast of day t must be bit-identical when every bar after t is removed or altered.

It forecasts through the panel and variables that training uses, and through the forecaster that services use. It also
checks that nothing in an artifact was fitted beyond the training fold.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from hashlib import sha256
from io import BytesIO
from itertools import pairwise
from typing import Any, Final, Self

import numpy as np
import polars as pl

from internal.baselines.model import BaselineModel
from internal.dates import previous_session, sessions
from internal.features.panel import PRICES, build_panel
from internal.features.scaling import Scaler
from internal.features.splits import Block, Fold
from internal.features.variables import observe
from internal.features.windows import HORIZON, find_origins
from internal.forecasting.artifact import Artifact
from internal.forecasting.forecaster import REQUIRED_HISTORY, PanelForecaster, observe_until
from internal.forecasting.quantiles import QuantileModel
from models.dataset import Dataset
from models.progress import OnProgress, Progress, Step, ignore_progress

Alteration = Callable[[pl.DataFrame], pl.DataFrame]
AVERAGE: Final = "volume_weighted_average_price"
NO_FORECAST: Final = "no forecast at all"


def make_alterations(day: date) -> dict[str, Alteration]:
    """Ways to change every bar after a day: removed, not a number, very large, and plausible but wrong."""
    return {
        "removed": lambda bars: bars.filter(pl.col("date") <= day),
        "not a number": lambda bars: _replace_later(bars, day, pl.lit(float("nan")), pl.lit(float("nan"))),
        "1e9": lambda bars: _replace_later(bars, day, pl.lit(1e9), pl.lit(1e9)),
        "half as high": lambda bars: _replace_later(bars, day, pl.col("close") / 2, pl.col("volume") * 3),
    }


def _replace_later(bars: pl.DataFrame, day: date, price: pl.Expr, volume: pl.Expr) -> pl.DataFrame:
    """Replace every price and volume after a day."""
    values = {**dict.fromkeys((*PRICES, AVERAGE), price), "volume": volume}
    return bars.with_columns(
        pl.when(pl.col("date") > day).then(value).otherwise(pl.col(name)).alias(name)
        for name, value in values.items()
        if name in bars.columns
    )


def drop_early_bars(dataset: Dataset, day: date) -> Dataset:
    """The dataset from the first session on that a forecaster reads at a day: the gate needs no others."""
    early = dataset.bars.get_column("date") < previous_session(day, REQUIRED_HISTORY - 1)
    return replace(dataset, bars=dataset.bars.filter(~early)) if early.any() else dataset


def find_leaks(
    model: QuantileModel, dataset: Dataset, day: date, on_progress: OnProgress = ignore_progress
) -> list[str]:
    """Forecast at a day with later bars as they are and altered; earlier ones are those that a forecaster reads.

    Returns:
        The names of the alterations that changed a forecast; empty when nothing leaks.
    """
    alterations, changed = make_alterations(day), list[str]()
    on_progress(Progress(Step.LEAK_GATE, 0, len(alterations) + 1, "later bars as they are"))
    bars = drop_early_bars(dataset, day).bars
    expected = _forecast_both_ways(model, bars, dataset, day)
    if expected.through_panel.is_empty():
        return [NO_FORECAST]
    for done, (name, alter) in enumerate(alterations.items(), start=1):
        on_progress(Progress(Step.LEAK_GATE, done, len(alterations) + 1, f"later bars {name}"))
        if not _forecast_both_ways(model, alter(bars), dataset, day, before=expected).equals(expected):
            changed.append(name)
    on_progress(Progress(Step.LEAK_GATE, len(alterations) + 1, len(alterations) + 1))
    return changed


@dataclass(frozen=True)
class _Forecasts:
    """Forecasts of a day.

    Attributes:
        through_panel: As training and evaluation make them.
        through_forecaster: As services make them.
        read: A digest of the panel that services' forecasts are made of.
    """

    through_panel: pl.DataFrame
    through_forecaster: pl.DataFrame
    read: bytes

    def equals(self, other: Self) -> bool:
        """Whether both are the same to the bit."""
        pairs = (
            (self.through_panel, other.through_panel),
            (self.through_forecaster, other.through_forecaster),
        )
        return all(mine.equals(theirs) for mine, theirs in pairs)


def _forecast_both_ways(
    model: QuantileModel, bars: pl.DataFrame, dataset: Dataset, day: date, before: _Forecasts | None = None
) -> _Forecasts:
    """The forecasts through the panel and through the forecaster.

    The latter are not made again of a panel that is to the bit the one that those `before` were made of.
    """
    through_panel = _forecast_through_panel(model, bars, dataset, day)
    if through_panel.is_empty():
        return _Forecasts(through_panel, through_panel, b"")
    read = _digest(observe_until(bars, dataset.details, day))
    if before is not None and read == before.read:
        return _Forecasts(through_panel, before.through_forecaster, read)
    return _Forecasts(through_panel, _forecast_through_forecaster(model, bars, dataset, day), read)


def _digest(frame: pl.DataFrame) -> bytes:
    """Of every bit of a frame, column by column, so that one column at a time is written."""
    digest = sha256()
    for name in frame.columns:
        content = BytesIO()
        frame.select(name).write_ipc(content)
        digest.update(content.getbuffer())
    return digest.digest()


def find_late_fits(artifact: Artifact, frame: pl.DataFrame, fold: Fold) -> list[str]:
    """What in an artifact was fitted beyond the training fold, as sentences; empty when nothing was.

    The dates that the artifact states are not trusted: the scaler is fitted again, each name of a vocabulary is looked
    up among the fold's bars, and the sessions between the blocks are counted.

    Args:
        artifact: Of a network or of a baseline, which has neither scaler nor vocabulary.
        frame: The observed panel that it was fitted on, later sessions included.
        fold: The blocks.
    """
    inside = pl.col("date").is_between(fold.training.first, fold.training.last)
    found: list[str] = []
    if artifact.scaler and not _is_fitted_on(Scaler.from_json(dict(artifact.scaler)), frame, fold.training):
        found.append(f"the scaler is not that of the training fold {fold.training.first} to {fold.training.last}")
    for variable, names in artifact.vocabulary.items():
        late = sorted(set(names) - set(frame.select(pl.col(variable).filter(inside).unique()).to_series().to_list()))
        if late:
            found.append(f"the vocabulary of {variable} contains {late[0]}, which has no bar in the training fold")
    for earlier, later in pairwise((fold.training, fold.validation, fold.test)):
        between = len(sessions(earlier.last, later.first)) - 2
        if between < HORIZON:
            found.append(
                f"only {between} sessions are between {earlier.last} and {later.first}, but labels reach {HORIZON}"
            )
    return found


def _is_fitted_on(scaler: Scaler, frame: pl.DataFrame, block: Block) -> bool:
    expected = Scaler.fit(frame, fold=block)
    dates = (scaler.fitted_from, scaler.fitted_to) == (expected.fitted_from, expected.fitted_to)
    pairs = (scaler.means, expected.means), (scaler.deviations, expected.deviations)
    return dates and all(np.allclose(one, other, rtol=1e-9, atol=0) for one, other in pairs)


def describe_pass(day: date) -> dict[str, Any]:
    """The record of a passed gate in an artifact; without it a model cannot become champion."""
    return {"day": day.isoformat(), "unchanged_by": list(make_alterations(day))}


def _forecast_through_panel(model: QuantileModel, bars: pl.DataFrame, dataset: Dataset, day: date) -> pl.DataFrame:
    """Forecast as training and evaluation do: the panel reaches the dataset's end and is read at the day."""
    for_networks = not isinstance(model, BaselineModel)
    frame = observe(build_panel(bars, dataset.details, end=dataset.end).frame, for_networks=for_networks)
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


def _forecast_through_forecaster(model: QuantileModel, bars: pl.DataFrame, dataset: Dataset, day: date) -> pl.DataFrame:
    """Forecast as services do."""
    forecaster = PanelForecaster(model, "leak-gate")
    return forecaster.forecast(bars, dataset.details, day, bars_version=dataset.bars_version).frame
