"""All guards on one strategy, on a market with halts, splits, dividends and missing bars."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

from internal.dates import previous_session, sessions
from internal.simulation.known_forecasts import KnownForecasts
from internal.simulation.market_tables import read_details, read_market_tables
from internal.simulation.whole_history import whole_history
from internal.strategies.loading import LoadedStrategy
from internal.trading.strategy import StrategyError
from internal.venue.market.simulated import SimulatedMarket
from research.guards.decision_guard import LATER, DecisionGuards, rows_from
from research.guards.findings import Finding, Guard, failed
from research.guards.score_guards import ScoreGuards
from research.guards.source_guard import check_source

LAST = date(2020, 12, 31)
TICKERS, CHECKED, MARGIN = 40, 60, 40  # names, sessions that are checked, sessions before a window that must not matter
HORIZON, LEVELS = 7, (0.1, 0.5, 0.9)


@dataclass(frozen=True)
class CheckSize:
    """How much is checked; the defaults take a few seconds."""

    tickers: int = TICKERS
    sessions: int = CHECKED
    seed: int = 1


def check_strategy(strategy: LoadedStrategy, path: Path, size: CheckSize) -> Iterator[Finding]:
    """The findings, one by one: the source first, then the score, then the decisions."""
    yield check_source(path)
    history = max(strategy.needs.history_sessions, strategy.needs.universe.lookback_sessions + 2)
    days = sessions(previous_session(LAST, history + MARGIN + size.sessions), LAST)
    market = SimulatedMarket(
        seed=size.seed, ticker_count=size.tickers, opening_day=days[-2], first_day=days[0], last_day=LAST
    )
    tables = read_market_tables(market, LAST)
    details = read_details(market, tables.tickers)
    checked = days[-size.sessions - LATER : -LATER]
    forecasts = draw_forecasts(len(days), len(tables.tickers), size.seed)
    if strategy.strategy.has_score():
        whole = whole_history(tables, 0, details, forecasts)
        try:
            strategy.score_sessions(whole, checked, tables.tickers)
        except StrategyError as error:
            yield failed(Guard.SCORE, error.detail)
            return
        yield from ScoreGuards(strategy.strategy, whole, checked).run()
    later = rows_from(forecasts, days.index(checked[0]))
    yield from DecisionGuards(strategy, tables, details, later, checked).run()


def draw_forecasts(count: int, names: int, seed: int) -> KnownForecasts:
    """Random forecasts of every session: a guard needs numbers, not skill. A tenth is missing."""
    generator = np.random.default_rng(seed)
    middle, width = generator.normal(0, 0.02, (count, names)), generator.lognormal(-2.5, 0.4, (count, names))
    bands = np.stack([middle - width, middle, middle + width], axis=-1)
    bands[generator.random((count, names)) < 0.1] = np.nan  # noqa: PLR2004 - as said above
    return KnownForecasts("random", np.array([HORIZON]), np.array(LEVELS), bands[:, :, None, :], bands)
