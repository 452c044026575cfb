"""Moments, days and page tokens as Alpaca's data API writes them."""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, date, datetime, time, timedelta

import polars as pl

from exchange.bar_pages import Position
from exchange.routes.alpaca_data_answers import DataRefusedError
from internal.venue.clock import NEW_YORK

LAST_MOMENT_OF_DAY = time(23, 59, 59, 999999)


def parse_moment(text: str, name: str, *, end_of_day: bool = False) -> datetime:
    """An RFC 3339 moment, or a date: its first, or its last moment in New York."""
    try:
        if len(text) == len("2024-01-02"):
            day = date.fromisoformat(text)
            return datetime.combine(day, LAST_MOMENT_OF_DAY if end_of_day else time.min, NEW_YORK)
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise DataRefusedError(400, f"invalid {name}: expected RFC3339 or YYYY-MM-DD, not {text}") from error
    if moment.tzinfo is None:
        raise DataRefusedError(400, f"invalid {name}: {text} has no time zone")
    return moment


def first_day_at(moment: datetime) -> date:
    """The first day whose midnight in New York is not before the moment."""
    local = moment.astimezone(NEW_YORK)
    return local.date() if local.time() == time.min else local.date() + timedelta(days=1)


def midnight(day: date) -> str:
    """New York's midnight of the day, UTC, as a bar's `t`."""
    moment = datetime.combine(day, time.min, NEW_YORK).astimezone(UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def midnight_of(column: str) -> pl.Expr:
    """`midnight` of a column of days."""
    local = pl.col(column).cast(pl.Datetime("ms")).dt.replace_time_zone("America/New_York")
    return local.dt.convert_time_zone("UTC").dt.strftime("%Y-%m-%dT%H:%M:%SZ")


def write_token(position: Position) -> str:
    """The page token that continues after a bar."""
    return urlsafe_b64encode(f"{position.symbol}|D|{midnight(position.day)}".encode()).decode()


def read_token(token: str | None) -> Position | None:
    """The bar that a page token continues after."""
    if not token:
        return None
    try:
        symbol, _, moment = urlsafe_b64decode(token.encode()).decode().split("|")
        return Position(symbol, datetime.fromisoformat(moment).astimezone(NEW_YORK).date())
    except (ValueError, binascii.Error) as error:
        raise DataRefusedError(400, f"invalid page_token: {token}") from error
