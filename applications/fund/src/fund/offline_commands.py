"""`fund up` and `fund backtest`: the whole fund on its own exchange, now or over a past period."""

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from fund.market_choice import (
    BarsOption,
    CashOption,
    DetailsOption,
    EventsOption,
    SeedOption,
    SignalOption,
    TickersOption,
    choose_market,
)
from fund.options import TYPED, ModelSize
from fund.passing_on import ARGUMENTS_AS_GIVEN
from fund.research_commands import run_research
from internal.day_option import DATE, read_day

THROUGH_SERVICES = "--through-services"
commands = typer.Typer(add_completion=False)
through_services = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@commands.command()
def up(  # noqa: PLR0913 - one argument an option of the command line
    *,
    bars: BarsOption = None,
    details: DetailsOption = None,
    sessions: Annotated[
        int, typer.Option("--sessions", min=0, help="Sessions to trade, counted from the fund's opening.")
    ] = 5,
    model: Annotated[ModelSize, typer.Option("--model", help="The model's size.")] = ModelSize.SMALL,
    seed: SeedOption = None,
    tickers: TickersOption = None,
    cash: CashOption = None,
    events: EventsOption = None,
    planted_signal: SignalOption = None,
    once: Annotated[bool, typer.Option("--once", help="End after the last session, with exit code 0.")] = False,
) -> None:
    """Run the whole fund offline: market, bars, model, portfolio, sessions. Run again, it resumes.

    STRATEGY=FILE.py:Class in the environment names the strategy, STRATEGY_PARAMETERS="name=value ..." its parameters.
    """
    from fund.offline_run import run_up

    is_default = all(option is None for option in (bars, details, seed, tickers, cash, events, planted_signal))
    chosen = choose_market(bars, details, seed, tickers, cash, events, planted_signal)
    run_up(chosen, sessions, model.value, is_default=is_default, once=once)


@commands.command(context_settings=ARGUMENTS_AS_GIVEN)
def backtest(context: typer.Context) -> None:
    """Backtest a strategy in one process; with --through-services, run the whole fund over the period instead."""
    if THROUGH_SERVICES not in context.args:
        run_research(["backtest", *context.args])
    through_services([one for one in context.args if one != THROUGH_SERVICES], f"{TYPED} backtest {THROUGH_SERVICES}")


@through_services.command()
def backtest_through_services(  # noqa: PLR0913 - one argument an option of the command line
    *,
    first_day: Annotated[
        date, typer.Option("--first-day", parser=read_day, metavar=DATE, help="First day that is traded.")
    ],
    last_day: Annotated[
        date, typer.Option("--last-day", parser=read_day, metavar=DATE, help="Last day that is traded.")
    ],
    bars: BarsOption = None,
    details: DetailsOption = None,
    seed: SeedOption = None,
    tickers: TickersOption = None,
    cash: CashOption = None,
    events: EventsOption = None,
    planted_signal: SignalOption = None,
    model: Annotated[str, typer.Option("--model", help="small, full, or a baseline's kind.")] = "small",
    refit_every: Annotated[int, typer.Option("--refit-every", min=1, help="Sessions between two fits.")] = 63,
    folder: Annotated[Path, typer.Option("--folder", help="A folder of its own.")] = Path(".backtest"),
) -> None:
    """Run the whole fund over a past period, refit the model as it goes, and report. Run again, it resumes."""
    from fund.offline_run import run_backtest

    chosen = choose_market(bars, details, seed, tickers, cash, events, planted_signal)
    run_backtest(folder, chosen, (first_day, last_day), model, refit_every)
