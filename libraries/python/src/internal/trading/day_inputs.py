"""The data service's figures at the close of a day, as arrays over all names: prices, bars, details, forecasts."""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from internal.trading.arrays import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class BarHistory:
    """Bars of the last T sessions up to a day, adjusted as of it; each field is [T, N], NaN where there is no bar.

    Attributes:
        days: T sessions, ascending; the last one is the day.
        open: Dollars.
        high: Dollars.
        low: Dollars.
        close: Dollars.
        volume: Shares.
    """

    days: Sequence[date]
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray


@dataclass(frozen=True, slots=True)
class Details:
    """What the companies are, by ticker's place; None where it is not known.

    Attributes:
        sector: [N] names such as `INFORMATION TECHNOLOGY`.
        industry: [N] names of a finer division.
        security_type: [N] the vendor's code: CS for common stock, ETF for an exchange-traded fund, ...
    """

    sector: tuple[str | None, ...]
    industry: tuple[str | None, ...]
    security_type: tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Forecasts:
    """Quantiles of the cumulative simple return from the close of the day.

    Attributes:
        horizons: [H] sessions ahead, ascending.
        levels: [Q] probabilities, ascending.
        quantiles: [N, H, Q]; NaN without a forecast.
    """

    horizons: IntArray
    levels: FloatArray
    quantiles: FloatArray


@dataclass(frozen=True, slots=True)
class DayInputs:
    """The data service's figures at the close of a day, as arrays over N tickers in one order.

    Attributes:
        day: The session at whose close is decided.
        tickers: N tickers, sorted.
        price: [N] the close of the day, dollars; NaN without one.
        last_price: [N] the last close in the lookback, in the terms of the day; NaN without one.
        liquid: [N] whether the name is in the universe.
        volatility: [N] realized volatility of daily log returns, a session; NaN where too little is known.
        bands: [N, 3] the forecast over its longest horizon; NaN without one.
        model_version: Of the forecasts; empty where none were asked for.
        bars_version: Of the bars.
        mean_volume: [N] mean volume over the lookback, shares a session; NaN without a bar in it.
        known_at: The moment up to which corporate actions, names and details were known; None where all is.
        security_ids: N permanent ids; None where the data service has none.
        missing_sessions: [N] sessions since the last bar, 0 with one today; None where only today's bar is known.
        previous_price: [N] the last close before the day, in the terms of the day, dollars; NaN without one; None where
            only today's bar is known.
        beta: [N] to the mean name over the lookback; NaN where too little is known, None as above.
        load_history: Answers the bars up to the day, as many sessions as the strategy asked for; None where it asked
            for none. They are made when they are read, because most decisions do not.
        details: Sector, industry and type of each name; None where they were not loaded.
        forecasts: All horizons; None where they were not loaded.
        scores: [N] what the strategy's score is, where it was computed for all sessions at once; None where the
            strategy computes it from `history`.
    """

    day: date
    tickers: tuple[str, ...]
    price: FloatArray
    last_price: FloatArray
    liquid: BoolArray
    volatility: FloatArray
    bands: FloatArray
    model_version: str
    bars_version: int
    mean_volume: FloatArray
    known_at: datetime | None = None
    security_ids: Sequence[str | None] | None = None
    missing_sessions: IntArray | None = None
    previous_price: FloatArray | None = None
    beta: FloatArray | None = None
    load_history: Callable[[], BarHistory] | None = None
    details: Details | None = None
    forecasts: Forecasts | None = None
    scores: FloatArray | None = None

    @property
    def history(self) -> BarHistory | None:
        """Bars up to the day, as many sessions as the strategy asked for; None where it asked for none."""
        return None if self.load_history is None else self.load_history()

    def find(self, ticker: str) -> int | None:
        """The ticker's place in the arrays; None when there is nothing about it."""
        place = bisect_left(self.tickers, ticker)
        return place if place < len(self.tickers) and self.tickers[place] == ticker else None
