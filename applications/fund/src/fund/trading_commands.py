"""`fund halt`, `reduce`, `resume` and `flatten`: what the running fund may send, changed by its owner."""

import getpass
import json
import sys
import time
from typing import Annotated

import typer

from fund.options import JsonOption
from fund.service_client import Json, ServiceClient
from fund.trader import connect_to_trader
from fund.trading_answers import Flattening, TradingStateAnswer
from internal.errors import FundError, UnavailableError
from internal.terminal_lines import echo_lines
from internal.trading.trading_state import LOSSES_ACCEPTED, NO_REASON, TradingState

CONFIRMING_WORD = "RESUME"
POLL_SECONDS = 1.0

commands = typer.Typer(add_completion=False)

ReasonOption = Annotated[str, typer.Option("--reason", help="Why, in one sentence; shown with the state.")]
WaitOption = Annotated[
    float, typer.Option("--wait", min=0, help="Seconds to wait for the fills while the market is open.")
]


@commands.command()
def halt(*, reason: ReasonOption = NO_REASON, as_json: JsonOption = False) -> None:
    """Stop sending orders, exits included, until a person resumes trading."""
    _set_state(TradingState.HALTED, reason, as_json=as_json)


@commands.command()
def reduce(*, reason: ReasonOption = NO_REASON, as_json: JsonOption = False) -> None:
    """Send closes alone, until a person resumes trading."""
    _set_state(TradingState.REDUCE_ONLY, reason, as_json=as_json)


@commands.command()
def resume(*, reason: ReasonOption = NO_REASON, as_json: JsonOption = False) -> None:
    """Trade again: what was planned and not sent is sent, and earlier losses no longer count for the loss limits.

    On a terminal it says so first, and asks for a word; a script is not asked.
    """
    if sys.stdin.isatty() and not as_json:
        _confirm_resume(TradingStateAnswer.read(connect_to_trader()))
    _set_state(TradingState.ACTIVE, reason, as_json=as_json)


@commands.command()
def flatten(*, reason: ReasonOption = NO_REASON, as_json: JsonOption = False, wait: WaitOption = 60.0) -> None:
    """Close every position of the fund's and halt: it stays flat over closes and restarts until a person resumes."""
    service = connect_to_trader()
    try:
        service.post("/flatten", {"changed_by": getpass.getuser(), "reason": reason})
    except UnavailableError as error:
        _explain_interruption(service, error)
        raise
    answer = _wait_for_fills(service, wait)
    _print(answer, Flattening.parse(answer).describe(), as_json=as_json)


def _confirm_resume(present: TradingStateAnswer) -> None:
    """Say what a resume does, and ask for the word; nothing is asked where trading is active. Raises Abort."""
    if present.state is TradingState.ACTIVE:
        return
    echo_lines([*present.describe(), *present.describe_orders(), f"Once it is resumed: {LOSSES_ACCEPTED}"])
    if typer.prompt(f"Type {CONFIRMING_WORD} to trade again", err=True).strip() != CONFIRMING_WORD:
        echo_lines([f"The word was not {CONFIRMING_WORD}: nothing was changed."])
        raise typer.Exit(1)


def _set_state(state: TradingState, reason: str, *, as_json: bool) -> None:
    body = {"state": state, "changed_by": getpass.getuser(), "reason": reason}
    try:
        answer = connect_to_trader().put("/trading-state", body)
    except UnavailableError as error:
        raise UnavailableError(
            f"{error.detail} The trading state is not changed. While portfoliomanager is down nothing is sent; set "
            "`suspend_trade` in the broker's account configuration to be sure of it when it starts."
        ) from error
    shown = TradingStateAnswer.parse(answer)
    accepted = [LOSSES_ACCEPTED] if shown.losses_accepted else []
    _print(answer, [*shown.describe(), *accepted, *shown.describe_orders()], as_json=as_json)


def _explain_interruption(service: ServiceClient, error: UnavailableError) -> None:
    """Raise the error with what holds all the same, where the fund was reached before it."""
    try:
        state = TradingStateAnswer.read(service)
    except FundError:
        return
    if state.cause == "flatten":
        raise UnavailableError(
            f"{error.detail} Trading is halted all the same, and closing goes on by itself: `./fund flatten` again "
            "says how far it is."
        ) from error


def _wait_for_fills(service: ServiceClient, seconds: float) -> Json:
    """The answer, once all is closed, or nothing more can fill before the next open, or the time is over."""
    deadline = time.monotonic() + seconds
    while True:
        answer = service.get("/flatten")
        report = Flattening.parse(answer)
        if report.flat or report.waits_for_open or time.monotonic() >= deadline:
            return answer
        time.sleep(POLL_SECONDS)


def _print(answer: Json, lines: list[str], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(answer, indent=2))
    else:
        echo_lines(lines)
