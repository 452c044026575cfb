"""The summary of a fault run on the terminal: what was drawn, what it cost, and the broken seeds."""

from collections import Counter
from collections.abc import Sequence
from statistics import median

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from research.faults.chaos import FaultKind
from research.faults.seeds import SeedResult

SHOWN = 10  # broken seeds; more of them have the same cause


def show_summary(results: Sequence[SeedResult], console: Console) -> None:
    """What was drawn, by kind, and the totals."""
    drawn = sum((Counter(result.drawn) for result in results), Counter[FaultKind]())
    table = Table.grid(padding=(0, 2))
    table.add_column()
    table.add_column(justify="right")
    for kind in FaultKind:
        table.add_row(kind, f"{drawn[kind]:,}")
    console.print(table)
    starts, orders = (sum(counts) for counts in zip(*((one.starts, one.orders) for one in results), strict=True))
    cost = median(one.milliseconds for one in results)
    console.print(
        f"{len(results):,} seeds, each played calm, stormy, with an owner and scheduled: {drawn.total():,} faults and "
        f"wishes, {starts:,} starts again, {orders:,} orders, {cost:.0f} ms of processor time a seed (median)."
    )


def show_broken(broken: Sequence[SeedResult], arguments: Sequence[str], console: Console) -> None:
    """Each broken seed, and the command that runs it again."""
    for result in broken[:SHOWN]:
        console.print(f"[red]broken[/red]  {escape(result.broken)}")
    if len(broken) > SHOWN:
        console.print(f"and {len(broken) - SHOWN:,} more")
    again = " ".join(["./fund research faults", f"--first-seed {broken[0].seed} --seeds 1", *arguments])
    console.print(f"To run the first of them again: {again}", soft_wrap=True, markup=False, highlight=False)
