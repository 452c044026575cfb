"""`research check`: the guards on a strategy's file."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from internal.errors import ConfigurationError
from internal.strategies.loading import find_strategies, load_strategy
from research.commands.options import SetOption, read_parameters
from research.guards.check import CheckSize, check_strategy
from research.guards.findings import Finding


def check(
    address: Annotated[str, typer.Argument(metavar="FILE.py[:Class]", help="The strategy's file, all of its classes.")],
    *,
    settings: SetOption = None,
    tickers: Annotated[int, typer.Option("--tickers", min=5, help="Simulated tickers.")] = CheckSize.tickers,
    sessions: Annotated[int, typer.Option("--sessions", min=5, help="Sessions that are checked.")] = CheckSize.sessions,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the simulated market.")] = CheckSize.seed,
) -> None:
    """Check for look-ahead, determinism, missing data and speed; on failure the first row that differs is named."""
    console, size = Console(), CheckSize(tickers, sessions, seed)
    failed = [one for name in find_addresses(address) for one in _check_one(name, settings or [], size, console)]
    if failed:
        raise ConfigurationError(f"{len(failed)} of the checks failed: the first row that differs is shown above")


def find_addresses(address: str) -> list[str]:
    """`FILE.py:Class` of every strategy that the address names. Raises ConfigurationError."""
    if not address.endswith(".py"):
        return [address]
    return [f"{address}:{name}" for name in find_strategies(Path(address))]


def _check_one(address: str, settings: list[str], size: CheckSize, console: Console) -> list[Finding]:
    """Show each finding as it comes; those that failed."""
    strategy, failed = load_strategy(address, read_parameters(settings)), list[Finding]()
    checked = f"{size.sessions} sessions of {size.tickers} simulated tickers are checked"
    console.print(
        f"\n[bold]{address}[/bold]: {checked}; each decision reads {strategy.needs.history_sessions} sessions"
    )
    for finding in check_strategy(strategy, Path(address.rpartition(":")[0]), size):
        table = Table.grid(padding=(0, 2))
        table.add_column(width=7)
        table.add_column(width=16)
        table.add_column(overflow="fold")
        table.add_row("[green]passes" if finding.passed else "[red]fails", finding.guard, finding.detail)
        console.print(table)
        failed += [] if finding.passed else [finding]
    return failed
