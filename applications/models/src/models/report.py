"""The evaluation as files: JSON, each picture as PNG, and one HTML page with the tables and the same pictures.

Knows how files are laid out. Measures nothing, and draws nothing itself: `figures` does, and with it matplotlib is
imported when a report is written and not before.
"""

import json
from base64 import b64encode
from html import escape
from pathlib import Path
from typing import Final
from uuid import uuid4

from models.comparison import REFERENCE, Difference, Evaluation, Line

STYLE: Final = (
    "body{font:15px/1.5 system-ui;margin:2rem auto;max-width:72rem;color:#1b1f24}table{border-collapse:collapse}"
    "td,th{padding:.3rem .8rem;text-align:right;border-bottom:1px solid #d8dee4}td:first-child,th:first-child"
    "{text-align:left}.model{font-weight:600}img{max-width:100%}.wide{overflow-x:auto}"
)


def write_report(folder: Path, evaluation: Evaluation) -> Path:
    """Write `evaluation.json`, `evaluation.html` and the pictures; the path of the page.

    Everything is made before the first byte is written, and each file appears complete or not at all.
    """
    from models.figures import draw  # noqa: PLC0415 - matplotlib takes a second that only a report needs

    pictures = draw(evaluation)
    contents = {f"{name}.png": png for name, (png, _) in pictures.items()}
    contents["evaluation.json"] = json.dumps(evaluation.to_json(), indent=2).encode()
    contents["evaluation.html"] = _page(evaluation, {name: svg for name, (_, svg) in pictures.items()}).encode()
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        partial = folder / f".{name}-{uuid4().hex}"
        partial.write_bytes(content)
        partial.rename(folder / name)
    return folder / "evaluation.html"


def _page(evaluation: Evaluation, pictures: dict[str, bytes]) -> str:
    verdict = "".join(f"<p>{escape(sentence)}</p>" for sentence in evaluation.verdict)
    images = {
        name: f'<p><img alt="{name}" src="data:image/svg+xml;base64,{b64encode(svg).decode()}"></p>'
        for name, svg in pictures.items()
    }
    return (
        f"<!doctype html><meta charset=utf-8><title>Evaluation: {evaluation.version}</title><style>{STYLE}</style>"
        f"<h1>{evaluation.version}</h1><p>Judged: {evaluation.first} to {evaluation.last}, "
        f"{evaluation.rows:,} origins of {evaluation.tickers} tickers.</p>{verdict}"
        f"<h2>Mean pinball loss</h2><p>Differences in per cent, with the 95 % interval of a paired block "
        f"bootstrap over dates; negative is better.</p>{_table(evaluation)}"
        f"{images['differences']}{images['loss_by_horizon']}"
        f"<h2>Where the loss lies, cumulative, x 1e-4</h2>{_losses(evaluation.lines)}"
        f"<h2>What the quantiles cover</h2>{images['calibration']}{images['coverage']}{_coverage(evaluation.lines)}"
        f"<h2>By fold, daily / cumulative loss x 1e-4</h2>{_folds(evaluation)}"
    )


def _table(evaluation: Evaluation) -> str:
    best = escape(evaluation.lines[0].score.name)
    head = (
        f"<tr><th>forecast<th>daily<th>against {best}<th>against {REFERENCE}"
        f"<th>cumulative<th>against {best}<th>against {REFERENCE}<th>80 % covers<th>rank correlation (t)"
    )
    rows = "".join(_row(line, evaluation.model) for line in evaluation.lines)
    return f"<div class=wide><table>{head}{rows}</table></div>"


def _row(line: Line, model: str) -> str:
    kind = " class=model" if line.score.name == model else ""
    return (
        f"<tr{kind}><td>{escape(line.score.name)}<td>{1e4 * line.score.daily:.3f}"
        f"<td>{interval(line.daily_difference)}<td>{interval(line.daily_against_reference)}"
        f"<td>{1e4 * line.score.cumulative:.3f}"
        f"<td>{interval(line.cumulative_difference)}<td>{interval(line.cumulative_against_reference)}"
        f"<td>{100 * line.score.coverage:.1f} %<td>{rank(line)}"
    )


def interval(difference: Difference) -> str:
    """A difference with its bounds, in per cent; a dash where a forecast is compared with itself."""
    return "-" if difference == (0.0, 0.0, 0.0) else "{:+.2f} ({:+.2f} to {:+.2f})".format(*difference)


def rank(line: Line) -> str:
    """The median's rank correlation and its t statistic; none where it does not differ between tickers."""
    correlation, t_statistic = line.score.rank_correlation, line.score.rank_t
    return "none" if correlation is None or t_statistic is None else f"{correlation:+.3f} ({t_statistic:+.1f})"


def _losses(lines: list[Line]) -> str:
    """By step, by quantile, and the tails alone."""
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


def _coverage(lines: list[Line]) -> str:
    """Groups down, forecasts across: there may be many groups."""
    each = [line.coverage_by_group() for line in lines]
    head = "".join(f"<th>{escape(line.score.name)}" for line in lines)
    rows = "".join(
        f"<tr><td>{escape(name)}" + "".join(f"<td>{100 * shares[name]:.1f}" for shares in each) for name in each[0]
    )
    return f"<div class=wide><table><tr><th>truths inside, %{head}{rows}</table></div>"


def _folds(evaluation: Evaluation) -> str:
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
