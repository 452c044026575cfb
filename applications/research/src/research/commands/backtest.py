"""`research backtest`: one strategy over a past period, in one process."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from internal.backtests.folder import KEY_DIGITS, ResearchFolder
from internal.security_types import COMMON_STOCK
from internal.simulation.known_forecasts import KnownForecasts
from internal.strategies.loading import LoadedStrategy
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
    choose_source,
    fund_home,
    read_cash,
    read_multiple,
    read_strategy,
)
from research.engine.market import BacktestMarket
from research.engine.run import Backtest, Terms, run_backtest
from research.engine.sources import Period
from research.ledger import Ledger
from research.result import BacktestResult

DEFAULT_MODEL = "heterogeneous_volatility"
SHOWN_EVERY = 20  # sessions between two movements of the progress bar


def backtest(  # noqa: PLR0913 - one argument an option of the command line
    *,
    strategy: StrategyOption,
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
    output: Annotated[
        Path | None, typer.Option("--output", help="Folder of the report.", show_default=".fund/research/backtests/KEY")
    ] = None,
) -> None:
    """Trade a strategy over a past period, count it as a trial, and report.

    Example: `./fund backtest --strategy strategies/momentum.py:Momentum --first-day 2025-01-02 --last-day 2025-12-31`

    `./fund backtest --through-services` runs the whole fund over the period instead, with its services as processes.
    """
    console = Console()
    limits = read_limits(security_types, do_not_trade, only_trade)
    loaded, terms = read_strategy(strategy, settings), Terms(read_cash(cash), read_multiple(costs), limits)
    source = choose_source(bars, details, seed, tickers, events, lake=lake)
    market = source.open(Period(first_day, last_day), lambda line: console.print(line, style="dim"))
    forecasts = find_forecasts(market, loaded, model, refit_every, console)
    run_and_report(Backtest(market, loaded, strategy, terms, forecasts), output, console)


def find_forecasts(
    market: BacktestMarket, strategy: LoadedStrategy, model: str, refit_every: int, console: Console
) -> KnownForecasts | None:
    """The forecasts that a strategy reads, made now or read from an earlier run; None for one that reads none."""
    if not strategy.needs.forecasts:
        return None
    from internal.forecast_cache import RefittedBaseline  # noqa: PLC0415 - models take a while to import
    from research.engine.forecasts import make_forecasts  # noqa: PLC0415 - as above

    with console.status(f"Forecasts of {model}, fitted every {refit_every} sessions"):
        return make_forecasts(market, RefittedBaseline(model, refit_every), fund_home() / "research" / "forecasts")


def run_and_report(backtest: Backtest, output: Path | None, console: Console) -> None:
    """Claim the folder, write the trial down, play it, write the report, print its summary."""
    from research.report.folder import claim_folder, write_report  # noqa: PLC0415 - charts take a while to import

    settings, ledger = backtest.settings, Ledger.from_environment()
    folder = output or ResearchFolder(ledger.folder).backtests / settings.key[:KEY_DIGITS]
    claim_folder(folder, settings)
    ledger.plan(settings)
    result = play(backtest, console)
    ledger.complete(result)
    report = write_report(folder, result, ledger)
    console.print(report.summary, soft_wrap=True, highlight=False, markup=False)
    console.print(f"The report: {report.page}", soft_wrap=True, highlight=False, markup=False)


def play(backtest: Backtest, console: Console) -> BacktestResult:
    """Run with a progress bar, which only a terminal shows."""
    days = backtest.market.days
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("sessions", total=len(days))
        shown = {day: place + 1 for place, day in enumerate(days) if place % SHOWN_EVERY == 0}
        return run_backtest(backtest, lambda day: progress.update(task, completed=shown[day]) if day in shown else None)
