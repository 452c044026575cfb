"""`fund up` and `fund backtest`: the whole fund on its own exchange, now or over a past period."""

import os
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from fund.backtest import claim_folder, define_backtest, open_market_at
from fund.backtest_steps import backtest_steps
from fund.display import Display
from fund.folder import FundFolder
from fund.interrupts import INTERRUPTS
from fund.market_choice import (
    BarsOption,
    CashOption,
    DetailsOption,
    EventsOption,
    SeedOption,
    SignalOption,
    TickersOption,
    choose_market,
    continue_market,
)
from fund.market_files import prepare_market
from fund.options import ModelSize
from fund.research_commands import ARGUMENTS_AS_GIVEN, PANEL, run_research
from fund.running import open_run, perform, stay_up
from fund.startup import up_steps
from fund.steps import Plan
from fund.strategy_choice import choose_strategy

THROUGH_SERVICES = "--through-services"
through_services = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


def add_offline_commands(application: typer.Typer, panel: str) -> None:
    """Add them to the command line."""
    application.command("up", rich_help_panel=panel)(up)
    application.command("backtest", context_settings=ARGUMENTS_AS_GIVEN, rich_help_panel=PANEL)(backtest)


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
    INTERRUPTS.install()
    folder, display = FundFolder.from_environment(), Display()
    strategy = choose_strategy(folder.read_strategy(), os.environ)
    plan = Plan(sessions, model.value, uses_forecasts=strategy.load().needs.forecasts)
    stored = folder.read_opened_market()
    default = all(option is None for option in (bars, details, seed, tickers, cash, events, planted_signal))
    chosen = choose_market(bars, details, seed, tickers, cash, events, planted_signal)
    market = stored if stored is not None and default else chosen
    market = prepare_market(continue_market(stored, market), display)
    with open_run(folder, market, plan, os.environ, display) as run:
        folder.save_strategy(strategy)
        perform(up_steps(plan), run)
        if not once:
            stay_up(run, lambda _now: run.platform.check_services())


def backtest(context: typer.Context) -> None:
    """Backtest a strategy in one process; with --through-services, run the whole fund over the period instead."""
    if THROUGH_SERVICES not in context.args:
        run_research(["backtest", *context.args])
    through_services([one for one in context.args if one != THROUGH_SERVICES], f"fund backtest {THROUGH_SERVICES}")


@through_services.command()
def backtest_through_services(  # noqa: PLR0913 - one argument an option of the command line
    *,
    first_day: Annotated[datetime, typer.Option("--first-day", formats=["%Y-%m-%d"], help="First day that is traded.")],
    last_day: Annotated[datetime, typer.Option("--last-day", formats=["%Y-%m-%d"], help="Last day that is traded.")],
    bars: BarsOption = None,
    details: DetailsOption = None,
    seed: SeedOption = None,
    tickers: TickersOption = None,
    events: EventsOption = None,
    planted_signal: SignalOption = None,
    model: Annotated[str, typer.Option("--model", help="small, full, or a baseline's kind.")] = "small",
    refit_every: Annotated[int, typer.Option("--refit-every", min=1, help="Sessions between two fits.")] = 63,
    folder: Annotated[Path, typer.Option("--folder", help="A folder of its own.")] = Path(".backtest"),
) -> None:
    """Run the whole fund over a past period, refit the model as it goes, and report. Run again, it resumes."""
    INTERRUPTS.install()
    own_folder, display = FundFolder(folder.resolve()), Display()
    strategy = choose_strategy(own_folder.read_strategy(), os.environ)
    loaded = strategy.load()
    definition = define_backtest(first_day.date(), last_day.date(), model, refit_every, loaded.record)
    chosen = open_market_at(
        definition, choose_market(bars, details, seed, tickers, events=events, planted_signal=planted_signal)
    )
    market = continue_market(own_folder.read_opened_market(), chosen)
    market = prepare_market(market, display, definition.last_session)
    claim_folder(own_folder, definition)
    plan = Plan(definition.session_count, definition.model, uses_forecasts=loaded.needs.forecasts)
    with open_run(own_folder, market, plan, os.environ, display) as run:
        own_folder.save_strategy(strategy)
        perform(backtest_steps(definition), run)
