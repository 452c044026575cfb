"""The one reading of a date on a command line: `typer.Option(parser=read_day, metavar=DATE)`."""

from datetime import date

from pydantic_core import PydanticCustomError

DATE = "DATE"
EXAMPLE = "2024-12-31"


def read_day(text: str) -> date:
    """The date of an option or argument. Raises PydanticCustomError, which typer shows as it is worded."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        words = {"text": text, "example": EXAMPLE}
        raise PydanticCustomError("day", "{text} is no date: write a date as {example}", words) from None
