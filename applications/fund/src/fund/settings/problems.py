"""What is wrong with `fund.toml`, in sentences: the line, the key, what is allowed, and the key that was meant."""

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, cast

from pydantic import ValidationError

from fund.settings.secrets import SECRETS_FOLDER, Secret
from internal.errors import ConfigurationError
from internal.settings import read_variable

HEADER = re.compile(r"\s*\[\s*([\w-]+)\s*\]")
EXCHANGE_KEY = re.compile(r"\bexchange_[a-z_]+")
ALIASES = {
    "apca_api_key_id": Secret.ALPACA_API_KEY_ID,
    "apca_api_secret_key": Secret.ALPACA_API_SECRET,
    "massive_api_key": Secret.POLYGON_API_KEY,
}


def find_line(text: str, section: str | None, key: str) -> int | None:
    """The number of the line that sets a key of a section (None: before the first section), None where none does."""
    current: str | None = None
    for number, line in enumerate(text.splitlines(), 1):
        if header := HEADER.match(line):
            current = header[1]
            if section is None and current == key:
                return number
        elif current == section and re.match(rf"""\s*["']?{re.escape(key)}["']?\s*=""", line):
            return number
    return None


def refuse_secrets(path: Path, text: str, values: Mapping[str, Any]) -> None:
    """Raise ConfigurationError where the file holds a key or another secret, in whatever section."""
    sections = {name: cast("Mapping[str, Any]", given) for name, given in values.items() if isinstance(given, dict)}
    everywhere = {None: values, **sections}
    for section, given in everywhere.items():
        for key in given:
            secret = ALIASES.get(key.lower()) or (key.upper() if key.upper() in set(Secret) else None)
            if secret is not None:
                raise ConfigurationError(
                    f"{_place(path, text, section, key)}: {key} is a secret, and secrets are not written here. Remove "
                    f"the line, and put the value into {path.parent / SECRETS_FOLDER / secret} (only you may read it): "
                    "`./fund init` asks for it. If others could read this file, make a new key."
                )


def describe_errors(path: Path, text: str, error: ValidationError, known: Mapping[str, Sequence[str]]) -> str:
    """One sentence for each thing that is wrong."""
    return "\n".join(
        _describe(path, text, [str(part) for part in one["loc"]], one["type"], one["msg"], known)
        for one in error.errors()
    )


def _describe(  # noqa: PLR0913, PLR0917 - the file, and the parts of pydantic's error
    path: Path, text: str, location: Sequence[str], kind: str, message: str, known: Mapping[str, Sequence[str]]
) -> str:
    section, key = (location[0], location[1]) if len(location) > 1 else (None, location[0])
    if kind == "extra_forbidden":
        return f"{_place(path, text, section, key)}: {key} is no {'setting' if section else 'section or setting'}. " + (
            _suggest(section, key, known)
        )
    variable = "FUND_MODE" if location == ["mode"] else key.upper()
    if read_variable(variable):
        return f"the environment's {describe_variable(variable, message)}"
    return f"{_place(path, text, section, key)}: {key} is wrong: {_clause(message)}"


def describe_variable(key: str, message: str) -> str:
    """What pydantic says of the variable of a key, in a sentence that names other keys as variables too."""
    return f"{key.upper()} is wrong: {EXCHANGE_KEY.sub(lambda found: found[0].upper(), _clause(message))}"


def _clause(message: str) -> str:
    own = message.removeprefix("Value error, ")
    return f"{own[:1].lower()}{own[1:]}"


def _place(path: Path, text: str, section: str | None, key: str) -> str:
    line = find_line(text, section, key)
    return f"{path}, line {line}" if line else f"{path}"


def _suggest(section: str | None, key: str, known: Mapping[str, Sequence[str]]) -> str:
    """Where the key belongs, or which one was meant."""
    home = {name: where for where, names in known.items() for name in names}
    if key in home:
        return f"It belongs below [{home[key]}]."
    own = [*known, "mode"] if section is None else list(known[section])
    nearest = get_close_matches(key, own, 1) or get_close_matches(key, [*home, *known, "mode"], 1)
    if not nearest:
        return f"Below [{section}] are: {', '.join(own)}." if section else f"The sections are: {', '.join(known)}."
    where = home.get(nearest[0])
    return f"Did you mean {nearest[0]}{f' below [{where}]' if where and where != section else ''}?"
