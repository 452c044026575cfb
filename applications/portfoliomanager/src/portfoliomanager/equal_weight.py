"""The benchmark of the pages: equal dollars of every ticker, bought when the fund opened and held."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from threading import Lock

import polars as pl

from internal.clock import elapsed_seconds
from internal.track_record import buy_and_hold
from portfoliomanager.ports import ForecastStore

REMEMBERED_SECONDS = 3_600.0  # a bar that was corrected meanwhile is seen after it


@dataclass(frozen=True)
class EqualWeightPath:
    """The benchmark's value by session; it starts at 1."""

    days: Sequence[date] = ()
    values: Sequence[float] = ()


@dataclass(frozen=True)
class _Answer:
    first: date
    last: date
    asked_at: float
    path: EqualWeightPath


class EqualWeight:
    """Computes the benchmark once a session; callers that ask at the same time share one answer.

    Args:
        load_closes: The closes (`ticker`, `date`, `close`) from one session to another, as of the last.
    """

    def __init__(self, load_closes: Callable[[date, date], pl.DataFrame]) -> None:
        self._load_closes, self._one_at_a_time = load_closes, Lock()
        self._answer: _Answer | None = None

    def known(self, first: date, last: date) -> EqualWeightPath | None:
        """The benchmark if it is remembered: a page that waits for nothing shows it then, and asks for it else."""
        answer = self._answer
        if answer is None or (answer.first, answer.last) != (first, last):
            return None
        return answer.path if elapsed_seconds() - answer.asked_at < REMEMBERED_SECONDS else None

    def path(self, first: date, last: date) -> EqualWeightPath:
        """The benchmark from the close of the first session to that of the last; empty where nothing has a bar then."""
        with self._one_at_a_time:
            known = self.known(first, last)
            if known is not None:
                return known
            asked_at = elapsed_seconds()
            found = self._compute(first, last)
            self._answer = _Answer(first, last, asked_at, found)
            return found

    def _compute(self, first: date, last: date) -> EqualWeightPath:
        held = buy_and_hold(self._load_closes(first, last), first, last)
        return EqualWeightPath(held.get_column("date").to_list(), held.get_column("buy_and_hold").to_list())


def load_closes(store: ForecastStore, first: date, last: date) -> pl.DataFrame:
    """The closes of every ticker in the data service."""
    bars, _ = store.bars(first, last, adjusted_as_of=last, columns=("ticker", "date", "close"))
    return bars
