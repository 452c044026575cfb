"""The command line of research: backtests, checks, fault runs, signal sheets and sweeps of strategies.

Exit status: 0 success, 1 failure with its reason, 2 wrong arguments.
"""

import os
import sys

import typer

from internal.errors import FundError
from internal.terminal_lines import format_error
from research.commands import backtest, check, faults, signal, sweep

application = typer.Typer(
    name="research", help=__doc__, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
)
application.command("backtest")(backtest.backtest)
application.command("check")(check.check)
application.command("faults")(faults.faults)
application.command("signal")(signal.signal)
application.command("sweep")(sweep.sweep)


@application.callback()
def choose_command() -> None:
    """Research on strategies: every command reads a strategy's file and the market's bars."""


def main() -> None:
    """Run the command line; an error of the fund is printed as one message, with exit code 1."""
    try:
        application(prog_name=os.environ.get("RESEARCH_TYPED_AS") or "python -m research")
    except FundError as error:
        sys.stderr.write(format_error(error.detail))
        sys.exit(1)
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted.\n")
        sys.exit(130)
