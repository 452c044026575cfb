"""The reference page of `fund.toml`, docs/reference/fund_toml.md, written from the settings' own definitions."""

import sys
from enum import Enum
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from fund.settings.fund_settings import MODE_VARIABLE, SECTIONS, FundSettings
from fund.settings.secrets import Secret
from fund.settings.variables import as_text

HEAD = """# fund.toml
The settings of `./fund run`, in the fund's folder (`FUND_HOME`, by default `.fund`). `./fund init` writes the file;
every key is optional. A variable of the environment with the key's name in capitals, or `NAME_FILE` with the path of a
file that holds the value, wins over the file. An unknown key, a wrong value and a secret are errors that name the line.
`uv run python -m fund.settings.reference > docs/reference/fund_toml.md` writes this page.

```toml
mode = "paper"

[market_data]
market_data_vendor = "alpaca"
edgar_user_agent = "Jane Doe jane@example.com"

[trading]
strategy = "strategies/ten_by_ten.py:TenByTen"
capital = "50000"
do_not_trade = "TSLA, sector:HEALTH CARE"

[models]
model_size = "small"
```
"""
SECRETS = """
## Secrets
Never in `fund.toml`: each is a file of its own that only you may read (mode 600), `secrets/NAME` in the fund's folder.
The environment's `NAME` or `NAME_FILE` wins over it.

"""


def reference_page() -> str:
    """The page as Markdown."""
    mode = FundSettings.model_fields["mode"]
    parts = [HEAD, "\n## Before the first section\n", _table([_row("mode", MODE_VARIABLE, mode)])]
    for name, section in SECTIONS.items():
        rows = [_row(key, key.upper(), field) for key, field in section.model_fields.items()]
        parts += [f"\n## [{name}]\n{section.__doc__}\n\n", _table(rows)]
    return "".join([*parts, SECRETS, *(f"- `{secret}`\n" for secret in Secret)])


def _table(rows: list[str]) -> str:
    return "| key | variable | values | default | meaning |\n|---|---|---|---|---|\n" + "".join(rows)


def _row(key: str, variable: str, field: FieldInfo) -> str:
    default = as_text(field.default)
    shown = f"`{default}`" if default else ""
    return f"| `{key}` | `{variable}` | {_values(field)} | {shown} | {field.description or ''} |\n"


def _values(field: FieldInfo) -> str:
    """The values that a field takes, in words."""
    bounds = [text for one in field.metadata for text in _bounds(one)]
    return ", ".join([_type_words(field.annotation), *bounds])


def _bounds(constraint: object) -> list[str]:
    names = {"gt": "above", "ge": "at least", "le": "at most"}
    return [f"{words} {getattr(constraint, name):,}" for name, words in names.items() if hasattr(constraint, name)]


def _type_words(kind: Any) -> str:  # noqa: ANN401 - any annotation of a field
    if get_origin(kind) in {UnionType, Union}:
        return " or ".join(_type_words(one) for one in get_args(kind) if one is not type(None))
    if get_origin(kind) is Literal:
        return ", ".join(f"`{one}`" for one in get_args(kind))
    if get_args(kind):
        return ", ".join(
            [_type_words(get_args(kind)[0]), *(text for one in get_args(kind)[1:] for text in _metadata(one))]
        )
    if isinstance(kind, type) and issubclass(kind, Enum):
        return ", ".join(f"`{one.value}`" for one in kind)
    return {"bool": "`true`, `false`", "int": "whole number", "float": "number", "Path": "path", "date": "date"}.get(
        kind.__name__, "text"
    )


def _metadata(one: object) -> list[str]:
    return [text for part in getattr(one, "metadata", ()) for text in _bounds(part)]


if __name__ == "__main__":
    sys.stdout.write(reference_page())
