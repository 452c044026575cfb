"""Assembles the MCP server: each question is a tool that only reads, and an error of the fund says what to do."""

import functools
from collections.abc import Callable
from typing import Final

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import ToolAnnotations

from fund.folder import FundFolder
from fund.mcp_server.decision_questions import (
    explain_forecast,
    explain_ticker,
    get_decision,
    get_forecast,
    list_decided_names,
    list_decisions,
)
from fund.mcp_server.questions import (
    check_data,
    check_services,
    get_books,
    get_limits,
    get_performance,
    get_positions,
    get_schedule,
    get_status,
    list_orders,
)
from fund.mcp_server.research_questions import list_backtests
from fund.status import starting_command
from internal.errors import FundError, UnavailableError

INSTRUCTIONS: Final = (
    "The questions are about one quantitative fund of US equities: what it holds, why, how it performs, and whether "
    "its data and services are in order. Dates are sessions of the New York Stock Exchange. Ask get_status first: the "
    "figures of a simulated fund come from simulated prices. Nothing can be changed here; to halt or resume trading, a "
    "person runs `./fund halt` or `./fund resume`."
)
READ_ONLY: Final = ToolAnnotations(
    read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
)
QUESTIONS: Final[tuple[Callable[..., object], ...]] = (
    get_status,
    get_positions,
    list_decisions,
    get_decision,
    list_decided_names,
    explain_ticker,
    get_forecast,
    explain_forecast,
    list_orders,
    get_performance,
    get_books,
    get_limits,
    check_data,
    check_services,
    get_schedule,
    list_backtests,
)


def make_server() -> MCPServer:
    """The server with all questions; the fund is looked for at each of them."""
    server = MCPServer("pocketsizefund", title="The fund", instructions=INSTRUCTIONS, log_level="WARNING")
    for question in QUESTIONS:
        server.add_tool(explain_errors(question), annotations=READ_ONLY, structured_output=True)
    return server


def explain_errors(question: Callable[..., object]) -> Callable[..., object]:
    """The same question, whose errors are sentences for who asked: what happened, and what to do."""

    @functools.wraps(question)
    def asked(*arguments: object, **named: object) -> object:
        try:
            return question(*arguments, **named)
        except UnavailableError as error:
            start = starting_command(FundFolder.from_environment())
            raise ToolError(f"{error.detail} Where the fund does not run, start it: ./fund {start}") from error
        except FundError as error:
            raise ToolError(error.detail) from error

    return asked
