"""A strategy's parameters in words, as pages, reports and the command line write them."""

from collections.abc import Mapping
from typing import cast


def write_parameters(parameters: Mapping[str, object]) -> str:
    """The parameters by name; those of one that has parts of its own, such as a schedule, are in brackets.

    >>> write_parameters({"schedule": {"every": 5, "offset": 0}, "names_per_side": 10})
    'names_per_side 10, schedule (every 5, offset 0)'
    """
    return ", ".join(f"{name} {_write_value(value)}" for name, value in sorted(parameters.items()))


def _write_value(value: object) -> str:
    return f"({write_parameters(cast('Mapping[str, object]', value))})" if isinstance(value, dict) else str(value)
