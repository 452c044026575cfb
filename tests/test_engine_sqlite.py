"""The engine's venue in memory does what the exchange's does with SQLite, through splits, dividends and delistings."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from loaded_strategies import ten_by_ten

from exchange.adapters.database import Database
from exchange.adapters.sqlite_repository import SqliteRepository
from internal.forecasting.forecast_table import ForecastTable
from internal.forecasting.quantiles import QUANTILES
from internal.simulation.fund import SimulatedFund
from internal.simulation.known_forecasts import align_forecasts
from internal.simulation.venue_broker import VenueBroker
from internal.venue.core import open_venue
from internal.venue.history import ActivityType
from internal.venue.repository import HistoryQuery, OrderQuery
from internal.venue.state import open_account
from research.engine.run import Backtest, open_fund, play_fund
from research.engine.sources import Period, SimulatedSource

HALF_WIDTH, SPREAD = 0.05, 0.01  # of the drawn bands and medians


def make_backtest(last_day: date) -> Backtest:
    """Ninety tickers with drawn forecasts; the seed has splits of names that are held."""
    market = SimulatedSource(5, 90).open(Period(date(2024, 6, 3), last_day), print)
    shape = len(market.days), len(market.tables.tickers)
    median = np.random.default_rng(1).normal(0.0, SPREAD, shape)
    bands = np.stack([median - HALF_WIDTH, median, median + HALF_WIDTH], axis=-1)[:, :, None]
    table = ForecastTable("drawn", market.days, market.tables.tickers, (7,), QUANTILES, bands)
    forecasts = align_forecasts(table, market.days, market.tables.tickers)
    return Backtest(market, ten_by_ten(), "strategies/ten_by_ten.py:TenByTen", forecasts=forecasts)


def open_stored(backtest: Backtest, repository: SqliteRepository) -> SimulatedFund:
    """The fund with its venue in SQLite."""
    fund, market = open_fund(backtest), backtest.market.market
    core = open_venue(market, repository, open_account(market, Decimal(100_000)))
    return replace(fund, core=core, ports=replace(fund.ports, broker=VenueBroker(core, market, repository)))


def compare(folder: Path, last_day: date) -> set[ActivityType]:
    """Play both, compare everything that they hold, and answer what happened to the account."""
    backtest, database = make_backtest(last_day), Database(folder)
    repository = SqliteRepository(database)
    memory, stored = play_fund(open_fund(backtest), backtest), play_fund(open_stored(backtest, repository), backtest)
    try:
        history = repository.find_history(HistoryQuery())
        assert repository.find_orders(OrderQuery()) == memory.repository.find_orders(OrderQuery())
        assert history == memory.repository.find_history(HistoryQuery())
        assert (repository.load(), stored.core.state) == (memory.core.state, memory.core.state)
    finally:
        database.close()
    assert stored.journal.orders() == memory.journal.orders()
    assert stored.journal.runs() == memory.journal.runs()
    assert stored.journal.snapshots() == memory.journal.snapshots()
    assert [stored.portfolios.find(run.portfolio_id) for run in stored.journal.runs()] == [
        memory.portfolios.find(run.portfolio_id) for run in memory.journal.runs()
    ]
    return {row.activity_type for row in history}


def test_a_month(tmp_path: Path) -> None:
    """Some twenty sessions with dividends."""
    assert ActivityType.DIVIDEND in compare(tmp_path, date(2024, 6, 28))


@pytest.mark.long
def test_190_sessions(tmp_path: Path) -> None:
    """Nine months, with splits of what is held."""
    assert {ActivityType.SPLIT, ActivityType.DIVIDEND} <= compare(tmp_path, date(2025, 3, 6))
