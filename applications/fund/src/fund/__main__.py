"""The command line: what it begins with, and how its errors end."""

import errno
import sys

import typer

from fund.head import show_head
from fund.interrupts import INTERRUPTED
from fund.lazy_commands import LazyGroup
from fund.options import TYPED
from internal.errors import FundError
from internal.terminal_lines import format_error

application = typer.Typer(
    name="fund",
    cls=LazyGroup,
    invoke_without_command=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
application.callback()(show_head)


def main() -> None:
    """Run the command line; an error of the fund is printed as one message, with exit code 1."""
    try:
        application(prog_name=TYPED)
    except FundError as error:
        fail(error.detail)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EFBIG, errno.EDQUOT}:
            raise
        where = f" ({error.filename})" if error.filename else ""
        fail(f"the disk is full{where}; free some, then run the same command again.")


def fail(detail: str) -> None:
    """Print the message of an error, and end with exit code 1."""
    word, _, rest = format_error(detail).partition(" ")
    typer.secho(word, fg="red", nl=False, err=True)
    typer.echo(f" {rest}", nl=False, err=True)
    sys.exit(1)


if __name__ == "__main__":
    main()
