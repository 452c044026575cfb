"""A log line as a person reads it: time, service, level, event and fields, broken at the terminal's width."""

import json
from collections.abc import Iterable, Mapping
from typing import cast

from internal.terminal_lines import wrap

INDENT = " " * 4
HEAD = ("timestamp", "service", "level", "event")
LEFT_OUT = ("logger", "exception", "stack_info")  # the exception follows below
SERVICE_WIDTH = 16  # portfoliomanager
LEVEL_WIDTH = 7  # warning


def format_line(service: str, line: str, width: int) -> list[str]:
    """The lines to print for one line of a service's log; what is no JSON object stays as it is behind the service."""
    try:
        entry: object = json.loads(line)
    except ValueError:
        entry = None
    if not isinstance(entry, dict):
        return wrap(f"{service}: {line}", width, INDENT)
    found = cast("dict[str, object]", entry)
    time = str(found.get("timestamp", ""))[:19].replace("T", " ")
    head = f"{time:19} {service:{SERVICE_WIDTH}} {found.get('level', '')!s:{LEVEL_WIDTH}} {found.get('event', '')!s}"
    first, *rest = head.split("\n")
    fields = " ".join(_describe_fields(found))
    below = [*rest, *str(found.get("exception", "")).splitlines()]
    return [
        *wrap(f"{first} {fields}".rstrip(), width, INDENT),
        *(part for one in below for part in wrap(INDENT + one, width, INDENT)),
    ]


def _describe_fields(entry: Mapping[str, object]) -> Iterable[str]:
    for name, value in entry.items():
        if name not in HEAD and name not in LEFT_OUT:
            yield f"{name}={value if isinstance(value, str) else json.dumps(value)}"
