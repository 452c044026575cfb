"""Bars from a file or folder, replayed as they are."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from internal.bar_files.bars import read_bars
from internal.bar_files.details import read_details
from internal.dates import sessions
from internal.venue.market.replayed import NO_DETAILS, ReplayedMarket
from research.engine.market import BacktestMarket, find_sessions, read_backtest_market
from research.engine.sources import WARM_UP, Period


@dataclass(frozen=True)
class BarsFileSource:
    """A file or folder of bars, and a file of details."""

    bars: Path
    details: Path | None = None

    def open(self, period: Period, on_message: Callable[[str], None]) -> BacktestMarket:
        """The market that replays the file."""
        bars = read_bars(self.bars)
        details = None if self.details is None else read_details(self.details)
        for report in (bars.report, *([] if details is None else [details.report])):
            for sentence in report.sentences():
                on_message(sentence)
        tables = ReplayedTables(bars.bars, NO_DETAILS if details is None else details.details)
        return replay_tables(tables, period, str(self.bars.resolve()))


@dataclass(frozen=True)
class ReplayedTables:
    """What a market replays: `equity_bars` as traded, by date and ticker, details, corporate actions in force."""

    bars: pl.DataFrame
    details: pl.DataFrame
    actions: pl.DataFrame | None = None


def replay_tables(tables: ReplayedTables, period: Period, description: str) -> BacktestMarket:
    """The market of the period. Raises InvalidRequestError for a period outside the bars."""
    known = sessions(tables.bars.item(0, "date"), tables.bars.item(-1, "date"))
    played = find_sessions(known, period.first_day, period.last_day, WARM_UP)
    market = ReplayedMarket(tables.bars, tables.details, played[0], actions=tables.actions)
    return read_backtest_market(market, played, description)
