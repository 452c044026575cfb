"""The port `MarketData` on a market's tables: the inputs of a day are rows of arrays made once for all sessions."""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from functools import partial
from math import isfinite

import numpy as np

from internal.errors import ConflictError
from internal.simulation.adjustment import adjusted_close, adjusted_window
from internal.simulation.known_forecasts import KnownForecasts
from internal.simulation.market_tables import MarketTables
from internal.trading.arrays import FloatArray
from internal.trading.corporate_actions import CorporateAction
from internal.trading.day_inputs import DayInputs, Details
from internal.trading.day_table import DayTable, compute_day_table
from internal.trading.positions import Entry
from internal.trading.strategy import DataNeeds
from internal.trading.universe import Universe

NO_MODEL = ""
BARS_VERSION = 0  # the bars of a simulation never change


class TableData:
    """The port `MarketData`: no answer reads a session after the day that it is asked for.

    Args:
        tables: The market's bars.
        first: The first session that is decided; `forecasts` and `scores` begin there.
        details: What the companies are, by ticker's place.
        forecasts: Of the decided sessions; None without any.
        scores: [D, N] the strategy's scores of the decided sessions; None where it has none.
    """

    def __init__(
        self,
        tables: MarketTables,
        first: date,
        details: Details | None = None,
        forecasts: KnownForecasts | None = None,
        scores: FloatArray | None = None,
    ) -> None:
        self._tables, self._details, self._forecasts, self._scores = tables, details, forecasts, scores
        self._first = bisect_left(tables.days, first)
        self._unknown = np.full((len(tables.tickers), 3), np.nan)
        self._day_tables: dict[Universe, DayTable] = {}
        self._places: dict[Entry, tuple[int | None, int | None]] = {}
        self._effective_dates = [action.effective_date for action in tables.actions]

    def day_inputs(self, day: date, needs: DataNeeds) -> DayInputs:
        """Prices, universe, volatility and forecasts of a day. Raises ConflictError for a session without tables."""
        session = self._session(day)
        row = session - self._first
        table, forecasts = self._day_table(needs.universe), self._forecasts if needs.forecasts else None
        return DayInputs(
            day=day,
            tickers=self._tables.tickers,
            price=self._tables.close[session],
            last_price=table.last_price[row],
            liquid=table.liquid[row],
            volatility=table.volatility[row],
            bands=self._unknown if forecasts is None else forecasts.bands[row],
            model_version=NO_MODEL if forecasts is None else forecasts.model,
            bars_version=BARS_VERSION,
            mean_volume=table.mean_volume[row],
            missing_sessions=table.missing_sessions[row],
            previous_price=table.previous_price[row],
            beta=table.beta[row],
            load_history=(
                partial(adjusted_window, self._tables, session, needs.history_sessions)
                if needs.history_sessions
                else None
            ),
            details=self._details,
            forecasts=None if forecasts is None else forecasts.of_session(row),
            scores=None if self._scores is None else self._scores[row],
        )

    def corporate_actions(self, first: date, last: date) -> Sequence[CorporateAction]:
        """Corporate actions by effective date, without cash dividends."""
        dates = self._effective_dates
        return self._tables.actions[bisect_left(dates, first) : bisect_right(dates, last)]

    def price_factors(self, entries: Collection[Entry], day: date) -> Mapping[Entry, float]:
        """By entry, adjusted over raw close of its session in the terms of `day`; no factor without a bar."""
        as_of, factors = self._session(day), dict[Entry, float]()
        for entry in entries:
            session, column = self._place(entry)
            if session is None or column is None or session > as_of:
                continue
            close = float(self._tables.close[session, column])
            if isfinite(close):
                factors[entry] = adjusted_close(self._tables, session, column, as_of) / close
        return factors

    def later_tickers(self, tickers: Collection[str], day: date) -> Mapping[str, Collection[str]]:
        """By ticker, those that its name changes up to the day lead to."""
        found = {ticker: [ticker] for ticker in tickers}
        for action in self._tables.actions:
            if not action.is_rename or action.effective_date > day:
                continue
            for names in found.values():
                if action.ticker.upper() == names[-1].upper() and action.new_ticker is not None:
                    names.append(action.new_ticker)
        return found

    def closes(self, tickers: Sequence[str], day: date) -> Mapping[str, float]:
        """Closes of a session as traded, by ticker; no entry without a bar."""
        row = self._tables.close[self._session(day)]
        found = {ticker: float(row[place]) for ticker in tickers if (place := self._tables.column(ticker)) is not None}
        return {ticker: close for ticker, close in found.items() if isfinite(close)}

    def _place(self, entry: Entry) -> tuple[int | None, int | None]:
        """The session and the column of an entry; remembered, because a held position is asked about every session."""
        if entry not in self._places:
            self._places[entry] = self._tables.session(entry.date), self._tables.column(entry.ticker)
        return self._places[entry]

    def _session(self, day: date) -> int:
        session = self._tables.session(day)
        if session is None or session < self._first:
            raise ConflictError(
                f"the simulation holds {self._tables.days[self._first]} to {self._tables.days[-1]}, not {day}"
            )
        return session

    def _day_table(self, universe: Universe) -> DayTable:
        if universe not in self._day_tables:
            last = len(self._tables.days) - 1
            self._day_tables[universe] = compute_day_table(self._tables.bars, self._first, last, universe)
        return self._day_tables[universe]
