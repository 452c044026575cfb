"""Drawing: tables and a line as HTML and SVG text.

Knows markup and escapes every value. Knows nothing of the fund.
"""

from collections.abc import Sequence
from html import escape

WIDTH, HEIGHT = 720, 160  # SVG units


def cell(value: object) -> str:
    """A value as text: numbers with separators, nothing for None."""
    if value is None:
        return ""
    return escape(f"{value:,.2f}" if isinstance(value, float) else str(value))


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table with a heading; an empty one says so."""
    if not rows:
        return "<p>None yet.</p>"
    head = "".join(f"<th>{escape(column)}</th>" for column in columns)
    body = "".join("<tr>" + "".join(f"<td>{cell(value)}</td>" for value in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def line(values: Sequence[float], label: str) -> str:
    """The values from left to right as a line, scaled to its own range; lowest and highest are written beside it."""
    if len(values) < 2:  # noqa: PLR2004 - a line needs two points
        return "<p>The picture needs two snapshots.</p>"
    low, high = min(values), max(values)
    spread = (high - low) or 1.0
    points = " ".join(
        f"{number * WIDTH / (len(values) - 1):.1f},{HEIGHT - (value - low) / spread * HEIGHT:.1f}"
        for number, value in enumerate(values)
    )
    return (
        f'<svg viewBox="-4 -4 {WIDTH + 8} {HEIGHT + 8}" role="img" aria-label="{escape(label)}">'
        f'<polyline fill="none" stroke="currentColor" stroke-width="2" points="{points}"/></svg>'
        f"<p>{escape(label)}: lowest {low:,.2f}, highest {high:,.2f}, now {values[-1]:,.2f}</p>"
    )
