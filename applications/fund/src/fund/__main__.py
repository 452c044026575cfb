"""The command line: every command is registered here and written in a module of its own."""

import errno
import sys

import typer
from rich.console import Console
from rich.markup import escape

from fund.arming_commands import add_arming_commands
from fund.backup_commands import add_backup_commands
from fund.books_commands import books
from fund.compose_command import add_compose_command
from fund.data_check import add_data_commands
from fund.data_import import data
from fund.doctor_command import add_doctor_command
from fund.folder import FundFolder
from fund.head import show_head
from fund.init_command import add_init_command
from fund.interrupts import INTERRUPTED
from fund.logs_command import add_logs_command
from fund.new_files import new
from fund.notify_commands import notify
from fund.offline_commands import add_offline_commands
from fund.orders_command import add_orders_command
from fund.processes import end_leftovers
from fund.report_command import add_report_command
from fund.research_commands import PANEL, add_research_commands
from fund.run_command import add_run_command
from fund.service_commands import service
from fund.status_command import add_status_command
from fund.trading_commands import add_trading_commands
from internal.errors import FundError

FUND_PANEL = "The running fund"

application = typer.Typer(
    name="fund",
    invoke_without_command=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
application.callback()(show_head)
add_init_command(application, FUND_PANEL)
add_offline_commands(application, FUND_PANEL)
add_run_command(application, FUND_PANEL)
add_compose_command(application, FUND_PANEL)


add_status_command(application, FUND_PANEL)


@application.command(rich_help_panel=FUND_PANEL)
def down() -> None:
    """End the fund of this folder, and any process that an interrupted run left behind."""
    ended = end_leftovers(FundFolder.from_environment())
    Console().print(f"Ended: {', '.join(ended)}." if ended else "Nothing was running.")


add_data_commands(data)
application.add_typer(data, rich_help_panel="Data")
application.add_typer(books, rich_help_panel=FUND_PANEL)
application.add_typer(service, rich_help_panel=FUND_PANEL)
application.add_typer(notify, rich_help_panel=FUND_PANEL)
application.add_typer(new, name="new", rich_help_panel=PANEL)
add_trading_commands(application, FUND_PANEL)
add_backup_commands(application, FUND_PANEL)
add_arming_commands(application, FUND_PANEL)
for add in (add_doctor_command, add_orders_command, add_report_command, add_logs_command):
    add(application, FUND_PANEL)
add_research_commands(application)


def main() -> None:
    """Run the command line; an error of the fund is printed as one message, with exit code 1."""
    errors = Console(stderr=True, soft_wrap=True, highlight=False)
    try:
        application()
    except FundError as error:
        errors.print(f"[red]error:[/red] {escape(error.detail)}", markup=True)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EFBIG, errno.EDQUOT}:
            raise
        errors.print(f"[red]error:[/red] the disk is full ({error.filename}); free some, then run `./fund up` again.")
        sys.exit(1)


if __name__ == "__main__":
    main()
