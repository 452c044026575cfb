"""The result of an evaluation: a table of forecasts with their scores and differences, the folds, and a verdict."""

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Final

from internal.baselines.forecast import Baseline
from internal.baselines.heterogeneous import AdaptiveVolatility, EarningsVolatility, HeterogeneousVolatility
from internal.baselines.history import RollingHistory
from internal.baselines.volatility import BlendedVolatility
from models.scoring import Score

REFERENCE: Final = BlendedVolatility.kind  # the same in every evaluation, so that their tables can be compared
NAIVE_BASELINES: Final[dict[str, type[Baseline]]] = {one.kind: one for one in (RollingHistory, BlendedVolatility)}
STRONG_BASELINES: Final[dict[str, type[Baseline]]] = {
    one.kind: one for one in (HeterogeneousVolatility, EarningsVolatility, AdaptiveVolatility)
}  # hard to beat, and fitted in seconds and bounded memory at any number of tickers
THIRDS: Final = ("calm", "middle", "volatile")
BY_DATE: Final = (
    "daily_by_date",
    "cumulative_by_date",
    "days",
    "rows_by_date",
    "below_by_date",
    "coverage_by_date",
)  # of a score: what its file leaves out
Difference = tuple[float, float, float]  # (difference, lower, upper), per cent


@dataclass(frozen=True)
class ForecastLine:
    """One line of the table: a forecast, and how its loss differs from two others, in per cent with 95 % intervals.

    Attributes:
        score: Its losses and coverage.
        daily_difference: Daily returns, against the best baseline.
        cumulative_difference: Cumulative returns, against the best baseline.
        daily_against_reference: Daily returns, against `blended_volatility`.
        cumulative_against_reference: Cumulative returns, against `blended_volatility`.
        is_baseline: Whether it is a baseline.
    """

    score: Score
    daily_difference: Difference
    cumulative_difference: Difference
    daily_against_reference: Difference
    cumulative_against_reference: Difference
    is_baseline: bool

    def coverage_by_group(self) -> dict[str, float]:
        """Coverage of the 80 % interval: of all rows, of their thirds, of the thirds of each date, of each sector."""
        of_rows, of_dates = self.score.coverage_by_volatility, self.score.coverage_within_date
        return {
            "all rows": self.score.coverage,
            **{f"{name} third": share for name, share in zip(THIRDS, of_rows, strict=False)},
            **{f"{name} third of its date": share for name, share in zip(THIRDS, of_dates, strict=False)},
            **self.score.coverage_by_sector,
        }


@dataclass(frozen=True)
class FoldLosses:
    """One fold of an evaluation.

    Attributes:
        fitted_to: Last origin that anything was fitted or chosen on.
        first: First origin scored.
        last: Last origin scored.
        rows: Origins scored.
        losses: (daily, cumulative) mean pinball loss of each forecast.
    """

    fitted_to: date
    first: date
    last: date
    rows: int
    losses: dict[str, tuple[float, float]]


@dataclass(frozen=True)
class Evaluation:
    """The result: the best baseline first, then the others by cumulative loss.

    Attributes:
        version: The version of the registered model, or the name of the walk-forward evaluation.
        model: The name of the evaluated model's line.
        rows: Origins scored.
        tickers: Tickers among them.
        lines: The table.
        folds: Each fold, oldest first.
        verdict: The result in sentences.
    """

    version: str
    model: str
    rows: int
    tickers: int
    lines: list[ForecastLine]
    folds: list[FoldLosses]
    verdict: list[str]

    @property
    def first(self) -> date:
        """First origin scored."""
        return self.folds[0].first

    @property
    def last(self) -> date:
        """Last origin scored."""
        return self.folds[-1].last

    @property
    def best_baseline(self) -> str:
        """The name of the baseline with the lowest cumulative loss."""
        return self.lines[0].score.name

    def highlighted_lines(self) -> list[ForecastLine]:
        """The lines that charts show in colour: the model, the best baseline, the reference."""
        names = dict.fromkeys((self.model, self.best_baseline, REFERENCE))
        return [next(line for line in self.lines if line.score.name == name) for name in names]

    def to_json(self) -> dict[str, Any]:
        """Plain values, without the losses by date."""
        plain = asdict(self)
        for line in plain["lines"]:
            for name in BY_DATE:
                del line["score"][name]
            if (after := line["score"]["after_break"]) is not None:
                after["first_day"] = after["first_day"].isoformat()
        for fold in plain["folds"]:
            fold |= {name: fold[name].isoformat() for name in ("fitted_to", "first", "last")}
        return {**plain, "first": self.first.isoformat(), "last": self.last.isoformat()}
