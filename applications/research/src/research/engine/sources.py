"""Where a backtest's bars come from: the interface of a source, and the simulated market."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Protocol

from internal.backtests.settings import SIMULATED
from internal.dates import sessions
from internal.day_option import require_order
from internal.venue.market.event_rates import Events
from internal.venue.market.simulated import FIRST_DAY, LAST_DAY, SimulatedMarket
from research.engine.market import BacktestMarket, find_sessions, read_backtest_market

HISTORY = timedelta(days=2 * 365)  # of a simulated market before its opening, as `fund up` collects
WARM_UP = 260  # sessions before the first decision, where no first day is given: a year and a week
DEFAULT_SEED, DEFAULT_TICKERS = 1, 120  # as `fund up`


@dataclass(frozen=True)
class Period:
    """The days that a backtest trades; None leaves the choice to the bars.

    Raises InvalidRequestError where the last day is before the first.
    """

    first_day: date | None = None
    last_day: date | None = None

    def __post_init__(self) -> None:
        """Check the order of the days."""
        if self.first_day is not None and self.last_day is not None:
            require_order(self.first_day, self.last_day)


class MarketSource(Protocol):
    """Opens the market of a period."""

    def open(self, period: Period, on_message: Callable[[str], None]) -> BacktestMarket:
        """The market, opening at the close before the period. `on_message` receives what was understood of a file.

        Raises ConfigurationError or InvalidRequestError, which say what to do.
        """
        ...


@dataclass(frozen=True)
class SimulatedSource:
    """The simulated market of a seed: the one that `fund up` trades, where the period and its history lie in it."""

    seed: int = DEFAULT_SEED
    tickers: int = DEFAULT_TICKERS
    events: Events = "none"

    def open(self, period: Period, on_message: Callable[[str], None]) -> BacktestMarket:
        """The market; a period outside the usual days gives a market of its own."""
        del on_message
        first, last = _market_days(period)
        days = find_sessions(sessions(first, last), period.first_day, period.last_day, WARM_UP)
        market = SimulatedMarket(
            seed=self.seed,
            ticker_count=self.tickers,
            opening_day=days[0],
            first_day=first,
            last_day=last,
            events=self.events,
        )
        happens = "" if self.events == "none" else f", events {self.events}"
        return read_backtest_market(market, days, f"{SIMULATED}seed {self.seed}, {self.tickers} tickers{happens}")


def _market_days(period: Period) -> tuple[date, date]:
    last = LAST_DAY if period.last_day is None else max(LAST_DAY, period.last_day)
    if period.first_day is None or period.first_day - HISTORY >= FIRST_DAY:
        return FIRST_DAY, last
    return period.first_day - HISTORY, period.last_day or LAST_DAY
