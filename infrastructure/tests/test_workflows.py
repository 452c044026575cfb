"""The workflows of .github: their permissions, what they run, and which need a confirmation."""

import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOWS = {path.stem: path for path in (ROOT / ".github/workflows").glob("*.yaml")}
ACTIONS = sorted((ROOT / ".github/actions").glob("*/action.yaml"))
WRITES = {("images", "packages"), ("launch", "id-token"), ("teardown", "id-token")}  # and nothing else may write
USED = re.compile(r"uses: (\S+)(?: # (\S+))?$", re.MULTILINE)
OWN = re.compile(r"\./\.github/actions/\w+")
PINNED = re.compile(r"[\w-]+/[\w-]+@[0-9a-f]{40} v\d+\.\d+\.\d+")


def read(path: Path) -> dict[str, Any]:
    """A workflow, with its trigger under `on`, which YAML 1.1 reads as True."""
    document: dict[Any, Any] = yaml.safe_load(path.read_text())
    return {"on" if key is True else str(key): value for key, value in document.items()}


def steps_of(path: Path) -> Iterator[Mapping[str, Any]]:
    """The steps of a workflow's jobs, or of a composite action."""
    document = read(path)
    parts = document["jobs"].values() if "jobs" in document else [document["runs"]]
    return (step for part in parts for step in part["steps"])


def test_the_workflows_are_there() -> None:
    """Checks, images, launch and teardown; none runs by the clock, for sessions are the scheduler's."""
    assert set(WORKFLOWS) == {"checks", "images", "launch", "teardown"}
    assert [name for name, path in WORKFLOWS.items() if "schedule" in read(path)["on"]] == []


@pytest.mark.parametrize("path", [*WORKFLOWS.values(), *ACTIONS], ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_actions_are_pinned_and_scripts_have_no_expression(path: Path) -> None:
    """Each action is pinned to a commit, with its version; what others can write reaches scripts by variables alone."""
    for action, version in USED.findall(path.read_text()):
        assert OWN.fullmatch(action) or PINNED.fullmatch(f"{action} {version}"), action
    assert all("${{" not in step.get("run", "") for step in steps_of(path))


def test_an_action_has_one_commit_everywhere() -> None:
    """A new version of an action is taken in every file at once."""
    uses = {use for path in [*WORKFLOWS.values(), *ACTIONS] for use in USED.findall(path.read_text()) if use[1]}
    names = [action.partition("@")[0] for action, _ in uses]
    assert len(names) == len(set(names)) >= 5


def test_zizmor_finds_nothing() -> None:
    """The auditor of workflows, without the network: injection, kept credentials, excess permissions, and more."""
    command = ["zizmor", "--offline", "--quiet", ".github"]
    audit = subprocess.run(command, cwd=ROOT, capture_output=True, check=False, text=True)  # noqa: S603 (fixed words)
    assert audit.returncode == 0, audit.stdout


@pytest.mark.parametrize("name", sorted(WORKFLOWS))
def test_permissions_are_the_least(name: str) -> None:
    """Each workflow states what it may do; only the listed ones may write, each one thing; each job has an end."""
    workflow = read(WORKFLOWS[name])
    granted = [workflow["permissions"], *(job.get("permissions", {}) for job in workflow["jobs"].values())]
    writes = {(name, scope) for scopes in granted for scope, kind in scopes.items() if kind == "write"}
    assert writes == {one for one in WRITES if one[0] == name}
    assert all(job["timeout-minutes"] <= 60 for job in workflow["jobs"].values())


@pytest.mark.parametrize("name", ["launch", "teardown"])
def test_production_is_touched_by_hand_and_one_at_a_time(name: str) -> None:
    """No push and no clock changes production: a person does, in the environment that can ask for a second person."""
    workflow = read(WORKFLOWS[name])
    assert set(workflow["on"]) == {"workflow_dispatch"}
    assert workflow["concurrency"]["group"] == "production"
    (job,) = workflow["jobs"].values()
    assert job["environment"] == "production"
    assert job["env"]["DOCKER_CONTEXT"] == "pocketsizefund-production"


def test_teardown_asks_for_the_name() -> None:
    """Nothing is taken away unless the person has typed the name of what goes."""
    workflow = read(WORKFLOWS["teardown"])
    assert workflow["on"]["workflow_dispatch"]["inputs"]["confirmation"]["required"] is True
    (job,) = workflow["jobs"].values()
    assert job["if"] == "inputs.confirmation == 'pocketsizefund-production'"


@pytest.mark.parametrize(
    ("name", "tasks"),
    [
        ("images", ["applications build --push"]),
        ("launch", ["infrastructure base up", "applications up", "test"]),
        ("teardown", ["infrastructure destroy"]),
    ],
)
def test_a_workflow_runs_the_tasks_of_a_person(name: str, tasks: list[str]) -> None:
    """What a workflow does, a person does with the same words, in the same order."""
    run = [step["run"] for step in steps_of(WORKFLOWS[name]) if step.get("run", "").startswith("mask ")]
    assert [f"mask {task}" for task in tasks] == run
