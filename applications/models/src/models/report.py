"""The evaluation as one HTML file with its picture, beside the JSON.

Knows how a table and bars are drawn. Measures nothing.
"""

import json
from html import escape
from pathlib import Path
from typing import Final

from models.evaluate import Evaluation, Line

STYLE: Final = (
    "body{font:15px/1.5 system-ui;margin:2rem auto;max-width:60rem;color:#1b1f24}table{border-collapse:collapse}"
    "td,th{padding:.3rem .8rem;text-align:right;border-bottom:1px solid #d8dee4}td:first-child,th:first-child"
    "{text-align:left}.model{font-weight:600}"
)
WIDTH, ROW, LABEL = 760, 28, 240


def write_report(folder: Path, evaluation: Evaluation) -> Path:
    """Write `evaluation.json` and `evaluation.html`; the path of the latter."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "evaluation.json").write_text(json.dumps(evaluation.to_json(), indent=2))
    page = folder / "evaluation.html"
    page.write_text(_page(evaluation))
    return page


def _page(evaluation: Evaluation) -> str:
    verdict = "".join(f"<p>{escape(sentence)}</p>" for sentence in evaluation.verdict)
    return (
        f"<!doctype html><meta charset=utf-8><title>Evaluation of {evaluation.version}</title><style>{STYLE}</style>"
        f"<h1>Model {evaluation.version}</h1><p>Held out: {evaluation.first} to {evaluation.last}, "
        f"{evaluation.rows:,} origins of {evaluation.tickers} tickers.</p>{verdict}"
        f"{_table(evaluation.lines)}<h2>Cumulative loss against the best baseline</h2>{_picture(evaluation.lines)}"
    )


def _table(lines: list[Line]) -> str:
    head = "<tr><th>forecast<th>daily loss x 1e-4<th>cumulative loss x 1e-4<th>difference, %<th>80 % interval covers"
    return f"<table>{head}{''.join(_row(line) for line in lines)}</table>"


def _row(line: Line) -> str:
    kind = "" if line.is_baseline else " class=model"
    return (
        f"<tr{kind}><td>{escape(line.score.name)}<td>{1e4 * line.score.daily:.3f}<td>{1e4 * line.score.cumulative:.3f}"
        f"<td>{line.cumulative_difference[0]:+.2f}<td>{100 * line.score.coverage:.1f} %"
    )


def _picture(lines: list[Line]) -> str:
    """Each forecast's difference with its 95 % interval, as a mark on one axis."""
    bounds = [bound for line in lines for bound in line.cumulative_difference]
    low, high = min(*bounds, -0.5), max(*bounds, 0.5)

    def across(value: float) -> float:
        return LABEL + (value - low) / (high - low) * (WIDTH - LABEL - 20)

    marks = "".join(
        f'<text x=0 y="{ROW * place + 19}">{escape(line.score.name)}</text>'
        f'<line x1="{across(line.cumulative_difference[1]):.1f}" x2="{across(line.cumulative_difference[2]):.1f}" '
        f'y1="{ROW * place + 14}" y2="{ROW * place + 14}" stroke="#57606a" stroke-width=2 />'
        f'<circle cx="{across(line.cumulative_difference[0]):.1f}" cy="{ROW * place + 14}" r=5 '
        f'fill="{"#57606a" if line.is_baseline else "#0969da"}" />'
        for place, line in enumerate(lines)
    )
    axis = f'<line x1="{across(0):.1f}" x2="{across(0):.1f}" y1=0 y2="{ROW * len(lines)}" stroke="#d0d7de" />'
    return f'<svg width={WIDTH} height="{ROW * len(lines) + 4}" font-size=13 role=img>{axis}{marks}</svg>'
