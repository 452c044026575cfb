"""The champion's figures as metrics: its held-out and its live scores, and how far its inputs have drifted."""

from collections.abc import Mapping
from datetime import date
from typing import cast

import polars as pl
from prometheus_client import Gauge

from internal.baselines.catalogue import find_best_baseline
from internal.dates import previous_session
from internal.errors import FundError
from internal.features.scaling import Scaler
from internal.features.windows import HORIZON
from internal.forecasting.artifact import Artifact, load_artifact
from internal.forecasting.forecaster import REQUIRED_HISTORY
from internal.forecasting.registry import Registry
from internal.telemetry import get_logger
from portfoliomanager.forecast_monitoring import ForecastScore, measure_drift, score_forecasts
from portfoliomanager.ports import ForecastStore

SESSIONS = 20
DRIFT_TICKERS = 500  # evenly from the alphabet: the mean of such a sample is as good, and costs seconds less
UNKNOWN = float("nan")

type HeldOut = Mapping[str, Mapping[str, float]]  # by model, what `models train` measured

LOSS = Gauge("model_cumulative_loss", "The champion's pinball loss of cumulative log returns, held out")
BASELINE_LOSS = Gauge("model_baseline_loss", "The best baseline's, on the same held-out sessions")
COVERAGE = Gauge("model_interval_coverage_ratio", "Share of truths in the champion's 80 % interval, held out")
LIVE_LOSS = Gauge("model_live_cumulative_loss", "Pinball loss of forecasts whose target came in the last 20 sessions")
LIVE_COVERAGE = Gauge("model_live_interval_coverage_ratio", "Share of those targets in the forecasts' 80 % interval")
LIVE_TARGETS = Gauge("model_live_targets", "How many those targets are")
DRIFT = Gauge(
    "model_input_drift_deviations", "Mean shift over 20 sessions, in the training's deviations", ("variable",)
)
for _gauge in (LOSS, BASELINE_LOSS, COVERAGE, LIVE_LOSS, LIVE_COVERAGE):
    _gauge.set(UNKNOWN)


class ModelWatch:
    """Sets the champion's gauges, after each forecast and after a start; what cannot be measured is logged.

    Attributes:
        live: The forecasts whose target came in the last 20 sessions, as they were last measured; None before.
    """

    def __init__(self, registry: Registry, store: ForecastStore) -> None:
        self._registry, self._store = registry, store
        self.live: ForecastScore | None = None

    def show(self, day: date) -> None:
        """Set every gauge as of the close of a session; figures that cannot be had keep their last value."""
        try:
            champion = load_artifact(self._registry.path())
            _show_held_out(champion)
            stored = self._store.predictions(_first_origin(day), day, named_as_of=day)
            self._show_live(stored, day)
            self._show_drift(champion, stored, day)
        except FundError as error:
            get_logger(__name__).warning("model_figures_not_shown", date=str(day), detail=error.detail)

    def _show_live(self, stored: pl.DataFrame, day: date) -> None:
        due = stored.filter(pl.col("target_date").is_between(previous_session(day, SESSIONS - 1), day))
        if due.is_empty():
            return
        columns = ("ticker", "date", "close")
        closes, _ = self._store.bars(_first_origin(day), day, adjusted_as_of=day, columns=columns, tickers=())
        found = score_forecasts(due, closes)
        self.live = found
        LIVE_TARGETS.set(found.targets if found else 0)
        if found:
            LIVE_LOSS.set(found.loss)
            LIVE_COVERAGE.set(found.coverage)

    def _show_drift(self, champion: Artifact, stored: pl.DataFrame, day: date) -> None:
        DRIFT.clear()
        if not champion.scaler or stored.is_empty():
            return
        tickers = stored.get_column("ticker").unique().sort()
        sample = tickers.gather_every(-(-tickers.len() // DRIFT_TICKERS)).to_list()
        start = previous_session(day, REQUIRED_HISTORY)
        bars, _ = self._store.bars(start, day, adjusted_as_of=day, columns=(), tickers=sample)
        found = measure_drift(bars, self._store.details(), Scaler.from_json(dict(champion.scaler)), SESSIONS)
        for variable, shift in found.items():
            DRIFT.labels(variable).set(shift)


def _first_origin(day: date) -> date:
    """The oldest origin whose forecasts reach the sessions that are judged."""
    return previous_session(day, SESSIONS - 1 + HORIZON)


def _show_held_out(champion: Artifact) -> None:
    """From what `models train` measured; unknown for a model that it did not measure beside the baselines."""
    held_out: HeldOut = cast("HeldOut", champion.metrics.get("held_out", {}))
    own = held_out.get(champion.kind, {})
    LOSS.set(own.get("cumulative_loss", UNKNOWN))
    COVERAGE.set(own.get("coverage", UNKNOWN))
    best = find_best_baseline(held_out, champion.kind)
    BASELINE_LOSS.set(UNKNOWN if best is None else held_out[best]["cumulative_loss"])
