"""The local stack against Pulumi's mocks: which commands it runs, and what makes it deploy again."""

import json
from pathlib import Path

import pytest

from infrastructure import local
from infrastructure.configuration import ConfigurationError
from infrastructure.swarm import variables
from infrastructure.tests.pulumi_kit import run_program

COMMAND = "command:local:Command"
MODULE = "uv run --frozen --no-sync python -m infrastructure.swarm."


def test_the_same_commands_as_a_persons_tasks() -> None:
    """Networks, secrets and both stacks, by the commands of infrastructure/swarm, and nothing of AWS."""
    recorder = run_program({"place": "local", "stacks": json.dumps(["infrastructure", "applications"])})
    commands = {name: one.inputs["create"] for name, one in recorder.of_kind(COMMAND).items()}
    assert commands.pop("swarm").endswith('import make_swarm; make_swarm()"')
    assert commands == {
        "networks": f"{MODULE}networks up",
        "missing-secrets": f"{MODULE}secrets fill",
        "stack-infrastructure": f"{MODULE}deploy infrastructure",
        "stack-applications": f"{MODULE}deploy applications",
    }
    assert {COMMAND} == {one.kind for one in recorder.asked}


def test_a_secret_is_rotated_by_standard_input() -> None:
    """A configured secret is made, or rotated where it is there already, with its value in no command."""
    recorder = run_program({"place": "local", "POLYGON_API_KEY": "canary"}, ["POLYGON_API_KEY"])
    secret = recorder.of_kind(COMMAND)["secret-POLYGON_API_KEY"]
    assert secret.inputs["create"] == secret.inputs["update"] == f"{MODULE}secrets settle POLYGON_API_KEY"
    assert secret.inputs["stdin"] == "canary"
    assert {"stdin"} == secret.secrets
    assert "canary" not in json.dumps([{**one.inputs, "stdin": ""} for one in recorder.asked])


def test_a_change_deploys_over_what_runs() -> None:
    """A stack has a command to update it and no triggers, which would remove and recreate it."""
    (stack,) = [one for one in run_program({"place": "local"}).asked if one.name == "stack-infrastructure"]
    assert stack.inputs["update"] == stack.inputs["create"]
    assert "triggers" not in stack.inputs
    assert stack.inputs["environment"]["CONTENT"].splitlines() == local.content_hashes("infrastructure", {})


def test_only_a_changed_file_deploys_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hashes follow the bytes of the stack's files and of the configs that they name, and nothing else."""
    for name in ("stacks/one.yaml", "config.yaml", "other.yaml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / "stacks/one.yaml").write_text(
        "configs: {one: {name: 'one-${ONE_HASH}', file: ../config.yaml}}\nservices: {}\n"
    )
    (tmp_path / "config.yaml").write_text("a: 1\n")
    monkeypatch.setattr(variables, "FOLDER", tmp_path / "stacks")
    monkeypatch.setattr(variables, "FILES", {"infrastructure": ("one.yaml",)})
    first = local.content_hashes("infrastructure", {})
    (tmp_path / "other.yaml").write_text("a file of no stack")
    assert first == local.content_hashes("infrastructure", {})
    (tmp_path / "config.yaml").write_text("a: 2\n")
    second = local.content_hashes("infrastructure", {})
    assert [place for place, (old, new) in enumerate(zip(first, second, strict=True)) if old != new] == [1]
    with (tmp_path / "stacks/one.yaml").open("a") as file:
        file.write("# a comment\n")
    third = local.content_hashes("infrastructure", {})
    assert [place for place, (old, new) in enumerate(zip(second, third, strict=True)) if old != new] == [0]


@pytest.mark.parametrize(("key", "value"), [("place", "moon"), ("stacks", '["monitoring"]')])
def test_an_unknown_place_or_stack_is_refused(key: str, value: str) -> None:
    """An unknown name is refused, and the known ones are listed."""
    with pytest.raises(ConfigurationError, match=f"{key} must be one of"):
        run_program({"place": "local", key: value})
