"""Runs the fund for real: services, scheduler, and what a first run needs."""

import os
from dataclasses import replace

from fund.addresses import Addresses
from fund.broker_account import BrokerApi
from fund.clients import connect
from fund.display import Display
from fund.folder import FundFolder
from fund.interrupts import INTERRUPTS
from fund.local_platform import LocalPlatform
from fund.market_choice import choose_market, continue_market
from fund.market_files import prepare_market
from fund.market_settings import MarketSettings
from fund.real_environment import RealEnvironments
from fund.real_startup import RealRun, real_steps
from fund.running import perform, stay_up
from fund.services import BROKER_SERVICES, Service
from fund.settings.fund_settings import FundSettings, explain_defaults, read_settings
from fund.settings.secrets import Secret, read_secret, secret_file
from fund.settings.variables import service_variables
from fund.simulated_sessions import SimulatedSessions
from fund.stakes import choose_broker_url, show_banner
from fund.startup import prepare_steps, start_scheduler
from fund.steps import FundRun, Plan, Step
from fund.strategy_choice import StrategyChoice, find_file
from fund.strategy_loading import load_choice
from fund.supervisor import open_fund, open_supervisor
from fund.watch import Watch
from internal.errors import ConfigurationError
from internal.modes import Mode, mode_of


def run_fund() -> None:
    """Run the fund of fund.toml until Ctrl-C or `fund down`."""
    INTERRUPTS.install()
    folder, display = FundFolder.from_environment(), Display()
    settings = read_settings(folder.settings_file)
    folder.require_mode(settings.mode)
    folder.require_lake(settings.storage.data_bucket)
    if settings.mode is Mode.SIMULATED:
        show_banner(Mode.SIMULATED)
        if (notice := explain_defaults(folder.settings_file)) is not None:
            display.say(notice)
        run_simulated(folder, settings, display)
    else:
        url = choose_broker_url(settings.mode)
        show_banner(mode_of(url))
        run_at_broker(folder, settings, url, display)


def run_at_broker(folder: FundFolder, settings: FundSettings, url: str, display: Display) -> None:
    """Run a fund that trades an account at a broker.

    Raises:
        ConfigurationError: A key is missing or does not fit, or another fund uses the folder.
    """
    key_id, secret = (require_secret(folder, one) for one in (Secret.ALPACA_API_KEY_ID, Secret.ALPACA_API_SECRET))
    if settings.market_data.market_data_vendor == "polygon":
        require_secret(folder, Secret.POLYGON_API_KEY)
    addresses, strategy = Addresses.of(settings), choose_configured_strategy(settings)
    plan = Plan(0, settings.models.model_size.value, uses_forecasts=load_choice(strategy).needs.forecasts)
    environments = RealEnvironments(folder, addresses, settings, url)
    with open_supervisor(folder, addresses, environments, BROKER_SERVICES) as supervisor:
        folder.save_strategy(strategy)
        platform, broker = LocalPlatform(supervisor, display), BrokerApi(url, key_id, secret)
        run = RealRun(platform, connect(folder, addresses), display, folder, plan, settings, broker)
        perform(real_steps(plan), run)
        stay_up(run, Watch(supervisor, display, settings.services).look)


def run_simulated(folder: FundFolder, settings: FundSettings, display: Display) -> None:
    """Run a fund on its own exchange, whose sessions pass by themselves."""
    addresses, strategy = Addresses.of(settings), choose_configured_strategy(settings)
    plan = Plan(0, settings.models.model_size.value, uses_forecasts=load_choice(strategy).needs.forecasts)
    market = prepare_market(continue_market(folder.read_opened_market(), name_market(settings)), display)
    variables = os.environ | service_variables(settings) | strategy.variables()
    with open_fund(folder, addresses, market, variables, tuple(Service)) as (supervisor, continued):
        folder.save_strategy(strategy)
        platform = LocalPlatform(supervisor, display)
        run = FundRun(platform, connect(folder, addresses), display, folder, plan, continued)
        perform([*prepare_steps(plan), Step("Start the scheduler", start_scheduler)], run)
        watch = Watch(supervisor, display, settings.services)
        sessions = SimulatedSessions(run, settings.simulation.session_seconds)

        def look(now: float) -> None:
            watch.look(now)
            sessions.pass_on(now)

        stay_up(run, look)


def name_market(settings: FundSettings) -> MarketSettings:
    """The market that the settings name."""
    chosen = settings.simulation
    market = choose_market(
        chosen.exchange_bars_file,
        chosen.exchange_details_file,
        chosen.exchange_seed,
        chosen.exchange_ticker_count,
        chosen.exchange_cash,
        chosen.exchange_events,
        chosen.exchange_signal,
    )
    return replace(market, **chosen.switch)


def require_secret(folder: FundFolder, secret: Secret) -> str:
    """A secret. Raises ConfigurationError where there is none."""
    value = read_secret(folder.root, secret)
    if value is None:
        raise ConfigurationError(
            f"{secret} is missing: run `./fund init`, or write it into {secret_file(folder.root, secret)} (mode 600)"
        )
    return value


def choose_configured_strategy(settings: FundSettings) -> StrategyChoice:
    """The strategy that the settings name."""
    return StrategyChoice(find_file(settings.trading.strategy), settings.trading.strategy_parameters)
