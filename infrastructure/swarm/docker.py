"""The `docker` command line: runs commands, reports refusals as errors, and reads JSON."""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Any

from infrastructure.names import CONTEXTS
from internal.errors import FundError

Json = dict[str, Any]
PRODUCTION = CONTEXTS[1]


class DockerError(FundError):
    """The docker command is not there, or refused what it was asked; the sentence is its own."""


def docker(*arguments: str, sent: str | None = None, variables: Mapping[str, str] | None = None) -> str:
    """Run `docker ...` and return what it printed.

    Args:
        arguments: the words after `docker`.
        sent: what its standard input holds; never part of the command line, which other users of the machine can read.
        variables: its whole environment; this process's own by default.

    Raises:
        DockerError: there is no docker, or it ended with another status than 0.
    """
    try:
        ended = subprocess.run(  # noqa: S603 - fixed words and names that were checked
            ["docker", *arguments],  # noqa: S607 - the one on the path
            input=sent or "",
            env=variables,
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        raise DockerError("there is no `docker` command on this machine: install Docker's client and engine") from None
    if ended.returncode != 0:
        raise DockerError(f"docker {' '.join(arguments[:2])}: {ended.stderr.strip() or 'failed without a word'}")
    return ended.stdout.strip()


def lines(*arguments: str) -> list[str]:
    """The lines that `docker ...` prints."""
    return docker(*arguments).splitlines()


def inspect(kind: str, *names: str) -> list[Json]:
    """Inspect services, secrets, configs, networks, nodes or tasks; without names the answer is empty."""
    if not names:
        return []
    words = ("inspect", "--type", "task") if kind == "task" else (kind, "inspect")  # tasks have no command of their own
    found: list[Json] = json.loads(docker(*words, *names))
    return found


def field(value: Json, name: str) -> Json:
    """An object inside the engine's answer; empty where the answer has none or null."""
    found: Json | None = value.get(name)
    return found or {}


def mounted(specification: Json, kind: str) -> list[Json]:
    """What a service's specification mounts of a kind, `Secrets` or `Configs`."""
    found: list[Json] | None = specification["TaskTemplate"]["ContainerSpec"].get(kind)
    return found or []


def every(kind: str, *filters: str) -> list[Json]:
    """Everything of a kind (`service`, `secret`, `config`) that all the filters, such as `label=NAME`, let through."""
    options = [word for text in filters for word in ("--filter", text)]
    return inspect(kind, *lines(kind, "ls", "--quiet", *options))


def stacks_there() -> set[str]:
    """The names of the deployed stacks."""
    return set(lines("stack", "ls", "--format", "{{.Name}}"))


def is_production() -> bool:
    """Whether the chosen context is the production Swarm."""
    return docker("context", "show") == PRODUCTION


def swarm_state() -> str:
    """`active`, `inactive`, ... of the engine that answers."""
    return docker("info", "--format", "{{.Swarm.LocalNodeState}}")


def say(sentence: str) -> None:
    """One line about one step."""
    sys.stdout.write(f"{sentence}\n")
    sys.stdout.flush()


def run_command(command: Callable[[], int | None]) -> int:
    """Run a task's function; print an error of the fund as one sentence, and end with status 1."""
    try:
        return command() or 0
    except FundError as error:
        sys.stderr.write(f"error: {error.detail}\n")
        return 1
