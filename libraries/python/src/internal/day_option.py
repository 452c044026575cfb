"""The one reading of dates on a command line: `typer.Option(parser=read_day, metavar=DATE)`, and of periods."""

from datetime import date

from pydantic_core import PydanticCustomError

from internal.errors import InvalidRequestError

DATE = "DATE"
EXAMPLE = "2024-12-31"


def read_day(text: str) -> date:
    """The date of an option or argument. Raises PydanticCustomError, which typer shows as it is worded."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        words = {"text": text, "example": EXAMPLE}
        raise PydanticCustomError("day", "{text} is no date: write a date as {example}", words) from None


def require_order(first_day: date, last_day: date) -> None:
    """Check the days of --first-day and --last-day. Raises InvalidRequestError where the last is before the first."""
    if last_day < first_day:
        raise InvalidRequestError(
            f"the last day, {last_day}, is before the first, {first_day}: exchange --first-day and --last-day"
        )
