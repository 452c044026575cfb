"""`fund arm --live` and `fund disarm`: whether the running fund may send orders with real money."""

import getpass
import json
from typing import Annotated

import typer

from fund.arming_answers import ArmingAnswer
from fund.options import JsonOption
from fund.trader import connect_to_trader
from internal.errors import ConfigurationError
from internal.modes import Mode
from internal.terminal_lines import echo_lines

DAYS = 30

commands = typer.Typer(add_completion=False)


@commands.command()
def arm(
    *,
    live: Annotated[bool, typer.Option("--live", help="Arm real money; else only show what would be armed.")] = False,
    days: Annotated[int, typer.Option("--for", min=1, max=366, help="Days until only exits are sent any more.")] = DAYS,
    without_evidence: Annotated[
        str, typer.Option("--without-evidence", metavar="NAME", help="The model or strategy that nothing speaks for.")
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """Allow live orders: shows what will be traded, and asks for the account's number; first comes a dry run."""
    service = connect_to_trader()
    shown = ArmingAnswer.model_validate(service.get("/arming"))
    if not as_json:
        echo_lines([*shown.describe_state(), *shown.describe_trading()])
    if not live or shown.mode is not Mode.LIVE:
        _finish(shown, as_json=as_json)
        return
    if not shown.evidence_is_enough and without_evidence != shown.evidence_name:
        raise ConfigurationError(
            f"nothing shows that {shown.evidence_name} earns more than it costs. To trade it with real money all the "
            f"same, name it: ./fund arm --live --without-evidence {shown.evidence_name}"
        )
    number = typer.prompt(f"Real money for {days} days. Type the number of the broker's account to arm it", err=True)
    body = {
        "account_number": number.strip(),
        "digest": shown.digest,
        "armed_by": getpass.getuser(),
        "days": days,
        "without_evidence": without_evidence,
    }
    _finish(ArmingAnswer.model_validate(service.post("/arming", body)), as_json=as_json)


@commands.command()
def disarm(*, as_json: JsonOption = False) -> None:
    """Open nothing more with real money; positions are closed as decided, at once by `./fund flatten`."""
    answer = connect_to_trader().delete("/arming", {"disarmed_by": getpass.getuser()})
    _finish(ArmingAnswer.model_validate(answer), as_json=as_json)


def _finish(answer: ArmingAnswer, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(answer.model_dump(mode="json"), indent=2))
    else:
        echo_lines(answer.describe_state())
