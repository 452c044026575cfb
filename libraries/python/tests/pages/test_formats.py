"""Numbers, days and moments as people read them; the expected texts are written by hand."""

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest

from internal.pages import formats

SUMMER, WINTER = datetime(2025, 7, 1, 20, 0, tzinfo=UTC), datetime(2025, 1, 24, 21, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (formats.plain(-1234.56, 1), "\u22121,234.6"),
        (formats.plain(-0.004, 2), "0.00"),
        (formats.plain(0.0, 2, sign=True), "0.00"),
        (formats.plain(3, sign=True), "+3"),
        (formats.plain(None, 2), "\u2013"),
        (formats.plain(float("nan"), 2), "\u2013"),
        (formats.percent(0.0415), "+4.15\u2009%"),
        (formats.percent(-0.0009, 2), "\u22120.09\u2009%"),
        (formats.percent(0.994, 1, sign=False), "99.4\u2009%"),
        (formats.percent(None), "\u2013"),
        (formats.points(-0.193), "\u221219.3"),
        (formats.basis_points(0.00093), "+9.3\u2009bp"),
        (formats.basis_points(None), "\u2013"),
        (formats.dollars(104151.92), "$104,151.92"),
        (formats.dollars(-51798.6, 0), "\u2212$51,799"),
        (formats.dollars(321, 0, sign=True), "+$321"),
        (formats.dollars(-0.001), "$0.00"),
        (formats.dollars(None), "\u2013"),
        (formats.about_dollars(-240_400.0), "\u2212$240\u2009k"),
        (formats.about_dollars(1_250_000.0), "$1.2\u2009M"),
        (formats.about_dollars(950.0), "$950"),
        (formats.about_dollars(None), "\u2013"),
        (formats.day(date(2025, 1, 4)), "4 Jan"),
        (formats.day(None), "\u2013"),
        (formats.long_day(date(2025, 1, 24)), "Fri 24 Jan 2025"),
        (formats.clock_time(WINTER), "16:00 ET"),
        (formats.clock_time(SUMMER), "16:00 ET"),
        (formats.day_time(WINTER), "24 Jan, 16:00 ET"),
        (formats.day_time(None), "\u2013"),
        (formats.utc_time(WINTER), "2025-01-24 21:00 UTC"),
        (formats.mark_code("run `a <b>` & wait"), "run <code>a &lt;b&gt;</code> &amp; wait"),
        (formats.mark_code("one ` alone <b>"), "one ` alone &lt;b&gt;"),
        (formats.words("heterogeneous_volatility"), "Heterogeneous volatility"),
        (formats.sentence("the broker of ABC does not answer"), "The broker of ABC does not answer."),
        (formats.sentence("Already whole."), "Already whole."),
        (formats.sentence(""), ""),
        (formats.tone(0.1), "plus"),
        (formats.tone(-0.1), "minus"),
        (formats.tone(0.0), ""),
        (formats.tone(None), ""),
        (formats.heat(0.0004), ""),
        (formats.heat(0.0042), "u1"),
        (formats.heat(-0.02), "d3"),
        (formats.heat(0.05), "u4"),
        (formats.count(1, "order"), "1 order"),
        (formats.count(2, "order"), "2 orders"),
        (formats.count(1200, "entry", "entries"), "1,200 entries"),
    ],
)
def test_texts(made: str, expected: str) -> None:
    """Signs, separators, units and the dash for no value."""
    assert made == expected


@pytest.mark.parametrize("form", [formats.percent, formats.points, formats.basis_points, formats.dollars])
def test_no_negative_zero(form: Callable[[float], str]) -> None:
    """What rounds to zero has no sign."""
    assert "\u2212" not in form(-1e-9)
