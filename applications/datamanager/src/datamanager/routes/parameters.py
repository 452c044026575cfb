"""Query parameters that several routes share.

Knows their names, how they are written and which of them are needed. Knows nothing of what they select.
"""

from datetime import date
from typing import Annotated

from fastapi import Depends, Query

from datamanager.periods import Period
from internal.errors import InvalidRequestError

StartDate = Annotated[date | None, Query(description="First day, ISO 8601", examples=["2024-01-02"])]
EndDate = Annotated[
    date | None, Query(description="Last day, included; at most ten years later", examples=["2024-12-31"])
]
Day = Annotated[date | None, Query(alias="date", description="One day, instead of a range", examples=["2024-12-31"])]
TickerList = Annotated[str | None, Query(description="Tickers, separated by commas", examples=["AAPL,MSFT"])]
ColumnList = Annotated[str | None, Query(description="Columns, separated by commas", examples=["date,ticker,close"])]


def comma_separated(name: str, text: str | None) -> list[str] | None:
    """The parts of a list, or None where none was given; InvalidRequestError where a part is empty."""
    if text is None:
        return None
    parts = [part.strip() for part in text.split(",")]
    if not all(parts):
        raise InvalidRequestError(f"{name} holds an empty entry: write {name}=A,B")
    return parts


def optional_period(start_date: StartDate = None, end_date: EndDate = None) -> Period | None:
    """The range, or None where neither end was given."""
    if start_date is None and end_date is None:
        return None
    return required_period(start_date, end_date)


def required_period(start_date: StartDate = None, end_date: EndDate = None) -> Period:
    """The range; InvalidRequestError where an end is missing."""
    if start_date is None or end_date is None:
        missing = "start_date" if start_date is None else "end_date"
        raise InvalidRequestError(f"{missing} is missing: give start_date and end_date as YYYY-MM-DD")
    return Period.checked(start_date, end_date)


def day_or_period(day: Day = None, start_date: StartDate = None, end_date: EndDate = None) -> Period | None:
    """One day or a range, or None where neither was given; both at once contradict each other."""
    if day is None:
        return optional_period(start_date, end_date)
    if start_date is not None or end_date is not None:
        raise InvalidRequestError("give either date, or start_date and end_date, not both")
    return Period(day, day)


def tickers(tickers: TickerList = None) -> list[str] | None:
    """The tickers asked for, or None for all."""
    return comma_separated("tickers", tickers)


OptionalPeriod = Annotated[Period | None, Depends(optional_period)]
RequiredPeriod = Annotated[Period, Depends(required_period)]
DayOrPeriod = Annotated[Period | None, Depends(day_or_period)]
Tickers = Annotated[list[str] | None, Depends(tickers)]
