"""Fields of Alpaca's JSON objects, read as the type that is needed. What is not needed is not looked at.

Every function raises KeyError, TypeError or ValueError (an unreadable answer) for a field that is absent or of another
type.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from math import isfinite
from typing import cast

type Body = Mapping[str, object]


def as_object(answer: object) -> Body:
    """The answer as a JSON object."""
    if not isinstance(answer, dict):
        raise TypeError(f"a JSON object expected, not {type(answer).__name__}")
    return cast("Body", answer)


def as_objects(answer: object) -> Sequence[Body]:
    """The answer as a list of JSON objects."""
    if not isinstance(answer, list):
        raise TypeError(f"a JSON list expected, not {type(answer).__name__}")
    return [as_object(row) for row in cast("list[object]", answer)]


def text(body: Body, name: str) -> str:
    """A text that is there."""
    value = body[name]
    if not isinstance(value, str):
        raise TypeError(f"{name}: a text expected, not {type(value).__name__}")
    return value


def optional_text(body: Body, name: str) -> str | None:
    """A text, None where the field is null, absent or empty."""
    return None if not body.get(name) else text(body, name)


def number(body: Body, name: str) -> float:
    """A finite number, which Alpaca writes as a text; a limit that is compared with no number never holds."""
    value = body[name]
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise TypeError(f"{name}: a number expected, not {type(value).__name__}")
    if not isfinite(result := float(value)):
        raise ValueError(f"{name}: a finite number expected, not {value}")
    return result


def optional_number(body: Body, name: str) -> float | None:
    """A number, None where the field is null or absent."""
    return None if body.get(name) is None else number(body, name)


def flag(body: Body, name: str) -> bool:
    """A truth value; absent is false."""
    return body.get(name) is True


def read_moment(body: Body, name: str) -> datetime:
    """A moment in UTC."""
    return datetime.fromisoformat(text(body, name)).astimezone(UTC)
