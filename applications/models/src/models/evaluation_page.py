"""The page of an evaluation: its tables as texts, its charts, and the template that shows them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from markupsafe import Markup

from internal.pages.reports import ReportTable, inline_chart, make_report_environment
from models.evaluation import REFERENCE, Evaluation
from models.evaluation_texts import (
    EVIDENCE_NOTE,
    format_after_costs,
    format_before_costs,
    format_bet,
    format_interval,
    format_rank,
    format_ranks,
)
from models.traits import Trait


@dataclass(frozen=True)
class EvaluationPage:
    """What the page shows.

    Attributes:
        title: The model, or the walk-forward evaluation.
        scope: What was evaluated, in one sentence.
        verdict: The result in sentences.
        scores: Loss of each forecast, and its differences.
        losses: Loss by session ahead and by quantile.
        coverage: Coverage of the 80 % interval by group.
        evidence: What a book made of the forecast earns and bets on.
        folds: Loss of each forecast by fold.
        charts: The charts by their names.
    """

    title: str
    scope: str
    verdict: list[str]
    scores: ReportTable
    losses: ReportTable
    coverage: ReportTable
    evidence: ReportTable
    folds: ReportTable
    charts: dict[str, Markup]

    @classmethod
    def of(cls, evaluation: Evaluation, charts: Mapping[str, str]) -> Self:
        """The page of an evaluation; its charts by their names are SVG."""
        return cls(
            title=evaluation.version,
            scope=f"Evaluated on {evaluation.first} to {evaluation.last}: {evaluation.rows:,} origins of "
            f"{evaluation.tickers} tickers.",
            verdict=evaluation.verdict,
            scores=_list_scores(evaluation),
            losses=_list_losses(evaluation),
            coverage=_list_coverage(evaluation),
            evidence=_list_evidence(evaluation),
            folds=_list_folds(evaluation),
            charts={name: inline_chart(svg) for name, svg in charts.items()},
        )

    def render(self) -> str:
        """The page as HTML."""
        return (
            make_report_environment("models")
            .get_template("evaluation.html")
            .render(view=self, evidence_note=EVIDENCE_NOTE)
        )


def _list_scores(evaluation: Evaluation) -> ReportTable:
    best = evaluation.best_baseline
    measures = [f"against {best}, %", f"against {REFERENCE}, %"]
    rows = [
        (
            line.score.name,
            f"{1e4 * line.score.daily:.3f}",
            format_interval(line.daily_difference),
            format_interval(line.daily_against_reference),
            f"{1e4 * line.score.cumulative:.3f}",
            format_interval(line.cumulative_difference),
            format_interval(line.cumulative_against_reference),
            f"{100 * line.score.coverage:.1f} %",
        )
        for line in evaluation.lines
    ]
    heads = ["forecast", "daily", *measures, "cumulative", *measures, "coverage of the 80 % interval"]
    return ReportTable("Mean pinball loss of each forecast", heads, rows, evaluation.model)


def _list_losses(evaluation: Evaluation) -> ReportTable:
    steps = [f"{step}" for step in range(1, len(evaluation.lines[0].score.by_step) + 1)]
    rows = [
        (
            line.score.name,
            *(f"{1e4 * loss:.1f}" for loss in (*line.score.by_step, *line.score.by_quantile, line.score.tails)),
        )
        for line in evaluation.lines
    ]
    heads = ["forecast, by session ahead", *steps, "10 %", "median", "90 %", "tails"]
    return ReportTable("Loss by session ahead and by quantile", heads, rows, evaluation.model)


def _list_coverage(evaluation: Evaluation) -> ReportTable:
    each = [line.coverage_by_group() for line in evaluation.lines]
    rows = [(name, *(f"{100 * shares[name]:.1f}" for shares in each)) for name in each[0]]
    heads = ["truths inside the 80 % interval, %", *(line.score.name for line in evaluation.lines)]
    return ReportTable("Coverage of the 80 % interval by group", heads, rows)


def _list_evidence(evaluation: Evaluation) -> ReportTable:
    rows = [
        (
            line.score.name,
            format_ranks(line.score.evidence),
            format_rank(line.score.evidence),
            format_before_costs(line.score.evidence),
            format_after_costs(line.score.evidence),
            *(format_bet(line, trait) for trait in Trait),
        )
        for line in evaluation.lines
    ]
    bets = (trait.replace("_", " ") for trait in Trait)
    heads = ["forecast", "ranks", "rank correlation (t)", "spread, %", "after costs, %", *bets]
    return ReportTable("What a book made from the forecast earns and bets on", heads, rows, evaluation.model)


def _list_folds(evaluation: Evaluation) -> ReportTable:
    rows = [
        (
            line.score.name,
            *(
                "{:.3f} / {:.3f}".format(*(1e4 * loss for loss in fold.losses[line.score.name]))
                for fold in evaluation.folds
            ),
        )
        for line in evaluation.lines
    ]
    heads = [
        "forecast",
        *(
            f"{fold.first} to {fold.last}, {fold.rows:,} origins, fitted to {fold.fitted_to}"
            for fold in evaluation.folds
        ),
    ]
    return ReportTable("Daily and cumulative loss by fold", heads, rows, evaluation.model)
