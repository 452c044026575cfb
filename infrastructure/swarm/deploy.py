"""Deploys one stack, or removes it.

Old configs stay as long as a rollback may need them.

    python -m infrastructure.swarm.deploy applications              # REVISION=... to run other images than this tree's
    python -m infrastructure.swarm.deploy applications --remove
"""

import argparse
import os
import sys
import time
from collections.abc import Mapping, Sequence
from functools import partial

from infrastructure.names import STACKS
from infrastructure.revision import revision
from infrastructure.swarm import secrets
from infrastructure.swarm.convergence import wait_for
from infrastructure.swarm.docker import (
    DockerError,
    docker,
    every,
    field,
    is_production,
    lines,
    mounted,
    run_command,
    say,
    stacks_there,
)
from infrastructure.swarm.variables import files_of, variables_of
from internal.errors import ConfigurationError

STACK_LABEL = "com.docker.stack.namespace"
REMOVAL_SECONDS = 120.0


def deploy(stack: str, environment: Mapping[str, str] = os.environ) -> None:
    """Bring a stack to what its files say, and wait until every service is there.

    Raises:
        ConfigurationError: a variable has no value.
        DockerError: the engine refused, or a service did not come up; it was rolled back if it had run before.
    """
    production = is_production()
    tag = revision(environment)
    if production and "-dirty-" in tag:
        raise ConfigurationError(f"{tag} holds changes that are in no commit: production runs commits only")
    values = variables_of(stack, environment, secrets.current_names(), tag, production=production)
    files = files_of(stack, environment, production=production)
    options = [word for file in files for word in ("--compose-file", str(file))]
    options += ["--with-registry-auth"] if production else ["--resolve-image=never"]  # local images are in no registry
    docker("stack", "deploy", "--prune", *options, stack, variables=dict(environment) | values)
    say(f"stack {stack}: {' + '.join(file.name for file in files)} at {tag}; waiting for its services")
    started = time.monotonic()
    wait_for(*service_ids(stack))
    say(f"stack {stack}: {len(service_ids(stack))} services are up after {time.monotonic() - started:.0f} s")
    remove_unused_configs(stack)


def service_ids(stack: str) -> list[str]:
    """The ids of a stack's services."""
    return lines("service", "ls", "--quiet", "--filter", f"label={STACK_LABEL}={stack}")


def remove_unused_configs(stack: str) -> None:
    """Remove the stack's configs of earlier contents that no service runs with, nor would after a rollback."""
    specifications = [field(service, key) for service in every("service") for key in ("Spec", "PreviousSpec")]
    used = {
        mount["ConfigID"]
        for specification in specifications
        if specification
        for mount in mounted(specification, "Configs")
    }
    for config in every("config", f"label={STACK_LABEL}={stack}"):
        if config["ID"] not in used:
            docker("config", "rm", str(config["ID"]))
            say(f"config {config['Spec']['Name']} removed: nothing uses it")


def remove(stack: str) -> None:
    """Remove a stack with its services and configs, and wait until its tasks have ended; volumes stay.

    Raises:
        DockerError: it is not deployed, or its tasks do not end.
    """
    if stack not in stacks_there():
        raise DockerError(f"there is no stack '{stack}' in this Swarm")
    docker("stack", "rm", stack)
    deadline = time.monotonic() + REMOVAL_SECONDS
    while running := lines("ps", "--all", "--quiet", "--filter", f"label={STACK_LABEL}={stack}"):
        if time.monotonic() > deadline:
            raise DockerError(f"{len(running)} containers of the stack {stack} have not ended")
        time.sleep(0.5)
    say(f"stack {stack} removed; its volumes stay")


def main(arguments: Sequence[str] | None = None) -> int:
    """Deploy or remove one stack; the exit status."""
    parser = argparse.ArgumentParser(prog="infrastructure.swarm.deploy", description="Deploy or remove a stack.")
    parser.add_argument("stack", choices=STACKS)
    parser.add_argument("--remove", action="store_true", help="remove the stack; its volumes stay")
    asked = parser.parse_args(arguments)
    return run_command(partial(remove if asked.remove else deploy, asked.stack))


if __name__ == "__main__":
    sys.exit(main())
