"""A simulated market with drawn forecasts, which the tests of the trading core play in one process."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from hashlib import sha256

import numpy as np

from internal.dates import sessions
from internal.forecasting.forecast_table import ForecastTable
from internal.forecasting.quantiles import QUANTILES
from internal.simulation.fund import SimulatedFund
from internal.simulation.known_forecasts import align_forecasts
from internal.simulation.market_tables import MarketTables, read_market_tables
from internal.simulation.table_data import TableData
from internal.trading.ports import Lease
from internal.venue.market.simulated import SimulatedMarket
from libraries.python.tests.trading.eventful_market import EventfulMarket

HISTORY = 45  # sessions of bars before the first decision
MISSING = 0.1  # the part of the forecasts that there are none of
MISSING_BARS = 0.03  # of an eventful market


@dataclass
class World:
    """A market with its data, which many funds can play; nothing of it changes."""

    market: SimulatedMarket
    days: Sequence[date]
    data: TableData

    @classmethod
    def make(
        cls, seed: int, *, sessions_played: int, tickers: int = 40, width: float = 1e-6, eventful: bool = False
    ) -> "World":
        """A simulated market from HISTORY sessions before its opening on; a narrow band closes what it opened.

        An eventful market splits and halts often, and some of its bars are missing in the data.
        """
        opening = date(2024, 12, 31)
        all_days = sessions(date(2024, 9, 1), date(2025, 3, 31))
        place = all_days.index(opening)
        days = all_days[place - HISTORY : place + sessions_played + 1]
        market = (EventfulMarket if eventful else SimulatedMarket)(
            seed=seed, ticker_count=tickers, opening_day=opening, first_day=days[0], last_day=days[-1]
        )
        tables = read_market_tables(market, days[-1])
        if eventful:
            drop_bars(tables, seed)
        forecasts = draw_forecasts(seed, days[HISTORY:], tables.tickers, width)
        return cls(
            market,
            days,
            TableData(tables, opening, forecasts=align_forecasts(forecasts, days[HISTORY:], tables.tickers)),
        )

    def open_fund(self, cash: int = 100_000, lease: Lease | None = None) -> SimulatedFund:
        """A fresh account, an empty journal."""
        return SimulatedFund.open(self.market, self.data, Decimal(cash), lease=lease)


def drop_bars(tables: MarketTables, seed: int) -> None:
    """Leave out a part of the bars of the decided sessions."""
    draw = np.random.default_rng(seed)
    dropped = draw.random((len(tables.days) - HISTORY, len(tables.tickers))) < MISSING_BARS
    for values in (tables.open, tables.high, tables.low, tables.close, tables.volume):
        values[HISTORY:][dropped] = np.nan


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
