"""The data service's window of a day beside the one that backtests cut out of all sessions: the same numbers."""

from dataclasses import fields
from datetime import date

import numpy as np
import polars as pl
import pytest

from internal.dates import sessions
from internal.price_adjustment import adjust_bars
from internal.schemas import equity_details
from internal.simulation.market_tables import build_market_tables
from internal.simulation.table_data import TableData
from internal.strategies.history import window_history
from internal.trading.assets import Assets
from internal.trading.day_inputs import BarHistory, DayInputs
from internal.trading.situation import Situation
from internal.trading.strategy import DataNeeds
from internal.trading.universe import Universe
from internal.venue.market.simulated import SimulatedMarket
from portfoliomanager.adapters.market_data import first_session, read_day_inputs

DAYS = sessions(date(2024, 10, 1), date(2025, 2, 28))
OPENING = date(2024, 12, 31)
DETAILS = equity_details.empty()


@pytest.fixture(scope="module")
def frames() -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Bars as traded, splits and dividends of a market with many splits and halts."""
    market = SimulatedMarket(
        seed=7, ticker_count=25, opening_day=OPENING, first_day=DAYS[0], last_day=DAYS[-1], events="splits"
    )
    period = DAYS[0], DAYS[-1]
    return market.bars_between(*period), market.splits(*period), market.dividends(*period)


@pytest.mark.parametrize("history_sessions", [1, 20, 45])
def test_the_window_is_that_of_a_backtest(
    frames: tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame], history_sessions: int
) -> None:
    """Every session after splits, dividends and halts: prices, universe, volatility and the window, to the last bit."""
    bars, splits, dividends = frames
    needs = DataNeeds(Universe(minimum_mean_volume=1_000), history_sessions, forecasts=False)
    whole = TableData(build_market_tables(bars, splits, dividends, DAYS), OPENING)
    for day in sessions(OPENING, DAYS[-1]):
        known = bars.filter(pl.col("date").is_between(first_session(day, needs), day))
        adjusted = adjust_bars(known.lazy(), known.lazy(), splits.lazy(), dividends.lazy(), day).collect()
        service, backtest = read_day_inputs(adjusted, None, DETAILS, day, 0, needs), whole.day_inputs(day, needs)
        chosen = [backtest.tickers.index(ticker) for ticker in service.tickers]
        for name in ("price", "last_price", "liquid", "volatility", "mean_volume"):
            assert np.array_equal(getattr(service, name), getattr(backtest, name)[chosen], equal_nan=True), (day, name)
        require_same_history(history(service), history(backtest), chosen)


def history(inputs: DayInputs) -> BarHistory:
    """The window of the inputs."""
    assert inputs.load_history is not None
    return inputs.load_history()


def require_same_history(service: BarHistory, backtest: BarHistory, chosen: list[int]) -> None:
    """Same sessions, same numbers of every ticker that the service has."""
    assert list(service.days) == list(backtest.days)
    for field in fields(BarHistory)[1:]:
        expected = getattr(backtest, field.name)[:, chosen]
        assert np.array_equal(getattr(service, field.name), expected, equal_nan=True), (service.days[-1], field.name)


def test_a_score_reads_the_bars_that_there_are(frames: tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]) -> None:
    """The history of a window has a row for each bar of it, with the bar's own numbers."""
    bars, day = frames[0], DAYS[40]
    needs = DataNeeds(Universe(), 40, forecasts=False)
    known = bars.filter(pl.col("date").is_between(first_session(day, needs), day))
    inputs = read_day_inputs(known, None, DETAILS, day, 0, needs)
    empty = Situation(inputs, 1e6, (), Assets(frozenset(), frozenset()), frozenset())
    columns = ["ticker", "date", "open", "high", "low", "close", "volume"]
    expected = known.filter(pl.col("date") > DAYS[0]).sort("ticker", "date").select(columns)
    assert window_history(empty).frame.select(columns).equals(expected.cast({"volume": pl.Float64}))
