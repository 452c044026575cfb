"""The evaluation as one HTML file with its pictures, beside the JSON.

Knows how tables and marks are drawn. Measures nothing.
"""

import json
from html import escape
from pathlib import Path
from typing import Final

from internal.baselines.forecast import QUANTILES
from models.evaluate import Evaluation, Line

STYLE: Final = (
    "body{font:15px/1.5 system-ui;margin:2rem auto;max-width:60rem;color:#1b1f24}table{border-collapse:collapse}"
    "td,th{padding:.3rem .8rem;text-align:right;border-bottom:1px solid #d8dee4}td:first-child,th:first-child"
    "{text-align:left}.model{font-weight:600}"
)
WIDTH, ROW, LABEL = 760, 28, 240
SIDE, MARGIN = 320, 40
COLOURS: Final = ("#bf3989", "#57606a", "#0969da")  # of the quantiles 10, 50 and 90


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
        "<h2>Where the loss lies, cumulative, x 1e-4</h2>"
        f"{_losses(evaluation.lines)}<h2>What the 80 % interval covers, by group</h2>{_coverage(evaluation.lines)}"
        f"<h2>Calibration</h2><p>Share of truths below each quantile, by step; the lines are what it should be.</p>"
        f"{''.join(_calibration(line) for line in evaluation.lines)}"
    )


def _table(lines: list[Line]) -> str:
    head = (
        "<tr><th>forecast<th>daily loss x 1e-4<th>difference, % (95 %)<th>cumulative loss x 1e-4"
        "<th>difference, % (95 %)<th>80 % interval covers<th>rank correlation (t)"
    )
    return f"<table>{head}{''.join(_row(line) for line in lines)}</table>"


def _row(line: Line) -> str:
    kind = "" if line.is_baseline else " class=model"
    return (
        f"<tr{kind}><td>{escape(line.score.name)}<td>{1e4 * line.score.daily:.3f}<td>{_interval(line.daily_difference)}"
        f"<td>{1e4 * line.score.cumulative:.3f}<td>{_interval(line.cumulative_difference)}"
        f"<td>{100 * line.score.coverage:.1f} %<td>{_rank(line)}"
    )


def _interval(difference: tuple[float, float, float]) -> str:
    return "{:+.2f} ({:+.2f} to {:+.2f})".format(*difference)


def _rank(line: Line) -> str:
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
    return f"<table><tr><th>forecast, by session ahead{head}<th>10 %<th>median<th>90 %<th>tails{rows}</table>"


def _coverage(lines: list[Line]) -> str:
    sectors = list(lines[0].score.coverage_by_sector)
    head = "".join(f"<th>{escape(name)}" for name in ["calm third", "middle", "volatile third", *sectors])
    rows = "".join(
        f"<tr><td>{escape(line.score.name)}"
        + "".join(
            f"<td>{100 * share:.1f}"
            for share in [*line.score.coverage_by_volatility, *line.score.coverage_by_sector.values()]
        )
        for line in lines
    )
    return f"<div style=overflow-x:auto><table><tr><th>forecast, %{head}{rows}</table></div>"


def _calibration(line: Line) -> str:
    """Share of truths below each quantile against the step, as one square picture."""
    height, steps = SIDE - 2 * MARGIN, len(line.score.calibration)
    rules = "".join(
        f'<line x1={MARGIN} x2={SIDE - 10} y1="{MARGIN + height * (1 - level):.0f}" '
        f'y2="{MARGIN + height * (1 - level):.0f}" stroke="{colour}" stroke-dasharray=4 />'
        f'<text x=0 y="{MARGIN + height * (1 - level) + 4:.0f}">{100 * level:.0f} %</text>'
        for level, colour in zip(QUANTILES, COLOURS, strict=True)
    )
    dots = "".join(
        f'<circle cx="{MARGIN + (place + 0.5) * (SIDE - MARGIN - 10) / steps:.0f}" '
        f'cy="{MARGIN + height * (1 - share):.1f}" r=4 fill="{colour}" />'
        for place, shares in enumerate(line.score.calibration)
        for share, colour in zip(shares, COLOURS, strict=True)
    )
    title = f"<text x=0 y=16>{escape(line.score.name)}</text>"
    return f"<svg width={SIDE} height={SIDE} font-size=12 role=img>{title}{rules}{dots}</svg>"


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
