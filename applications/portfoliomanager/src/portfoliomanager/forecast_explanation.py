"""Why a stored forecast is what it is, asked of the very model that made it."""

from dataclasses import dataclass
from datetime import date, datetime

import polars as pl

from internal.dates import last_closed_session, previous_session
from internal.errors import NotFoundError
from internal.forecasting.explanation import Explanation
from internal.forecasting.forecaster import Forecaster
from portfoliomanager.forecasting import Champion, read_bars_up_to
from portfoliomanager.ports import ForecastStore

LATEST_SESSIONS = 10  # how far back the latest predictions are looked for


@dataclass(frozen=True)
class StoredForecast:
    """A ticker's stored forecast.

    Attributes:
        ticker: Whose.
        day: The session that was forecast from.
        model_version: Of the model that made it.
        rows: The seven rows of the frame `predictions`, by horizon.
    """

    ticker: str
    day: date
    model_version: str
    rows: pl.DataFrame


@dataclass(frozen=True)
class ExplainedForecast:
    """A ticker's stored forecast and why.

    Attributes:
        forecast: As it was stored.
        explanation: Weights of variables and of sessions.
        bars_version: Of the bars that the explanation was computed from.
    """

    forecast: StoredForecast
    explanation: Explanation
    bars_version: int


def read_predictions(store: ForecastStore, day: date | None, moment: datetime) -> pl.DataFrame:
    """The predictions made at a session, by default the latest. Raises NotFoundError when there are none."""
    end = day or last_closed_session(moment)
    found = store.predictions(day or previous_session(end, LATEST_SESSIONS), end)
    if found.is_empty():
        raise NotFoundError(f"there are no predictions {'of' if day else 'up to'} {end}: POST /predictions makes them")
    return found.filter(date=found.get_column("date").max())


def find_forecast(store: ForecastStore, ticker: str, day: date | None, moment: datetime) -> StoredForecast:
    """A ticker's forecast. Raises NotFoundError: there are none of the day, or none of the ticker among them."""
    predictions = read_predictions(store, day, moment)
    session, version = predictions.row(0, named=True)["date"], predictions.item(0, "model_version")
    rows = predictions.filter(ticker=ticker).sort("horizon")
    if rows.is_empty():
        raise NotFoundError(f"{ticker} is not among the predictions of {session}: it was left out, or is no ticker")
    return StoredForecast(ticker, session, version, rows)


def explain_forecast(store: ForecastStore, champion: Champion, forecast: StoredForecast) -> ExplainedForecast:
    """Explain a forecast from the bars of its ticker: the network looks at one window, whatever the others are.

    Raises:
        ConflictError: It comes from a baseline, which weighs nothing, or the day's bars are gone.
        UnavailableError: The model that made it is not in the registry any more, or was changed there.
    """
    details = store.details()

    def ask(forecaster: Forecaster) -> ExplainedForecast:
        bars, bars_version = read_bars_up_to(store, forecast.day, forecaster.required_history, (forecast.ticker,))
        explanation = forecaster.explain(bars, details, forecast.day, forecast.ticker)
        return ExplainedForecast(forecast, explanation, bars_version)

    return champion.use(ask, forecast.model_version)
