"""Parameters of a strategy as text: `names_per_side=20 schedule="every 5 sessions"`."""

import shlex
from collections.abc import Iterable

from internal.errors import ConfigurationError


def split_assignments(text: str) -> dict[str, str]:
    """The parameters of a text of assignments, separated by spaces; a value with spaces is quoted as in a shell.

    >>> split_assignments('names_per_side=20 schedule="every 5 sessions"')
    {'names_per_side': '20', 'schedule': 'every 5 sessions'}

    Raises ConfigurationError for what is no assignment, and for a parameter that is given twice.
    """
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise ConfigurationError(f"the parameters {text!r} cannot be read: {error}") from error
    return read_assignments(words)


def read_assignments(words: Iterable[str]) -> dict[str, str]:
    """The parameters of words `name=value`. Raises ConfigurationError as `split_assignments` does."""
    found: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name.isidentifier():
            raise ConfigurationError(f"a parameter is given as name=value, for example names_per_side=20; not {word!r}")
        if name in found:
            raise ConfigurationError(f"the parameter {name} is given twice: give it once")
        found[name] = value
    return found
