"""`research faults`: a strategy on a small world whose calls fail, with what fails drawn from a seed."""

import shlex
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import Console

from internal.task_runners.runner import TaskRunner
from research.commands.options import SetOption, WorkersOption, choose_runner, read_parameters
from research.commands.progress import show_progress
from research.faults.invariants import BrokenInvariantError
from research.faults.seeds import SESSIONS, TICKERS, SeedResult, SeedSetup, StrategyChoice, run_seed
from research.faults.summary import show_broken, show_summary


def faults(  # noqa: PLR0913 - one argument an option of the command line
    *,
    seeds: Annotated[int, typer.Option("--seeds", min=1, help="How many seeds are run.")] = 100,
    first_seed: Annotated[int, typer.Option("--first-seed", min=0, help="The first of them.")] = 0,
    strategy: Annotated[
        str | None,
        typer.Option(
            "--strategy", metavar="FILE.py:Class", help="The strategy; without one, positions are drawn at random."
        ),
    ] = None,
    settings: SetOption = None,
    tickers: Annotated[int, typer.Option("--tickers", min=5, help="Simulated tickers.")] = TICKERS,
    sessions: Annotated[int, typer.Option("--sessions", min=2, help="Sessions that are played.")] = SESSIONS,
    workers: WorkersOption = 1,
) -> None:
    """Kill the process, lose answers, refuse and cut orders, take the lease: orders must not be lost or sent twice.

    Each seed is played four times. Calm: kills, lost answers, rate limits, services that are down and a second process
    that takes the lease must change nothing. Stormy: refused orders, partial fills and suspensions as well; every order
    must be explained and ended, and no name traded beyond its decision. With an owner who halts, reduces, resumes and
    closes everything at random moments: what is sent agrees with it, and a flat fund stays flat. Scheduled: sessions
    are slept through, announced late and twice, and backups are put back: each announced session is decided once, no
    other, and a restored fund sends nothing before it is resumed.
    """
    if settings and strategy is None:
        raise typer.BadParameter("--set belongs to --strategy: give both")
    console, choice = Console(), StrategyChoice(strategy, tuple(read_parameters(settings or ()).items()))
    setup = SeedSetup.prepare(choice, tickers=tickers, sessions=sessions)
    results = run_seeds(setup, range(first_seed, first_seed + seeds), choose_runner(workers), console)
    show_summary(results, console)
    if broken := [result for result in results if result.broken]:
        show_broken(broken, repeated_arguments(strategy, settings or (), tickers, sessions), console)
        raise BrokenInvariantError(broken[0].seed, f"{len(broken):,} of {seeds:,} seeds are broken, as shown above")


def run_seeds(setup: SeedSetup, seeds: Sequence[int], runner: TaskRunner, console: Console) -> list[SeedResult]:
    """The results in the order of the seeds, with a progress bar."""
    results: list[SeedResult] = []
    with show_progress("seeds", len(seeds), console) as advance:
        for _, result in runner.run(run_seed, setup, seeds):
            results.append(result)
            advance()
    return sorted(results, key=lambda result: result.seed)


def repeated_arguments(strategy: str | None, settings: Sequence[str], tickers: int, sessions: int) -> list[str]:
    """The arguments that a seed needs to run in the same world with the same strategy."""
    chosen = [] if strategy is None else ["--strategy", strategy]
    given = [word for setting in settings for word in ("--set", setting)]
    return [shlex.quote(word) for word in (*chosen, *given, "--tickers", str(tickers), "--sessions", str(sessions))]
