"""Processor time of one decision: `python -m benchmarks.decision` prints JSON.

On 482 and on 8,000 names, with twenty positions held: `decide` alone, and the day table and the decision together, from
a window of bars. Medians of processor time of one thread, in milliseconds.
"""

import json
import statistics
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np

from benchmarks.no_arguments import refuse_arguments
from internal.dates import previous_session, sessions
from internal.strategies.loading import load_strategy
from internal.trading.assets import Assets
from internal.trading.day_inputs import DayInputs
from internal.trading.day_table import BarTable, compute_day_table, window_sessions
from internal.trading.decision import decide
from internal.trading.limits import RiskLimits
from internal.trading.positions import Position
from internal.trading.situation import Situation

DAY = date(2024, 3, 15)
STRATEGY = load_strategy(f"{Path(__file__).parents[1]}/strategies/ten_by_ten.py:TenByTen")
RUNS = 200


def random_bars(names: int) -> BarTable:
    """Random walks over the window of a decision; a third of the names is too thin for the universe."""
    generator = np.random.default_rng(1)
    days = sessions(previous_session(DAY, window_sessions(STRATEGY.needs.universe) - 1), DAY)
    shape = (len(days), names)
    close = 50 * np.exp(np.cumsum(generator.normal(0, 0.02, shape), axis=0))
    volume = generator.lognormal(14.2, 0.2, shape) * np.where(np.arange(names) % 3, 1, 0.1)
    return BarTable(days, tuple(f"T{place:04}" for place in range(names)), close, volume)


def read_inputs(bars: BarTable) -> DayInputs:
    """What a decision reads of the last session of the bars, with random forecasts."""
    last = len(bars.days) - 1
    table = compute_day_table(bars, last, last, STRATEGY.needs.universe)
    middle = np.random.default_rng(2).normal(0, 0.02, len(bars.tickers))
    bands = np.stack([middle - 0.05, middle, middle + 0.05], axis=1)
    price, liquid, volatility = bars.close[last], table.liquid[0], table.volatility[0]
    return DayInputs(
        DAY, bars.tickers, price, table.last_price[0], liquid, volatility, bands, "random", 1, table.mean_volume[0]
    )


def make_situation(inputs: DayInputs) -> Situation:
    """Twenty positions, ten a side, of which a few are out of their band."""
    opened = previous_session(DAY, 4)
    places = range(1, 41, 2)
    positions = tuple(
        Position(inputs.tickers[place], 100.0 * (-1) ** (place // 2), opened, float(inputs.price[place]) * 1.03, None)
        for place in places
    )
    tickers = frozenset(inputs.tickers)
    return Situation(inputs, 1_000_000.0, positions, Assets(tickers, tickers), frozenset())


def median_milliseconds(work: Callable[[], object]) -> float:
    """The median processor time of a call, after a few to warm up."""
    seconds: list[float] = []
    for _ in range(RUNS):
        start = time.process_time_ns()
        work()
        seconds.append((time.process_time_ns() - start) / 1e6)
    return round(statistics.median(seconds[RUNS // 10 :]), 3)


def main() -> None:
    """Measure and print."""
    refuse_arguments(__doc__)
    figures: dict[str, dict[str, float]] = {}
    for names in (482, 8_000):
        bars = random_bars(names)
        situation = make_situation(read_inputs(bars))
        figures[str(names)] = {
            "decide": median_milliseconds(lambda situation=situation: decide(situation, STRATEGY, RiskLimits())),
            "day_table_and_decide": median_milliseconds(
                lambda bars=bars: decide(make_situation(read_inputs(bars)), STRATEGY, RiskLimits())
            ),
        }
    sys.stdout.write(json.dumps({"median_milliseconds": figures}, indent=2) + "\n")


if __name__ == "__main__":
    main()
