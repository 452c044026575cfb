"""The backtests and sweeps of the research folder, each file read once while it stays as it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from internal.backtests.deflation import DeflatedSharpe
from internal.backtests.folder import ResearchFolder
from internal.backtests.report import BacktestReport
from internal.backtests.selection import deflate_by_trials
from internal.backtests.settings import BacktestSettings
from internal.backtests.sweep_report import SweepReport
from internal.backtests.trials import Trial
from internal.errors import ConfigurationError, FundError
from portfoliomanager.pages.research import RunLine, SweepLine, describe_run, describe_sweep

REMEMBERED = 256  # reports, of which the figures are kept


@dataclass(frozen=True)
class ResearchLibrary:
    """Reads the folder; several processes may write to it meanwhile."""

    folder: ResearchFolder

    @property
    def is_there(self) -> bool:
        """Whether anything was written down yet."""
        return self.folder.folder.is_dir()

    def trials(self) -> Sequence[Trial]:
        """Every trial. Raises ConfigurationError where the ledger is damaged."""
        return _read_trials(self.folder, self.folder.stamp(self.folder.ledger))

    def deflate(self, settings: BacktestSettings) -> DeflatedSharpe | None:
        """The deflated Sharpe ratio by all trials there are now. Raises ConfigurationError."""
        return deflate_by_trials(self.trials(), settings)

    def report(self, name: str) -> BacktestReport:
        """One report. Raises NotFoundError, ConfigurationError."""
        return self.folder.report(name)

    def sweep(self, name: str) -> SweepReport:
        """One sweep. Raises NotFoundError, ConfigurationError."""
        return self.folder.sweep(name)

    def list_runs(self, words: Sequence[str] = ()) -> Sequence[RunLine]:
        """The backtests whose strategy, parameters and market hold every word, the newest first."""
        found = [self._describe(name) for name in self.folder.list_reports()]
        return [line for line in found if all(word in line.text.lower() for word in words)]

    def list_sweeps(self) -> Sequence[SweepLine]:
        """The sweeps, the newest first; one that cannot be read says why."""
        return [self._describe_sweep(name) for name in self.folder.list_sweeps()]

    def _try_deflate(self, settings: BacktestSettings | None) -> DeflatedSharpe | None:
        """As `deflate`; None where the ledger is damaged, of which `trials` says more."""
        try:
            return None if settings is None else self.deflate(settings)
        except ConfigurationError:
            return None

    def _describe(self, name: str) -> RunLine:
        try:
            line = _read_run(self.folder, name, self.folder.stamp(self.folder.report_path(name)))
            return line.deflate(self._try_deflate(line.settings))
        except FundError as error:
            return RunLine(name, problem=error.detail)

    def _describe_sweep(self, name: str) -> SweepLine:
        try:
            report = self.sweep(name)
            return describe_sweep(name, report, self._try_deflate(report.settings))
        except FundError as error:
            return SweepLine(name, problem=error.detail)


@lru_cache(maxsize=2)
def _read_trials(folder: ResearchFolder, _stamp: int) -> Sequence[Trial]:
    return folder.trials()


@lru_cache(maxsize=REMEMBERED)
def _read_run(folder: ResearchFolder, name: str, _stamp: int) -> RunLine:
    return describe_run(name, folder.report(name))
