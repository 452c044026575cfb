"""Walks through sessions in order: bars that were accepted teach, new ones are judged, later ones settle them. Pure.

>>> from datetime import date
>>> import polars as pl
>>> from internal.schemas import corporate_actions
>>> def bars(close):
...     return pl.DataFrame({"ticker": ["A"], "open": [10.0], "high": [max(10.5, close)], "low": [9.5],
...                          "close": [close], "volume": [1e6 + close]})
>>> walk = BarWalk(["A"], corporate_actions.empty_splits())
>>> for day in range(1, 21):
...     walk.learn(date(2024, 5, day), bars(10.0 + day % 3 / 10))
>>> walk.judge(date(2024, 5, 21), bars(14.0)).suspected.rows()
[('A', 'price_jump_without_volume')]
>>> walk.judge(date(2024, 5, 22), bars(10.15)).suspected.rows()  # it reverted: this one is sound
[]
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from internal.data_quality.held_bars import HeldBars
from internal.data_quality.session_bars import Mask, Numbers, SessionBars
from internal.data_quality.session_check import SOUND, Codes, check_session, name_codes
from internal.data_quality.ticker_history import TickerHistory


@dataclass(frozen=True)
class Judgement:
    """What one session's bars say.

    Attributes:
        suspected: `ticker` and `reason` of the session's bars that are held back.
        confirmed: `ticker` and `date` of earlier held bars that this session's bars confirm.
    """

    suspected: pl.DataFrame
    confirmed: pl.DataFrame


class BarWalk:
    """The state of the checks between two sessions. Sessions are given in order, each once.

    Args:
        tickers: Every ticker that will occur.
        splits: `ticker`, `execution_date`, `split_from`, `split_to`: every split that is known now.
    """

    def __init__(self, tickers: Sequence[str], splits: pl.DataFrame) -> None:
        self._tickers = pl.Series("ticker", sorted(set(tickers)), dtype=pl.String)
        count = len(self._tickers)
        self._places = pl.DataFrame([self._tickers, pl.Series("place", range(count), dtype=pl.Int64)])
        self._splits = splits.join(self._places, on="ticker")
        self._last = date.min
        self._history, self._held = TickerHistory(count), HeldBars(count)

    def learn(self, day: date, bars: pl.DataFrame) -> None:
        """Take a session's bars as they are: they were accepted before, or nothing is known to judge them by."""
        self._begin(day)
        self._history.start_session()
        self._history.record(SessionBars.from_frame(bars, self._places))

    def judge(self, day: date, bars: pl.DataFrame, *, trusted: pl.Series | None = None) -> Judgement:
        """Judge a session's bars, and settle those that are held.

        Args:
            day: The session.
            bars: ticker, prices and volume, unique by ticker.
            trusted: Tickers whose bars are accepted without a check: stored before, or released by a person.
        """
        factor = self._begin(day)
        session = SessionBars.from_frame(bars, self._places)
        confirmed = self._settle(session)
        self._history.start_session()
        codes = check_session(session, self._history, factor)
        if trusted is not None:
            codes[self._places.get_column("ticker").is_in(trusted.implode()).to_numpy()] = SOUND
        self._history.record(session.keep(codes == SOUND))
        self._held.hold(session, codes, day)
        return Judgement(self._name_suspected(codes), confirmed)

    def _begin(self, day: date) -> Numbers:
        """State the past in the shares of the day; the factor of each ticker's splits since the session before."""
        factor = np.ones(len(self._tickers))
        since = self._splits.filter(pl.col("execution_date").is_between(self._last, day, closed="right"))
        ratios = since.select("place", (pl.col("split_to") / pl.col("split_from")).alias("factor"))
        np.multiply.at(factor, ratios.get_column("place").to_numpy(), ratios.get_column("factor").to_numpy())
        self._history.apply_splits(factor)
        self._held.apply_splits(factor)
        self._last = day
        return factor

    def _settle(self, session: SessionBars) -> pl.DataFrame:
        """Accept the held bars that the session's bars confirm."""
        mask: Mask = self._held.find_confirmed(session, self._history.measure())
        self._history.record(self._held.bars.keep(mask))
        days = pl.Series("date", self._held.days(mask), dtype=pl.Date)
        return pl.DataFrame([self._tickers.filter(pl.Series(mask)), days])

    def _name_suspected(self, codes: Codes) -> pl.DataFrame:
        frame = pl.DataFrame([self._tickers, pl.Series("reason", name_codes(codes), dtype=pl.String)])
        return frame.filter(pl.col("reason").is_not_null())
