"""The simulated market: companies and prices that are a function of a seed, behind the `Market` protocol.

The whole future is in memory (about 30 bytes a ticker and session); callers ask only for what has happened.
"""

from bisect import bisect_left, bisect_right
from datetime import date
from typing import Literal

import numpy as np
import polars as pl

from internal.dates import sessions, sessions_frame
from internal.errors import ConfigurationError
from internal.schemas import equity_bars
from internal.venue.corporate_actions import CorporateAction
from internal.venue.market.action_calendar import ActionCalendar
from internal.venue.market.action_frame import actions_frame, tables_of
from internal.venue.market.event_planting import PlantedMarket, plant_events
from internal.venue.market.event_rates import RATES, Events
from internal.venue.market.listing import Bar, Listing
from internal.venue.market.listing_index import ListingIndex
from internal.venue.market.path import Path
from internal.venue.market.recent_bars import RecentBars
from internal.venue.market.simulated_actions import path_actions
from internal.venue.market.simulation import Signal, simulate
from internal.venue.market.ticker_columns import TickerColumns
from internal.venue.market.universe import IntArray, draw_universe
from internal.venue.market.volatility_regime import VolatilityRegime, volatility_multipliers

FIRST_DAY, OPENING_DAY, LAST_DAY = date(2022, 6, 1), date(2024, 12, 31), date(2026, 12, 31)
LARGEST_TICKER_COUNT = 20_000
PLANTED_SIGNALS: dict[Signal, str] = {
    "none": "none",
    "momentum": (
        "momentum: a ticker's own return over the last five sessions (market and sector taken out, in units of its "
        "volatility, clipped at 2) drifts on with 0.06 of a daily volatility a session between open and close; the "
        "information coefficient of the trailing five-session return for the next five sessions is about 0.07"
    ),
}


class SimulatedMarket:
    """A deterministic market of `ticker_count` companies.

    Args:
        seed: the same seed, count, days and signal give the same bytes in any process.
        ticker_count: 1 to 20,000.
        signal: `momentum` plants a small predictable drift, `none` plants nothing (same noise, same universe).
        opening_day: the last session at or before it is where a fresh exchange's clock starts, at the close.
        first_day: start of the history.
        last_day: end of the playable future.
        events: what happens to the securities beside regular dividends and the splits of dear and cheap shares:
            `none`, or corporate actions of every kind and other types of securities, at `realistic` rates or, for
            fault runs, `frequent` ones; `splits` are frequent splits and halts alone. What a seed gives with `none`
            does not depend on the other settings.
        regime: sessions in which volatility is multiplied; the draws are those of the market without it.

    Raises:
        ConfigurationError: a count, signal or day that no market can be made of.
    """

    kind: Literal["simulated"] = "simulated"

    def __init__(  # noqa: PLR0913 - these eight say everything that the market is a function of
        self,
        *,
        seed: int = 7,
        ticker_count: int = 120,
        signal: Signal = "momentum",
        opening_day: date = OPENING_DAY,
        first_day: date = FIRST_DAY,
        last_day: date = LAST_DAY,
        events: Events = "none",
        regime: VolatilityRegime | None = None,
    ) -> None:
        self._sessions = _checked_sessions(seed, ticker_count, signal, (first_day, opening_day, last_day))
        self._opening = max(day for day in self._sessions if day <= opening_day)
        calendar = sessions_frame(self._sessions[0], self._sessions[-1])
        self._days, self._closes = calendar.get_column("date"), calendar.get_column("timestamp")
        self._number = {day: number for number, day in enumerate(self._sessions)}
        universe_seed, price_seed, event_seed = np.random.SeedSequence(seed).spawn(3)
        universe = draw_universe(universe_seed, ticker_count, self._sessions)
        path = simulate(universe, price_seed, volatility_multipliers(self._sessions, regime), signal)
        planted = self._plant(universe.listings, path, event_seed, events)
        self._path, self._listings = planted.path, planted.listings
        self._tickers = TickerColumns(self._listings, self._sessions)
        self._actions = ActionCalendar(planted.actions)
        self._splits, self._dividends = tables_of(actions_frame(self._actions.every()))
        self._index = ListingIndex(self._listings)
        self.events: Events = events
        self.regime = regime
        self._recent_bars = RecentBars(self._make_bar)
        self._seed = seed
        self._signal: Signal = signal

    def _plant(
        self, listings: tuple[Listing, ...], path: Path, seed: np.random.SeedSequence, events: Events
    ) -> PlantedMarket:
        """The market with its events."""
        rates = RATES[events]
        if rates is None:
            names = [listing.ticker for listing in listings]
            return PlantedMarket(listings, path, tuple(path_actions(path, self._sessions, lambda one, _: names[one])))
        first = self._number[self._opening] + 1 if rates.after_opening else 0
        return plant_events(listings, path, self._sessions, rates, first, seed)

    @property
    def seed(self) -> int:
        """The seed that everything here is a function of."""
        return self._seed

    @property
    def planted_signal(self) -> str:
        """What can be predicted here, and how well; `none` where nothing can."""
        return PLANTED_SIGNALS[self._signal]

    def sessions(self) -> list[date]:
        """Every session, history included, oldest first."""
        return list(self._sessions)

    def opening_session(self) -> date:
        """The session at whose close a fresh exchange starts."""
        return self._opening

    def listings(self, day: date) -> list[Listing]:
        """Every ticker listed on or before that day, as known on that day, ordered by ticker."""
        known = [listing.as_of(day) for listing in self._listings if listing.listed_date <= day]
        return known if self._tickers.ordered else sorted(known, key=lambda listing: listing.ticker)

    def listing(self, ticker: str, day: date | None = None) -> Listing | None:
        """The security that has the ticker on the day, or the last one that ever has it; None where there is none."""
        return self._index.find(ticker, day)

    def bars(self, day: date) -> pl.DataFrame:
        """The session's bars, unadjusted, in the columns of `equity_bars`; no rows where the day is no session."""
        number = self._number.get(day)
        if number is None:
            return equity_bars.empty()
        traded = np.flatnonzero(self._path.volume[number])
        return self._frame(np.full_like(traded, number), traded)

    def bars_between(self, start: date, end: date) -> pl.DataFrame:
        """The bars of all sessions with start <= date <= end, unadjusted, ordered by date and ticker."""
        first, last = bisect_left(self._sessions, start), bisect_right(self._sessions, end)
        rows, columns = np.nonzero(self._path.volume[first:last])
        return self._frame(first + rows, columns)

    def history(self, ticker: str, start: date, end: date) -> pl.DataFrame:
        """One ticker's bars with start <= date <= end, oldest first; no rows for an unknown ticker."""
        first, last = bisect_left(self._sessions, start), bisect_right(self._sessions, end)
        frames = [equity_bars.empty()]
        for span in self._tickers.spans(ticker):
            begin, stop = max(first, span.start), min(last, span.end)
            traded = begin + np.flatnonzero(self._path.volume[begin:stop, span.column])
            frames.append(self._frame(traded, np.full_like(traded, span.column)))
        return pl.concat(frames)

    def _frame(self, rows: IntArray, columns: IntArray) -> pl.DataFrame:
        """The bars at these places of the arrays, [session number, ticker number]."""
        path = self._path
        frame = pl.DataFrame(
            {
                "ticker": self._tickers.names(rows, columns),
                "date": self._days.gather(rows),
                "timestamp": self._closes.gather(rows),
                "open": path.open[rows, columns] / 100.0,
                "high": path.high[rows, columns] / 100.0,
                "low": path.low[rows, columns] / 100.0,
                "close": path.close[rows, columns] / 100.0,
                "volume": path.volume[rows, columns].astype(np.float64),
                "volume_weighted_average_price": path.volume_weighted_average_price[rows, columns] / 10_000.0,
                "transactions": path.transactions[rows, columns].astype(np.int64),
            }
        )
        return frame if self._tickers.ordered else frame.sort("date", "ticker")

    def bar(self, ticker: str, day: date) -> Bar | None:
        """One bar straight from the arrays; None where the ticker did not trade."""
        return self._recent_bars.bar(ticker, day)

    def corporate_actions(self, start: date, end: date) -> tuple[CorporateAction, ...]:
        """Actions of every kind with start <= effective date <= end, ordered by date, kind and ticker."""
        return self._actions.between(start, end)

    def _make_bar(self, ticker: str, day: date) -> Bar | None:
        number = self._number.get(day)
        column = None if number is None else self._tickers.column(ticker, number)
        if number is None or column is None or self._path.volume[number, column] == 0:
            return None
        cents = (self._path.open, self._path.high, self._path.low, self._path.close)
        opened, high, low, closed = (prices.item(number, column) / 100.0 for prices in cents)
        return Bar(
            ticker=ticker,
            date=day,
            open=opened,
            high=high,
            low=low,
            close=closed,
            volume=float(self._path.volume[number, column]),
            volume_weighted_average_price=float(self._path.volume_weighted_average_price[number, column]) / 10_000.0,
            transactions=int(self._path.transactions[number, column]),
        )

    def splits(self, start: date, end: date) -> pl.DataFrame:
        """Splits with start <= execution_date <= end, ordered by date and ticker."""
        return self._splits.filter(pl.col("execution_date").is_between(start, end))

    def dividends(self, start: date, end: date) -> pl.DataFrame:
        """Dividends with start <= ex_dividend_date <= end, ordered by date and ticker; US dollars a share."""
        return self._dividends.filter(pl.col("ex_dividend_date").is_between(start, end))


def _checked_sessions(seed: int, ticker_count: int, signal: str, days: tuple[date, date, date]) -> list[date]:
    first_day, opening_day, last_day = days
    if seed < 0:
        raise ConfigurationError(f"EXCHANGE_SEED is {seed}; a seed is 0 or a positive whole number")
    if not 1 <= ticker_count <= LARGEST_TICKER_COUNT:
        raise ConfigurationError(f"EXCHANGE_TICKER_COUNT is {ticker_count}; choose 1 to {LARGEST_TICKER_COUNT}")
    if signal not in PLANTED_SIGNALS:
        raise ConfigurationError(f"EXCHANGE_SIGNAL is {signal!r}; choose one of {', '.join(PLANTED_SIGNALS)}")
    playable = sessions(first_day, last_day)
    if not playable or not playable[0] <= opening_day < playable[-1]:
        raise ConfigurationError(
            f"EXCHANGE_START_DATE is {opening_day}; choose a day from {first_day} to before {last_day}"
        )
    return playable
