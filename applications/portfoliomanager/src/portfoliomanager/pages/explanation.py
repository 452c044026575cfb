"""The view of a forecast's explanation: the forecast, which variables, which sessions."""

from dataclasses import dataclass
from datetime import date
from typing import Self

from internal.features.variables import DESCRIPTIONS
from internal.pages.marks import Band
from portfoliomanager.explanation_response import ExplanationResponse, list_steps
from portfoliomanager.forecast_explanation import StoredForecast


@dataclass(frozen=True)
class Weight:
    """A variable and its share."""

    name: str
    weight: float

    @property
    def description(self) -> str:
        """What the variable is; empty for one of an earlier version's model."""
        return DESCRIPTIONS.get(self.name, "")


@dataclass(frozen=True)
class DayWeight:
    """A session and its share of the attention."""

    day: date
    weight: float


@dataclass(frozen=True)
class Step:
    """A session ahead and the return forecast for it."""

    day: date
    band: Band


@dataclass(frozen=True)
class Weights:
    """What the network looked at, largest first; the attention is that of the last session ahead."""

    bars_version: int
    last_day: date
    attention: list[DayWeight]
    past: list[Weight]
    future: list[Weight]
    static: list[Weight]

    @classmethod
    def of(cls, found: ExplanationResponse) -> Self:
        """The weights of an answer."""
        attention = [DayWeight(day, weight) for day, weight in found.attention[-1].weights.items()]
        shares = (_list_weights(one) for one in (found.past, found.future, found.static))
        return cls(found.bars_version, found.attention[-1].target_date, attention, *shares)

    @property
    def attention_columns(self) -> list[tuple[str, float]]:
        """The attention as columns of a picture."""
        return [(one.day.isoformat(), one.weight) for one in self.attention]


@dataclass(frozen=True)
class ExplanationView:
    """What the page shows; without weights it asks for them once it is shown."""

    ticker: str
    day: date
    model_version: str
    steps: list[Step]
    weights: Weights | None

    @classmethod
    def of(cls, forecast: StoredForecast, weights: Weights | None) -> Self:
        """The view of a forecast and, where they were asked for, of its weights."""
        steps = [
            Step(one.target_date, Band(one.quantile_10, one.quantile_50, one.quantile_90))
            for one in list_steps(forecast)
        ]
        return cls(forecast.ticker, forecast.day, forecast.model_version, steps, weights)

    @property
    def reach(self) -> float:
        """The largest return of the forecast, to either side."""
        return max(abs(edge) for step in self.steps for edge in (step.band.low, step.band.high))


def _list_weights(weights: dict[str, float]) -> list[Weight]:
    return [Weight(name, weight) for name, weight in weights.items()]
