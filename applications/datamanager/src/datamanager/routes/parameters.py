"""Query parameters that several routes share."""

import re
from datetime import date, datetime
from typing import Annotated

from fastapi import Depends, Query
from pydantic import BeforeValidator

from datamanager.periods import Period
from datamanager.row_names import Naming
from internal.errors import InvalidRequestError

StartDate = Annotated[date | None, Query(description="First day, ISO 8601", examples=["2024-01-02"])]
EndDate = Annotated[
    date | None, Query(description="Last day, included; at most ten years later", examples=["2024-12-31"])
]
Day = Annotated[date | None, Query(alias="date", description="One day, instead of a range", examples=["2024-12-31"])]
TickerList = Annotated[str | None, Query(description="Tickers, separated by commas", examples=["AAPL,MSFT"])]
ColumnList = Annotated[str | None, Query(description="Columns, separated by commas", examples=["date,ticker,close"])]


DECODED_PLUS = re.compile(r"(T\S+) (\d\d:?\d\d)")


def restore_plus(moment: object) -> object:
    """A moment whose offset was sent as `+00:00` without encoding: a server reads that + as a space."""
    return DECODED_PLUS.sub(r"\1+\2", moment) if isinstance(moment, str) else moment


def split_at_commas(name: str, text: str | None) -> list[str] | None:
    """The entries of a list parameter, None where it is absent; InvalidRequestError where an entry is empty."""
    if text is None:
        return None
    parts = [part.strip() for part in text.split(",")]
    if not all(parts):
        raise InvalidRequestError(f"{name} has an empty entry: write {name}=A,B")
    return parts


def parse_optional_period(start_date: StartDate = None, end_date: EndDate = None) -> Period | None:
    """The range, or None where neither end is given."""
    if start_date is None and end_date is None:
        return None
    return parse_required_period(start_date, end_date)


def parse_required_period(start_date: StartDate = None, end_date: EndDate = None) -> Period:
    """The range; InvalidRequestError where an end is missing."""
    if start_date is None or end_date is None:
        missing = "start_date" if start_date is None else "end_date"
        raise InvalidRequestError(f"{missing} is missing: give start_date and end_date as YYYY-MM-DD")
    return Period.between(start_date, end_date)


def parse_day_or_period(day: Day = None, start_date: StartDate = None, end_date: EndDate = None) -> Period | None:
    """One day or a range, or None where neither is given; InvalidRequestError where both are."""
    if day is None:
        return parse_optional_period(start_date, end_date)
    if start_date is not None or end_date is not None:
        raise InvalidRequestError("give either date, or start_date and end_date, not both")
    return Period(day, day)


def parse_known_at(
    as_of: Annotated[
        datetime | None,
        BeforeValidator(restore_plus),
        Query(description="Answer what was known at this moment, ISO 8601", examples=["2024-12-31T22:00:00Z"]),
    ] = None,
) -> datetime | None:
    """A moment with an offset, or None where it is absent; InvalidRequestError without an offset."""
    if as_of is not None and as_of.tzinfo is None:
        raise InvalidRequestError(f"as_of {as_of.isoformat()} has no offset: write {as_of.isoformat()}Z for UTC")
    return as_of


def parse_naming(
    named_as_of: Annotated[
        date | None, Query(description="Name securities as on this day; without it, as on the day of the row")
    ] = None,
    security_ids: Annotated[  # noqa: FBT002 - a parameter of the query
        bool, Query(description="Add the column security_id")
    ] = False,
) -> Naming:
    """How the answer names its securities."""
    return Naming(named_as_of, security_ids)


def parse_tickers(tickers: TickerList = None) -> list[str] | None:
    """The requested tickers, or None for all."""
    return split_at_commas("tickers", tickers)


OptionalPeriod = Annotated[Period | None, Depends(parse_optional_period)]
RequiredPeriod = Annotated[Period, Depends(parse_required_period)]
DayOrPeriod = Annotated[Period | None, Depends(parse_day_or_period)]
Tickers = Annotated[list[str] | None, Depends(parse_tickers)]
KnownAt = Annotated[datetime | None, Depends(parse_known_at)]
RowNaming = Annotated[Naming, Depends(parse_naming)]
