"""The start-up steps of the Swarm, with the time that each one took."""

import time
from dataclasses import dataclass, field

from swarm.cluster import Cluster

INDEX_CANARY = "canary-of-the-package-index.example"  # among the settings that the build alone may see


@dataclass
class Rise:
    """How long each step from nothing to a trading fund took, in seconds."""

    steps: dict[str, float] = field(default_factory=dict)

    def take(self, cluster: Cluster, task: str, *arguments: str, seconds: float = 600, **variables: str) -> str:
        """Run a task and keep its time."""
        started = time.monotonic()
        printed = cluster.task(task, *arguments, seconds=seconds, **variables)
        self.steps[task] = time.monotonic() - started
        return printed

    def __str__(self) -> str:
        listed = ", ".join(f"{task} {seconds:.0f} s" for task, seconds in self.steps.items())
        return f"{sum(self.steps.values()):.0f} s ({listed})"
