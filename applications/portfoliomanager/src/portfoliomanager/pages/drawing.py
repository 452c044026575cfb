"""Tables, bars and a line as HTML and SVG text; every value is escaped."""

from collections.abc import Sequence
from html import escape

from internal.modes import Mode

WIDTH, HEIGHT = 720, 160  # SVG units
BAR_PER_CENT = 70  # of its cell; the number is beside it


class Markup(str):
    """Text that is markup, made by this module from escaped values."""

    __slots__ = ()


def link(path: str, text: str) -> Markup:
    """A link to a page of this service."""
    return Markup(f'<a href="{escape(path)}">{escape(text)}</a>')


def banner(mode: Mode) -> Markup:
    """The line at the head of every page: LIVE, PAPER or SIMULATED, and what that means."""
    return Markup(f'<p class="mode {mode}"><b>{mode.banner}</b> {escape(mode.explanation)}</p>')


def share(value: float, largest: float) -> Markup:
    """A share as a bar, longest where it is the largest, and in per cent."""
    width = BAR_PER_CENT * value / largest if largest else 0.0
    return Markup(f'<span class="share" style="width:{width:.1f}%"></span>{value:.1%}')


def cell(value: object) -> str:
    """A value as text: numbers with separators, nothing for None; markup as it is."""
    if value is None:
        return ""
    if isinstance(value, Markup):
        return value
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
        return "<p>The chart needs two snapshots.</p>"
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


def columns(values: Sequence[float], names: Sequence[str], label: str) -> str:
    """One column a value, the largest as high as the chart; its name and share are shown when it is pointed at."""
    width, largest = WIDTH / max(len(values), 1), max(values, default=0.0) or 1.0
    drawn = "".join(
        f'<rect x="{place * width:.1f}" width="{0.8 * width:.1f}" y="{HEIGHT * (1 - value / largest):.1f}" '
        f'height="{HEIGHT * value / largest:.1f}"><title>{escape(name)}: {value:.2%}</title></rect>'
        for place, (value, name) in enumerate(zip(values, names, strict=True))
    )
    return (
        f'<svg viewBox="-4 -4 {WIDTH + 8} {HEIGHT + 8}" role="img" aria-label="{escape(label)}" fill="currentColor">'
        f"{drawn}</svg>"
    )
