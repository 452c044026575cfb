"""The Research page: backtests with their key figures once all trials are counted, and the sweeps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from math import ceil
from typing import Self
from urllib.parse import urlencode

from pydantic import JsonValue

from internal.backtests.deflation import DeflatedSharpe
from internal.backtests.report import BacktestReport, MeasureRow
from internal.backtests.settings import BacktestSettings
from internal.backtests.sweep_report import SweepReport
from internal.backtests.trials import Trial
from internal.pages.marks import Estimate
from internal.strategies.parameter_text import write_parameters
from portfoliomanager.pages.frame import Frame

PAGE_ROWS = 25
DRAWN_RUNS = 6
DRAWN_SESSIONS = 250  # of a path on the chart, at most
CONFIDENCE = 0.95
LARGEST_RATIO = 3.0  # where the scale of Sharpe ratios ends


@dataclass(frozen=True)
class RunLine:
    """One backtest.

    Attributes:
        name: Of its folder, and of its page.
        settings: What was run; None where its report cannot be read.
        measures: Its figures by name.
        days: The sessions of the path, thinned out.
        path: What a dollar became, thinned out.
        deflated: The deflated Sharpe ratio by all trials there are now; None where it is not among them.
        problem: Why its report cannot be read.
    """

    name: str
    settings: BacktestSettings | None = None
    measures: Mapping[str, MeasureRow] | None = None
    days: tuple[date, ...] = ()
    path: tuple[float, ...] = ()
    deflated: DeflatedSharpe | None = None
    problem: str = ""

    def deflate(self, deflated: DeflatedSharpe | None) -> Self:
        """The line with what all trials leave of its Sharpe ratio."""
        return replace(self, deflated=deflated)

    @property
    def strategy(self) -> str:
        """The strategy's class."""
        return name_strategy(self.settings) if self.settings else self.name

    @property
    def parameters(self) -> Mapping[str, JsonValue]:
        """Its parameters; none where its report cannot be read."""
        return self.settings.parameters if self.settings else dict[str, JsonValue]()

    @property
    def market(self) -> str:
        """What was played."""
        return name_market(self.settings) if self.settings else ""

    @property
    def text(self) -> str:
        """What a search looks in."""
        return f"{self.name} {self.settings.describe()} {self.settings.market}" if self.settings else self.name

    def measure(self, name: str) -> float | None:
        """A figure in the unit of its report."""
        row = (self.measures or {}).get(name)
        return row.value if row else None

    @property
    def sharpe(self) -> Estimate | None:
        """The Sharpe ratio with its interval."""
        row = (self.measures or {}).get("sharpe")
        if row is None or row.value is None or row.lower is None or row.upper is None:
            return None
        return Estimate(row.value, row.lower, row.upper)

    @property
    def probability(self) -> float | None:
        """The deflated Sharpe ratio."""
        return self.deflated.probability if self.deflated else None

    @property
    def shows_skill(self) -> bool:
        """Whether its Sharpe ratio is higher than luck explains once the trials are counted."""
        return self.probability is not None and self.probability >= CONFIDENCE


@dataclass(frozen=True)
class SweepLine:
    """One sweep.

    Attributes:
        name: Of its folder, and of its page.
        strategy: The strategy's class.
        variants: How many were run.
        parameters: What was varied.
        best: The highest Sharpe ratio, annualised.
        deflated: What all trials leave of it.
        problem: Why it cannot be read.
    """

    name: str
    strategy: str = ""
    variants: int = 0
    parameters: tuple[str, ...] = ()
    best: float | None = None
    deflated: DeflatedSharpe | None = None
    problem: str = ""


@dataclass(frozen=True)
class TrialCounts:
    """What the ledger holds.

    Attributes:
        planned: Every trial, failed ones included.
        finished: Of these, those that came to an end.
        strategies: Of how many strategies they are.
    """

    planned: int
    finished: int
    strategies: int

    @classmethod
    def of(cls, trials: Sequence[Trial]) -> Self:
        """The counts."""
        finished = sum(trial.outcome is not None for trial in trials)
        return cls(len(trials), finished, len({trial.settings.strategy for trial in trials}))


@dataclass(frozen=True)
class ResearchView:
    """The page.

    Attributes:
        frame: The frame.
        problem: Why there is nothing to show; empty where there is.
        is_empty: Whether nothing was run yet.
        trials: What the ledger holds; None where it is damaged.
        ledger_problem: How it is damaged.
        runs: The backtests that fit the search.
        sweeps: The sweeps.
        search: What was searched for.
        page: From 1.
    """

    frame: Frame
    problem: str = ""
    is_empty: bool = False
    trials: TrialCounts | None = None
    ledger_problem: str = ""
    runs: Sequence[RunLine] = ()
    sweeps: Sequence[SweepLine] = ()
    search: str = ""
    page: int = 1

    @property
    def page_count(self) -> int:
        """How many pages the backtests fill."""
        return max(1, ceil(len(self.runs) / PAGE_ROWS))

    @property
    def number(self) -> int:
        """The page that is shown: the last where a later one was asked for."""
        return min(self.page, self.page_count)

    @property
    def shown(self) -> Sequence[RunLine]:
        """The backtests of the page."""
        return self.runs[(self.number - 1) * PAGE_ROWS : self.number * PAGE_ROWS]

    @property
    def drawn(self) -> Sequence[RunLine]:
        """The backtests of the chart: the newest of the page."""
        return [line for line in self.shown if line.path][:DRAWN_RUNS]

    @cached_property
    def _varied(self) -> dict[str, list[str]]:
        """By strategy, the parameters in which its backtests of this page differ."""
        found: dict[str, dict[str, set[str]]] = {}
        for line in self.shown:
            values = found.setdefault(line.strategy, {})
            for name, value in line.parameters.items():
                values.setdefault(name, set()).add(str(value))
        return {
            strategy: [name for name, those in names.items() if len(those) > 1] for strategy, names in found.items()
        }

    def label(self, line: RunLine) -> str:
        """The strategy's class, with the parameters in which it differs from others of the page."""
        if line.settings is None:
            return line.name
        differing = write_parameters(
            {name: line.parameters.get(name, "absent") for name in self._varied[line.strategy]}
        )
        return f"{line.strategy}, {differing}" if differing else line.strategy

    def _short_label(self, line: RunLine) -> str:
        """For the end of a line of the chart: without the strategy where all drawn ones share it."""
        label = self.label(line)
        if len({one.strategy for one in self.drawn}) > 1:
            return label
        return label.removeprefix(f"{line.strategy}, ")

    @property
    def lead(self) -> str:
        """The answer first, in words."""
        if self.ledger_problem:
            return "The trials cannot be counted, so nothing can be said of skill"
        skilled = sum(line.shows_skill for line in self.runs)
        if not any(line.settings for line in self.runs):
            return "No backtest has a report yet"
        verdict = "None shows" if not skilled else "1 shows" if skilled == 1 else f"{skilled} show"
        return f"{verdict} skill once the trials are counted"

    @property
    def planted_signal(self) -> str:
        """That prices of backtests hold a planted signal, in a sentence; empty where none is simulated."""
        return next(filter(None, (line.settings.planted_signal for line in self.runs if line.settings)), "")

    @property
    def chart(self) -> dict[str, object]:
        """The data of the chart; a dollar at the opening of each."""
        runs = [
            {
                "name": self._short_label(line),
                "id": line.name,
                "days": [day.isoformat() for day in line.days],
                "value": line.path,
            }
            for line in self.drawn
        ]
        return {"runs": runs}

    def address(self, page: int) -> str:
        """Another page of the backtests."""
        asked = {"q": self.search, "page": str(page)}
        return "/research?" + urlencode({name: value for name, value in asked.items() if value})


def describe_run(name: str, report: BacktestReport) -> RunLine:
    """The line of a report, without the trials."""
    series = report.series
    step = max(1, ceil(len(series.date) / DRAWN_SESSIONS))
    first = series.net_asset_value[0]
    known = [(day, value) for day, value in zip(series.date, series.net_asset_value, strict=True) if value is not None]
    thin = [*known[:-1:step], known[-1]] if known and first else []
    path = tuple(round(value / first, 5) for _, value in thin) if first else ()
    measures = {row.name: row for row in report.measures}
    return RunLine(name, report.settings, measures, tuple(day for day, _ in thin), path)


def describe_sweep(name: str, report: SweepReport, deflated: DeflatedSharpe | None) -> SweepLine:
    """The line of a sweep."""
    best = report.points[0]
    return SweepLine(
        name, name_strategy(report.settings), len(report.points), tuple(best.parameters), best.sharpe, deflated
    )


def name_strategy(settings: BacktestSettings) -> str:
    """The strategy's class, without its file."""
    return settings.strategy.rpartition(":")[2]


def name_market(settings: BacktestSettings) -> str:
    """The market; of a file its name alone."""
    return settings.market.rpartition("/")[2]
