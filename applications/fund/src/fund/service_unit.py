"""The systemd unit that runs `fund run` as a service of the machine or of its user, as text and checked."""

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from internal.errors import ConfigurationError

NAME: Final = "pocketsizefund"
SECONDS: Final = 60.0
TEMPLATE: Final = """\
# Written by `./fund service install`; `./fund service uninstall` removes it.
[Unit]
Description=pocketsizefund, the fund of {home}
After=network-online.target time-sync.target
Wants=network-online.target
StartLimitIntervalSec=1h
StartLimitBurst=10

[Service]
Type=exec
{owner}WorkingDirectory={checkout}
Environment="FUND_HOME={home}" PYTHONUNBUFFERED=1
ExecStart="{python}" -m fund run
Restart=on-failure
RestartSec=30
# SIGTERM to the command alone: it ends its services in order, and itself as after Ctrl-C
KillMode=mixed
SuccessExitStatus=130
TimeoutStopSec=90
UMask=0077
NoNewPrivileges=true
{sandbox}
[Install]
WantedBy={target}
"""
SANDBOX: Final = "PrivateTmp=true\nProtectSystem=full\nProtectKernelTunables=true\nProtectControlGroups=true\n"


@dataclass(frozen=True)
class Unit:
    """One unit.

    Attributes:
        home: The fund's folder.
        checkout: The working directory.
        python: The interpreter that has the fund's packages.
        owner: Who runs it as a service of the machine; None as a service of the user who installs it.
    """

    home: Path
    checkout: Path
    python: Path
    owner: str | None = None

    @property
    def text(self) -> str:
        """The unit's file."""
        return TEMPLATE.format(
            home=quote(self.home),
            checkout=str(self.checkout).replace("%", "%%"),
            python=quote(self.python),
            owner=f"User={self.owner}\n" if self.owner else "",
            sandbox=SANDBOX if self.owner else "",
            target="multi-user.target" if self.owner else "default.target",
        )

    @property
    def scope(self) -> list[str]:
        """The option of systemd's commands for it."""
        return [] if self.owner else ["--user"]


def quote(path: Path) -> str:
    """A path within double quotes of a unit.

    Raises:
        ConfigurationError: It has a character that a unit cannot hold.
    """
    text = str(path)
    if "\n" in text:
        raise ConfigurationError(f"{text!r} has a line break, which a systemd unit cannot hold: move the folder")
    for character, escaped in (("\\", "\\\\"), ('"', '\\"'), ("%", "%%")):
        text = text.replace(character, escaped)
    return text


def check_unit(unit: Unit) -> bool:
    """Have systemd check the unit; whether there is a systemd that could.

    Raises:
        ConfigurationError: It finds a fault; the message is its own.
    """
    program = shutil.which("systemd-analyze")
    if program is None:
        return False
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"{NAME}.service")
        path.write_text(unit.text)
        words = [program, *unit.scope, "--man=no", "--recursive-errors=no", "verify", str(path)]
        own = os.environ | {"XDG_RUNTIME_DIR": folder}  # it makes a folder there also where no user's manager runs
        found = subprocess.run(words, env=own, capture_output=True, check=False, text=True, timeout=SECONDS)  # noqa: S603 - the machine's systemd
    if found.returncode != 0:
        raise ConfigurationError(f"systemd refuses the unit: {(found.stderr or found.stdout).strip()}")
    return True
