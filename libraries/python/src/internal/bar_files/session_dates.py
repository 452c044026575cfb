"""The session of each row, from dates, time stamps or numbers in any usual format.

A column has one format. A time stamp belongs to the day that it has in its own time zone. Where a column can be read
in two ways, such as 3/4/2024 for 3 April and 4 March, the way in which every day is a session of XNYS is taken; where
both or none is, the file is refused.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import polars as pl

from internal.bar_files.errors import TableFileError
from internal.dates import FIRST_DAY, LAST_DAY, sessions

TIME_OF_DAY = r"^(.*?)(?:(?:\s+|T)\d{1,2}:\d{2}.*)?$"
FORMATS: Mapping[str, str] = {
    "%Y-%m-%d": "year-month-day",
    "%Y/%m/%d": "year/month/day",
    "%Y.%m.%d": "year.month.day",
    "%Y%m%d": "yearmonthday",
    "%d/%m/%Y": "day first, day/month/year",
    "%m/%d/%Y": "month first, month/day/year",
    "%d.%m.%Y": "day first, day.month.year",
    "%m.%d.%Y": "month first, month.day.year",
    "%d-%m-%Y": "day first, day-month-year",
    "%m-%d-%Y": "month first, month-day-year",
    "%d/%m/%y": "day first, day/month/year of two digits",
    "%m/%d/%y": "month first, month/day/year of two digits",
    "%d.%m.%y": "day first, day.month.year of two digits",
    "%d-%b-%Y": "day-month-year, the month by its name",
    "%d-%b-%y": "day-month-year, the month by its name",
    "%d %b %Y": "day month year, the month by its name",
    "%d %B %Y": "day month year, the month by its name",
    "%b %d, %Y": "month day, year, the month by its name",
    "%B %d, %Y": "month day, year, the month by its name",
}
UNITS: Mapping[str, int] = {"seconds": 1, "milliseconds": 10**3, "microseconds": 10**6, "nanoseconds": 10**9}
EARLIEST, LATEST = 500_000_000, 2_300_000_000  # 1985 to 2042, in seconds since 1970: within the calendar, about
DAY_SECONDS = 86_400
EXCHANGE_ZONE = "America/New_York"
COMPACT_FIRST, COMPACT_LAST = 19_000_101, 21_001_231  # as year, month and day without signs between them
SAMPLE = 3


@dataclass(frozen=True)
class SessionDates:
    """The days of a column, null where a cell holds none, and how they are written, in words."""

    days: pl.Series
    description: str
    has_time_of_day: bool = False


def parse_dates(column: pl.Series, source: str) -> SessionDates:
    """The day of each cell.

    Raises:
        TableFileError: The type holds no dates, or the texts can be read in two ways.
    """
    kind = column.dtype
    if kind == pl.Date:
        return SessionDates(column, "dates")
    if isinstance(kind, pl.Datetime):
        zone = "without a time zone" if kind.time_zone is None else f"in {kind.time_zone}"
        return SessionDates(column.dt.date(), f"time stamps {zone}: the day there", _has_time(column))
    if kind.is_numeric():
        return _from_numbers(column, source)
    if kind == pl.String:
        return _from_text(column, source)
    raise TableFileError(f"{source}: column {column.name} holds {kind}; expected dates such as 2015-01-12")


def _has_time(stamps: pl.Series) -> bool:
    return stamps.dt.date().n_unique() < stamps.n_unique()


def _from_text(column: pl.Series, source: str) -> SessionDates:
    cells = column.str.strip_chars()
    if cells.str.contains(":", literal=True).any():
        texts = cells.str.extract(TIME_OF_DAY, 1).fill_null(cells).replace("", None)
    else:
        texts = cells.replace("", None)
    known = texts.drop_nulls().unique().sort()
    if known.len() and known.str.contains(r"^\d{9,}$").all():
        return _from_numbers(texts.cast(pl.Int64, strict=False), source)
    days, description = _parse_texts(known.to_list(), source)
    has_time = bool((texts != cells).any())
    suffix = ", with a time of day: the day as written" if has_time else ""
    parsed = texts.replace_strict(known, pl.Series(days, dtype=pl.Date), default=None, return_dtype=pl.Date)
    return SessionDates(parsed.alias(column.name), description + suffix, has_time)


def _parse_texts(texts: Sequence[str], source: str) -> tuple[list[date | None], str]:
    """The day of each text, and the format; the one that reads most where none reads all."""
    for form in filter(_begins_with_year, FORMATS):
        days = [_parse(text, form) for text in texts]
        if None not in days:
            return days, FORMATS[form]
    readings = {form: [_parse(text, form) for text in texts] for form in FORMATS}
    whole = [form for form, days in readings.items() if None not in days]
    distinct = {tuple(readings[form]): form for form in reversed(whole)}  # the first format of equal readings
    if len(distinct) > 1:
        played = [form for days, form in distinct.items() if _are_sessions(days)]
        if len(played) != 1:
            raise TableFileError(_ambiguous(texts, list(reversed(distinct.values())), source))
        return readings[played[0]], FORMATS[played[0]]
    best = whole[0] if whole else max(FORMATS, key=lambda form: len(texts) - readings[form].count(None))
    return readings[best], FORMATS[best]


def _begins_with_year(form: str) -> bool:
    return form.startswith("%Y")


def _parse(text: str, form: str) -> date | None:
    try:
        return datetime.strptime(text, form).date()  # noqa: DTZ007 - a day, not a moment
    except ValueError:
        return None


def _are_sessions(days: Sequence[date | None]) -> bool:
    known = [day for day in days if day is not None]
    inside = all(FIRST_DAY <= day <= LAST_DAY for day in known)
    return inside and set(known) <= set(sessions(min(known), max(known)))


def _ambiguous(texts: Sequence[str], forms: Sequence[str], source: str) -> str:
    shown = ", ".join(texts[:SAMPLE])
    ways = " or ".join(FORMATS[form] for form in forms)
    return (
        f"{source}: the dates ({shown}) can be read as {ways}, and nothing in the file tells which; "
        "write them as year-month-day, such as 2015-01-12"
    )


def _from_numbers(column: pl.Series, source: str) -> SessionDates:
    numbers = column.cast(pl.Float64).fill_nan(None)
    known = numbers.drop_nulls()
    if known.is_empty():
        return SessionDates(pl.Series(column.name, [None] * column.len(), dtype=pl.Date), "no date")
    if known.is_between(COMPACT_FIRST, COMPACT_LAST).all():
        texts = numbers.cast(pl.Int64).cast(pl.String)
        return SessionDates(texts.str.to_date("%Y%m%d", strict=False), "numbers, yearmonthday")
    unit = next((unit for unit, size in UNITS.items() if known.is_between(EARLIEST * size, LATEST * size).all()), None)
    if unit is None:
        raise TableFileError(
            f"{source}: column {column.name} holds numbers such as {column.drop_nulls()[0]}, which are neither "
            "days (20150112) nor seconds since 1970; write the dates as year-month-day, such as 2015-01-12"
        )
    return _from_epoch(column, unit)


def _from_epoch(column: pl.Series, unit: str) -> SessionDates:
    """Days of numbers since 1970: of whole days the day in UTC, of any other moment the day in New York."""
    whole = column if column.dtype.is_integer() else column.cast(pl.Float64).fill_nan(None)
    seconds = (whole // UNITS[unit]).cast(pl.Int64)
    moments = (seconds * 1000).cast(pl.Datetime("ms", "UTC"))
    if (seconds.drop_nulls() % DAY_SECONDS == 0).all():
        return SessionDates(moments.dt.date(), f"{unit} since 1970, whole days")
    local = moments.dt.convert_time_zone(EXCHANGE_ZONE)
    return SessionDates(local.dt.date(), f"{unit} since 1970: the day in New York", _has_time(local))
