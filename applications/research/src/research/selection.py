"""Which trials of the ledger a backtest was selected from, and what they returned in the same sessions."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np

from research.daily_returns import DailyReturns
from research.result import BacktestSettings, Series
from research.trials import Trial


@dataclass(frozen=True, eq=False)
class Selection:
    """The trials on the data of one backtest, itself included.

    Attributes:
        trials: How many there are of all strategies, failed ones included.
        of_strategy: How many of them are of the same strategy.
        sharpes: Per session, of those that finished and have one, f64 [trial].
        returns: Of those that finished in the same sessions, f64 [session, trial].
    """

    trials: int
    of_strategy: int
    sharpes: Series
    returns: Series


def select_trials(
    trials: Iterable[Trial], settings: BacktestSettings, read_returns: Callable[[Trial], DailyReturns]
) -> Selection:
    """The trials that compete with a backtest: on the same market or bars, in sessions that overlap with its own.

    Every strategy counts, for whoever picks the best of five strategies has tried five. A run that was repeated with
    newer code or with bars to which sessions were added is the same trial; its newest outcome counts.
    """
    related = list(_newest(trial for trial in trials if _compete(trial.settings, settings)))
    outcomes = [trial.outcome for trial in related if trial.outcome is not None]
    finished = [trial for trial in related if trial.outcome is not None and _same_sessions(trial.settings, settings)]
    series = [read_returns(trial).values for trial in finished]
    return Selection(
        trials=len(related),
        of_strategy=sum(trial.settings.strategy == settings.strategy for trial in related),
        sharpes=np.array([outcome.moments.sharpe for outcome in outcomes if outcome.moments is not None]),
        returns=np.column_stack(series) if series else np.empty((0, 0)),
    )


def _compete(one: BacktestSettings, other: BacktestSettings) -> bool:
    same_data = one.market == other.market or one.bars_digest == other.bars_digest
    return same_data and one.first_session <= other.last_session and other.first_session <= one.last_session


def _same_sessions(one: BacktestSettings, other: BacktestSettings) -> bool:
    return (one.first_session, one.last_session) == (other.first_session, other.last_session)


def _newest(trials: Iterable[Trial]) -> Iterable[Trial]:
    """One trial for each choice of a person: what code and bars it ran on is none. A finished one comes first."""
    newest: dict[str, Trial] = {}
    for trial in trials:
        choice = replace(trial.settings, code_digest="", bars_digest="").key
        if trial.outcome is not None or choice not in newest:
            newest[choice] = trial
    return newest.values()
