"""What `fund up`, `fund run` and `fund backtest` share: open the fund, perform steps, stay up, end in order."""

import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager

import typer

from fund.addresses import Addresses
from fund.clients import connect
from fund.display import Display
from fund.folder import FundFolder
from fund.interrupts import INTERRUPTED
from fund.local_platform import LocalPlatform
from fund.market_settings import MarketSettings
from fund.memory import MemoryWatch
from fund.steps import FundRun, Plan, Run, Step, run_steps
from fund.supervisor import open_fund

POLL_SECONDS = 0.5


@contextmanager
def open_run(
    folder: FundFolder, market: MarketSettings, plan: Plan, variables: Mapping[str, str], display: Display
) -> Generator[FundRun]:
    """Open the fund on its own exchange; its services are ended when the block is left."""
    addresses = Addresses.from_environment()
    with open_fund(folder, addresses, market, variables) as (supervisor, continued):
        platform = LocalPlatform(supervisor, display)
        yield FundRun(platform, connect(folder, addresses), display, folder, plan, continued)


def perform[R: Run](steps: Sequence[Step[R]], run: R) -> None:
    """Perform the steps, and print the time and memory that they took. Ctrl-C and SIGTERM end with exit code 130."""
    started = time.monotonic()
    with MemoryWatch() as memory:
        try:
            run_steps(steps, run)
        except KeyboardInterrupt:
            run.display.say("Interrupted; ending the services. Run the same command again: it resumes.")
            raise typer.Exit(INTERRUPTED) from None
        run.display.say(
            f"{time.monotonic() - started:.0f} s, at most {memory.peak_bytes() / 1024**3:.2f} GiB of memory"
        )


def stay_up(run: Run, watch: Callable[[float], None]) -> None:
    """Keep the services up until Ctrl-C or `fund down`.

    Args:
        run: The fund.
        watch: Called twice a second with a monotonic clock's seconds; what it raises ends the fund.
    """
    run.display.say(f"The fund stays up: {run.clients.portfoliomanager.url}/  Ctrl-C ends it.")
    try:
        while True:
            watch(time.monotonic())
            time.sleep(POLL_SECONDS)
    except KeyboardInterrupt:
        run.display.say("Ending the services.")
