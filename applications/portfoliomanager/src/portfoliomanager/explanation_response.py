"""The JSON body of `GET /predictions/{ticker}/explanation`, with an example."""

import datetime as dt
from typing import Any

import polars as pl
from pydantic import BaseModel, ConfigDict, Field

from portfoliomanager.forecast_explanation import ExplainedForecast, StoredForecast

EXAMPLE: dict[str, Any] = {
    "ticker": "AAPL",
    "date": "2024-12-31",
    "model_version": "0f3a9c52d1e84b70",
    "bars_version": 12,
    "forecast": [
        {
            "horizon": 1,
            "target_date": "2025-01-02",
            "quantile_10": -0.018,
            "quantile_50": 0.001,
            "quantile_90": 0.019,
        }
    ],
    "static": {"ticker": 0.41, "sector": 0.35, "industry": 0.24},
    "past": {"recent_volatility": 0.55, "close": 0.45},
    "future": {"day_of_week": 0.7, "holiday_next": 0.3},
    "past_by_session": [{"date": "2024-12-31", "weights": {"recent_volatility": 0.55, "close": 0.45}}],
    "future_by_session": [{"date": "2025-01-02", "weights": {"day_of_week": 0.7, "holiday_next": 0.3}}],
    "attention": [
        {"horizon": 1, "target_date": "2025-01-02", "weights": {"2024-12-31": 0.8, "2025-01-02": 0.2}},
    ],
}


class ForecastStep(BaseModel):
    """One session ahead; quantiles of the cumulative simple return from the close of `date`."""

    horizon: int
    target_date: dt.date
    quantile_10: float
    quantile_50: float
    quantile_90: float


class SessionWeights(BaseModel):
    """The variables' weights at one session; they sum to one."""

    date: dt.date
    weights: dict[str, float]


class StepAttention(BaseModel):
    """How much the forecast of `target_date` looks at each session up to it; the weights sum to one."""

    horizon: int
    target_date: dt.date
    weights: dict[dt.date, float]


class ExplanationResponse(BaseModel):
    """Why a stored forecast is what it is: every weight is a share, and shares of one kind sum to one."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    ticker: str
    date: dt.date = Field(description="The session whose close was forecast from")
    model_version: str
    bars_version: int
    forecast: list[ForecastStep]
    static: dict[str, float] = Field(description="Weight by static variable")
    past: dict[str, float] = Field(description="Weight by variable of the past, averaged over its sessions")
    future: dict[str, float] = Field(description="Weight by known variable, averaged over the sessions ahead")
    past_by_session: list[SessionWeights]
    future_by_session: list[SessionWeights]
    attention: list[StepAttention]


def explanation_response(explained: ExplainedForecast) -> ExplanationResponse:
    """The explanation as JSON."""
    found = explained.explanation
    return ExplanationResponse(
        ticker=explained.forecast.ticker,
        date=explained.forecast.day,
        model_version=found.model_version,
        bars_version=explained.bars_version,
        forecast=list_steps(explained.forecast),
        static=_largest_first(found.static),
        past=_averages(found.past),
        future=_averages(found.future),
        past_by_session=_by_session(found.past),
        future_by_session=_by_session(found.future),
        attention=[_attention(step) for step in found.attention.partition_by("horizon", maintain_order=True)],
    )


def list_steps(forecast: StoredForecast) -> list[ForecastStep]:
    """The sessions ahead."""
    return [ForecastStep(**row) for row in forecast.rows.select(list(ForecastStep.model_fields)).to_dicts()]


def _largest_first(weights: dict[str, float]) -> dict[str, float]:
    return dict(sorted(weights.items(), key=lambda one: -one[1]))


def _averages(frame: pl.DataFrame) -> dict[str, float]:
    return _largest_first(frame.drop("date").mean().row(0, named=True))


def _by_session(frame: pl.DataFrame) -> list[SessionWeights]:
    return [SessionWeights(date=row.pop("date"), weights=row) for row in frame.to_dicts()]


def _attention(step: pl.DataFrame) -> StepAttention:
    horizon, target = step.row(0)[:2]
    weights = dict(step.select("date", "weight").iter_rows())
    return StepAttention(horizon=horizon, target_date=target, weights=weights)
