"""Days and epoch milliseconds as the vendor writes them; epoch numbers exist nowhere else.

Range bars carry 00:00 New York of the session, grouped rows and `prev` 16:00.
"""

from datetime import UTC, date, datetime

import polars as pl

from exchange.routes.polygon_answers import PolygonError
from internal.venue.clock import NEW_YORK

DATE_LENGTH = len("2020-10-14")


def milliseconds_at(hour: int) -> pl.Expr:
    """`date` at that hour in New York, daylight saving counted, in milliseconds since 1970 UTC."""
    moment = pl.col("date").cast(pl.Datetime("ms")) + pl.duration(hours=hour)
    return moment.dt.replace_time_zone(str(NEW_YORK)).dt.epoch("ms")


def midnight(day: date) -> int:
    """00:00 New York of that day in milliseconds since 1970 UTC."""
    return int(datetime(day.year, day.month, day.day, tzinfo=NEW_YORK).timestamp() * 1000)


def parse_day(text: str, name: str) -> date:
    """`YYYY-MM-DD` or Unix milliseconds (then its day in New York); PolygonError 400 otherwise."""
    try:
        if len(text) == DATE_LENGTH and "-" in text:
            return date.fromisoformat(text)
        return datetime.fromtimestamp(int(text) / 1000, UTC).astimezone(NEW_YORK).date()
    except (ValueError, OverflowError, OSError) as error:
        raise PolygonError(
            400, f"Could not parse the time parameter: '{name}'. Use YYYY-MM-DD or Unix MS Timestamps"
        ) from error
