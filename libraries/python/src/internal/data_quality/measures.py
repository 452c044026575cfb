"""How far each bar of a session is from what is usual for its ticker and from the session's other bars. Pure."""

from dataclasses import dataclass

import numpy as np

from internal.data_quality.session_bars import Mask, Numbers, SessionBars
from internal.data_quality.ticker_history import NORMAL, SMALLEST_VOLATILITY, Usual

CROSS_SECTION = 20  # fewer tickers tell nothing about the market's move


@dataclass(frozen=True)
class Measures:
    """One number a ticker; logarithms, so that 0.1 is about 10 %; NaN where it has no bar or no past.

    Attributes:
        known: Whether the ticker has a bar now and enough bars before.
        move: Log return since the last accepted close, less the market's median.
        overnight: The same from that close to the open, in the open's own terms.
        intraday: Log of close over open.
        scale: The size of a usual move: the ticker's volatility, or the session's dispersion where that is larger.
        surge: How far volume exceeds what is usual, the smaller of shares and dollars.
        shares: How far the number of shares exceeds what is usual; `shares_scale` is its usual deviation.
        shares_scale: See `shares`.
        usual_range: Its usual log range, high over low.
        widening: How far the session's range exceeds what is usual, as a ratio's logarithm.
        upper: Log of the high over the higher of open and close, less the median of the session's.
        lower: Log of the lower of open and close over the low, likewise.
    """

    known: Mask
    move: Numbers
    overnight: Numbers
    intraday: Numbers
    scale: Numbers
    surge: Numbers
    shares: Numbers
    shares_scale: Numbers
    usual_range: Numbers
    widening: Numbers
    upper: Numbers
    lower: Numbers


def measure_bars(bars: SessionBars, usual: Usual) -> Measures:
    """Compare a session's bars with what is usual, as of the close of that session."""
    market, dispersion = _market_move(bars, usual)
    shares = _log(bars.volume) - usual.log_volume
    dollars = _log(bars.volume * bars.close) - usual.log_dollars
    log_range = np.log(np.maximum(np.log(bars.high / bars.low), SMALLEST_VOLATILITY / 4))
    upper = np.log(bars.high / np.maximum(bars.open, bars.close))
    lower = np.log(np.minimum(bars.open, bars.close) / bars.low)
    return Measures(
        known=bars.present & usual.known,
        move=np.log(bars.close / usual.close) - market,
        overnight=np.log(bars.open / usual.close),
        intraday=np.log(bars.close / bars.open),
        scale=np.maximum(usual.volatility, dispersion),
        surge=np.minimum(shares, dollars),
        shares=shares,
        shares_scale=usual.volume_spread,
        usual_range=np.exp(usual.log_range),
        widening=log_range - usual.log_range,
        upper=upper - _median(upper),
        lower=lower - _median(lower),
    )


def _market_move(bars: SessionBars, usual: Usual) -> tuple[float, float]:
    """The median log return of the session and its robust standard deviation; both 0 for few tickers."""
    moves = np.log(bars.close / usual.close)[bars.present & usual.known]
    if moves.size < CROSS_SECTION:
        return 0.0, 0.0
    market = float(np.median(moves))
    return market, NORMAL * float(np.median(np.abs(moves - market)))


def _median(values: Numbers) -> float:
    found = values[~np.isnan(values)]
    return float(np.median(found)) if found.size >= CROSS_SECTION else 0.0


def _log(amount: Numbers) -> Numbers:
    return np.log(np.where(amount > 0, amount, np.nan))
