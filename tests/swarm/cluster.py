"""The Swarm under test: runs the tasks of maskfile.md, reads the engine's view of services, and kills tasks."""

import base64
import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from swarm.node import Node

from infrastructure.swarm.variables import LOCAL, SETTINGS

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 180.0
POLL_SECONDS = 0.25


def wait_until(what: str, true: Callable[[], object], seconds: float = PATIENCE_SECONDS) -> float:
    """Ask until the answer is true; how long that took, in seconds. AssertionError when it never is."""
    started = time.monotonic()
    while not true():
        assert time.monotonic() - started < seconds, f"not within {seconds:.0f} s: {what}"
        time.sleep(POLL_SECONDS)
    return time.monotonic() - started


@dataclass(frozen=True)
class Cluster:
    """One Swarm, by the manager that is asked.

    Args:
        node: The manager.
        variables: What the tasks find in their environment beside `DOCKER_HOST`.
        root: The project's tree whose tasks are run.
    """

    node: Node
    variables: dict[str, str] = field(default_factory=dict)
    root: Path = ROOT

    @property
    def environment(self) -> dict[str, str]:
        """The environment of the docker CLI and of the tasks, without the machine's own settings of stacks."""
        own = {name: value for name, value in os.environ.items() if name not in {*SETTINGS, *LOCAL}}
        return own | self.variables | {"DOCKER_HOST": self.node.docker_host}

    def docker(self, *arguments: str, sent: str | None = None, check: bool = True, both: bool = False) -> str:
        """What `docker ...` prints, with `both` on its two outputs. AssertionError with its own words when it fails."""
        done = subprocess.run(  # noqa: S603 - a fixed command
            ["docker", *arguments],  # noqa: S607 - docker of the PATH, as a user has it
            env=self.environment,
            input=sent,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_SECONDS,
        )
        assert not check or done.returncode == 0, f"docker {' '.join(arguments)}: {done.stderr}"
        return (done.stdout + done.stderr * both).strip()

    def run(self, *words: str, sent: str | None = None, seconds: float = 600, **variables: str) -> str:
        """Run a command in the project's root as a user would; what it printed. AssertionError when it fails."""
        done = subprocess.run(  # noqa: S603 - the project's own commands
            words,
            env=self.environment | variables,
            cwd=self.root,
            input=sent,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=seconds,
        )
        assert done.returncode == 0, f"{' '.join(words)} ended with {done.returncode}:\n{done.stdout[-4000:]}"
        return done.stdout

    def task(self, name: str, *arguments: str, sent: str | None = None, seconds: float = 600, **variables: str) -> str:
        """Run a task of maskfile.md with the real mask; what it printed. AssertionError when it fails."""
        assert shutil.which("mask"), "the proofs run the tasks with mask: cargo install mask --locked"
        words = ("mask", "--maskfile", str(self.root / "maskfile.md"), *name.split(), *arguments)
        return self.run(*words, sent=sent, seconds=seconds, **variables)

    def service(self, name: str) -> dict[str, Any]:
        """A service's definition and state, as the manager has it."""
        found: list[dict[str, Any]] = json.loads(self.docker("service", "inspect", name))
        return found[0]

    def services(self) -> list[str]:
        """The names of all services."""
        return sorted(self.docker("service", "ls", "--format", "{{.Name}}").split())

    def tasks(self, service: str) -> list[dict[str, Any]]:
        """A service's tasks that shall run, as the manager has them."""
        names = self.docker("service", "ps", service, "--quiet", "--no-trunc", "--filter", "desired-state=running")
        return json.loads(self.docker("inspect", "--type", "task", *names.split())) if names else []

    def running(self, service: str) -> list[str]:
        """The containers of a service's tasks that run and passed their health check."""
        states = ((task["Status"], task) for task in self.tasks(service))
        return [status["ContainerStatus"]["ContainerID"] for status, _ in states if status["State"] == "running"]

    def replicas(self, service: str) -> int:
        """How many tasks a service shall have; of a global service, how many it has been given."""
        mode = self.service(service)["Spec"]["Mode"]
        return int(mode["Replicated"]["Replicas"]) if "Replicated" in mode else len(self.tasks(service))

    def settled(self, service: str) -> bool:
        """Whether every task runs and no update is under way."""
        update = self.service(service).get("UpdateStatus", {}).get("State", "completed")
        return update.endswith("completed") and len(self.running(service)) == self.replicas(service) > 0

    def wait_settled(self, *services: str, seconds: float = PATIENCE_SECONDS) -> float:
        """Wait until each service is settled; seconds in all."""
        return sum(wait_until(f"{name} settled", lambda name=name: self.settled(name), seconds) for name in services)

    def process(self, container: str) -> int:
        """The process id of a container's first process, among its node's processes."""
        return int(self.docker("inspect", "--format", "{{.State.Pid}}", container))

    def kill(self, container: str) -> None:
        """`kill -9` of a container's first process: nothing of Docker's own manners is involved."""
        self.node.shell(f"kill -9 {self.process(container)}")

    def secrets(self, container: str) -> dict[str, str]:
        """What a container reads under /run/secrets, by name."""
        folder = f"/proc/{self.process(container)}/root/run/secrets"
        listed = self.node.shell(
            f'cd {folder} 2>/dev/null || exit 0; for name in *; do echo "$name $(base64 -w 0 "$name")"; done'
        )
        rows = (line.split() for line in listed.splitlines())
        return {row[0]: base64.b64decode(row[1]).decode().strip() for row in rows if len(row) == 2}
