"""Runs the whole fund on its own exchange: now, or over a past period."""

import os
from datetime import date
from pathlib import Path

from fund.backtest import claim_folder, define_backtest, open_market_at
from fund.backtest_steps import backtest_steps
from fund.display import Display
from fund.folder import FundFolder
from fund.interrupts import INTERRUPTS
from fund.market_choice import continue_market
from fund.market_files import prepare_market
from fund.market_settings import MarketSettings
from fund.running import open_run, perform, stay_up
from fund.settings.sections import switch_volatility
from fund.startup import up_steps
from fund.steps import Plan
from fund.strategy_choice import choose_strategy
from fund.strategy_loading import load_choice


def run_up(chosen: MarketSettings, sessions: int, model: str, *, is_default: bool, once: bool) -> None:
    """Open the fund on a market, or go on with the one that the folder holds, until Ctrl-C or after the sessions."""
    INTERRUPTS.install()
    folder, display = FundFolder.from_environment(), Display()
    strategy = choose_strategy(folder.read_strategy(), os.environ)
    plan = Plan(sessions, model, uses_forecasts=load_choice(strategy).needs.forecasts)
    stored = folder.read_opened_market()
    market = switch_volatility(stored if stored is not None and is_default else chosen, os.environ)
    market = prepare_market(continue_market(stored, market), display)
    with open_run(folder, market, plan, os.environ, display) as run:
        folder.save_strategy(strategy)
        perform(up_steps(plan), run)
        if not once:
            stay_up(run, lambda _now: run.platform.check_services())


def run_backtest(folder: Path, chosen: MarketSettings, days: tuple[date, date], model: str, refit_every: int) -> None:
    """Run the whole fund from the first to the last of two days in a folder of its own, and report."""
    INTERRUPTS.install()
    own_folder, display = FundFolder(folder.resolve()), Display()
    strategy = choose_strategy(own_folder.read_strategy(), os.environ)
    loaded = load_choice(strategy)
    definition = define_backtest(*days, model, refit_every, loaded.record)
    market = open_market_at(definition, switch_volatility(chosen, os.environ))
    market = continue_market(own_folder.read_opened_market(), market)
    market = prepare_market(market, display, definition.last_session)
    claim_folder(own_folder, definition)
    plan = Plan(definition.session_count, definition.model, uses_forecasts=loaded.needs.forecasts)
    with open_run(own_folder, market, plan, os.environ, display) as run:
        own_folder.save_strategy(strategy)
        perform(backtest_steps(definition), run)
