"""`fund up`, `fund backtest`, `fund status`, `fund down`, `fund doctor`.

Knows options, exit codes and how an error is told to a person. Knows nothing of the steps themselves.
"""

import errno
import os
import signal
import sys
import time
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from types import FrameType
from typing import Annotated, NoReturn

import typer
from rich.console import Console

from fund.backtest import BacktestStaircase, asked_backtest, opening_of, plan_of, settle
from fund.doctor import examine
from fund.home import Home, Opening
from fund.lifetime import MemoryWatch, clients_of, end_leftovers, opened
from fund.screen import Screen
from fund.services import Addresses
from fund.staircase import Plan, Staircase
from fund.status import show_findings, show_status
from internal.errors import FundError

application = typer.Typer(
    name="fund",
    help="The whole fund on one machine, offline.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


class Model(StrEnum):
    """The sizes of the model."""

    SMALL = "small"
    FULL = "full"


BarsOption = Annotated[
    Path | None, typer.Option("--bars", exists=True, dir_okay=False, help="Real bars (parquet or CSV) to replay.")
]
DetailsOption = Annotated[
    Path | None, typer.Option("--details", exists=True, dir_okay=False, help="Sectors and industries of the tickers.")
]
SessionsOption = Annotated[int, typer.Option("--sessions", min=0, help="Sessions to walk, counted from the opening.")]
ModelOption = Annotated[Model, typer.Option("--model", help="The model's size.")]
SeedOption = Annotated[int | None, typer.Option("--seed", min=0, help="The simulated market's seed.")]
TickersOption = Annotated[int | None, typer.Option("--tickers", min=40, max=8000, help="Simulated tickers.")]
OnceOption = Annotated[bool, typer.Option("--once", help="End after the walk, with exit code 0.")]

DEFAULT_SEED = 1
DEFAULT_TICKERS = 120


@application.command()
def up(  # noqa: PLR0913 - one argument an option of the command line
    *,
    bars: BarsOption = None,
    details: DetailsOption = None,
    sessions: SessionsOption = 5,
    model: ModelOption = Model.SMALL,
    seed: SeedOption = None,
    tickers: TickersOption = None,
    once: OnceOption = False,
) -> None:
    """Run the whole fund: market, bars, model, portfolio, sessions, book. Run again, it resumes."""
    signal.signal(signal.SIGTERM, _interrupt)
    home, addresses, screen = Home.from_environment(), Addresses.from_environment(), Screen()
    started = time.monotonic()
    with MemoryWatch() as memory, opened(home, addresses, asked_opening(home, bars, details, seed, tickers)) as fund:
        try:
            Staircase(fund, clients_of(home, addresses), screen, Plan(sessions, model.value)).walk()
        except KeyboardInterrupt:
            screen.say("Interrupted; ending the services. Run `fund up` again: it resumes.")
            raise typer.Exit(130) from None
        screen.say(f"{time.monotonic() - started:.0f} s, {memory.peak_bytes() / 1024**3:.2f} GiB of memory at most")
        if not once:
            stay(fund.check, screen, addresses)


@application.command()
def backtest(  # noqa: PLR0913 - one argument an option of the command line
    *,
    first_day: Annotated[datetime, typer.Option("--first-day", formats=["%Y-%m-%d"], help="First day that is traded.")],
    last_day: Annotated[datetime, typer.Option("--last-day", formats=["%Y-%m-%d"], help="Last day that is traded.")],
    bars: BarsOption = None,
    details: DetailsOption = None,
    seed: SeedOption = None,
    tickers: TickersOption = None,
    model: Annotated[str, typer.Option("--model", help="small, full, or a baseline's kind.")] = "small",
    refit_every: Annotated[int, typer.Option("--refit-every", min=1, help="Sessions between two fits.")] = 63,
    folder: Annotated[Path, typer.Option("--folder", help="A folder of its own.")] = Path(".backtest"),
) -> None:
    """Run the whole fund over a past period, fit the model anew as it goes, and report. Run again, it resumes."""
    signal.signal(signal.SIGTERM, _interrupt)
    home, addresses, screen = Home(folder.resolve()), Addresses.from_environment(), Screen()
    asked = asked_backtest(first_day.date(), last_day.date(), model, refit_every)
    settle(home, asked)
    market = opening_of(asked, market_of(bars, details, seed, tickers))
    started = time.monotonic()
    with MemoryWatch() as memory, opened(home, addresses, market) as fund:
        try:
            BacktestStaircase(fund, clients_of(home, addresses), screen, plan_of(asked), asked).walk()
        except KeyboardInterrupt:
            screen.say("Interrupted; ending the services. Give the same command again: it resumes.")
            raise typer.Exit(130) from None
        screen.say(f"{time.monotonic() - started:.0f} s, {memory.peak_bytes() / 1024**3:.2f} GiB of memory at most")


def stay(check: Callable[[], None], screen: Screen, addresses: Addresses) -> None:
    """Keep the services up until Ctrl-C or `fund down`; a service that ends by itself is an error."""
    screen.say(f"The fund stays up: {addresses.url('portfoliomanager')}/  Ctrl-C ends it.")
    try:
        while True:
            check()
            time.sleep(0.5)
    except KeyboardInterrupt:
        screen.say("Ending the services.")


def asked_opening(
    home: Home, bars: Path | None, details: Path | None, seed: int | None, tickers: int | None
) -> Opening:
    """The opening asked for; without any market option, that of the fund in the folder."""
    stored = home.opening()
    if stored is not None and all(option is None for option in (bars, details, seed, tickers)):
        return stored
    return market_of(bars, details, seed, tickers)


def market_of(bars: Path | None, details: Path | None, seed: int | None, tickers: int | None) -> Opening:
    """The market that the options name."""
    return Opening(
        bars=str(bars.resolve()) if bars else None,
        details=str(details.resolve()) if details else None,
        seed=DEFAULT_SEED if seed is None else seed,
        tickers=DEFAULT_TICKERS if tickers is None else tickers,
    )


@application.command()
def status() -> None:
    """Show the services, the last sessions, the model and the book."""
    if not show_status(Home.from_environment(), Addresses.from_environment(), Console()):
        raise typer.Exit(1)


@application.command()
def down() -> None:
    """End the fund of this folder, and whatever an interrupted run left behind."""
    ended = end_leftovers(Home.from_environment())
    Console().print(f"Ended: {', '.join(ended)}." if ended else "Nothing was running.")


@application.command()
def doctor() -> None:
    """Check Python, compiler, ports, disk, configuration, reachability and clock; say what to do about each fault."""
    findings = examine(Home.from_environment(), Addresses.from_environment(), os.environ)
    show_findings(findings, Console())
    if not all(finding.healthy for finding in findings):
        raise typer.Exit(1)


def _interrupt(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def main() -> None:
    """Run the command line; an error that the fund knows is told in one sentence, with exit code 1."""
    errors = Console(stderr=True, soft_wrap=True, highlight=False)
    try:
        application()
    except FundError as error:
        errors.print(f"[red]error:[/red] {error.detail}", markup=True)
        sys.exit(1)
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EFBIG, errno.EDQUOT}:
            raise
        errors.print(f"[red]error:[/red] the disk is full ({error.filename}); free some, then run `fund up` again.")
        sys.exit(1)


if __name__ == "__main__":
    main()
