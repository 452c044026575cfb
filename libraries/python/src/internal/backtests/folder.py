"""The research folder, `FUND_HOME/research`: where the ledger, reports and sweeps are, and how they are read."""

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from internal.backtests.daily_returns import DailyReturns, decode_returns
from internal.backtests.report import BacktestReport, decode_report
from internal.backtests.sweep_report import SweepReport, decode_sweep
from internal.backtests.trials import Trial, read_trials
from internal.errors import ConfigurationError, InvalidRequestError, NotFoundError

SETTINGS_FILE: Final = "backtest_settings.json"
REPORT_FILE: Final = "backtest_report.json"
SWEEP_FILE: Final = "sweep.json"
KEY_DIGITS: Final = 16  # of a key, in the name of a folder
NAME: Final = re.compile(f"[0-9a-f]{{{KEY_DIGITS}}}")


@dataclass(frozen=True)
class ResearchFolder:
    """The folder; reading it changes nothing."""

    folder: Path

    @property
    def ledger(self) -> Path:
        """The file of trials."""
        return self.folder / "trials.jsonl"

    @property
    def backtests(self) -> Path:
        """Where the folder of each backtest is, named after the first digits of its settings' key."""
        return self.folder / "backtests"

    @property
    def sweeps(self) -> Path:
        """Where the points of sweeps are, and the folder of each sweep."""
        return self.folder / "sweeps"

    def returns_path(self, digest: str) -> Path:
        """Where daily returns are kept, by the digest of their file."""
        return self.folder / "returns" / f"{digest}.npy"

    def trials(self) -> tuple[Trial, ...]:
        """Every trial once, in the order they were planned; a line that is being written counts from its end.

        Raises:
            ConfigurationError: The ledger is damaged.
        """
        content = self.ledger.read_bytes() if self.ledger.exists() else b""
        return tuple(read_trials(self.ledger, content.split(b"\n")[:-1]).values())

    def returns(self, trial: Trial) -> DailyReturns:
        """The daily returns of a finished trial.

        Raises:
            ConfigurationError: Their file is missing or damaged.
            InvalidRequestError: The trial has not finished.
        """
        if trial.outcome is None:
            raise InvalidRequestError(f"a trial of {trial.settings.strategy} has no returns: it has not finished")
        path = self.returns_path(trial.outcome.returns_digest)
        content = path.read_bytes() if path.exists() else None
        if content is None or hashlib.sha256(content).hexdigest() != trial.outcome.returns_digest:
            raise ConfigurationError(
                f"{path} is {'missing' if content is None else 'damaged'}. It holds the daily returns of "
                f"{trial.settings.describe()}. Restore it from a backup, or run that backtest again: it is then stored "
                "again."
            )
        return decode_returns(content)

    def stamp(self, path: Path) -> int:
        """A number that changes with the file; 0 where there is none."""
        return path.stat().st_mtime_ns if path.exists() else 0

    def report_path(self, name: str) -> Path:
        """The file of a report."""
        return self.backtests / name / REPORT_FILE

    def list_reports(self) -> Sequence[str]:
        """The names of the backtests with a report, the newest first."""
        return _list_names(self.backtests, REPORT_FILE)

    def list_sweeps(self) -> Sequence[str]:
        """The names of the sweeps, the newest first."""
        return _list_names(self.sweeps, SWEEP_FILE)

    def report(self, name: str) -> BacktestReport:
        """The report of a backtest. Raises NotFoundError, ConfigurationError where its file is damaged."""
        return _read(self.backtests, name, REPORT_FILE, decode_report)

    def sweep(self, name: str) -> SweepReport:
        """The report of a sweep. Raises NotFoundError, ConfigurationError where its file is damaged."""
        return _read(self.sweeps, name, SWEEP_FILE, decode_sweep)


def _list_names(folder: Path, file: str) -> Sequence[str]:
    found = [path for path in folder.glob(f"*/{file}") if NAME.fullmatch(path.parent.name)]
    return [path.parent.name for path in sorted(found, key=lambda path: (-path.stat().st_mtime_ns, path.parent.name))]


def _read[Report](folder: Path, name: str, file: str, decode: Callable[[bytes], Report]) -> Report:
    """A report by the name of its folder, which is never a path."""
    path = folder / name / file
    if not NAME.fullmatch(name) or not path.is_file():
        raise NotFoundError(f"there is no {file} of {name!r} in {folder}; names are {KEY_DIGITS} hexadecimal digits")
    try:
        return decode(path.read_bytes())
    except ValueError as error:
        reason = str(error).splitlines()[0]
        raise ConfigurationError(f"{path} is damaged ({reason}); delete its folder and run it again.") from error
