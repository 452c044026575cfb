"""Every task of maskfile.md: it exists, is written safely, and says what is missing.

The tasks are read and run by the real `mask` where it is installed, and always by a small reader of the same headings,
so that the file is tested on a machine without mask too.
"""

import json
import os
import re
import shutil
import subprocess
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
MASKFILE = ROOT / "maskfile.md"
TASKS = {
    *("development python " + verb for verb in ("install", "format", "lint", "types", "test", "test-long")),
    *("development python " + verb for verb in ("dead-code", "imports")),
    "development quality",
    "development audit",
    "development pin-images",
    "development workflows",
    "development ray-test",
    "development clouds-test",
    "development clients-test",
    "development browser-test",
    "development swarm-test",
    "development parity",
    "development chaos",
    "development live",
    "development week",
    *("infrastructure base " + verb for verb in ("up", "down")),
    "infrastructure destroy",
    *("applications " + verb for verb in ("build", "up", "down", "start", "models")),
    "test",
    *("docker context " + name for name in ("local", "production")),
    *("docker services " + verb for verb in ("ls", "logs", "inspect")),
    *("secrets " + verb for verb in ("list", "create", "rotate")),
    *("logs " + stack for stack in ("infrastructure", "applications")),
    *("docs " + verb for verb in ("build", "check", "serve")),
    *("pages " + verb for verb in ("bundle", "picture")),
    "status",
    *("models " + verb for verb in ("train", "evaluate", "backtest")),
    *("fund " + verb for verb in ("init", "run", "service", "up", "status", "down")),
    *(
        "benchmarks " + name
        for name in (
            "tft",
            "forecasts",
            "parity",
            "exchange",
            "trading",
            "engine",
            "quarantine",
            "reads",
            "training",
            "run",
            "pages",
        )
    ),
}
NO_ENGINE = {"DOCKER_HOST": "unix:///nonexistent/docker.sock"}


def read_sections() -> Iterator[tuple[str, list[str], str]]:
    """Task, argument names and script of every heading that has a script, read from the Markdown itself."""
    path: list[str] = []
    for section in re.split(r"^(?=##+ )", MASKFILE.read_text(), flags=re.MULTILINE)[1:]:
        heading, _, body = section.partition("\n")
        marks, name, *arguments = heading.split()
        path = [*path[: len(marks) - 2], name]
        if block := re.search(r"^```bash\n(.*?)^```", body, flags=re.MULTILINE | re.DOTALL):
            yield " ".join(path), [argument.strip("()") for argument in arguments], block[1]


def read_headings() -> dict[str, str]:
    """Task and script, by the small reader."""
    return {task: script for task, _, script in read_sections()}


def ask_mask() -> dict[str, str]:
    """Task and script of every command, as the real mask understands the file."""
    command = ["mask", "--maskfile", str(MASKFILE), "--introspect"]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - a fixed command

    def walk(commands: list[dict[str, Any]], path: str) -> Iterator[tuple[str, str]]:
        for entry in commands:
            if entry["script"]:
                yield f"{path}{entry['name']}", entry["script"]["source"]
            yield from walk(entry["subcommands"], f"{path}{entry['name']} ")

    return dict(walk(json.loads(answer.stdout)["commands"], ""))


READERS = [read_headings, *([ask_mask] if shutil.which("mask") else [])]


@pytest.fixture(params=READERS, ids=lambda reader: reader.__name__)
def scripts(request: pytest.FixtureRequest) -> dict[str, str]:
    """Every task's script, by each reader that is there."""
    reader: Callable[[], dict[str, str]] = request.param
    return reader()


def run_task(task: str, *arguments: str, sent: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a task with the real mask where it is, else its script with what mask would set."""
    environment = os.environ | {"UV_NO_SYNC": "1", "UV_FROZEN": "1", "MASKFILE_DIR": str(ROOT)} | variables
    command = ["mask", "--maskfile", str(MASKFILE), *task.split(), *arguments]
    if not shutil.which("mask"):
        names, script = next((names, script) for found, names, script in read_sections() if found == task)
        command = ["bash", "-c", script]
        environment |= dict(zip(names, arguments, strict=True))
    return subprocess.run(  # noqa: S603 - our own tasks
        command, env=environment, input=sent, capture_output=True, text=True, check=False, timeout=120
    )


def test_all_tasks_are_there(scripts: dict[str, str]) -> None:
    """The file holds exactly the tasks of the product, under the product's names."""
    assert set(scripts) == TASKS


def test_scripts_stop_at_the_first_fault(scripts: dict[str, str]) -> None:
    """Each script is valid bash and does not run on after a failed command."""
    for task, script in scripts.items():
        checked = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True, check=False)  # noqa: S607 - the machine's bash
        assert checked.returncode == 0, f"{task}: {checked.stderr}"
        assert re.match(r"set -euo pipefail\n", script), task


def test_readers_agree() -> None:
    """Whoever reads the file sees the same tasks with the same scripts."""
    first, *others = (reader() for reader in READERS)
    assert all(other == first for other in others)


def test_quality_runs_what_ci_runs(scripts: dict[str, str]) -> None:
    """Each check that .ci/run makes is a task, and `development quality` runs it."""
    steps = re.findall(r'^step "[^"]+" ((?:uv run|\./fund) .+)$', (ROOT / ".ci" / "run").read_text(), re.MULTILINE)
    assert len(steps) >= 7
    quality = set(re.findall(r"^mask development (?:python )?(\S+)", scripts["development quality"], re.MULTILINE))
    for command in steps:
        words = " ".join(command.replace("--check", "").split()[:4])
        tasks = {task.split()[-1] for task, script in scripts.items() if words.removesuffix(" .") in script}
        assert tasks & quality, command


@pytest.mark.parametrize("task", ["development parity", "development chaos", "development week"])
def test_checks_of_whole_funds_start(scripts: dict[str, str], task: str) -> None:
    """What no suite runs finds at least its modules."""
    (command,) = re.findall(r"^.*uv run --directory tests python -m [\w.]+", scripts[task], re.MULTILINE)
    environment = os.environ | {"UV_NO_SYNC": "1", "UV_FROZEN": "1"}
    words = ["bash", "-c", f"{command} --help"]
    result = subprocess.run(words, env=environment, capture_output=True, text=True, check=False, cwd=ROOT, timeout=120)  # noqa: S603 - our own tasks
    assert (result.returncode, "usage:" in result.stdout) == (0, True), result.stderr


def test_mise_tasks_call_mask(scripts: dict[str, str]) -> None:
    """mise.toml holds the two tasks of the original workflow, and each calls one task of this file."""
    tasks: dict[str, dict[str, str]] = tomllib.loads((ROOT / "mise.toml").read_text())["tasks"]
    assert set(tasks) == {"python:install", "lint"}
    for task in tasks.values():
        assert task["run"].removeprefix("mask ") in scripts


@pytest.mark.parametrize(
    "task",
    [
        *("infrastructure base up", "infrastructure base down"),
        *("applications up", "applications down", "applications start"),
        *("docker services ls", "secrets list", "logs applications", "logs infrastructure"),
    ],
)
def test_no_engine_is_a_failure(task: str) -> None:
    """Without a Docker engine (or without docker at all) a Swarm task fails and says so."""
    result = run_task(task, **NO_ENGINE)
    assert result.returncode != 0
    assert "docker" in result.stderr.lower()


@pytest.mark.parametrize("task", ["docker services logs", "docker services inspect", "applications models"])
def test_no_engine_is_a_failure_with_an_argument(task: str) -> None:
    """The tasks about one service or command fail alike."""
    result = run_task(task, "applications_datamanager", **NO_ENGINE)
    assert result.returncode != 0
    assert "docker" in result.stderr.lower()


def test_unknown_secret_is_refused() -> None:
    """A misspelt secret is refused before docker is asked, with the names that exist."""
    result = run_task("secrets create", "ALPACA_SECRET", **NO_ENGINE)
    assert result.returncode == 1
    assert "ALPACA_API_SECRET" in result.stderr


@pytest.mark.parametrize("verb", ["create", "rotate"])
def test_known_secret_reaches_docker(verb: str) -> None:
    """A known name passes the check; without an engine it is docker that fails."""
    result = run_task(f"secrets {verb}", "ALPACA_API_SECRET", sent="value", **NO_ENGINE)
    assert result.returncode != 0
    assert "docker" in result.stderr.lower()


def test_production_context_needs_a_host(tmp_path: Path) -> None:
    """The first use of the production context asks for the manager's address."""
    result = run_task("docker context production", DOCKER_CONFIG=str(tmp_path))
    assert result.returncode == 1
    assert "--host ssh://" in result.stderr


def test_smoke_of_nothing_fails() -> None:
    """`mask test` with no service running ends with 1 and a table of what did not answer."""
    nowhere = {f"{name}_URL": "http://127.0.0.1:9" for name in ("EXCHANGE", "DATAMANAGER", "PORTFOLIOMANAGER")}
    result = run_task("test", **nowhere)
    assert result.returncode == 1
    assert "no answer from http://127.0.0.1:9" in result.stdout
