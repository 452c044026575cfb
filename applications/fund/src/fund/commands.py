"""The commands of the command line: where each is written, and under which heading it is listed."""

from dataclasses import dataclass
from enum import StrEnum


class Panel(StrEnum):
    """The headings of `fund --help`."""

    FUND = "The running fund"
    DATA = "Data and models"
    STRATEGIES = "Strategies"


@dataclass(frozen=True)
class CommandSource:
    """Where a command or a group of commands is written.

    Attributes:
        name: Its name; also that of the function whose docstring is its help text.
        module: The module, loaded when the command is called; its `commands` is a `typer.Typer` that holds the command.
        panel: The heading under which it is listed.
    """

    name: str
    module: str
    panel: Panel


COMMANDS = (
    CommandSource("init", "fund.init_command", Panel.FUND),
    CommandSource("up", "fund.offline_commands", Panel.FUND),
    CommandSource("run", "fund.run_command", Panel.FUND),
    CommandSource("compose", "fund.compose_command", Panel.FUND),
    CommandSource("status", "fund.status_command", Panel.FUND),
    CommandSource("down", "fund.down_command", Panel.FUND),
    CommandSource("halt", "fund.trading_commands", Panel.FUND),
    CommandSource("reduce", "fund.trading_commands", Panel.FUND),
    CommandSource("resume", "fund.trading_commands", Panel.FUND),
    CommandSource("flatten", "fund.trading_commands", Panel.FUND),
    CommandSource("backup", "fund.backup_commands", Panel.FUND),
    CommandSource("restore", "fund.backup_commands", Panel.FUND),
    CommandSource("arm", "fund.arming_commands", Panel.FUND),
    CommandSource("disarm", "fund.arming_commands", Panel.FUND),
    CommandSource("doctor", "fund.doctor_command", Panel.FUND),
    CommandSource("orders", "fund.orders_command", Panel.FUND),
    CommandSource("replay", "fund.replay_command", Panel.FUND),
    CommandSource("report", "fund.report_command", Panel.FUND),
    CommandSource("logs", "fund.logs_command", Panel.FUND),
    CommandSource("books", "fund.books_commands", Panel.FUND),
    CommandSource("service", "fund.service_commands", Panel.FUND),
    CommandSource("token", "fund.token_command", Panel.FUND),
    CommandSource("notify", "fund.notify_commands", Panel.FUND),
    CommandSource("mcp", "fund.mcp_command", Panel.FUND),
    CommandSource("data", "fund.data_commands", Panel.DATA),
    CommandSource("models", "fund.models_command", Panel.DATA),
    CommandSource("backtest", "fund.offline_commands", Panel.STRATEGIES),
    CommandSource("check", "fund.research_commands", Panel.STRATEGIES),
    CommandSource("sweep", "fund.research_commands", Panel.STRATEGIES),
    CommandSource("research", "fund.research_commands", Panel.STRATEGIES),
    CommandSource("new", "fund.new_files", Panel.STRATEGIES),
)
