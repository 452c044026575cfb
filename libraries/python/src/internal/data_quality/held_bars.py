"""Bars that are held back until the next session of their ticker settles them. Pure."""

from datetime import date

import numpy as np

from internal.data_quality.measures import measure_bars
from internal.data_quality.session_bars import Mask, Numbers, SessionBars
from internal.data_quality.session_check import SOUND, Codes, code_of
from internal.data_quality.suspicions import Suspicion
from internal.data_quality.ticker_history import Usual

CONFIRMED_WITHIN = 4.0  # times the scale


class HeldBars:
    """The last held bar of each ticker, with its session and suspicion.

    Args:
        tickers: Their number.
    """

    def __init__(self, tickers: int) -> None:
        self.bars = SessionBars(*(np.full(tickers, np.nan) for _ in range(5)))
        self._ordinals = np.ones(tickers, dtype=np.int64)  # of their sessions
        self._codes = np.full(tickers, SOUND, dtype=np.int8)

    def hold(self, bars: SessionBars, codes: Codes, day: date) -> None:
        """Replace what is held of each ticker with a bar in this session: by its bar where that is suspected."""
        suspected = bars.present & (codes != SOUND)
        self._codes[bars.present], self._ordinals[bars.present] = codes[bars.present], day.toordinal()
        self.bars = bars.keep(suspected).over(self.bars.keep(~bars.present))

    def apply_splits(self, factor: Numbers) -> None:
        """State the held bars in the shares of today: `factor` is new shares for one old [tickers]."""
        self.bars = self.bars.split(factor)

    def find_confirmed(self, bars: SessionBars, usual: Usual) -> Mask:
        """Held bars whose level the session's bars confirm.

        A jump is confirmed by a close near it, and nearer to it than to the close before; a spike by a range that
        reaches it.
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            measures = measure_bars(bars, usual)
            distance = np.abs(measures.move + np.log(usual.close / self.bars.close))
            lasts = (distance < CONFIRMED_WITHIN * measures.scale) & (distance < np.abs(measures.move) / 2)
        reached = {
            Suspicion.PRICE_JUMP: lasts,
            Suspicion.OPEN_SPIKE: (bars.low <= self.bars.open) & (self.bars.open <= bars.high),
            Suspicion.HIGH_SPIKE: bars.high >= self.bars.high,
            Suspicion.LOW_SPIKE: bars.low <= self.bars.low,
        }
        return np.logical_or.reduce([(self._codes == code_of(suspicion)) & mask for suspicion, mask in reached.items()])

    def days(self, mask: Mask) -> list[date]:
        """The sessions of the held bars of the mask."""
        return [date.fromordinal(one) for one in self._ordinals[mask].tolist()]
