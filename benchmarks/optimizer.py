"""Processor time of the optimiser on 500 names: `python -m benchmarks.optimizer` prints JSON.

A year of bars with a market and ten sectors, from an empty portfolio and from the portfolio of the day before. Medians
of processor time of all threads, in seconds; the first solve, which compiles nothing but warms caches, is left out.
"""

import json
import statistics
import sys
import time
from dataclasses import replace
from datetime import date

import numpy as np

from benchmarks.no_arguments import refuse_arguments
from internal.dates import previous_session, sessions
from internal.strategies.constructions.optimization import OptimizerRules
from internal.strategies.constructions.optimizer import construct_optimized
from internal.strategies.constructions.rules import PortfolioRules
from internal.trading.arrays import FloatArray
from internal.trading.assets import Assets
from internal.trading.day_inputs import BarHistory, DayInputs, Details
from internal.trading.day_table import BarTable, compute_day_table
from internal.trading.positions import Position
from internal.trading.situation import Situation
from internal.trading.targets import Targets
from internal.trading.universe import Universe

DAY = date(2024, 3, 15)
NAMES, SECTORS, SESSIONS, RUNS = 500, 10, 253, 5
CAPITAL = 5_000_000.0
RULES = OptimizerRules(PortfolioRules(names_per_side=30))


def random_situation(names: int = NAMES, seed: int = 1) -> Situation:
    """Nothing held; returns of a market, of sectors and of each name alone."""
    generator = np.random.default_rng(seed)
    days = sessions(previous_session(DAY, SESSIONS - 1), DAY)
    sector = np.arange(names) % SECTORS
    market = generator.normal(0, 0.01, (SESSIONS, 1)) * generator.uniform(0.5, 1.5, names)
    shared = generator.normal(0, 0.007, (SESSIONS, SECTORS))[:, sector]
    close = 50 * np.exp(np.cumsum(market + shared + generator.normal(0, 0.015, (SESSIONS, names)), axis=0))
    volume = np.full_like(close, 3e6)
    tickers = tuple(f"T{place:04}" for place in range(names))
    bars = BarTable(days, tickers, close, volume)
    row = compute_day_table(bars, SESSIONS - 1, SESSIONS - 1, Universe(minimum_mean_close=0.1))
    inputs = DayInputs(
        day=DAY,
        tickers=tickers,
        price=close[-1],
        last_price=row.last_price[0],
        liquid=row.liquid[0],
        volatility=row.volatility[0],
        bands=np.full((names, 3), np.nan),
        model_version="",
        bars_version=1,
        mean_volume=row.mean_volume[0],
        load_history=lambda: BarHistory(days, close, close, close, close, volume),
        details=Details(tuple(f"SECTOR {one}" for one in sector), (None,) * names, (None,) * names),
    )
    return Situation(inputs, CAPITAL, (), Assets(frozenset(tickers), frozenset(tickers)), frozenset())


def hold(situation: Situation, targets: Targets) -> Situation:
    """The situation with the targets as positions that were opened the session before."""
    positions: list[Position] = []
    for row in targets.rows:
        price = float(situation.inputs.price[situation.inputs.find(row.ticker) or 0])
        if row.weight:
            shares = round(row.weight * CAPITAL / price)
            positions.append(Position(row.ticker, float(shares), previous_session(DAY), price, None))
    return replace(situation, positions=tuple(positions))


def random_scores(situation: Situation, seed: int) -> FloatArray:
    """[N] of a standard normal distribution."""
    return np.random.default_rng(seed).normal(size=len(situation.tickers))


def main() -> None:
    """Print the medians as JSON."""
    refuse_arguments(__doc__)
    situation, seconds = random_situation(), {"from_nothing": list[float](), "from_a_portfolio": list[float]()}
    scores, notes = random_scores(situation, 0), list[str]()
    held = hold(situation, construct_optimized(situation, scores, RULES))
    for run in range(RUNS):
        drifted = scores + 0.3 * random_scores(situation, run + 1)
        for name, start in (("from_nothing", situation), ("from_a_portfolio", held)):
            begin = time.process_time()
            notes += construct_optimized(start, drifted, RULES).notes
            seconds[name].append(time.process_time() - begin)
    medians = {name: round(statistics.median(values), 3) for name, values in seconds.items()}
    json.dump({"names": NAMES, "seconds": medians, "notes": notes}, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
