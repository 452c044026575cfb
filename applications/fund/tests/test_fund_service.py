"""`fund service`: the unit, as systemd reads it, where it is written, and what has to be there first."""

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from fund.__main__ import application
from fund.interrupts import INTERRUPTED
from fund.service_unit import Unit, check_unit
from internal.errors import ConfigurationError

HAS_SYSTEMD = shutil.which("systemd-analyze") is not None
needs_systemd = pytest.mark.skipif(not HAS_SYSTEMD, reason="systemd-analyze is not installed")


@pytest.fixture
def unit(tmp_path: Path) -> Unit:
    """A unit whose paths hold what a unit's syntax uses."""
    home = tmp_path / 'a "fund" of 5 % and $5'
    home.mkdir()
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\n")
    python.chmod(0o755)
    return Unit(home, tmp_path, python)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for a fund, a user's settings folder, and no systemd that runs."""
    monkeypatch.setenv("FUND_HOME", str(tmp_path / "fund"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "none"))
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={tmp_path / 'none'}")
    return tmp_path / "fund"


def service(*words: str) -> Result:
    """Run `fund service ...`."""
    return CliRunner().invoke(application, ["service", *words])


@needs_systemd
@pytest.mark.parametrize("owner", [None, "root"])
def test_systemd_takes_the_unit(unit: Unit, owner: str | None) -> None:
    """Of the user and of the machine."""
    assert check_unit(replace(unit, owner=owner))


def test_a_stop_is_no_failure(unit: Unit) -> None:
    """The exit code after SIGTERM is a success: a unit that was stopped is inactive, not failed."""
    assert f"SuccessExitStatus={INTERRUPTED}\n" in unit.text


@needs_systemd
def test_systemd_finds_a_fault(unit: Unit) -> None:
    """An interpreter that is not there is refused with systemd's own words."""
    with pytest.raises(ConfigurationError, match=r"systemd refuses the unit: .*is not executable"):
        check_unit(replace(unit, python=unit.checkout / "nothing"))


def test_a_folder_that_no_unit_can_name(unit: Unit) -> None:
    """A line break would begin another line of the unit."""
    with pytest.raises(ConfigurationError, match="line break"):
        _ = replace(unit, home=Path("/a\nExecStart=/bin/false")).text


def test_install_and_uninstall(home: Path, tmp_path: Path) -> None:
    """The unit is written for the user, with the folder and the interpreter, and removed again."""
    CliRunner().invoke(application, ["init", "--yes", "--mode", "simulated"])
    path = tmp_path / "config" / "systemd" / "user" / "pocketsizefund.service"
    installed = service("install")

    assert installed.exit_code == 0, installed.output
    assert f'Environment="FUND_HOME={home}"' in path.read_text()
    assert "systemctl --user enable --now pocketsizefund" in installed.output
    assert service("uninstall").output == f"Removed {path}.\n"
    assert not path.exists()
    assert service("status").exit_code == 1


def test_without_settings(home: Path) -> None:
    """A service has no terminal's environment: fund.toml and the keys must be in the folder."""
    assert not home.exists()
    assert "run `./fund init` first" in getattr(service("install").exception, "detail", "")


def test_units_are_what_the_shell_shows(unit: Unit) -> None:
    """The quoting is undone by systemd's rules: `%%` is `%`, a backslash escapes, `$` is itself."""
    line = next(line for line in unit.text.splitlines() if line.startswith("Environment"))
    quoted = line.split('"FUND_HOME=', 1)[1].rsplit('" PYTHON', 1)[0]
    shown = subprocess.run(["printf", "%b", quoted.replace('\\"', '"')], capture_output=True, text=True, check=True)  # noqa: S603, S607 - the shell's own
    assert shown.stdout.replace("%%", "%") == str(unit.home)
