"""The small pictures inside tables, as SVG.

Classes carry the meaning (`plus`, `minus`, `model`, `fact`), the style sheet the colours. Geometry is in attributes,
never in `style`, so that a strict content security policy holds.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from internal.pages.formats import percent, plain, points
from internal.trading.enums import Side

CELL, GAP = 12, 3  # of a month's days
WEEKDAYS = 5
SMALLEST_SPREAD = 1e-12


def spark(
    values: Sequence[float], entry: int | None = None, kind: str = "", size: tuple[int, int] = (104, 26)
) -> Markup:
    """Values as a line, strong since the entry, with a dot where it ends.

    Args:
        values: At least one.
        entry: The place in `values` from which the line is strong; None for no such part.
        kind: `plus` or `minus`, or `model`.
        size: Width and height.
    """
    width, height = size
    low, high = min(values), max(values)
    step = (width - 6) / max(len(values) - 1, 1)
    scale = (height - 6) / _spread(low, high)
    line = [(2 + place * step, 3 + (high - value) * scale) for place, value in enumerate(values)]
    body = Markup('<path class="past" d="{}"/>').format(_path(line))
    if entry is not None and 0 <= entry < len(values):
        since = line[entry:] if entry < len(line) - 1 else line[-2:]
        body += Markup('<path class="now {}" d="{}"/>').format(kind, _path(since))
        body += _dot(f"{kind} hollow", since[0], 2)
    return _picture("spark", size, body + _dot(f"end {kind}", line[-1], 2))


def signed(value: float, largest: float, size: tuple[int, int] = (96, 10), *, cost: bool = False) -> Markup:
    """A bar from the middle, to the right above zero; `plus` above zero, unless the figure is a cost."""
    width, height = size
    length = width / 2 * _share(value, largest)
    kind = "plus" if (value >= 0) != cost else "minus"
    left = width / 2 if value >= 0 else width / 2 - length
    return _picture("signed", size, _bar(kind, left, 1, max(length, 0.8), height - 2) + _zero(width / 2, height))


def pair(long: float, short: float, net: float, largest: float, size: tuple[int, int] = (260, 16)) -> Markup:
    """Long to the right, short (a positive number) to the left, the net value as a tick."""
    width, height = size
    middle, scale = width / 2, width / 2 / largest if largest > SMALLEST_SPREAD else 0.0
    tick = Markup('<path class="tick" d="M{:.1f} 0V{}"/>').format(middle + net * scale, height)
    bars = _bar("minus", middle - short * scale, 3, short * scale, height - 6)
    bars += _bar("plus", middle, 3, long * scale, height - 6)
    return _picture("pair", size, bars + _zero(middle, height) + tick)


@dataclass(frozen=True)
class Band:
    """A forecast return: its 10, 50 and 90 per cent quantiles, as fractions."""

    low: float
    middle: float
    high: float

    def place(self, value: float) -> float:
        """Where a return is in the band: 0 at its lower edge, 1 at its upper."""
        return (value - self.low) / _spread(self.low, self.high)

    def describe(self) -> str:
        """The band in words."""
        return f"{percent(self.low, 1)} to {percent(self.high, 1)}"


def bullet(band: Band, value: float, side: Side, size: tuple[int, int] = (160, 22)) -> Markup:
    """A price's return in its band, which fills the same part of every picture: what counts is how near an edge is."""
    width, height = size
    left, inner, y = width * 0.1, width * 0.8, height / 2
    x = min(max(left + band.place(value) * inner, 4), width - 4)
    zero, middle = (left + band.place(one) * inner for one in (0.0, band.middle))
    kind = "plus" if (value >= 0) == (side is Side.LONG) else "minus"
    edges = f"M{left:.1f} {y - 8:g}V{y + 8:g}M{left + inner:.1f} {y - 8:g}V{y + 8:g}"
    body = _bar("band", left, y - 5, inner, 10) + Markup('<path class="edge" d="{}"/>').format(edges)
    body += Markup('<path class="median" d="M{:.1f} {:g}V{:g}"/>').format(middle, y - 5, y + 5)
    body += Markup('<path class="run {}" d="M{:.1f} {:g}H{:.1f}"/>').format(kind, min(max(zero, 0), width), y, x)
    label = f"return {percent(value, 1)}, band {band.describe()}"
    return _picture("bullet", size, body + _dot(f"dot {kind}", (x, y), 4), label)


def interval(band: Band, reach: float, size: tuple[int, int] = (260, 18)) -> Markup:
    """A forecast's band on a scale from -reach to +reach that every row shares."""
    width, height = size
    low, middle, high = (width / 2 + _clip(one / reach) * (width / 2 - 2) for one in (band.low, band.middle, band.high))
    body = _zero(width / 2, height) + _bar("band", low, height / 2 - 4, high - low, 8)
    body += Markup('<path class="middle" d="M{:.1f} {:g}V{:g}"/>').format(middle, height / 2 - 6, height / 2 + 6)
    label = f"{percent(band.low, 1)}, {percent(band.middle, 1)}, {percent(band.high, 1)}"
    return _picture("interval", size, body, label)


@dataclass(frozen=True)
class Estimate:
    """A figure and its interval."""

    value: float
    low: float
    high: float

    def describe(self) -> str:
        """The figure and its interval in words."""
        return (
            f"{plain(self.value, 2, sign=True)} ({plain(self.low, 2, sign=True)} to {plain(self.high, 2, sign=True)})"
        )


def error_bar(found: Estimate, scale: tuple[float, float], kind: str, size: tuple[int, int] = (220, 16)) -> Markup:
    """A figure and its interval on a scale that every row shares; an arrow where it is beyond the scale."""
    width, height = size
    y, (first, last) = height / 2, scale
    zero, low, high, value = (
        6 + (min(max(one, first), last) - first) / (last - first) * (width - 12)
        for one in (0.0, found.low, found.high, found.value)
    )
    if found.low > last:
        arrow = f"M{width - 16} {y:g}H{width - 3}M{width - 8} {y - 4:g}L{width - 3} {y:g}L{width - 8} {y + 4:g}"
        body = Markup('<path class="off {}" d="{}"/>').format(kind, arrow)
    elif found.high < first:
        arrow = f"M16 {y:g}H3M8 {y - 4:g}L3 {y:g}L8 {y + 4:g}"
        body = Markup('<path class="off {}" d="{}"/>').format(kind, arrow)
    else:
        body = Markup('<path class="whisker {}" d="M{:.1f} {:g}H{:.1f}"/>').format(kind, low, y, high)
        body += _dot(f"dot {kind}", (value, y), 3.5)
    return _picture("error", size, _zero(zero, height) + body, found.describe())


def share(
    value: float, largest: float, kind: str = "fact", size: tuple[int, int] = (120, 10), *, track: bool = False
) -> Markup:
    """A bar from the left, which the largest value fills; with a track behind it where the whole is to be seen."""
    width, height = size
    behind = _bar("faint", 0, 1, width, height - 2) if track else Markup()
    return _picture(
        "share", size, behind + _bar(kind, 0, 1, max(width * _share(value, largest), 1), height - 2), stretch=True
    )


def stacked(parts: Sequence[tuple[float, str]], size: tuple[int, int] = (320, 10)) -> Markup:
    """Parts of a whole beside each other, as (value, class), each wide enough to be seen."""
    width, height = size
    lengths = [max(abs(value), 0.006 * (sum(abs(one) for one, _ in parts) or 1.0)) for value, _ in parts]
    scale, left, body = width / _spread(0.0, sum(lengths)), 0.0, Markup()
    for length, (_, kind) in zip(lengths, parts, strict=True):
        body += _bar(kind, left, 0, max(length * scale - 1.5, 0.5), height)
        left += length * scale
    return _picture("stacked", size, body, stretch=True)


def columns(steps: Sequence[tuple[str, float]], label: str, size: tuple[int, int] = (560, 150)) -> Markup:
    """One column a step, as (label, fraction), up and `plus` or down and `minus`, with the figure in per cent."""
    width, height = size
    highest, lowest = max(0.0, *(value for _, value in steps)), min(0.0, *(value for _, value in steps))
    pitch, scale = width / len(steps), (height - 26) / _spread(lowest, highest)
    zero, body = 13 + highest * scale, Markup()
    for place, (name, value) in enumerate(steps):
        length = max(abs(value) * scale, 0.8)
        top = zero - length if value >= 0 else zero
        bar = _bar("plus" if value >= 0 else "minus", pitch * (place + 0.14), top, pitch * 0.72, length)
        under = top - 4 if value >= 0 else top + length + 11
        text = Markup('<text x="{:.1f}" y="{:.1f}">{}</text>').format(pitch * (place + 0.5), under, points(value, 2))
        body += _titled(bar + text, f"{name}: {percent(value)}")
    axis = Markup('<path class="zero" d="M0 {:.1f}H{}"/>').format(zero, width)
    return _picture("columns", size, body + axis, label)


def shares(steps: Sequence[tuple[str, float]], label: str, size: tuple[int, int] = (560, 120)) -> Markup:
    """One column a step, as (label, share), the largest as high as the picture; shares are not negative."""
    width, height = size
    pitch, largest = width / max(len(steps), 1), max((value for _, value in steps), default=0.0)
    body = Markup()
    for place, (name, value) in enumerate(steps):
        length = height * _share(value, largest)
        bar = _bar("model", pitch * (place + 0.1), height - length, pitch * 0.8, length)
        body += _titled(bar, f"{name}: {percent(value, sign=False)}")
    return _picture("columns", size, body, label)


@dataclass(frozen=True)
class DayCell:
    """A day of a month's picture.

    Attributes:
        column: 0 for Monday to 4 for Friday.
        row: The week of the month, from 0.
        kind: `complete`, `late`, `missing`, `repaired` or `holiday`; they differ in shape too.
        title: What is shown when the day is pointed at.
    """

    column: int
    row: int
    kind: str
    title: str


def month(cells: Sequence[DayCell]) -> Markup:
    """One month: weeks downwards, weekdays across."""
    pitch = CELL + GAP
    rows = max(WEEKDAYS, *(cell.row + 1 for cell in cells)) if cells else WEEKDAYS
    body = Markup().join(_titled(_day(cell.kind, cell.column * pitch, cell.row * pitch), cell.title) for cell in cells)
    return _picture("month", (WEEKDAYS * pitch - GAP, rows * pitch - GAP), body)


def day_key(kind: str) -> Markup:
    """One day of a month, for the key."""
    return _picture("month", (CELL, CELL), _day(kind, 0, 0))


def _day(kind: str, x: float, y: float) -> Markup:
    end, middle = CELL - 3, CELL / 2
    if kind == "holiday":
        return _dot(kind, (x + middle, y + middle), 1.8)
    inner = {
        "missing": ("cross", f"M{x + 3} {y + 3}L{x + end} {y + end}M{x + end} {y + 3}L{x + 3} {y + end}"),
        "repaired": ("corner", f"M{x + 2.5} {y + middle}L{x + 5} {y + 8.8:g}L{x + 9.6:g} {y + 3}"),
        "late": ("half", f"M{x + 2} {y}H{x + CELL - 2}A2 2 0 0 1 {x + CELL} {y + 2}V{y + CELL - 2}Z"),
    }
    square = _bar(kind, x, y, CELL, CELL)
    return square + Markup('<path class="{}" d="{}"/>').format(*inner[kind]) if kind in inner else square


def _picture(kind: str, size: tuple[int, int], body: Markup, label: str = "", *, stretch: bool = False) -> Markup:
    """The picture with what it shows for those who cannot see it; without a label the text beside it says the same."""
    width, height = size
    role = Markup('role="img" aria-label="{}"').format(label) if label else Markup('aria-hidden="true"')
    ratio = Markup(' preserveAspectRatio="none"') if stretch else Markup()
    return Markup('<svg class="mark {}" viewBox="0 0 {} {}" width="{}" height="{}" {}{}>{}</svg>').format(
        kind, width, height, width, height, role, ratio, body
    )


def _bar(kind: str, left: float, top: float, width: float, height: float) -> Markup:
    return Markup('<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" rx="1"/>').format(
        kind, left, top, width, height
    )


def _dot(kind: str, center: tuple[float, float], radius: float) -> Markup:
    return Markup('<circle class="{}" cx="{:.1f}" cy="{:.1f}" r="{:g}"/>').format(kind, *center, radius)


def _zero(x: float, height: float) -> Markup:
    return Markup('<path class="zero" d="M{:.1f} 0V{:g}"/>').format(x, height)


def _titled(body: Markup, title: str) -> Markup:
    return Markup("<g>{}<title>{}</title></g>").format(body, title)


def _path(line: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in line)


def _share(value: float, largest: float) -> float:
    return min(abs(value) / largest, 1.0) if largest > SMALLEST_SPREAD else 0.0


def _spread(low: float, high: float) -> float:
    """What to divide by; 1 where all values are the same."""
    return high - low if high - low > SMALLEST_SPREAD else 1.0


def _clip(value: float) -> float:
    return max(min(value, 1.0), -1.0)
