"""One Swarm for all proofs, made as a user makes it: base up, build, applications up, and the fund's first steps.

Knows the order of the tasks and where their results are found. The time that each took is kept for the first proof.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from swarm.cluster import Cluster
from swarm.engine import Engine
from swarm.proofs import LINES

NODES = 3


@dataclass
class Rise:
    """How long each step from nothing to a trading fund took, in seconds."""

    steps: dict[str, float] = field(default_factory=dict)

    def take(self, cluster: Cluster, task: str, *arguments: str, seconds: float = 600) -> str:
        """Run a task and keep its time."""
        started = time.monotonic()
        printed = cluster.task(task, *arguments, seconds=seconds)
        self.steps[task] = time.monotonic() - started
        return printed

    def __str__(self) -> str:
        told = ", ".join(f"{task} {seconds:.0f} s" for task, seconds in self.steps.items())
        return f"{sum(self.steps.values()):.0f} s ({told})"


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Three engines that know nothing of one another yet; removed whole."""
    with Engine(tmp_path_factory.mktemp("swarm") / "engine", nodes=NODES) as engine:
        yield engine


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show what was proved, with its figures."""
    if LINES:
        terminalreporter.section("what was proved")
        terminalreporter.write("".join(f"{line}\n" for line in LINES))
