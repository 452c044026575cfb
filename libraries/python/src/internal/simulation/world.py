"""A small simulated market with drawn forecasts, on which the trading core is played in one process."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from hashlib import sha256

import numpy as np

from internal.dates import previous_session, sessions
from internal.forecasting.forecast_table import ForecastTable
from internal.forecasting.quantiles import QUANTILES
from internal.simulation.fund import SimulatedFund
from internal.simulation.known_forecasts import KnownForecasts, align_forecasts
from internal.simulation.market_tables import MarketTables, read_details, read_market_tables
from internal.simulation.renamed_columns import continue_renamed
from internal.simulation.table_data import TableData
from internal.simulation.whole_history import whole_history
from internal.strategies.loading import LoadedStrategy
from internal.trading.ports import Lease
from internal.venue.market.event_rates import Events
from internal.venue.market.simulated import SimulatedMarket

OPENING = date(2024, 12, 31)
HISTORY = 45  # sessions of bars before the first decision
MISSING = 0.1  # the part of the forecasts that there are none of
MISSING_BARS = 0.03  # of a market with events


@dataclass
class World:
    """A market with its data, which many funds can play; nothing of it changes."""

    market: SimulatedMarket
    days: Sequence[date]
    tables: MarketTables
    forecasts: KnownForecasts
    data: TableData

    @classmethod
    def make(  # noqa: PLR0913 - every size of a small world has a default
        cls,
        seed: int,
        *,
        sessions_played: int,
        tickers: int = 40,
        width: float = 1e-6,
        history: int = HISTORY,
        events: Events = "none",
    ) -> "World":
        """A simulated market from `history` sessions before its opening on; a narrow band closes what it opened.

        In a market with events some bars are missing in the data.
        """
        later = sessions(OPENING, OPENING + timedelta(days=2 * sessions_played + 7))
        days = [*sessions(previous_session(OPENING, history), OPENING), *later[1 : sessions_played + 1]]
        market = SimulatedMarket(
            seed=seed,
            ticker_count=tickers,
            opening_day=OPENING,
            first_day=days[0],
            last_day=days[-1],
            events=events,
        )
        tables = continue_renamed(read_market_tables(market, days[-1]))
        if events != "none":
            drop_bars(tables, seed, history)
        forecasts = draw_forecasts(seed, days[history:], tables.tickers, width)
        aligned = align_forecasts(forecasts, days[history:], tables.tickers)
        data = TableData(tables, OPENING, read_details(market, tables.tickers), aligned)
        return cls(market, days, tables, aligned, data)

    def with_scores(self, strategy: LoadedStrategy) -> "World":
        """The same world with the strategy's scores of all sessions in one pass, as a backtest computes them.

        A strategy without them computes each session's scores when it decides, as the running fund does.
        """
        first, details = self.days.index(OPENING), read_details(self.market, self.tables.tickers)
        history = whole_history(self.tables, first, details, self.forecasts)
        scores = strategy.score_sessions(history, self.days[first:], self.tables.tickers)
        return replace(self, data=TableData(self.tables, OPENING, details, self.forecasts, scores))

    def open_fund(self, cash: int = 100_000, lease: Lease | None = None) -> SimulatedFund:
        """A fresh account, an empty journal."""
        return SimulatedFund.open(self.market, self.data, Decimal(cash), lease=lease)


def drop_bars(tables: MarketTables, seed: int, history: int) -> None:
    """Leave out a part of the bars of the decided sessions."""
    draw = np.random.default_rng(seed)
    dropped = draw.random((len(tables.days) - history, len(tables.tickers))) < MISSING_BARS
    for values in (tables.open, tables.high, tables.low, tables.close, tables.volume):
        values[history:][dropped] = np.nan


def draw_forecasts(seed: int, days: Sequence[date], tickers: Sequence[str], width: float) -> ForecastTable:
    """Forecasts over seven sessions that are a function of the seed, the day and the ticker."""
    quantiles = np.array([[_draw_band(f"{seed}|{day}|{ticker}", width) for ticker in tickers] for day in days])
    return ForecastTable("drawn", tuple(days), tuple(tickers), (7,), QUANTILES, quantiles[:, :, None])


def _draw_band(key: str, width: float) -> tuple[float, float, float]:
    digest = sha256(key.encode()).digest()
    if digest[0] / 256 < MISSING:
        return np.nan, np.nan, np.nan
    median = int.from_bytes(digest[1:5]) / 2**32 * 0.04 - 0.02
    return median - width / 2, median, median + width / 2
