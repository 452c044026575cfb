"""Files of an evaluation: JSON, each chart as PNG, and one HTML page with the tables and the same charts."""

import json
from base64 import b64encode
from html import escape
from pathlib import Path
from typing import Final
from uuid import uuid4

from internal.forecasting.rank_evidence import RankEvidence
from models.evaluation import REFERENCE, Difference, Evaluation, ForecastLine
from models.traits import Trait

EVIDENCE_NOTE: Final = (
    "Long the best and short the worst tenth by median over the width of the 80 % interval, held for seven sessions; "
    "per cent of one side's value for each seven sessions, with the 95 % interval; borrowing is not in the costs. The "
    "last columns are the score's rank correlations: what the book would bet on besides the forecast."
)
STYLE: Final = (
    "body{font:15px/1.5 system-ui;margin:2rem auto;max-width:72rem;color:#1b1f24}table{border-collapse:collapse}"
    "td,th{padding:.3rem .8rem;text-align:right;border-bottom:1px solid #d8dee4}td:first-child,th:first-child"
    "{text-align:left}.model{font-weight:600}img{max-width:100%}.wide{overflow-x:auto}"
)


def write_report(folder: Path, evaluation: Evaluation) -> Path:
    """Write `evaluation.json`, `evaluation.html` and the charts; the path of the page.

    Everything is computed before the first byte is written, and each file is written atomically.
    """
    from models.figures import draw_charts  # noqa: PLC0415 - importing matplotlib takes a second

    charts = draw_charts(evaluation)
    contents = {f"{name}.png": png for name, (png, _) in charts.items()}
    contents["evaluation.json"] = json.dumps(evaluation.to_json(), indent=2).encode()
    contents["evaluation.html"] = _make_page(evaluation, {name: svg for name, (_, svg) in charts.items()}).encode()
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        partial = folder / f".{name}-{uuid4().hex}"
        partial.write_bytes(content)
        partial.rename(folder / name)
    return folder / "evaluation.html"


def _make_page(evaluation: Evaluation, charts: dict[str, bytes]) -> str:
    verdict = "".join(f"<p>{escape(sentence)}</p>" for sentence in evaluation.verdict)
    images = {
        name: f'<p><img alt="{name}" src="data:image/svg+xml;base64,{b64encode(svg).decode()}"></p>'
        for name, svg in charts.items()
    }
    return (
        f"<!doctype html><meta charset=utf-8><title>Evaluation: {evaluation.version}</title><style>{STYLE}</style>"
        f"<h1>{evaluation.version}</h1><p>Evaluated on {evaluation.first} to {evaluation.last}, "
        f"{evaluation.rows:,} origins of {evaluation.tickers} tickers.</p>{verdict}"
        f"<h2>Mean pinball loss</h2><p>Differences in per cent, with the 95 % interval of a paired block "
        f"bootstrap over dates; negative is better.</p>{_make_scores_table(evaluation)}"
        f"{images['differences']}{images['loss_by_horizon']}"
        f"<h2>Loss by session ahead and by quantile, cumulative, x 1e-4</h2>{_make_losses_table(evaluation.lines)}"
        f"<h2>Calibration and coverage</h2>{images['calibration']}{images['coverage']}"
        f"{_make_coverage_table(evaluation.lines)}"
        f"<h2>What a book made from the forecast earns and bets on</h2><p>{EVIDENCE_NOTE}</p>"
        f"{_make_evidence_table(evaluation)}"
        f"<h2>By fold, daily / cumulative loss x 1e-4</h2>{_make_folds_table(evaluation)}"
    )


def _make_scores_table(evaluation: Evaluation) -> str:
    best = escape(evaluation.best_baseline)
    head = (
        f"<tr><th>forecast<th>daily<th>against {best}<th>against {REFERENCE}"
        f"<th>cumulative<th>against {best}<th>against {REFERENCE}"
        "<th>coverage of the 80 % interval"
    )
    rows = "".join(_make_row(line, evaluation.model) for line in evaluation.lines)
    return f"<div class=wide><table>{head}{rows}</table></div>"


def _mark_model(line: ForecastLine, model: str) -> str:
    return " class=model" if line.score.name == model else ""


def _make_row(line: ForecastLine, model: str) -> str:
    return (
        f"<tr{_mark_model(line, model)}><td>{escape(line.score.name)}<td>{1e4 * line.score.daily:.3f}"
        f"<td>{format_interval(line.daily_difference)}<td>{format_interval(line.daily_against_reference)}"
        f"<td>{1e4 * line.score.cumulative:.3f}"
        f"<td>{format_interval(line.cumulative_difference)}<td>{format_interval(line.cumulative_against_reference)}"
        f"<td>{100 * line.score.coverage:.1f} %"
    )


def format_interval(difference: Difference) -> str:
    """A difference with its bounds, in per cent; a dash where a forecast is compared with itself."""
    return "-" if difference == (0.0, 0.0, 0.0) else "{:+.2f} ({:+.2f} to {:+.2f})".format(*difference)


def format_rank(evidence: RankEvidence | None) -> str:
    """The rank correlation of score and return, and its t statistic; none where nothing is ranked."""
    correlation, t_statistic = (None, None) if evidence is None else (evidence.rank_correlation, evidence.rank_t)
    return "none" if correlation is None or t_statistic is None else f"{correlation:+.3f} ({t_statistic:+.1f})"


def format_after_costs(evidence: RankEvidence | None) -> str:
    """The return of the ranked book after costs with its interval, per cent; or that there is none."""
    if evidence is None:
        return "not measured"
    lower, upper = evidence.interval
    return format_interval((100 * evidence.after_costs, 100 * lower, 100 * upper))


def _make_evidence_table(evaluation: Evaluation) -> str:
    """The ranked book of each forecast: returns, costs, and what it bets on."""
    head = "".join(f"<th>{trait.replace('_', ' ')}" for trait in Trait)
    rows = "".join(
        f"<tr{_mark_model(line, evaluation.model)}><td>{escape(line.score.name)}"
        f"<td>{format_ranks(line.score.evidence)}<td>{format_rank(line.score.evidence)}"
        f"<td>{format_before_costs(line.score.evidence)}<td>{format_after_costs(line.score.evidence)}"
        + "".join(f"<td>{format_bet(line, trait)}" for trait in Trait)
        for line in evaluation.lines
    )
    return (
        "<div class=wide><table><tr><th>forecast<th>ranks<th>rank correlation (t)<th>spread, %<th>after costs, %"
        f"{head}{rows}</table></div>"
    )


def format_ranks(evidence: RankEvidence | None) -> str:
    """Whether the score has an order of its own."""
    return "not measured" if evidence is None else "yes" if evidence.ranks else "no"


def format_before_costs(evidence: RankEvidence | None) -> str:
    """The return of the ranked book before costs, per cent."""
    return "not measured" if evidence is None else f"{100 * evidence.spread:+.2f}"


def format_bet(line: ForecastLine, trait: Trait) -> str:
    """The correlation of the score with a trait; a dash where it is not known."""
    correlation = line.score.bets.get(trait)
    return "-" if correlation is None else f"{correlation:+.2f}"


def _make_losses_table(lines: list[ForecastLine]) -> str:
    """By session ahead, by quantile, and the two outer quantiles alone."""
    head = "".join(f"<th>{step}" for step in range(1, len(lines[0].score.by_step) + 1))
    rows = "".join(
        f"<tr><td>{escape(line.score.name)}"
        + "".join(f"<td>{1e4 * loss:.1f}" for loss in [*line.score.by_step, *line.score.by_quantile, line.score.tails])
        for line in lines
    )
    return (
        f"<div class=wide><table><tr><th>forecast, by session ahead{head}<th>10 %<th>median<th>90 %<th>tails{rows}"
        "</table></div>"
    )


def _make_coverage_table(lines: list[ForecastLine]) -> str:
    """One row a group, one column a forecast."""
    each = [line.coverage_by_group() for line in lines]
    head = "".join(f"<th>{escape(line.score.name)}" for line in lines)
    rows = "".join(
        f"<tr><td>{escape(name)}" + "".join(f"<td>{100 * shares[name]:.1f}" for shares in each) for name in each[0]
    )
    return f"<div class=wide><table><tr><th>truths inside the 80 % interval, %{head}{rows}</table></div>"


def _make_folds_table(evaluation: Evaluation) -> str:
    names = [line.score.name for line in evaluation.lines]
    head = "".join(
        f"<th>{fold.first} to {fold.last}<br>{fold.rows:,} origins, fitted to {fold.fitted_to}"
        for fold in evaluation.folds
    )
    rows = "".join(
        f"<tr><td>{escape(name)}"
        + "".join(
            "<td>{:.3f} / {:.3f}".format(*(1e4 * loss for loss in fold.losses[name])) for fold in evaluation.folds
        )
        for name in names
    )
    return f"<div class=wide><table><tr><th>forecast{head}{rows}</table></div>"
