"""The guard of every backtest: with the rows after some sessions removed, their scores are the same."""

from collections.abc import Sequence
from datetime import date

import numpy as np
import polars as pl

from internal.strategies.history import History
from internal.strategies.loading import LoadedStrategy
from internal.trading.arrays import FloatArray
from internal.trading.strategy import StrategyError

ROUNDING = 1e-9  # relative
SESSIONS = 3  # that are looked at, evenly over the period; `research check` looks at all of a market of its own


def require_no_later_rows(strategy: LoadedStrategy, history: History, scores: FloatArray, days: Sequence[date]) -> None:
    """Raise StrategyError when a score reads later rows: nothing that it earns in a backtest can be earned.

    scores: [S, N] of the whole history, at `days`.
    """
    tickers = tuple(history.frame.get_column("ticker").unique().sort().to_list())
    for place in sorted({len(days) * part // (SESSIONS + 1) for part in range(1, SESSIONS + 1)}):
        day = days[place]
        known = History(history.frame.filter(pl.col("date") <= day))
        found = strategy.score_sessions(known, [day], tickers)
        if found is not None and not np.allclose(found[0], scores[place], rtol=ROUNDING, atol=0.0, equal_nan=True):
            raise StrategyError(
                f"the score of {strategy.record.name} reads later rows: with the rows after {day} removed, other "
                "scores come out for that day. A backtest of it says nothing, and none was run. `./fund check FILE.py` "
                "names the first row that differs; shift(-1) reads the next session, shift(1) the one before"
            )
