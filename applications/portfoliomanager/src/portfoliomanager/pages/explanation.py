"""The view of a forecast's explanation: the forecast, which variables, which sessions."""

from dataclasses import dataclass
from datetime import date
from typing import Self

from internal.pages.marks import Band
from portfoliomanager.explanation_response import ExplanationResponse


@dataclass(frozen=True)
class Weight:
    """A variable and its share."""

    name: str
    weight: float


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
class ExplanationView:
    """What the page shows; weights are largest first, the attention is that of the last session ahead."""

    ticker: str
    day: date
    model_version: str
    bars_version: int
    steps: list[Step]
    attention: list[DayWeight]
    past: list[Weight]
    future: list[Weight]
    static: list[Weight]

    @classmethod
    def of(cls, found: ExplanationResponse) -> Self:
        """The view of an answer."""
        steps = [
            Step(one.target_date, Band(one.quantile_10, one.quantile_50, one.quantile_90)) for one in found.forecast
        ]
        attention = [DayWeight(day, weight) for day, weight in found.attention[-1].weights.items()]
        shares = (_list_weights(one) for one in (found.past, found.future, found.static))
        return cls(found.ticker, found.date, found.model_version, found.bars_version, steps, attention, *shares)

    @property
    def reach(self) -> float:
        """The largest return of the forecast, to either side."""
        return max(abs(edge) for step in self.steps for edge in (step.band.low, step.band.high))

    @property
    def attention_columns(self) -> list[tuple[str, float]]:
        """The attention as columns of a picture."""
        return [(one.day.isoformat(), one.weight) for one in self.attention]


def _list_weights(weights: dict[str, float]) -> list[Weight]:
    return [Weight(name, weight) for name, weight in weights.items()]
