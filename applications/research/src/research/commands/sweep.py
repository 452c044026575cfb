"""`research sweep`: every combination of some parameters of a strategy."""

from hashlib import sha256
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from internal.atomic_files import write_atomically
from internal.backtests.deflation import deflate_sharpe
from internal.backtests.folder import KEY_DIGITS, SWEEP_FILE, ResearchFolder
from internal.backtests.overfitting import estimate_overfitting
from internal.backtests.selection import select_trials
from internal.backtests.sweep_report import SweepPoint, SweepReport, encode_sweep
from internal.security_types import COMMON_STOCK
from internal.task_runners.runner import TaskRunner
from research.commands.backtest import DEFAULT_MODEL, find_forecasts
from research.commands.name_options import DoNotTradeOption, OnlyTradeOption, SecurityTypesOption, read_limits
from research.commands.options import (
    BarsOption,
    CashOption,
    CostsOption,
    DetailsOption,
    EventsOption,
    FirstDayOption,
    LakeOption,
    LastDayOption,
    ModelOption,
    RefitOption,
    SeedOption,
    SetOption,
    StrategyOption,
    TickersOption,
    WorkersOption,
    choose_runner,
    choose_source,
    read_cash,
    read_multiple,
    read_parameters,
    read_strategy,
)
from research.commands.progress import show_progress
from research.engine.run import Terms
from research.engine.sources import Period
from research.ledger import Ledger
from research.sweep.grid import expand_grid, read_grid
from research.sweep.picture import draw_sweep
from research.sweep.run import SweepBase, run_sweep
from research.sweep.terminal import show_points, show_selection, sort_points


def sweep(  # noqa: PLR0913 - one argument an option of the command line
    *,
    strategy: StrategyOption,
    grid: Annotated[
        list[str], typer.Option("--grid", metavar="NAME=A,B,...", help="Values of a parameter; repeat it.")
    ],
    settings: SetOption = None,
    first_day: FirstDayOption = None,
    last_day: LastDayOption = None,
    bars: BarsOption = None,
    details: DetailsOption = None,
    seed: SeedOption = None,
    tickers: TickersOption = None,
    events: EventsOption = None,
    lake: LakeOption = False,
    cash: CashOption = "100000",
    costs: CostsOption = "1x",
    security_types: SecurityTypesOption = COMMON_STOCK,
    do_not_trade: DoNotTradeOption = "",
    only_trade: OnlyTradeOption = "",
    model: ModelOption = DEFAULT_MODEL,
    refit_every: RefitOption = 63,
    workers: WorkersOption = 1,
    ray: Annotated[str | None, typer.Option("--ray", help="Address of a Ray cluster; `local` starts one.")] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", help="Folder of the table and the picture.", show_default=".fund/research/sweeps/KEYS"
        ),
    ] = None,
) -> None:
    """Run every combination of the grid, count each as a trial, and say what the best of them is worth."""
    console, variants = Console(), expand_grid(read_grid(grid))
    runner = choose_runner(workers, ray)
    limits = read_limits(security_types, do_not_trade, only_trade)
    loaded, terms = read_strategy(strategy, settings), Terms(read_cash(cash), read_multiple(costs), limits)
    source = choose_source(bars, details, seed, tickers, events, lake=lake)
    market = source.open(Period(first_day, last_day), lambda line: console.print(line, style="dim"))
    forecasts = find_forecasts(market, loaded, model, refit_every, console)
    content, fixed = Path(strategy.rpartition(":")[0]).read_bytes(), read_parameters(settings or [])
    base = SweepBase(market, strategy, content, fixed, terms, forecasts)
    report(base, run_with_progress(base, variants, runner, console), output, console)


def run_with_progress(
    base: SweepBase, variants: list[dict[str, str]], runner: TaskRunner, console: Console
) -> list[SweepPoint]:
    """The points, with a progress bar that only a terminal shows."""
    with show_progress("variants", len(variants), console) as advance:
        return run_sweep(base, variants, runner, Ledger.from_environment(), lambda _: advance())


def report(base: SweepBase, points: list[SweepPoint], output: Path | None, console: Console) -> None:
    """Show the table, judge the best variant by all trials, and write both with the picture."""
    ledger, best = Ledger.from_environment(), sort_points(points)[0]
    trial = next(one for one in ledger.trials() if one.settings.key == best.key)
    settings, moments = trial.settings, trial.outcome and trial.outcome.moments
    selection = select_trials(ledger.trials(), settings, base.market.days[1:], ledger.returns)
    deflated = deflate_sharpe(moments, selection.trials, selection.sharpes)
    overfitting = estimate_overfitting(selection.returns) if selection.returns.size else None
    show_points(points, console)
    show_selection(deflated, overfitting, console)
    if settings.planted_signal:
        console.print(settings.planted_signal)
    keys = sha256("".join(point.key for point in points).encode()).hexdigest()
    folder = output or ResearchFolder(ledger.folder).sweeps / keys[:KEY_DIGITS]
    written = SweepReport(settings, tuple(sort_points(points)), deflated, overfitting)
    write_atomically(folder / SWEEP_FILE, encode_sweep(written))
    write_atomically(folder / "sweep.png", draw_sweep(points))
    console.print(f"{folder}: {SWEEP_FILE} and sweep.png")
