"""The command line: `fund up`, `fund backtest`, `fund status`, `fund down`, `fund doctor`."""

import errno
import os
import signal
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.markup import escape

from fund.addresses import Addresses
from fund.backtest import claim_folder, define_backtest, open_market_at
from fund.backtest_steps import backtest_steps
from fund.books_commands import books
from fund.clients import connect
from fund.data_check import add_data_commands
from fund.data_import import data
from fund.display import Display
from fund.doctor import run_checks, show_findings
from fund.folder import FundFolder
from fund.local_platform import LocalPlatform
from fund.market_files import prepare_market
from fund.market_settings import MarketSettings
from fund.memory import MemoryWatch
from fund.new_files import new
from fund.processes import end_leftovers
from fund.research_commands import ARGUMENTS_AS_GIVEN, PANEL, add_research_commands, run_research
from fund.startup import up_steps
from fund.status import show_status
from fund.steps import Events, FundRun, ModelSize, Plan, Signal, Step, run_steps
from fund.strategy_choice import choose_strategy
from fund.supervisor import open_fund
from internal.errors import FundError

FUND_PANEL = "The running fund"

application = typer.Typer(
    name="fund",
    help="The whole fund on one machine, offline.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
add_data_commands(data)
application.add_typer(data, rich_help_panel="Data")
application.add_typer(books, rich_help_panel=FUND_PANEL)

through_services = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

BarsOption = Annotated[
    Path | None,
    typer.Option("--bars", exists=True, help="Real bars to replay: CSV, parquet, or a folder (docs/your_own_bars.md)."),
]
DetailsOption = Annotated[
    Path | None, typer.Option("--details", exists=True, dir_okay=False, help="Sectors and industries of the tickers.")
]
SessionsOption = Annotated[
    int, typer.Option("--sessions", min=0, help="Sessions to trade, counted from the fund's opening.")
]
ModelOption = Annotated[ModelSize, typer.Option("--model", help="The model's size.")]
SeedOption = Annotated[int | None, typer.Option("--seed", min=0, help="The simulated market's seed.")]
TickersOption = Annotated[int | None, typer.Option("--tickers", min=40, max=8000, help="Simulated tickers.")]
CashOption = Annotated[float | None, typer.Option("--cash", min=1, help="Dollars that the account opens with.")]
EventsOption = Annotated[
    Events | None,
    typer.Option(
        "--events",
        envvar="EXCHANGE_EVENTS",
        help="How often corporate actions of every kind happen in the simulated market, which then has funds, "
        "warrants and renamed tickers too; without it regular dividends and splits alone.",
    ),
]
SignalOption = Annotated[
    Signal | None,
    typer.Option(
        "--signal",
        envvar="EXCHANGE_SIGNAL",
        help="What predictable signal the simulated prices hold; without it momentum.",
    ),
]
OnceOption = Annotated[bool, typer.Option("--once", help="End after the last session, with exit code 0.")]

THROUGH_SERVICES = "--through-services"
DEFAULT_SEED = 1
DEFAULT_TICKERS = 120
POLL_SECONDS = 0.5


@application.command(rich_help_panel=FUND_PANEL)
def up(  # noqa: PLR0913 - one argument an option of the command line
    *,
    bars: BarsOption = None,
    details: DetailsOption = None,
    sessions: SessionsOption = 5,
    model: ModelOption = ModelSize.SMALL,
    seed: SeedOption = None,
    tickers: TickersOption = None,
    cash: CashOption = None,
    events: EventsOption = None,
    planted_signal: SignalOption = None,
    once: OnceOption = False,
) -> None:
    """Run the whole fund: market, bars, model, portfolio, sessions. Run again, it resumes.

    STRATEGY=FILE.py:Class in the environment names the strategy, STRATEGY_PARAMETERS="name=value ..." its parameters.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    folder = FundFolder.from_environment()
    strategy = choose_strategy(folder.read_strategy(), os.environ)
    plan = Plan(sessions, model.value, uses_forecasts=strategy.load().needs.forecasts)
    stored = folder.read_opened_market()
    default = all(option is None for option in (bars, details, seed, tickers, cash, events, planted_signal))
    chosen = choose_market(bars, details, seed, tickers, cash, events, planted_signal)
    market = stored if stored is not None and default else chosen
    market = prepare_market(continue_market(stored, market), Display())
    with open_run(folder, market, plan) as run:
        folder.save_strategy(strategy)
        perform(up_steps(plan), run)
        if not once:
            stay_up(run)


@application.command("backtest", context_settings=ARGUMENTS_AS_GIVEN, rich_help_panel=PANEL)
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
    signal.signal(signal.SIGTERM, _interrupt)
    own_folder = FundFolder(folder.resolve())
    strategy = choose_strategy(own_folder.read_strategy(), os.environ)
    loaded = strategy.load()
    definition = define_backtest(first_day.date(), last_day.date(), model, refit_every, loaded.record)
    chosen = open_market_at(
        definition, choose_market(bars, details, seed, tickers, events=events, planted_signal=planted_signal)
    )
    market = continue_market(own_folder.read_opened_market(), chosen)
    market = prepare_market(market, Display(), definition.last_session)
    claim_folder(own_folder, definition)
    plan = Plan(definition.session_count, definition.model, uses_forecasts=loaded.needs.forecasts)
    with open_run(own_folder, market, plan) as run:
        own_folder.save_strategy(strategy)
        perform(backtest_steps(definition), run)


@contextmanager
def open_run(folder: FundFolder, market: MarketSettings, plan: Plan) -> Generator[FundRun]:
    """Open the fund on this machine; its services are ended when the block is left."""
    addresses, display = Addresses.from_environment(), Display()
    with open_fund(folder, addresses, market) as supervisor:
        platform = LocalPlatform(supervisor, display)
        yield FundRun(platform, connect(folder, addresses), display, folder, supervisor.market, plan)


def perform(steps: Sequence[Step], run: FundRun) -> None:
    """Perform the steps, and print the time and memory that they took. Ctrl-C and SIGTERM end with exit code 130."""
    started = time.monotonic()
    with MemoryWatch() as memory:
        try:
            run_steps(steps, run)
        except KeyboardInterrupt:
            run.display.say("Interrupted; ending the services. Run the same command again: it resumes.")
            raise typer.Exit(130) from None
        run.display.say(
            f"{time.monotonic() - started:.0f} s, at most {memory.peak_bytes() / 1024**3:.2f} GiB of memory"
        )


def stay_up(run: FundRun) -> None:
    """Keep the services up until Ctrl-C or `fund down`; a service that ends by itself is an error."""
    run.display.say(f"The fund stays up: {run.clients.portfoliomanager.url}/  Ctrl-C ends it.")
    try:
        while True:
            run.platform.check_services()
            time.sleep(POLL_SECONDS)
    except KeyboardInterrupt:
        run.display.say("Ending the services.")


def choose_market(  # noqa: PLR0913, PLR0917 - one argument an option of the command line
    bars: Path | None,
    details: Path | None,
    seed: int | None,
    tickers: int | None,
    cash: float | None = None,
    events: Events | None = None,
    planted_signal: Signal | None = None,
) -> MarketSettings:
    """The market that the options name, with defaults for those that are not given.

    Raises:
        typer.BadParameter: Events or a signal for a market that is replayed from a file.
    """
    for option, value in (("events", events), ("signal", planted_signal)):
        if bars is not None and value is not None:
            raise typer.BadParameter(
                f"--{option} (EXCHANGE_{option.upper()}) is for the simulated market: leave it out with --bars"
            )
    return MarketSettings(
        bars=str(bars.resolve()) if bars else None,
        details=str(details.resolve()) if details else None,
        seed=DEFAULT_SEED if seed is None else seed,
        tickers=DEFAULT_TICKERS if tickers is None else tickers,
        cash=None if cash is None else f"{cash:.2f}",
        events=None if events is None else events.value,
        signal=None if planted_signal is None else planted_signal.value,
    )


def continue_market(stored: MarketSettings | None, chosen: MarketSettings) -> MarketSettings:
    """The market that the folder holds, on the files that were chosen now; what was chosen where it is another."""
    return stored.continue_on(chosen) if stored is not None and stored.same_market(chosen) else chosen


@application.command(rich_help_panel=FUND_PANEL)
def status() -> None:
    """Show the services, the last sessions, the model and the portfolio."""
    if not show_status(FundFolder.from_environment(), Addresses.from_environment(), Console()):
        raise typer.Exit(1)


@application.command(rich_help_panel=FUND_PANEL)
def down() -> None:
    """End the fund of this folder, and any process that an interrupted run left behind."""
    ended = end_leftovers(FundFolder.from_environment())
    Console().print(f"Ended: {', '.join(ended)}." if ended else "Nothing was running.")


@application.command(rich_help_panel=FUND_PANEL)
def doctor() -> None:
    """Check Python, compiler, ports, disk, configuration, network and clock; say what to do about each fault."""
    findings = run_checks(FundFolder.from_environment(), Addresses.from_environment(), os.environ)
    show_findings(findings, Console())
    if not all(finding.healthy for finding in findings):
        raise typer.Exit(1)


application.add_typer(new, name="new", rich_help_panel=PANEL)
add_research_commands(application)


def _interrupt(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def main() -> None:
    """Run the command line; an error of the fund is printed as one message, with exit code 1."""
    errors = Console(stderr=True, soft_wrap=True, highlight=False)
    try:
        application()
    except FundError as error:
        errors.print(f"[red]error:[/red] {escape(error.detail)}", markup=True)
        sys.exit(1)
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EFBIG, errno.EDQUOT}:
            raise
        errors.print(f"[red]error:[/red] the disk is full ({error.filename}); free some, then run `./fund up` again.")
        sys.exit(1)


if __name__ == "__main__":
    main()
