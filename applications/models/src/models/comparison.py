"""Comparison: forecasts on one fixed set of rows, as a table with differences, and what it means in plain sentences.

Knows scores and which forecast is the best baseline. Knows nothing of how forecasts came about, and draws nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Final

import numpy as np

from internal.baselines.catalogue import BASELINES
from internal.baselines.volatility import BlendedVolatility
from internal.forecasting.quantiles import RowQuantiles
from internal.forecasting.scoring import pinball_loss
from models.scoring import Score, Truth, relative_difference, score

NOISE_PER_CENT: Final = 0.1
REFERENCE: Final = BlendedVolatility.kind  # the same in every evaluation, so that their tables can be laid side by side
THIRDS: Final = ("calm", "middle", "volatile")
Difference = tuple[float, float, float]  # (difference, lower, upper), per cent


@dataclass(frozen=True)
class Line:
    """One line of the table: a forecast, and how its loss differs from two others', in per cent with 95 % intervals.

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
        """The share inside the 80 % interval: of all rows, of thirds of them, of thirds of each date, of sectors."""
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
        version: The registered model's version, or the walk's name.
        model: The name of the line that was to be judged.
        rows: Origins scored.
        tickers: Tickers among them.
        lines: The table.
        folds: Each fold, oldest first.
        verdict: Plain sentences on what it means.
    """

    version: str
    model: str
    rows: int
    tickers: int
    lines: list[Line]
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

    def highlights(self) -> list[Line]:
        """The lines that a picture shows in colour: the model, the best baseline, the reference."""
        names = dict.fromkeys((self.model, self.lines[0].score.name, REFERENCE))
        return [next(line for line in self.lines if line.score.name == name) for name in names]

    def to_json(self) -> dict[str, Any]:
        """Plain values; the losses by date are left out."""
        plain = asdict(self)
        for line in plain["lines"]:
            del line["score"]["daily_by_date"], line["score"]["cumulative_by_date"]
        for fold in plain["folds"]:
            fold |= {name: fold[name].isoformat() for name in ("fitted_to", "first", "last")}
        return {**plain, "first": self.first.isoformat(), "last": self.last.isoformat()}


def compared(
    version: str, model: str, truth: Truth, forecasts: Mapping[str, RowQuantiles], fitted: Sequence[date]
) -> Evaluation:
    """Score forecasts on the truth's rows and lay them beside each other.

    Args:
        version: What the result is called.
        model: The name of the forecast that is to be judged.
        truth: What happened.
        forecasts: By name, one row a row of the truth; those named as baselines are the baselines.
        fitted: Each fold's last origin that anything was fitted or chosen on.
    """
    scores = [score(name, truth, one.cumulative, one.daily) for name, one in forecasts.items()]
    lengths = truth.dates_by_fold()
    folds = [_fold(number, day, truth, forecasts) for number, day in enumerate(fitted)]
    return Evaluation(
        version,
        model,
        len(truth.cumulative),
        truth.tickers,
        _lines(scores, lengths),
        folds,
        _verdict(scores, model, lengths),
    )


def _fold(number: int, fitted_to: date, truth: Truth, forecasts: Mapping[str, RowQuantiles]) -> FoldLosses:
    rows = np.flatnonzero(truth.folds == number)
    days = truth.dates.gather(rows).sort().to_list()
    losses = {
        name: (
            float(pinball_loss(truth.daily[rows], one.daily[rows]).mean()),
            float(pinball_loss(truth.cumulative[rows], one.cumulative[rows]).mean()),
        )
        for name, one in forecasts.items()
    }
    return FoldLosses(fitted_to, days[0], days[-1], len(rows), losses)


def _lines(scores: list[Score], lengths: list[int]) -> list[Line]:
    best = min((one for one in scores if one.name in BASELINES), key=lambda one: one.cumulative)
    reference = next(one for one in scores if one.name == REFERENCE)
    lines = [
        Line(
            one,
            relative_difference(one.daily_by_date, best.daily_by_date, lengths),
            relative_difference(one.cumulative_by_date, best.cumulative_by_date, lengths),
            relative_difference(one.daily_by_date, reference.daily_by_date, lengths),
            relative_difference(one.cumulative_by_date, reference.cumulative_by_date, lengths),
            is_baseline=one.name in BASELINES,
        )
        for one in scores
    ]
    return sorted(lines, key=lambda line: (line.score is not best, line.score.cumulative))


def _verdict(scores: list[Score], model: str, lengths: list[int]) -> list[str]:
    own = next(one for one in scores if one.name == model)
    baselines = [one for one in scores if one.name in BASELINES and one is not own]
    cumulative, daily = (
        min(baselines, key=lambda one: one.cumulative),
        min(baselines, key=lambda one: one.daily),
    )  # the best of each measure: to beat the other one on it would be no feat
    differences = {
        ("cumulative", cumulative.name): relative_difference(
            own.cumulative_by_date, cumulative.cumulative_by_date, lengths
        ),
        ("daily", daily.name): relative_difference(own.daily_by_date, daily.daily_by_date, lengths),
    }
    sentences = [_sentence(model, *names, one) for names, one in differences.items()]
    if min(difference for difference, _, _ in differences.values()) < -2:  # noqa: PLR2004 - MODEL: knowing each ticker's coming volatility buys 1.6 to 4.3 %
        sentences.append("A gain beyond 2 % on real bars is a leak until shown otherwise; check before believing it.")
    if own.rank_t is None or abs(own.rank_t) < 2:  # noqa: PLR2004 - two standard errors
        sentences.append("The median carries no rank information: the edge, if any, is in the width of the forecast.")
    return sentences


def _sentence(model: str, measure: str, best: str, found: Difference) -> str:
    difference, lower, upper = found
    beside = f"{difference:+.2f} % against {best}, 95 % interval {lower:+.2f} to {upper:+.2f} %"
    if upper < 0 and difference < -NOISE_PER_CENT:
        return f"{model} beats the best baseline on {measure} returns: {beside}."
    if upper < 0:
        return f"{model} does NOT beat the best baseline on {measure} returns by more than noise: {beside}."
    if lower > 0:
        return f"{model} does NOT beat the best baseline on {measure} returns: its loss is larger, {beside}."
    return f"{model} does NOT beat the best baseline on {measure} returns: no difference can be told, {beside}."
