"""Which trials of the ledger a backtest was selected from, and what they returned in the same sessions."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from internal.backtests.daily_returns import DailyReturns, Series
from internal.backtests.deflation import DeflatedSharpe, deflate_sharpe
from internal.backtests.settings import BacktestSettings
from internal.backtests.trials import Trial


@dataclass(frozen=True, eq=False)
class Selection:
    """The trials on the data of one backtest, itself included.

    Attributes:
        trials: How many there are of all strategies, failed ones included.
        of_strategy: How many of them are of the same strategy.
        sharpes: Per session, of those that finished and have one, f64 [trial].
        returns: Of those that finished in the same sessions, f64 [session, trial].
        at_other_costs: Returns, f64 [session], of the same backtest where it was run at other cost multiples.
        at_other_capitals: The same at other capitals, by dollars.
    """

    trials: int
    of_strategy: int
    sharpes: Series
    returns: Series
    at_other_costs: Mapping[float, Series]
    at_other_capitals: Mapping[float, Series]


def select_trials(
    trials: Iterable[Trial],
    settings: BacktestSettings,
    days: tuple[date, ...],
    read_returns: Callable[[Trial], DailyReturns],
) -> Selection:
    """The trials that compete with a backtest: on the same market or bars, in sessions that overlap with its own.

    Every strategy counts, for whoever picks the best of five strategies has tried five. A strategy that was run again
    with newer code, with sessions added to its bars, at other costs or with another capital is the same trial.

    Args:
        trials: All that a ledger holds.
        settings: Of the backtest.
        days: The sessions of its returns.
        read_returns: Reads the daily returns of a finished trial.
    """
    all_trials = tuple(trials)
    related = _choose_one_each(all_trials, settings)
    series = [values for _, values in _read_same_sessions(related, settings, days, read_returns)]
    other_costs = [
        trial for trial in all_trials if replace(trial.settings, cost_multiple=settings.cost_multiple) == settings
    ]
    other_capitals = [trial for trial in all_trials if replace(trial.settings, capital=settings.capital) == settings]
    return Selection(
        trials=len(related),
        of_strategy=sum(trial.settings.strategy == settings.strategy for trial in related),
        sharpes=_list_sharpes(related),
        returns=np.column_stack(series) if series else np.empty((0, 0)),
        at_other_costs={
            one.cost_multiple: values for one, values in _read_same_sessions(other_costs, settings, days, read_returns)
        },
        at_other_capitals={
            one.capital: values for one, values in _read_same_sessions(other_capitals, settings, days, read_returns)
        },
    )


def deflate_by_trials(trials: Iterable[Trial], settings: BacktestSettings) -> DeflatedSharpe | None:
    """The deflated Sharpe ratio of a backtest by all trials there are now; None where it is not among them.

    Args:
        trials: All that a ledger holds.
        settings: Of the backtest.
    """
    known = tuple(trials)
    own = next((trial for trial in known if trial.settings == settings), None)
    if own is None:
        return None
    related = _choose_one_each(known, settings)
    return deflate_sharpe(own.outcome and own.outcome.moments, len(related), _list_sharpes(related))


def _list_sharpes(trials: Iterable[Trial]) -> Series:
    return np.array([sharpe for trial in trials if (sharpe := _sharpe(trial)) is not None])


def _read_same_sessions(
    trials: Iterable[Trial],
    settings: BacktestSettings,
    days: tuple[date, ...],
    read_returns: Callable[[Trial], DailyReturns],
) -> list[tuple[BacktestSettings, Series]]:
    """Settings and returns of the finished trials that were played in these very sessions."""
    ends = settings.first_session, settings.last_session
    finished = [
        trial
        for trial in trials
        if trial.outcome is not None and (trial.settings.first_session, trial.settings.last_session) == ends
    ]
    pairs = [(trial.settings, read_returns(trial)) for trial in finished]
    return [(one, returns.values) for one, returns in pairs if returns.days == days]


def _competes(one: BacktestSettings, other: BacktestSettings) -> bool:
    same_data = one.market == other.market or one.bars_digest == other.bars_digest
    return same_data and one.first_session <= other.last_session and other.first_session <= one.last_session


def _sharpe(trial: Trial) -> float | None:
    moments = None if trial.outcome is None else trial.outcome.moments
    return None if moments is None else moments.sharpe


def _choose_one_each(trials: Iterable[Trial], settings: BacktestSettings) -> list[Trial]:
    """One trial for each thing that a person chose: preferably finished, at the same terms, and the newest."""
    chosen: dict[str, Trial] = {}
    for trial in trials:
        if not _competes(trial.settings, settings):
            continue
        choice = trial.choice
        if choice not in chosen or _preference(trial, settings) >= _preference(chosen[choice], settings):
            chosen[choice] = trial
    return list(chosen.values())


def _preference(trial: Trial, settings: BacktestSettings) -> tuple[bool, bool, bool]:
    same_terms = replace(trial.settings, code_digest=settings.code_digest, bars_digest=settings.bars_digest)
    return trial.settings == settings, trial.outcome is not None, same_terms == settings
