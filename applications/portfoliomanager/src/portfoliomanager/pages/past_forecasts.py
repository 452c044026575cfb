"""A ticker's stored forecasts beside what happened, and how often the outcome lay inside their bands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import polars as pl

from internal.pages.marks import Band
from internal.proportions import wilson_interval


@dataclass(frozen=True)
class TargetForecast:
    """What was forecast for one session, and what came.

    Attributes:
        day: The session that the forecast reaches.
        horizon: Sessions ahead, from 1.
        band: Quantiles of the return from the close of the origin.
        outcome: The return that came; None while it is not known, or where the session has no bar.
    """

    day: date
    horizon: int
    band: Band
    outcome: float | None

    @property
    def is_inside(self) -> bool | None:
        """Whether the outcome lay inside the band; None without an outcome."""
        return None if self.outcome is None else self.band.low <= self.outcome <= self.band.high


@dataclass(frozen=True)
class PastForecast:
    """One forecast as it was stored.

    Attributes:
        origin: The session whose close it was made at.
        model_version: Of the model that made it.
        base: The close of the origin, dollars, in the terms of the last close that is shown.
        targets: By horizon.
    """

    origin: date
    model_version: str
    base: float
    targets: tuple[TargetForecast, ...]

    @property
    def known(self) -> int:
        """Targets whose outcome is known."""
        return sum(one.is_inside is not None for one in self.targets)

    @property
    def inside(self) -> int:
        """Targets whose outcome lay inside the band."""
        return sum(one.is_inside is True for one in self.targets)

    @property
    def last(self) -> TargetForecast:
        """The target that is furthest ahead, on which decisions are taken."""
        return self.targets[-1]

    def price(self, change: float) -> float:
        """What a return from the origin makes of the price, dollars."""
        return self.base * (1 + change)


@dataclass(frozen=True)
class Coverage:
    """How often outcomes lay inside the 10 to 90 per cent bands, of which 80 per cent are meant to.

    Attributes:
        horizon: Sessions ahead.
        inside: Outcomes inside the band.
        known: Outcomes.
    """

    horizon: int
    inside: int
    known: int

    @property
    def share(self) -> float:
        """Inside over all."""
        return self.inside / self.known

    @cached_property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the share; outcomes of forecasts that overlap count as so many that do not."""
        return wilson_interval(self.share, max(self.known / self.horizon, 1.0))


def read_forecasts(predictions: pl.DataFrame, closes: Mapping[date, float]) -> tuple[PastForecast, ...]:
    """The forecasts of one ticker, oldest first; one without a close of its origin is left out.

    Args:
        predictions: Rows of `schemas.predictions` of that ticker alone.
        closes: By session, all in the terms of one day.
    """
    found = predictions.sort("date", "horizon").partition_by("date", maintain_order=True)
    return tuple(
        _read_forecast(rows, base, closes) for rows in found if (base := closes.get(rows.item(0, "date"))) is not None
    )


def _read_forecast(rows: pl.DataFrame, base: float, closes: Mapping[date, float]) -> PastForecast:
    columns = ("target_date", "horizon", "quantile_10", "quantile_50", "quantile_90")
    targets = [
        TargetForecast(day, horizon, Band(low, middle, high), close / base - 1 if (close := closes.get(day)) else None)
        for day, horizon, low, middle, high in rows.select(columns).iter_rows()
    ]
    return PastForecast(rows.item(0, "date"), rows.item(0, "model_version"), base, tuple(targets))


def measure_coverage(forecasts: Sequence[PastForecast]) -> tuple[Coverage, ...]:
    """The coverage by horizon; a horizon without an outcome is left out."""
    by_horizon: dict[int, list[bool]] = {}
    for forecast in forecasts:
        for target in forecast.targets:
            if target.is_inside is not None:
                by_horizon.setdefault(target.horizon, []).append(target.is_inside)
    return tuple(Coverage(horizon, sum(found), len(found)) for horizon, found in sorted(by_horizon.items()))
