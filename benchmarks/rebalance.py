"""Processor time of one session's rebalance and reconciliation: `python -m benchmarks.rebalance` prints a table.

482 simulated tickers, twenty positions, everything in one process: the venue in memory, day inputs computed beforehand,
the journal in memory or in Delta tables. Calm: bands so wide that few positions leave them; busy: every position is
exchanged in every session. Before the trading core had typed rows (commit 0c73f8c) the rebalance took 110 to 136 ms
with the journal in memory and 603 to 848 ms in Delta tables, the reconciliation 12 to 16 and 268 to 410 ms, with few
exits, measured separately on the same machine.
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.no_arguments import refuse_arguments
from internal.lake.store import Lake
from internal.simulation.world import World
from internal.strategies.loading import load_strategy
from internal.trading.limits import RiskLimits
from internal.trading.ports import Journal
from internal.trading.rebalancing import Rebalancer
from internal.venue.clock import Auction
from internal.venue.repository import OrderQuery
from portfoliomanager.adapters.lake_journal import LakeJournal

SESSIONS, WARM_UP = 25, 5
CALM, BUSY = 0.25, 1e-6  # widths of the bands
TEN_BY_TEN = f"{Path(__file__).parents[1]}/strategies/ten_by_ten.py:TenByTen"
STRATEGY = load_strategy(TEN_BY_TEN, {"same_day_lock": "false"})


def milliseconds(work: Callable[[], object]) -> float:
    """Processor time of a call, all threads."""
    start = time.process_time_ns()
    work()
    return (time.process_time_ns() - start) / 1e6


def measure(world: World, journal: Journal | None) -> tuple[float, float, float]:
    """Medians of the rebalance and of the reconciliation, and orders a session."""
    fund = world.open_fund()
    ports = replace(fund.ports, journal=journal or fund.journal)
    rebalancer = Rebalancer(ports, STRATEGY, RiskLimits())
    rebalancer.run(None)
    rebalances: list[float] = []
    reconciliations: list[float] = []
    for _ in range(SESSIONS):
        fund.move(Auction.OPEN)
        reconciliations.append(milliseconds(rebalancer.reconcile))
        fund.move(Auction.CLOSE)
        rebalances.append(milliseconds(lambda: rebalancer.run(None)))
    orders = len(fund.repository.find_orders(OrderQuery())) / (SESSIONS + 1)
    return statistics.median(rebalances[WARM_UP:]), statistics.median(reconciliations[WARM_UP:]), orders


def main() -> None:
    """Measure and print."""
    refuse_arguments(__doc__)
    table = Table("exits", "journal", "orders a session", "rebalance, ms", "reconciliation, ms")
    for name, width in (("calm", CALM), ("busy", BUSY)):
        world = World.make(1, sessions_played=SESSIONS, tickers=482, width=width)
        with tempfile.TemporaryDirectory() as folder:
            for place, journal in (("memory", None), ("Delta tables", LakeJournal(Lake(folder)))):
                rebalance, reconciliation, orders = measure(world, journal)
                table.add_row(name, place, f"{orders:.1f}", f"{rebalance:.1f}", f"{reconciliation:.1f}")
    Console().print(table)


if __name__ == "__main__":
    main()
