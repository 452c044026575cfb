"""Small results of backtests for tests: five sessions by hand, and drawn ones of any length."""

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np

from internal.backtests.settings import BacktestSettings
from internal.dates import sessions
from internal.trading.enums import Leg, OrderSide
from research.result import BacktestResult, Benchmark, FillRow

DAYS = (date(2024, 1, 2), date(2024, 1, 3), date(2024, 1, 4), date(2024, 1, 5), date(2024, 1, 8))


def example_settings(**changes: Any) -> BacktestSettings:  # noqa: ANN401 - any field of the settings
    """Settings of a backtest over `DAYS`."""
    settings = BacktestSettings(
        strategy="strategies/reversal.py:Reversal",
        parameters={"sessions": 5},
        strategy_digest="a" * 64,
        code_digest="c" * 64,
        market="simulated, seed 7, 8 tickers",
        bars_digest="d" * 64,
        forecasts="",
        capital=100_000.0,
        cost_multiple=1.0,
        first_session=DAYS[0],
        last_session=DAYS[-1],
    )
    return replace(settings, **changes)


def example_result(**changes: Any) -> BacktestResult:  # noqa: ANN401 - any field of the result
    """A result over `DAYS` in which nothing happened."""
    value = np.full(len(DAYS), 100_000.0)
    result = BacktestResult(
        settings=example_settings(),
        days=DAYS,
        net_asset_value=value,
        cash=value,
        long_market_value=np.zeros(len(DAYS)),
        short_market_value=np.zeros(len(DAYS)),
        fees=np.zeros(len(DAYS)),
        borrow=np.zeros(len(DAYS)),
        fills=(),
        benchmark=Benchmark("equal dollars", np.ones(len(DAYS))),
    )
    return replace(result, **changes)


def buy(day: date, quantity: float, reference: float, auction: float, price: float) -> FillRow:
    """A buy that opens a position of ABC."""
    return _fill(OrderSide.BUY, Leg.OPEN, day, quantity, (reference, auction, price))


def sell(day: date, quantity: float, reference: float, auction: float, price: float) -> FillRow:
    """A sell that closes a position of ABC."""
    return _fill(OrderSide.SELL, Leg.CLOSE, day, quantity, (reference, auction, price))


def _fill(side: OrderSide, leg: Leg, day: date, quantity: float, prices: tuple[float, float, float]) -> FillRow:
    reference, auction, price = prices
    return FillRow(day, day, "ABC", side, leg, quantity, reference, auction, price, session_volume=1e6)


def drawn_result(returns: np.ndarray, market_returns: np.ndarray | None = None, **changes: Any) -> BacktestResult:  # noqa: ANN401 - any field of the settings
    """A result with these returns, always invested, over as many sessions from 2 January 2019."""
    days = tuple(sessions(date(2019, 1, 2), date(2026, 12, 31))[: len(returns) + 1])
    value = 100_000 * np.cumprod([1.0, *(1 + returns)])
    market = np.cumprod([1.0, *(1 + (returns if market_returns is None else market_returns))])
    zeros = np.zeros(len(days))
    return BacktestResult(
        settings=example_settings(first_session=days[0], last_session=days[-1], **changes),
        days=days,
        net_asset_value=value,
        cash=value * 0.5,
        long_market_value=value * 0.75,
        short_market_value=value * -0.25,
        fees=zeros + 1.0,
        borrow=zeros + 2.0,
        fills=(),
        benchmark=Benchmark("equal dollars", market),
    )
