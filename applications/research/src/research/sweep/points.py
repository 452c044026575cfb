"""The points of a sweep: the figures of each variant, kept so that an interrupted sweep goes on where it stopped."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from math import isfinite
from pathlib import Path
from typing import Final

import numpy as np
from pydantic import TypeAdapter, ValidationError

from internal.atomic_files import write_atomically
from internal.backtests.daily_returns import DailyReturns
from internal.backtests.sweep_report import SweepPoint
from internal.performance import (
    SESSIONS_A_YEAR,
    Numbers,
    annualised_return,
    annualised_turnover,
    annualised_volatility,
    maximum_drawdown,
    sharpe_ratio,
)
from research.result import BacktestResult


@dataclass(frozen=True)
class FinishedPoint:
    """A point with the daily returns that the ledger keeps."""

    point: SweepPoint
    days: tuple[date, ...]
    values: tuple[float, ...]

    @property
    def returns(self) -> DailyReturns:
        """The returns by session."""
        return DailyReturns(self.days, np.array(self.values))


_POINT: Final = TypeAdapter(FinishedPoint)


def summarize_point(result: BacktestResult, parameters: Mapping[str, str]) -> FinishedPoint:
    """The figures of a result."""
    value, returns = result.net_asset_value, result.returns
    mean, sessions = float(value[1:].mean()), max(len(returns), 1)
    paid = float(result.fees.sum() + result.borrow.sum() + result.impact.sum())
    point = SweepPoint(
        key=result.settings.key,
        parameters=dict(parameters),
        total_return=float(value[-1] / value[0] - 1),
        annualised_return=_defined(annualised_return(returns)),
        volatility=_defined(annualised_volatility(returns)),
        sharpe=_defined(sharpe_ratio(returns)),
        maximum_drawdown=maximum_drawdown(value),
        turnover=float(annualised_turnover(float(result.traded_dollars.sum()) / sessions, mean)),
        cost=paid / mean / sessions * SESSIONS_A_YEAR,
        fills=len(result.fills),
    )
    return FinishedPoint(point, result.days[1:], tuple(returns.tolist()))


def _defined(value: Numbers) -> float | None:
    number = float(value)
    return number if isfinite(number) else None


def save_point(folder: Path, finished: FinishedPoint) -> None:
    """Write a point under its key."""
    write_atomically(folder / f"{finished.point.key}.json", _POINT.dump_json(finished))


def read_point(folder: Path, key: str) -> FinishedPoint | None:
    """The point of a variant that has run; None when it has not, or its file is damaged: it then runs again."""
    path = folder / f"{key}.json"
    if not path.exists():
        return None
    try:
        found = _POINT.validate_json(path.read_bytes())
    except ValidationError:
        return None
    return found if found.point.key == key else None
