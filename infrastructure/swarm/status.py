"""What `mask status` shows of the Swarm: each service, its image, how many of its tasks run, its last update.

python -m infrastructure.swarm.status       # 1 when a service lacks a task
"""

import sys

from rich.console import Console
from rich.table import Table

from infrastructure.names import STACKS
from infrastructure.swarm.convergence import replicas
from infrastructure.swarm.deploy import service_ids
from infrastructure.swarm.docker import Json, docker, field, inspect, run_command, stacks_there


def show() -> int:
    """Print one row a service; the status: 0 when every service of both stacks has all its tasks."""
    console = Console(width=None if sys.stdout.isatty() else 150)
    there = stacks_there()
    services = [service for stack in STACKS if stack in there for service in inspect("service", *service_ids(stack))]
    table = Table("service", "image", "tasks", "last update", title=f"Swarm, context {docker('context', 'show')}")
    rows = [_row(service) for service in sorted(services, key=lambda one: str(one["Spec"]["Name"]))]
    for row in rows:
        table.add_row(*row)
    console.print(table)
    for stack in STACKS:
        if stack not in there:
            console.print(f"stack {stack} is not deployed")
    return 0 if there.issuperset(STACKS) and all(len(set(row[2].split("/"))) == 1 for row in rows) else 1


def _row(service: Json) -> tuple[str, str, str, str]:
    image = str(service["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"]).partition("@")[0]
    update = field(service, "UpdateStatus")
    when = f"{update.get('State', 'none')} {str(update.get('CompletedAt', ''))[:19]}".strip()
    return str(service["Spec"]["Name"]), image, replicas(service["ID"]), when


if __name__ == "__main__":
    sys.exit(run_command(show))
