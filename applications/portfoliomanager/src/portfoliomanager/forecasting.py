"""Forecasts of a session: the data service's bars through the champion model into the frame `predictions`."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final

import polars as pl

from internal.dates import last_closed_session, previous_session
from internal.errors import ArtifactError, ConflictError, UnavailableError
from internal.forecasting.forecaster import Forecast, Forecaster
from internal.forecasting.registry import CHAMPION, RegisteredModel, Registry
from internal.model_registry import load_forecaster
from internal.trading.rebalancing import require_closed_session
from portfoliomanager.ports import ForecastStore

ANOTHER_CHAMPION: Final = (
    "`./fund models list` shows the other models, `./fund models promote VERSION` makes one the champion"
)


@dataclass(frozen=True)
class Predicted:
    """What was forecast, stored at the data service.

    `reforecasts` are the rows of a session that had other forecasts already, which stay what decisions are taken on.
    """

    day: date
    forecast: Forecast
    model_version: str
    bars_version: int
    trained_through: date | None
    reforecasts: int = 0


class Champion:
    """The registry's champion, loaded once and again when another one is promoted; on demand an earlier one too.

    Everything happens on one thread of its own: tinygrad's compiler cache and its JIT belong to the thread that made
    them.
    """

    def __init__(self, registry: Registry) -> None:
        """Nothing is loaded before the first forecast."""
        self._registry = registry
        self._loaded: dict[str, Forecaster] = {}
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="forecaster")

    def use[Answer](self, work: Callable[[Forecaster], Answer], name: str = CHAMPION) -> Answer:
        """Run the work with the champion, or with a version that was it. Raises UnavailableError when there is none."""
        return self._thread.submit(self._use, work, name).result()

    def require(self) -> None:
        """Raise UnavailableError when there is no usable champion."""
        try:
            self._registry.path()
        except ArtifactError as error:
            raise self._unusable(error) from error

    def list_registered(self) -> list[RegisteredModel]:
        """Every model of the registry, oldest first. Raises UnavailableError when the champion is damaged."""
        registered = self._registry.list()
        damage = next((one.damage for one in registered if one.damage and CHAMPION in one.aliases), None)
        if damage is not None:
            raise UnavailableError(f"{damage}. {ANOTHER_CHAMPION}")
        return registered

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown()

    def _use[Answer](self, work: Callable[[Forecaster], Answer], name: str) -> Answer:
        try:
            folder = self._registry.path(name)
            forecaster = self._loaded.pop(folder.name, None) or load_forecaster(folder)
        except ArtifactError as error:
            raise self._unusable(error, name) from error
        latest = list(self._loaded.items())[-1:]  # two are kept: the champion and one that is asked about
        self._loaded = {**dict(latest), folder.name: forecaster}
        return work(forecaster)

    def _unusable(self, error: ArtifactError, name: str = CHAMPION) -> UnavailableError:
        """Of a champion that is there, with what to do instead of restoring it."""
        remedy = f". {ANOTHER_CHAMPION}" if name == CHAMPION and self._registry.has_alias() else ""
        return UnavailableError(f"{error.detail}{remedy}")


def predict(store: ForecastStore, champion: Champion, day: date | None, moment: datetime) -> Predicted:
    """Forecast a session, by default the last closed one, and store the predictions.

    Raises InvalidRequestError (no session, not closed), ConflictError (no bars of it), UnavailableError (no model).
    """
    session = day or last_closed_session(moment)
    require_closed_session(session, moment)
    champion.require()
    details = store.details()

    def forecast(forecaster: Forecaster) -> Predicted:
        bars, version = read_bars_up_to(store, session, forecaster.required_history)
        found = forecaster.forecast(bars, details, session, bars_version=version)
        return Predicted(session, found, forecaster.model_version, version, forecaster.trained_through)

    predicted = champion.use(forecast)
    stored = store.save_predictions(predicted.forecast.frame, predicted.trained_through)
    return replace(predicted, reforecasts=stored)


def read_bars_up_to(
    store: ForecastStore, day: date, history: int, tickers: Sequence[str] = ()
) -> tuple[pl.DataFrame, int]:
    """The bars that a forecast from a day is made of, and their version; no tickers means all.

    Raises ConflictError: there are none of that day.
    """
    start = previous_session(day, history)
    bars, version = store.bars(start, day, adjusted_as_of=day, tickers=tickers)
    if bars.filter(pl.col("date") == day).is_empty():
        raise ConflictError(
            f'there are no bars of {day}: POST /equity-bars {{"date": "{day}"}} to datamanager, then try again'
        )
    return bars, version
