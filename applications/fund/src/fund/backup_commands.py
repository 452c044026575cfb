"""`fund backup` and `fund restore`: the fund in one file, and back."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress

from fund.folder import FundFolder
from internal.modes import Mode

if TYPE_CHECKING:
    from fund.restore import Restored

FileArgument = Annotated[Path, typer.Argument(dir_okay=False, help="The backup, FILE.tar.gz.")]
ReplaceOption = Annotated[
    bool, typer.Option("--replace", help="Replace the fund in FUND_HOME; its folder is kept beside it.")
]


commands = typer.Typer(add_completion=False)


@commands.command()
def backup(file: FileArgument) -> None:
    """Write lake, journal, models and settings into one file, while the fund runs or not. It holds no keys."""
    from fund.backup import write_backup

    console = Console(soft_wrap=True, highlight=False)
    with _progress(console, "writing") as advance:
        manifest = write_backup(FundFolder.from_environment(), file, _now(), advance)
    console.print(escape(f"{file}: {manifest.describe()}"))
    console.print("Keys are not in it: keep those of the broker and the vendor elsewhere.")


@commands.command()
def restore(file: FileArgument, *, replace: ReplaceOption = False) -> None:
    """Restore a backup into FUND_HOME, with trading halted until `./fund resume`."""
    from fund.restore import restore_backup

    folder, console = FundFolder.from_environment(), Console(soft_wrap=True, highlight=False)
    with _progress(console, "unpacking") as advance:
        restored = restore_backup(file, folder, _now(), replace=replace, advance=advance)
    for line in describe_restored(restored, folder):
        console.print(escape(line))


def describe_restored(restored: "Restored", folder: FundFolder) -> list[str]:
    """What was restored, and what to do next."""
    lines = [f"{folder.root}: {restored.manifest.describe()}"]
    if restored.replaced is not None:
        lines.append(f"The folder before is kept as {restored.replaced}; delete it when all is well.")
    record, is_simulated = folder.read_record(), restored.manifest.mode is Mode.SIMULATED
    has_own_exchange = is_simulated and (record is None or record.mode is Mode.SIMULATED)
    if has_own_exchange and not folder.state("exchange").exists():
        lines.append(
            "The simulated exchange starts again: it has none of the account's orders and positions. To let the "
            "journal follow it, see `broker-lost-orders` in docs/operations/backup.md."
        )
    if not has_own_exchange and not (folder.root / "secrets").exists():
        lines.append("A backup holds no keys: write them with `./fund init`, or set NAME_FILE for each.")
    start = "./fund up" if is_simulated and not folder.settings_file.exists() else "./fund run"
    lines.append(
        f"Trading is halted. Start the fund (`{start}`): it collects the sessions since, reconciles with the broker "
        "and takes its own orders back into the journal. Compare `./fund orders` with the broker's page, then "
        "`./fund resume`."
    )
    return lines


@contextmanager
def _progress(console: Console, words: str) -> Generator[Callable[[int, int], None]]:
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task(words, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)
