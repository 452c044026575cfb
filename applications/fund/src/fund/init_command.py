"""`fund init`: asks what a fund needs to run, checks what can be checked, and writes fund.toml and the secrets."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape

from fund.folder import FundFolder
from fund.stakes import choose_broker_url, show_banner
from internal.errors import ConfigurationError
from internal.modes import Mode, mode_of

if TYPE_CHECKING:
    from fund.init_answers import Given

NO_ANSWERS = (
    "standard input ended before all questions were answered, and nothing was written. Without a terminal, give the "
    "answers as options and `--yes`, as in `./fund init --yes --mode simulated`; `./fund init --help` lists them"
)
KEY_HELP = "NAME=FILE, a secret from a file: ALPACA_API_KEY_ID, ALPACA_API_SECRET, POLYGON_API_KEY, NOTIFICATION_URLS."


commands = typer.Typer(add_completion=False)


@commands.command()
def init(  # noqa: PLR0913 - one argument an option of the command line
    *,
    mode: Annotated[str | None, typer.Option("--mode", help="simulated (the default), paper or live.")] = None,
    vendor: Annotated[
        str | None, typer.Option("--vendor", help="Of market data: polygon (the default), alpaca or files.")
    ] = None,
    edgar: Annotated[
        str | None, typer.Option("--edgar", help="Name and e-mail address, which the SEC asks for; no default.")
    ] = None,
    capital: Annotated[
        str | None, typer.Option("--capital", help="Dollars, or a share such as 50%; by default the whole account.")
    ] = None,
    strategy: Annotated[
        str | None, typer.Option("--strategy", help="FILE.py:Class; by default strategies/ten_by_ten.py:TenByTen.")
    ] = None,
    model: Annotated[
        str | None, typer.Option("--model", help="What is trained: full (the default) or small (minutes).")
    ] = None,
    limit: Annotated[list[str] | None, typer.Option("--limit", help="NAME=VALUE, such as daily_loss=0.03.")] = None,
    key: Annotated[list[str] | None, typer.Option("--key", help=KEY_HELP)] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing: take the options, keep everything else.")] = False,
) -> None:
    """Set up a fund to run: simulated, on paper or live. Run again, it changes only what is answered.

    It asks for what is not given, and offers what fund.toml holds or else the default: `Enter` takes it. Without
    questions, for paper: ./fund init --yes --mode paper --key ALPACA_API_KEY_ID=id.txt --key ALPACA_API_SECRET=key.txt
    """
    from fund.init_answers import Given

    given = Given(mode, vendor, edgar, capital, strategy, model, tuple(limit or ()))
    try:
        set_up(given, tuple(key or ()), asks=not yes)
    except typer.Abort as error:
        if sys.stdin.isatty():
            raise
        typer.echo(err=True)  # the cursor is behind a question
        raise ConfigurationError(NO_ANSWERS) from error


def set_up(given: "Given", keys: tuple[str, ...], *, asks: bool) -> None:
    """Ask what is not given, check the answers, and write them.

    Raises:
        ConfigurationError: An answer is wrong.
        typer.Abort: The person stopped, or standard input ended before the last answer.
    """
    from fund.init_answers import Answers
    from fund.init_checks import check_strategy, check_targets
    from fund.init_secrets import check_broker, collect_secrets, list_missing
    from fund.settings.secrets import write_secret
    from fund.settings.toml_file import write_document
    from internal.interrupts import interrupt_waits

    interrupt_waits()
    folder, console = FundFolder.from_environment(), Console(soft_wrap=True, highlight=False)
    answers = Answers.read(folder.settings_file)
    answers.ask(given, asks=asks)
    settings = answers.settings
    folder.require_mode(settings.mode)
    folder.require_lake(settings.storage.data_bucket)
    check_strategy(settings)
    secrets = collect_secrets(folder.root, settings, keys, asks=asks)
    check_targets(secrets, settings.messages.telegram_chats)
    url = None if settings.mode is Mode.SIMULATED else choose_broker_url(settings.mode)
    checked = None if url is None else check_broker(folder.root, url, secrets)
    folder.make_private()
    write_document(folder.settings_file, answers.document)
    for secret, value in secrets.items():
        write_secret(folder.root, secret, value)
    show_banner(Mode.SIMULATED if url is None else mode_of(url))
    console.print(f"Wrote {escape(str(folder.settings_file))}" + "".join(f", {secret}" for secret in secrets))
    if checked is not None:
        console.print(escape(checked))
    show_next_steps(folder.root, settings.mode, list_missing(folder.root, settings), console)


def show_next_steps(root: Path, mode: Mode, missing: list[Path], console: Console) -> None:
    """Print what to do next."""
    console.print("Next:")
    for path in missing:
        console.print(f"  write the key into {escape(str(path))} (chmod 600), or run `./fund init` again")
    console.print("  ./fund run               collects two years of bars, trains, and trades")
    console.print("  ./fund service install   the same as a service of this machine")
    if mode is Mode.LIVE:
        console.print("  ./fund arm --live        without it no order is sent")
    console.print(f"  change any setting in {escape(str(root / 'fund.toml'))}: see docs/reference/fund_toml.md")
