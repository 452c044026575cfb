"""Processor time of a backtest in process by step: `python -m benchmarks.engine` prints a table.

482 simulated tickers over five years, twenty positions, drawn forecasts, one thread. Must: 300 sessions a second, 15 s
from nothing to the result without forecasts and report, no slowdown with age, below 1 GB. Before the two cores were
libraries, the unchanged code in one process played 4 sessions a second, and the services over HTTP 0.2.
"""

import time

STARTED = time.process_time()  # before the imports, which are a step as well

import resource  # noqa: E402 - after the clock was read, as all below
from collections.abc import Callable  # noqa: E402
from dataclasses import dataclass, field  # noqa: E402
from datetime import date  # noqa: E402
from pathlib import Path  # noqa: E402

import numpy as np  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402

from benchmarks.no_arguments import refuse_arguments  # noqa: E402
from internal.forecasting.forecast_table import ForecastTable  # noqa: E402
from internal.simulation.known_forecasts import KnownForecasts, align_forecasts  # noqa: E402
from internal.strategies.loading import load_strategy  # noqa: E402
from internal.trading.rebalancing import Rebalancer  # noqa: E402
from internal.venue.clock import Auction  # noqa: E402
from research.engine.market import BacktestMarket  # noqa: E402
from research.engine.run import Backtest, open_fund, paused_collector  # noqa: E402
from research.engine.sources import Period, SimulatedSource  # noqa: E402

STRATEGY = f"{Path(__file__).parents[1]}/strategies/ten_by_ten.py:TenByTen"
PERIOD = Period(date(2019, 1, 2), date(2023, 12, 29))
TICKERS = 482
HALF_WIDTH, SPREAD = 0.05, 0.01  # of the bands, and of the medians: some three orders a session


@dataclass
class Steps:
    """Seconds of processor time by step, and when each session ended."""

    seconds: dict[str, float] = field(default_factory=dict[str, float])
    ends: list[float] = field(default_factory=list[float])

    def measure[Answer](self, name: str, work: Callable[[], Answer]) -> Answer:
        """The work's answer; its time is added to the step."""
        start = time.process_time()
        answer = work()
        self.seconds[name] = self.seconds.get(name, 0.0) + time.process_time() - start
        return answer

    def age_ratio(self) -> float:
        """Time of the last fifth of the sessions over that of the second one."""
        fifth = len(self.ends) // 5
        return (self.ends[-1] - self.ends[-1 - fifth]) / (self.ends[2 * fifth] - self.ends[fifth])


def draw_forecasts(market: BacktestMarket) -> KnownForecasts:
    """Medians without any information, in bands of one width."""
    shape = len(market.days), len(market.tables.tickers)
    median = np.random.default_rng(1).normal(0.0, SPREAD, shape)
    bands = np.stack([median - HALF_WIDTH, median, median + HALF_WIDTH], axis=-1)[:, :, None]
    table = ForecastTable("drawn", market.days, market.tables.tickers, (7,), (0.1, 0.5, 0.9), bands)
    return align_forecasts(table, market.days, market.tables.tickers)


def play(steps: Steps) -> int:
    """Play the backtest step by step; how many orders it sent."""
    market = steps.measure("draw the market, make its arrays", lambda: SimulatedSource(1, TICKERS).open(PERIOD, print))
    forecasts = draw_forecasts(market)
    backtest = Backtest(market, load_strategy(STRATEGY), STRATEGY, forecasts=forecasts)
    fund = steps.measure("score all sessions", lambda: open_fund(backtest))
    needs = backtest.strategy.needs
    steps.measure("universe and volatility of all sessions", lambda: fund.ports.data.day_inputs(market.days[0], needs))
    rebalancer = Rebalancer(fund.ports, backtest.strategy, backtest.terms.limits)
    rebalancer.run(None)
    for _ in market.days[1:]:
        steps.measure("open auction", lambda: fund.move(Auction.OPEN))
        steps.measure("reconcile", rebalancer.reconcile)
        steps.measure("close auction", lambda: fund.move(Auction.CLOSE))
        steps.measure("rebalance", lambda: rebalancer.run(None))
        steps.ends.append(time.process_time())
    return len(fund.journal.orders())


def main() -> None:
    """Measure and print."""
    refuse_arguments(__doc__)
    steps = Steps({"imports": time.process_time() - STARTED})
    with paused_collector():
        orders = play(steps)
    table, count = Table("step", "s", "ms a session"), len(steps.ends)
    in_session = ("open auction", "reconcile", "close auction", "rebalance")
    for name, seconds in steps.seconds.items():
        table.add_row(name, f"{seconds:.2f}", f"{1000 * seconds / count:.2f}" if name in in_session else "")
    played = sum(steps.seconds[name] for name in in_session)
    table.add_row("all sessions", f"{played:.2f}", f"{1000 * played / count:.2f}")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    Console().print(table)
    Console().print(
        f"{count / played:.0f} sessions a second; {sum(steps.seconds.values()):.1f} s in all; {memory:.2f} GiB; "
        f"{orders / count:.1f} orders a session; the last fifth took {steps.age_ratio():.2f} of the second's time"
    )


if __name__ == "__main__":
    main()
