"""The panel that a signal is judged on: scores, closes and groups as arrays of sessions and tickers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from internal.strategies.history import History, score_table
from internal.trading.arrays import BoolArray, FloatArray

FEWEST_NAMES = 5  # a session with fewer scored names says nothing about a ranking


@dataclass(frozen=True, eq=False)
class SignalPanel:
    """Scores and what became of their names, over S sessions and N tickers.

    Attributes:
        days: S sessions, ascending.
        tickers: N tickers, sorted.
        scores: [S, N] made at the close of each session; NaN where there is none.
        close: [S, N] closes with splits and dividends in them; only ratios between sessions mean something.
        dollar_volume: [S, N] traded dollars, to within the adjustment of the closes.
        sectors: N sectors; None where it is not known.
    """

    days: Sequence[date]
    tickers: tuple[str, ...]
    scores: FloatArray
    close: FloatArray
    dollar_volume: FloatArray
    sectors: tuple[str | None, ...]

    def forward_returns(self, horizon: int, lag: int = 0) -> FloatArray:
        """[S, N] simple returns over `horizon` sessions from the close `lag` sessions after the score's.

        NaN where either close is missing or after the last session.
        """
        first, last = self._later(lag), self._later(lag + horizon)
        return last / first - 1

    def _later(self, sessions: int) -> FloatArray:
        missing = np.full((min(sessions, len(self.days)), len(self.tickers)), np.nan)
        return np.concatenate([self.close[sessions:], missing]) if sessions else self.close


def make_panel(
    scores: FloatArray, history: History, days: Sequence[date], liquid: BoolArray, tickers: tuple[str, ...]
) -> SignalPanel:
    """The panel of scores [S, N]. liquid: [S, N], the names that the strategy's universe has; others are left out."""
    frame = history.frame
    dollars = frame.select("ticker", "date", (pl.col("close") * pl.col("volume")).alias("score"))
    closes = frame.select("ticker", "date", pl.col("close").alias("score"))
    known = dict(frame.select("ticker", "sector").unique("ticker").iter_rows())
    return SignalPanel(
        days=days,
        tickers=tickers,
        scores=np.where(liquid, scores, np.nan),
        close=score_table(closes, days, tickers),
        dollar_volume=score_table(dollars, days, tickers),
        sectors=tuple(known.get(ticker) for ticker in tickers),
    )
