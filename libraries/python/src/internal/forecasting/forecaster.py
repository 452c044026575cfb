"""The forecaster: bars in, the predictions frame out, with a reason for each ticker that is left out.

Services use a model through it, whatever the model's kind.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final, Protocol

import numpy as np
import polars as pl

from internal.dates import is_session, next_session
from internal.errors import ArtifactError, ConflictError, InvalidRequestError, NotFoundError
from internal.features.panel import build_panel
from internal.features.splits import Block
from internal.features.variables import observe
from internal.features.windows import MINIMUM_HISTORY, PAST_LENGTH, find_origins
from internal.forecasting.explanation import Explanation, name_weights
from internal.forecasting.quantiles import QUANTILES, STEPS, ExplainingModel, QuantileModel
from internal.schemas import predictions

REQUIRED_HISTORY: Final = 320


@dataclass(frozen=True)
class Forecast:
    """The result of a forecaster.

    Attributes:
        frame: The frame `predictions` of the contract, sorted by ticker and horizon; empty when all were left out.
        excluded: (ticker, reason) of every ticker that has bars but no forecast, sorted.
    """

    frame: pl.DataFrame
    excluded: list[tuple[str, str]]


class Forecaster(Protocol):
    """Forecasts and explanations from bars.

    Attributes:
        model_version: The artifact's version, as written into every prediction.
        required_history: Sessions up to the day that `bars` should reach back, so that averages of the day are what
            they were in training; those of a year before, which earnings features read, are shorter. Fewer still work,
            down to the minimum that each ticker is excluded by.
        trained_through: The last session that the model's training saw; None where it is not known.
    """

    model_version: str
    required_history: int
    trained_through: date | None

    def forecast(self, bars: pl.DataFrame, details: pl.DataFrame, day: date, *, bars_version: int) -> Forecast:
        """Forecast the next seven sessions of every ticker from the close of a day. See `PanelForecaster.forecast`."""
        ...

    def explain(self, bars: pl.DataFrame, details: pl.DataFrame, day: date, ticker: str) -> Explanation:
        """Explain a ticker's forecast. See `PanelForecaster.explain`."""
        ...


class PanelForecaster:
    """Any quantile model as a `Forecaster`: bars to panel, the day's rows to quantiles, those to simple returns."""

    def __init__(self, model: QuantileModel, model_version: str, trained_through: date | None = None) -> None:
        """Takes the model, the version written into its forecasts, and the last session that its training saw."""
        self.trained_through = trained_through
        self.model_version = model_version
        self.required_history = REQUIRED_HISTORY
        self._model = model

    def forecast(self, bars: pl.DataFrame, details: pl.DataFrame, day: date, *, bars_version: int) -> Forecast:
        """Forecast the next seven sessions of every ticker from the close of a day.

        Args:
            bars: Frame `equity_bars` adjusted as of `day`. **Guard:** bars after the day are removed first; they change
                no bit of the answer.
            details: Frame `equity_details`.
            day: The origin, a session.
            bars_version: Delta version of the bars, passed through to the frame.

        Raises:
            InvalidRequestError: The day is no session, or there is no bar up to it.
            SchemaError: The bars lack a column or hold a key twice.
            ArtifactError: The model answered with something that is not a number.
        """
        frame = observe_until(bars, details, day)
        origins = find_origins(frame, Block(day, day))
        quantiles = self._model.predict(frame, origins) if len(origins) else np.empty((0, len(STEPS), len(QUANTILES)))
        if not np.isfinite(quantiles).all():
            raise ArtifactError(f"model {self.model_version} gave a forecast that is not finite: train again")
        tickers = frame.get_column("ticker").gather(origins)
        answer = _predictions(tickers, np.expm1(quantiles), day, self.model_version, bars_version)
        return Forecast(answer, _excluded(bars, frame, tickers, day))

    def explain(self, bars: pl.DataFrame, details: pl.DataFrame, day: date, ticker: str) -> Explanation:
        """Explain a ticker's forecast from the close of a day.

        Args:
            bars: As for `forecast`; those of the ticker are enough.
            details: Frame `equity_details`.
            day: The origin, a session.
            ticker: The one to explain.

        Raises:
            ConflictError: The model is a baseline, which has no weights.
            NotFoundError: The ticker has no forecast at that day; the message gives the reason.
            InvalidRequestError: As for `forecast`.
        """
        if not isinstance(self._model, ExplainingModel):
            raise ConflictError(f"model {self.model_version} is a baseline: it has no weights and no attention to show")
        frame = observe_until(bars, details, day)
        origins = find_origins(frame, Block(day, day))
        tickers = frame.get_column("ticker").gather(origins)
        place = tickers.index_of(ticker)
        if place is None:
            reasons = dict(_excluded(bars, frame, tickers, day))
            raise NotFoundError(
                f"{ticker} has no forecast from {day}: {reasons.get(ticker, 'there are no bars of it')}"
            )
        past = frame.get_column("date").slice(int(origins[place]) - PAST_LENGTH + 1, PAST_LENGTH)
        ahead = [next_session(day, step) for step in STEPS]
        weights = self._model.explain(frame, origins, place)
        return name_weights(weights, past.to_list(), ahead, self.model_version)


def observe_until(bars: pl.DataFrame, details: pl.DataFrame, day: date) -> pl.DataFrame:
    """The observed panel up to a day, of which alone a forecaster's forecast is made.

    Raises:
        InvalidRequestError: The day is no session or has no bar before it.
    """
    if not is_session(day):
        raise InvalidRequestError(f"{day} is not a session, there is no close to forecast from")
    frame = observe(build_panel(bars, details, end=day).frame)
    if frame.is_empty():
        raise InvalidRequestError(f"there is no usable bar up to {day}: collect bars first (`models collect`)")
    return frame


def _predictions(
    tickers: pl.Series, returns: np.ndarray, day: date, model_version: str, bars_version: int
) -> pl.DataFrame:
    """The predictions frame of returns [ticker, step, quantile], cumulative simple returns."""
    columns = {f"quantile_{round(100 * level)}": returns[:, :, place] for place, level in enumerate(QUANTILES)}
    targets = pl.DataFrame(
        {"horizon": STEPS, "target_date": [next_session(day, step) for step in STEPS]},
        schema_overrides={"horizon": pl.Int8},
    )
    rows = (
        pl.DataFrame({"ticker": tickers})
        .join(targets, how="cross", maintain_order="left_right")
        .with_columns(
            *(pl.Series(name, values.reshape(-1), pl.Float64) for name, values in columns.items()),
            date=pl.lit(day),
            model_version=pl.lit(model_version),
            bars_version=pl.lit(bars_version, pl.Int64),
        )
    )
    order = ["date", "ticker", "target_date", "horizon", *columns, "model_version", "bars_version"]
    return predictions.validate(rows.select(order).sort("ticker", "horizon"))


def _excluded(bars: pl.DataFrame, frame: pl.DataFrame, forecast: pl.Series, day: date) -> list[tuple[str, str]]:
    """Every ticker with bars but no forecast, with the reason."""
    seen = bars.lazy().filter(pl.col("date") <= day).select(pl.col("ticker").unique()).collect()
    without = seen.filter(~pl.col("ticker").is_in(forecast.implode()))
    rows = frame.filter(pl.col("ticker").is_in(without.get_column("ticker").implode()))
    latest = rows.group_by("ticker").agg(pl.col("date", "age").last(), traded=pl.col("date").filter("traded").max())
    reason = (
        pl.when(pl.col("date").is_null())
        .then(pl.lit("no usable bar: prices or volumes are missing, absurd or zero"))
        .when(pl.col("traded") < day)
        .then(pl.format("no trade on {}, the last was on {}", pl.lit(day.isoformat()), pl.col("traded").dt.to_string()))
        .otherwise(
            pl.format("{} sessions of unbroken history, {} are needed", pl.col("age") + 1, pl.lit(MINIMUM_HISTORY))
        )
    )
    return without.join(latest, on="ticker", how="left").select("ticker", reason.alias("reason")).sort("ticker").rows()
