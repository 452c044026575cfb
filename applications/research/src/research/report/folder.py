"""The folder of one backtest: it is tied to the backtest's settings, and its report is written whole."""

import json
from dataclasses import dataclass
from pathlib import Path

from internal.atomic_files import write_atomically
from internal.backtests.folder import REPORT_FILE, SETTINGS_FILE
from internal.backtests.report import encode_report
from internal.backtests.selection import select_trials
from internal.backtests.settings import BacktestSettings
from internal.errors import ConfigurationError, InvalidRequestError
from research.ledger import Ledger
from research.report.charts import draw_charts
from research.report.document import make_report
from research.report.page import BacktestPage
from research.report.text import write_summary
from research.result import BacktestResult
from research.statistics.summary import summarize


@dataclass(frozen=True)
class Report:
    """A report that was written: its page, and its summary for the terminal."""

    page: Path
    summary: str


def claim_folder(folder: Path, settings: BacktestSettings) -> None:
    """Tie a folder to a backtest before it runs, or check that it is tied to the same one.

    Raises:
        ConfigurationError: It holds another backtest or other files, or it cannot be written.
    """
    path = folder / SETTINGS_FILE
    if path.exists():
        _compare(path, settings)
    elif folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigurationError(f"{folder} holds other files; a backtest needs a folder of its own: --output")
    else:
        write_atomically(path, json.dumps(settings.to_json(), indent=2))


def _compare(path: Path, settings: BacktestSettings) -> None:
    """Check that stored settings are these.

    Raises:
        ConfigurationError: They differ, or the file is damaged.
    """
    try:
        stored = BacktestSettings.from_json(json.loads(path.read_text())).to_json()
    except (ValueError, InvalidRequestError) as error:
        raise ConfigurationError(f"{path} is damaged: {error}; choose another --output, or delete it.") from error
    now = settings.to_json()
    for name in stored:
        if stored[name] != now[name]:
            raise ConfigurationError(
                f"{path.parent} holds another backtest: its {name.replace('_', ' ')} is {json.dumps(stored[name])}, "
                f"not {json.dumps(now[name])}; choose another --output."
            )


def write_report(folder: Path, result: BacktestResult, ledger: Ledger) -> Report:
    """Write `backtest_report.json`, `.png` and `.html`, each whole or not at all, the page last.

    Args:
        folder: A folder that was claimed for the settings of the result.
        result: A result that the ledger holds.
        ledger: The trials that it competes with. Runs of the same backtest at other costs and capitals that it holds
            take the place of scaled figures.

    Raises:
        ConfigurationError: The folder holds another backtest, or the ledger is damaged.
        InvalidRequestError: The ledger does not hold the trial.
    """
    claim_folder(folder, result.settings)
    trials = ledger.trials()
    if not any(trial.settings == result.settings and trial.outcome for trial in trials):
        raise InvalidRequestError(f"{result.settings.describe()} is not in {ledger.path}; plan and complete it first")
    statistics = summarize(result, select_trials(trials, result.settings, result.days[1:], ledger.returns))
    charts = draw_charts(result, statistics)
    write_atomically(folder / REPORT_FILE, encode_report(make_report(result, statistics)))
    write_atomically(folder / "backtest_report.png", charts.png)
    page = folder / "backtest_report.html"
    write_atomically(page, BacktestPage.of(result, statistics, charts).render())
    return Report(page, write_summary(result, statistics))
