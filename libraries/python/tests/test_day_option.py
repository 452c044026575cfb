"""Dates on command lines: read where they are ISO dates, else an error that shows how to write one."""

from datetime import date

import pytest

from internal.day_option import read_day


def test_a_date_is_read() -> None:
    """A leap day as the calendar has it."""
    assert read_day("2024-02-29") == date(2024, 2, 29)


@pytest.mark.parametrize("text", ["yesterday", "2024-13-01", "2023-02-29", "31.12.2024", "", "12"])
def test_anything_else_is_explained(text: str) -> None:
    """The error names what was written and an example; typer shows it without a word of its own."""
    with pytest.raises(ValueError, match="is no date: write a date as 2024-12-31") as found:
        read_day(text)
    assert str(found.value).startswith(text)
