"""The small pictures, by their geometry: what touches what, what fills what, and that text is escaped."""

import re
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markupsafe import Markup

from internal.pages import marks
from internal.pages.marks import Band, DayCell, Estimate
from internal.trading.enums import Side

HOSTILE = '"><script>alert(1)</script>'
NUMBERS = st.floats(-1e6, 1e6)


def find(picture: Markup, kind: str) -> dict[str, str]:
    """The attributes of the only element with that class."""
    (found,) = (one for one in ET.fromstring(picture).iter() if one.get("class", "").split()[:1] == [kind])  # noqa: S314 - our own picture
    return dict(found.attrib)


def bar(picture: Markup, kind: str) -> tuple[float, float]:
    """Where the bar of that class begins and ends."""
    found = find(picture, kind)
    return float(found["x"]), float(found["x"]) + float(found["width"])


def points(path: str) -> list[tuple[float, float]]:
    """The corners of a line."""
    return [(float(x), float(y)) for x, y in re.findall(r"([-\d.]+) ([-\d.]+)", path)]


@pytest.mark.parametrize(
    ("value", "side", "place", "kind"),
    [
        (-0.05, Side.LONG, 16.0, "minus"),  # the lower edge: a tenth of the width
        (0.07, Side.LONG, 144.0, "plus"),  # the upper edge
        (0.01, Side.LONG, 80.0, "plus"),  # half way
        (0.01, Side.SHORT, 80.0, "minus"),  # a short loses when the price rises
        (9.0, Side.LONG, 156.0, "plus"),  # outside the picture: at its border
    ],
)
def test_bullet(value: float, side: Side, place: float, kind: str) -> None:
    """A return at the edge of its band touches the edge, and is coloured by what the position gained."""
    picture = marks.bullet(Band(-0.05, 0.0, 0.07), value, side)
    dot = find(picture, "dot")
    assert (float(dot["cx"]), dot["class"]) == (place, f"dot {kind}")
    assert bar(picture, "band") == (16.0, 144.0)


def test_shares_and_signed_bars() -> None:
    """The largest value fills its half or the whole, half of it half; a cost above zero is `minus`."""
    assert bar(marks.share(5, 5), "fact") == (0, 120)
    assert bar(marks.share(2.5, 5), "fact") == (0, 60)
    assert bar(marks.share(0, 0), "fact") == (0, 1)
    assert bar(marks.signed(-2, 2), "minus") == (0, 48)
    assert bar(marks.signed(1, 2), "plus") == (48, 72)
    assert bar(marks.signed(1, 2, cost=True), "minus") == (48, 72)
    assert bar(marks.stacked([(3, "fact"), (1, "base")]), "base") == (240, 318.5)


def test_pair() -> None:
    """Long and short begin in the middle; the tick is at the difference."""
    picture = marks.pair(0.2, 0.1, 0.1, 0.4, (200, 16))
    assert (bar(picture, "minus"), bar(picture, "plus")) == ((75, 100), (100, 150))
    assert find(picture, "tick")["d"] == "M125.0 0V16"


def test_intervals() -> None:
    """The band of an interval is in proportion to the scale; an estimate beyond it becomes an arrow."""
    assert bar(marks.interval(Band(-0.1, 0.0, 0.1), 0.1, (104, 18)), "band") == (2, 102)
    scale = (-1.0, 1.0)
    inside = marks.error_bar(Estimate(0.5, 0.0, 1.0), scale, "model", (212, 16))
    assert find(inside, "whisker")["d"] == "M106.0 8H206.0"
    assert float(find(inside, "dot")["cx"]) == 156
    for beyond in (Estimate(3, 2, 4), Estimate(-3, -4, -2)):
        assert "whisker" not in marks.error_bar(beyond, scale, "model")


def test_spark() -> None:
    """The line goes from edge to edge, high values are at the top, the strong part begins at the entry."""
    picture = marks.spark([1.0, 3.0, 2.0], 1, "plus")
    past, now = points(find(picture, "past")["d"]), points(find(picture, "now")["d"])
    assert past == [(2, 23), (51, 3), (100, 13)]
    assert now == past[1:]
    assert points(find(marks.spark([5.0]), "past")["d"]) == [(2, 3)]


def test_columns() -> None:
    """Columns begin at zero; the figure is written with its sign."""
    picture = marks.columns([("Mon", 0.01), ("Tue", -0.005)], "Return by session")
    up, down = find(picture, "plus"), find(picture, "minus")
    assert float(up["y"]) + float(up["height"]) == pytest.approx(float(down["y"]))
    assert float(up["height"]) == pytest.approx(2 * float(down["height"]), abs=0.2)
    assert ">+1.00<" in picture
    assert ">\u22120.50<" in picture
    assert 'height="120.0"' in marks.shares([("a", 0.5), ("b", 0.25)], "Attention")


@pytest.mark.parametrize(
    ("kind", "shape"), [("complete", "<rect"), ("missing", "cross"), ("repaired", "corner"), ("late", "half")]
)
def test_month(kind: str, shape: str) -> None:
    """Kinds of days differ in shape too; a month of six weeks is higher."""
    assert shape in marks.month([DayCell(0, 0, kind, "a day")])
    assert shape in marks.day_key(kind)
    heights = [int(ET.fromstring(marks.month([DayCell(4, row, kind, "a day")])).get("height", "")) for row in (0, 5)]  # noqa: S314 - our own picture
    assert heights == [72, 87]


@pytest.mark.parametrize(
    "picture",
    [
        marks.columns([(HOSTILE, 0.1)], HOSTILE),
        marks.shares([(HOSTILE, 0.1)], HOSTILE),
        marks.month([DayCell(0, 0, HOSTILE, HOSTILE)]),
        marks.spark([1.0, 2.0], 0, HOSTILE),
        marks.share(1, 2, HOSTILE),
        marks.stacked([(1, HOSTILE)]),
    ],
)
def test_text_is_escaped(picture: Markup) -> None:
    """No text of a caller becomes markup, in an attribute or between tags."""
    assert "<script" not in picture
    ET.fromstring(picture)  # noqa: S314 - our own picture


@settings(max_examples=40)
@given(st.lists(NUMBERS, min_size=1, max_size=40), NUMBERS, NUMBERS)
def test_every_number_can_be_drawn(values: list[float], one: float, other: float) -> None:
    """Equal, extreme and negative numbers give well-formed pictures that name no style and no NaN."""
    low, high = min(one, other), max(one, other)
    pictures = [
        marks.spark(values, len(values) // 2, "plus"),
        marks.signed(one, abs(other)),
        marks.pair(abs(one), abs(other), one, abs(one) + abs(other)),
        marks.bullet(Band(low, one, high), other, Side.SHORT),
        marks.interval(Band(low, one, high), abs(one) or 1.0),
        marks.error_bar(Estimate(one, low, high), (-1.0, 1.0), "fact"),
        marks.stacked([(value, "fact") for value in values]),
        marks.columns([("day", value) for value in values], "values"),
        marks.shares([("day", abs(value)) for value in values], "shares"),
    ]
    for picture in pictures:
        ET.fromstring(picture)  # noqa: S314 - our own picture
        assert "style=" not in picture
        assert not re.search(r"\b(nan|inf)", picture)
