"""The ledger of trials: every backtest is written down before it runs, so that none is left out of the count.

The folder `FUND_HOME/research` holds `trials.jsonl`, to which lines are only appended, and `returns/`, one file of
daily returns for each outcome. Processes that write at once wait for one another; what a call wrote is on disk when it
returns.
"""

import hashlib
import os
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from internal.atomic_files import write_atomically
from internal.backtests.daily_returns import DailyReturns, encode_returns
from internal.backtests.folder import ResearchFolder
from internal.backtests.moments import summarize_moments
from internal.backtests.settings import BacktestSettings
from internal.backtests.trials import CompletedLine, Outcome, PlannedLine, Trial, encode_line, read_trials
from internal.errors import InvalidRequestError
from research.line_file import LineFile, open_line_file
from research.result import BacktestResult


def print_notice(text: str) -> None:
    """Print a message for the person at the terminal on standard error."""
    print(text, file=sys.stderr)  # noqa: T201 - a command's own output


@dataclass(frozen=True)
class Ledger:
    """The trials of one folder.

    Attributes:
        folder: `FUND_HOME/research`.
        notify: Is called with a sentence when a line that a crash left incomplete was removed.
    """

    folder: Path
    notify: Callable[[str], None] = print_notice

    @classmethod
    def from_environment(cls) -> Self:
        """The ledger under `FUND_HOME`, by default `./.fund`."""
        return cls(Path(os.environ.get("FUND_HOME", ".fund")).resolve() / "research")

    @property
    def path(self) -> Path:
        """The file of lines."""
        return ResearchFolder(self.folder).ledger

    def plan(self, settings: BacktestSettings) -> Trial:
        """Write down that a backtest is about to run; one with equal settings is written down once.

        Raises:
            ConfigurationError: The ledger is damaged or cannot be written.
        """
        with self._open() as (file, trials):
            if settings.key in trials:
                return trials[settings.key]
            line = PlannedLine(datetime.now(UTC), settings.key, settings)
            file.append(encode_line(line))
            return Trial(settings, line.at)

    def complete(self, result: BacktestResult) -> Trial:
        """Write down what a planned backtest came to; as `record`."""
        return self.record(result.settings, DailyReturns(result.days[1:], result.returns))

    def record(self, settings: BacktestSettings, returns: DailyReturns) -> Trial:
        """Write down the daily returns of a planned backtest, and store them.

        Raises:
            ConfigurationError: The ledger is damaged or cannot be written.
            InvalidRequestError: The backtest was not planned.
        """
        key, content = settings.key, encode_returns(returns)
        outcome = Outcome(summarize_moments(returns.values), hashlib.sha256(content).hexdigest())
        with self._open() as (file, trials):
            if key not in trials:
                raise InvalidRequestError(f"{settings.strategy} was not planned before it ran; call `plan` first")
            write_atomically(ResearchFolder(self.folder).returns_path(outcome.returns_digest), content)
            if trials[key].outcome != outcome:
                file.append(encode_line(CompletedLine(datetime.now(UTC), key, outcome)))
            return Trial(settings, trials[key].planned_at, outcome)

    def trials(self) -> tuple[Trial, ...]:
        """Every trial once, in the order they were planned.

        Raises:
            ConfigurationError: The ledger is damaged.
        """
        with self._open() as (_, trials):
            return tuple(trials.values())

    def returns(self, trial: Trial) -> DailyReturns:
        """The daily returns of a finished trial.

        Raises:
            ConfigurationError: Their file is missing or damaged.
            InvalidRequestError: The trial has not finished.
        """
        return ResearchFolder(self.folder).returns(trial)

    @contextmanager
    def _open(self) -> Generator[tuple[LineFile, dict[str, Trial]]]:
        """The file of lines, which no other process has meanwhile, and its trials by key."""
        with open_line_file(self.path, self.notify) as file:
            yield file, read_trials(self.path, file.lines)
