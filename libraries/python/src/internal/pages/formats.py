"""Numbers, days and moments as text for people: U+2212 as minus, a thin space before a unit, times of New York."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from math import isfinite
from zoneinfo import ZoneInfo

from markupsafe import Markup, escape

from internal.dates import NEW_YORK

MINUS, THIN_SPACE = "\u2212", "\u2009"
NOTHING = "\u2013"  # for a value that there is not
MILLION, THOUSAND = 1_000_000, 1_000
BASIS_POINTS = 10_000
HEAT_STEPS = (0.0005, 0.0075, 0.015, 0.03)  # fractions at which a heat table's colour gets stronger


def plain(value: float | None, digits: int = 0, *, sign: bool = False) -> str:
    """A number with separators; zero never has a sign.

    >>> plain(-1234.5, 1), plain(0.004, 2, sign=True), plain(2, sign=True)
    ('\u22121,234.5', '0.00', '+2')
    """
    if value is None or not isfinite(value):
        return NOTHING
    text = f"{abs(value):,.{digits}f}"
    if not text.strip("0,."):
        return text
    return _sign(value, sign=sign) + text


def percent(value: float | None, digits: int = 2, *, sign: bool = True) -> str:
    """A fraction in per cent, with its sign."""
    return NOTHING if value is None or not isfinite(value) else points(value, digits, sign=sign) + THIN_SPACE + "%"


def points(value: float | None, digits: int = 1, *, sign: bool = True) -> str:
    """A fraction in per cent without the unit, where a heading names it."""
    return plain(None if value is None else 100 * value, digits, sign=sign)


def basis_points(value: float | None, digits: int = 1) -> str:
    """A fraction in basis points."""
    text = plain(None if value is None else BASIS_POINTS * value, digits, sign=True)
    return text if text == NOTHING else f"{text}{THIN_SPACE}bp"


def dollars(value: float | None, digits: int = 2, *, sign: bool = False) -> str:
    """Dollars; the sign before the dollar."""
    text = plain(value, digits, sign=sign)
    if text == NOTHING:
        return text
    return f"{text[0]}${text[1:]}" if text[0] in f"{MINUS}+" else f"${text}"


def about_dollars(value: float | None) -> str:
    """Dollars in thousands or millions, where no cent matters.

    >>> about_dollars(240_400), about_dollars(1_250_000), about_dollars(950)
    ('$240\u2009k', '$1.2\u2009M', '$950')
    """
    if value is None or abs(value) < THOUSAND:
        return dollars(value, 0)
    size, unit, digits = (MILLION, "M", 1) if abs(value) >= MILLION else (THOUSAND, "k", 0)
    return f"{dollars(value / size, digits)}{THIN_SPACE}{unit}"


def day(value: date | None, form: str = "%-d %b") -> str:
    """A day: `24 Jan` unless the form says more."""
    return NOTHING if value is None else value.strftime(form)


def long_day(value: date | None) -> str:
    """A day with weekday and year: `Fri 24 Jan 2025`."""
    return day(value, "%a %-d %b %Y")


def clock_time(moment: datetime | None) -> str:
    """A moment as New York's clock shows it: `16:00 ET`."""
    return NOTHING if moment is None else f"{moment.astimezone(ZoneInfo(NEW_YORK)):%H:%M} ET"


def day_time(moment: datetime | None) -> str:
    """A moment with its day in New York: `24 Jan, 16:00 ET`."""
    return NOTHING if moment is None else f"{day(moment.astimezone(ZoneInfo(NEW_YORK)))}, {clock_time(moment)}"


def utc_time(moment: datetime | None) -> str:
    """A moment with its year in UTC: `2025-01-24 21:00 UTC`."""
    return NOTHING if moment is None else f"{utc_day(moment)} {utc_clock(moment)}"


def utc_day(moment: datetime) -> str:
    """The day of a moment in UTC: `2025-01-24`."""
    return f"{moment.astimezone(UTC):%Y-%m-%d}"


def utc_clock(moment: datetime) -> str:
    """The time of a moment in UTC: `21:00 UTC`."""
    return f"{moment.astimezone(UTC):%H:%M} UTC"


def words(name: str) -> str:
    """A name of the code as words: `heterogeneous_volatility` is `Heterogeneous volatility`."""
    return name.replace("_", " ").capitalize()


def sentence(text: str) -> str:
    """A text that begins with a capital letter, its others as they are, and ends with one full stop."""
    return text[:1].upper() + text[1:].removesuffix(".") + "." if text else ""


def mark_code(text: str) -> Markup:
    """A text as HTML: escaped, and what is between backticks as code. Without a closing backtick, as it is."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return escape(text)
    marked = (Markup("<code>{}</code>").format(part) if place % 2 else escape(part) for place, part in enumerate(parts))
    return Markup("").join(marked)


def heat(value: float) -> str:
    """The class of a heat table's cell: `u1` to `u4` above zero, `d1` to `d4` below, none near it."""
    step = sum(abs(value) >= edge for edge in HEAT_STEPS)
    return f"{'u' if value > 0 else 'd'}{step}" if step else ""


def tone(value: float | None) -> str:
    """The class of a signed figure: `plus`, `minus`, or none for zero."""
    return "" if not value else "plus" if value > 0 else "minus"


def count(number: int, noun: str, several: str = "") -> str:
    """A count with its noun: `1 order`, `2 orders`, `2 entries`."""
    return f"{number:,} {noun if number == 1 else several or f'{noun}s'}"


def _sign(value: float, *, sign: bool) -> str:
    return MINUS if value < 0 else "+" if sign else ""


FORMATS: tuple[Callable[..., str], ...] = (
    *(plain, percent, points, basis_points, dollars, about_dollars, count),
    *(day, long_day, clock_time, day_time, utc_time, utc_day, utc_clock, words, sentence, mark_code, heat, tone),
)
