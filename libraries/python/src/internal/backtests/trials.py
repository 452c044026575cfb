"""Trials: backtests that were planned, and what came of them; the rows of the ledger and their lines of JSON."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field, TypeAdapter

from internal.backtests.moments import Moments
from internal.backtests.settings import BacktestSettings
from internal.errors import ConfigurationError


@dataclass(frozen=True)
class Outcome:
    """What a finished trial leaves in the ledger.

    Attributes:
        moments: Of its daily returns; None when those do not vary, are fewer than two, or hold one that is not finite.
        returns_digest: SHA-256 of the file that holds them.
    """

    moments: Moments | None
    returns_digest: str


@dataclass(frozen=True)
class Trial:
    """One backtest that was planned; `outcome` is None until it has finished, and for ever if it failed."""

    settings: BacktestSettings
    planned_at: datetime
    outcome: Outcome | None = None

    @cached_property
    def choice(self) -> str:
        """The key of what a person chose: strategy, parameters, forecasts and sessions."""
        return replace(self.settings, code_digest="", market="", bars_digest="", capital=0.0, cost_multiple=0.0).key


@dataclass(frozen=True)
class PlannedLine:
    """The line that is written before a trial runs."""

    at: datetime
    key: str
    settings: BacktestSettings
    event: Literal["planned"] = "planned"


@dataclass(frozen=True)
class CompletedLine:
    """The line that is written when a trial has finished."""

    at: datetime
    key: str
    outcome: Outcome
    event: Literal["completed"] = "completed"


type Line = PlannedLine | CompletedLine

_LINE: Final[TypeAdapter[Line]] = TypeAdapter(Annotated[PlannedLine | CompletedLine, Field(discriminator="event")])


def encode_line(line: Line) -> bytes:
    """One line of the ledger, without its newline."""
    return _LINE.dump_json(line)


def decode_line(text: bytes) -> Line:
    """The line that `encode_line` wrote.

    Raises:
        ValueError: It is not one, or its key is not that of its settings.
    """
    line = _LINE.validate_json(text)
    if isinstance(line, PlannedLine) and line.settings.key != line.key:
        raise ValueError("the key is not that of the settings")
    return line


def read_trials(path: Path, lines: Iterable[bytes]) -> dict[str, Trial]:
    """The trials by key, in the order they were planned first, from the lines of the ledger's file.

    Raises:
        ConfigurationError: A line is damaged.
    """
    found: list[Line] = []
    for number, text in enumerate(lines, 1):
        try:
            found.append(decode_line(text))
        except ValueError as error:
            raise _describe_damage(path, f"line {number} of {path} is damaged") from error
    try:
        return replay_lines(found)
    except ValueError as error:
        raise _describe_damage(path, f"{path} is damaged: {error}") from error


def _describe_damage(path: Path, what: str) -> ConfigurationError:
    return ConfigurationError(
        f"{what}. The number of trials cannot be known without it. Restore the file from a backup; where there is "
        f"none, move the folder {path.parent} away and run the backtests that you compare again."
    )


def replay_lines(lines: Iterable[Line]) -> dict[str, Trial]:
    """The trials by key, in the order they were planned first; the last outcome of each counts.

    Raises:
        ValueError: A trial was completed that was not planned before.
    """
    trials: dict[str, Trial] = {}
    for line in lines:
        if isinstance(line, PlannedLine):
            trials.setdefault(line.key, Trial(line.settings, line.at))
        elif line.key in trials:
            planned = trials[line.key]
            trials[line.key] = Trial(planned.settings, planned.planned_at, line.outcome)
        else:
            raise ValueError(f"the trial {line.key} was completed, but no line before says that it was planned")
    return trials
