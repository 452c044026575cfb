"""`fund service`: the fund as a systemd service, which starts with the machine and is started again when it ends."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from fund.folder import FundFolder
from fund.service_unit import NAME, Unit, check_unit
from fund.version import CHECKOUT
from internal.atomic_files import write_atomically

commands = typer.Typer(no_args_is_help=True, add_completion=False)
SystemOption = Annotated[
    bool, typer.Option("--system", help="A service of the machine, as root, instead of one of the user.")
]
OwnerOption = Annotated[str | None, typer.Option("--user", help="Who runs it, with --system; the folder's owner.")]


@commands.callback()
def service() -> None:
    """The fund as a service of this machine (systemd)."""


@commands.command()
def install(*, system: SystemOption = False, owner: OwnerOption = None) -> None:
    """Write and check the unit of this folder's fund, and have it started with the machine."""
    from fund.completeness import require_complete

    folder, console = FundFolder.from_environment(), Console(soft_wrap=True, highlight=False)
    require_complete(folder)
    unit = Unit(folder.root, CHECKOUT, Path(sys.executable), (owner or folder.root.owner()) if system else None)
    checked = check_unit(unit)
    path = unit_path(system=system)
    write_atomically(path, unit.text)
    console.print(f"Wrote {escape(str(path))}" + (", which systemd finds right." if checked else "; not checked."))
    for words in ((*unit.scope, "daemon-reload"), (*unit.scope, "enable", "--now", NAME)):
        if not run_systemctl(words):
            console.print(f"  run: systemctl {' '.join(words)}")
    if not system:
        console.print("  so that it runs while you are not logged in: loginctl enable-linger")
    console.print(f"  its output: journalctl {'' if system else '--user '}-u {NAME} -f")


@commands.command()
def uninstall(*, system: SystemOption = False) -> None:
    """End the service and remove its unit; the fund's folder stays."""
    console, path = Console(soft_wrap=True, highlight=False), unit_path(system=system)
    if not path.exists():
        console.print("No service is installed.")
        return
    scope = [] if system else ["--user"]
    run_systemctl((*scope, "disable", "--now", NAME))
    path.unlink()
    run_systemctl((*scope, "daemon-reload"))
    console.print(f"Removed {escape(str(path))}.")


@commands.command()
def status(*, system: SystemOption = False) -> None:
    """Show what systemd says of the service; exit code 1 where none is installed."""
    console, path = Console(soft_wrap=True, highlight=False), unit_path(system=system)
    if not path.exists():
        console.print("No service is installed: ./fund service install")
        raise typer.Exit(1)
    console.print(escape(str(path)))
    if not run_systemctl((*([] if system else ["--user"]), "status", "--no-pager", NAME), shows=True):
        raise typer.Exit(1)


def unit_path(*, system: bool) -> Path:
    """Where systemd looks for the unit."""
    if system:
        return Path("/etc/systemd/system", f"{NAME}.service")
    settings = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return settings / "systemd" / "user" / f"{NAME}.service"


def run_systemctl(words: tuple[str, ...], *, shows: bool = False) -> bool:
    """Run systemctl; whether it is there and succeeded."""
    program = shutil.which("systemctl")
    if program is None:
        return False
    ended = subprocess.run([program, *words], check=False, capture_output=not shows)  # noqa: S603 - the machine's systemd
    return ended.returncode == 0
