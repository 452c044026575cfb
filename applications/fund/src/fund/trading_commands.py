"""`fund halt`, `reduce`, `resume` and `flatten`: what the running fund may send, changed by its owner."""

import getpass
import json
import time
from typing import Annotated

import typer
from pydantic import BaseModel
from rich.console import Console
from rich.markup import escape

from fund.addresses import Addresses
from fund.clients import connect
from fund.folder import FundFolder
from fund.options import JsonOption
from fund.service_client import ServiceClient
from fund.trading_answers import HALTED, Flattening, TradingState
from internal.errors import ConfigurationError, FundError, UnavailableError

NO_REASON = "no reason was given"
POLL_SECONDS = 1.0

ReasonOption = Annotated[str, typer.Option("--reason", help="Why, in one sentence; shown with the state.")]
WaitOption = Annotated[
    float, typer.Option("--wait", min=0, help="Seconds to wait for the fills while the market is open.")
]


def halt(*, reason: ReasonOption = NO_REASON, as_json: JsonOption = False) -> None:
    """Stop sending orders, exits included, until a person resumes trading."""
    _set_state(HALTED, reason, as_json=as_json)


def reduce(*, reason: ReasonOption = NO_REASON, as_json: JsonOption = False) -> None:
    """Send closes alone, until a person resumes trading."""
    _set_state("reduce_only", reason, as_json=as_json)


def resume(*, reason: ReasonOption = NO_REASON, as_json: JsonOption = False) -> None:
    """Trade again; what was planned for this session and not sent is sent."""
    _set_state("active", reason, as_json=as_json)


def flatten(*, reason: ReasonOption = NO_REASON, as_json: JsonOption = False, wait: WaitOption = 60.0) -> None:
    """Close every position of the fund's and halt: it stays flat over closes and restarts until a person resumes."""
    service = connect_to_trader()
    try:
        service.post("/flatten", {"changed_by": getpass.getuser(), "reason": reason})
    except UnavailableError as error:
        _explain_interruption(service, error)
        raise
    report = _wait_for_fills(service, wait)
    _print(report, report.describe(), as_json=as_json)


def add_trading_commands(application: typer.Typer, panel: str) -> None:
    """Add the commands to the command line."""
    for command in (halt, reduce, resume, flatten):
        application.command(rich_help_panel=panel)(command)


def connect_to_trader() -> ServiceClient:
    """The running fund's portfoliomanager. Raises ConfigurationError where the folder holds no fund."""
    folder = FundFolder.from_environment()
    if not folder.root.is_dir():
        raise ConfigurationError(f"there is no fund in {folder.root}; FUND_HOME names the folder of another one")
    return connect(folder, Addresses.from_environment()).portfoliomanager


def _set_state(state: str, reason: str, *, as_json: bool) -> None:
    body = {"state": state, "changed_by": getpass.getuser(), "reason": reason}
    try:
        answer = TradingState.model_validate(connect_to_trader().put("/trading-state", body))
    except UnavailableError as error:
        raise UnavailableError(
            f"{error.detail} The trading state is not changed. While portfoliomanager is down nothing is sent; set "
            "`suspend_trade` in the broker's account configuration to be sure of it when it starts."
        ) from error
    _print(answer, [*answer.describe(), *answer.describe_orders()], as_json=as_json)


def _explain_interruption(service: ServiceClient, error: UnavailableError) -> None:
    """Raise the error with what holds all the same, where the fund was reached before it."""
    try:
        state = TradingState.read(service)
    except FundError:
        return
    if state.cause == "flatten":
        raise UnavailableError(
            f"{error.detail} Trading is halted all the same, and closing goes on by itself: `fund flatten` again says "
            "how far it is."
        ) from error


def _wait_for_fills(service: ServiceClient, seconds: float) -> Flattening:
    """The report, once all is closed, or nothing more can fill before the next open, or the time is over."""
    deadline = time.monotonic() + seconds
    report = Flattening.model_validate(service.get("/flatten"))
    while not report.flat and not report.waits_for_open and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
        report = Flattening.model_validate(service.get("/flatten"))
    return report


def _print(answer: BaseModel, lines: list[str], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(answer.model_dump(mode="json"), indent=2))
        return
    console = Console(soft_wrap=True, highlight=False)
    for line in lines:
        console.print(escape(line))
