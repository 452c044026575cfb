"""The fund's value by session: return beside the benchmark, drawdowns, returns by month, and the verdict."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Self

import numpy as np
import polars as pl

from internal.calendar_returns import YearOfReturns, returns_by_month
from internal.dates import exchange_day, sessions
from internal.drawdown_periods import Drawdown, deepest_drawdowns
from internal.performance import MINIMUM_RETURNS_FOR_A_YEAR, Numbers, drawdowns, returns_of
from internal.track_record import value_by_session
from internal.track_record_verdict import RecordVerdict, judge_record
from internal.trading.performance import PerformanceReport
from portfoliomanager.equal_weight import EqualWeightPath
from portfoliomanager.pages.benchmark_relation import BenchmarkRelation, relate_to_benchmark

SHOWN_SESSIONS = 25  # of the table of figures
YOUNG_COLUMNS = 15  # sessions that are drawn as columns while the fund is young


@dataclass(frozen=True)
class SessionFigures:
    """A row of the table of figures; fractions but for the value. `benchmark` is None where it is not known."""

    day: date
    value: float
    fund: float
    benchmark: float | None
    drawdown: float


@dataclass(frozen=True)
class ValueHistory:
    """The fund at the close of each session since it opened.

    Attributes:
        days: The sessions; empty before the first one of the fund.
        values: Net asset value, dollars.
        index: What a dollar of the first snapshot has become, without what was paid in and out.
        benchmark: By session, 1 at the first; empty where it is not known.
    """

    days: tuple[date, ...]
    values: tuple[float, ...]
    index: Numbers
    benchmark: Mapping[date, float]

    @classmethod
    def of(cls, report: PerformanceReport, benchmark: EqualWeightPath | None = None) -> Self:
        """The history of a report's points."""
        span = find_span(report)
        if span is None:
            return cls((), (), np.array([]), {})
        rows = [(point.timestamp, point.net_asset_value, point.total_return) for point in report.points]
        schema = {"timestamp": pl.Datetime("ms", "UTC"), "value": pl.Float64(), "gained": pl.Float64()}
        ends = value_by_session(pl.DataFrame(rows, schema=schema, orient="row"), *span)
        path = dict(zip(benchmark.days, benchmark.values, strict=True)) if benchmark else {}
        index = 1 + ends.get_column("gained").to_numpy()
        return cls(tuple(ends.get_column("date")), tuple(ends.get_column("value")), index, path)

    @property
    def count(self) -> int:
        """Sessions with a return."""
        return max(len(self.days) - 1, 0)

    @property
    def is_young(self) -> bool:
        """Whether annual figures would be noise."""
        return self.count < MINIMUM_RETURNS_FOR_A_YEAR

    @property
    def missing_sessions(self) -> int:
        """How many more sessions annual figures need."""
        return max(MINIMUM_RETURNS_FOR_A_YEAR - self.count, 0)

    @cached_property
    def returns(self) -> Numbers:
        """The return of each session but the first."""
        return returns_of(self.index)

    @property
    def total_return(self) -> float:
        """Time-weighted, since the first session."""
        return float(self.index[-1] / self.index[0]) - 1

    @property
    def last_return(self) -> float | None:
        """That of the last session."""
        return float(self.returns[-1]) if self.count else None

    @property
    def drawdown(self) -> float:
        """How far the last close is below the highest one, a positive fraction."""
        return float(self._depths[-1])

    @property
    def maximum_drawdown(self) -> float:
        """The largest fall at closes, a positive fraction."""
        return float(self._depths.max())

    @property
    def verdict(self) -> RecordVerdict:
        """What the record shows."""
        last = self._benchmark_returns[-1] if self.days else None
        return judge_record(self.index, last)

    @cached_property
    def relation(self) -> BenchmarkRelation | None:
        """Beta to the benchmark and correlation with it; None while the record is young, or without a benchmark."""
        path = [self.benchmark.get(day) for day in self.days]
        known = [value for value in path if value is not None]
        return None if len(known) < len(path) else relate_to_benchmark(self.returns, returns_of(np.array(known)))

    @property
    def years(self) -> tuple[YearOfReturns, ...]:
        """Returns by month and year."""
        return returns_by_month(self.days[1:], self.returns)

    @property
    def worst(self) -> tuple[Drawdown, ...]:
        """The worst drawdowns, the deepest first."""
        return deepest_drawdowns(self.days, self.index)

    @property
    def steps(self) -> list[tuple[str, float]]:
        """The last returns, as columns of a picture."""
        shown = list(zip(self.days[1:], self.returns.tolist(), strict=True))[-YOUNG_COLUMNS:]
        return [(day.isoformat(), value) for day, value in shown]

    @property
    def figures(self) -> list[SessionFigures]:
        """The newest sessions, newest first."""
        rows = zip(
            self.days,
            self.values,
            self._fund_returns,
            self._benchmark_returns,
            self._depths.tolist(),
            strict=True,
        )
        return [SessionFigures(*row) for row in rows][: -SHOWN_SESSIONS - 1 : -1]

    @property
    def chart(self) -> dict[str, object]:
        """The data of the chart; fractions, drawdowns negative."""
        benchmark = self._benchmark_returns
        return {
            "days": [day.isoformat() for day in self.days],
            "value": [round(value, 2) for value in self.values],
            "fund": _rounded(self._fund_returns),
            "base": None if None in benchmark else _rounded(benchmark),
            "fall": _rounded((-self._depths).tolist()),
        }

    @cached_property
    def _depths(self) -> Numbers:
        return drawdowns(self.index)

    @property
    def _fund_returns(self) -> list[float]:
        return (self.index / self.index[0] - 1).tolist()

    @cached_property
    def _benchmark_returns(self) -> list[float | None]:
        return [None if (value := self.benchmark.get(day)) is None else value - 1 for day in self.days]


def find_span(report: PerformanceReport) -> tuple[date, date] | None:
    """The first and the last session of a report's points; None where there is none."""
    if not report.points:
        return None
    found = sessions(exchange_day(report.points[0].timestamp), exchange_day(report.points[-1].timestamp))
    return (found[0], found[-1]) if found else None


def _rounded(values: Sequence[float | None]) -> list[float | None]:
    return [None if value is None else round(value, 6) for value in values]
