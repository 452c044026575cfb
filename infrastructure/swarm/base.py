"""What the applications run on: the Swarm, its networks, its secrets, the infrastructure stack.

`down` removes only what `up` created.

    python -m infrastructure.swarm.base up
    python -m infrastructure.swarm.base down [--volumes]
"""

import argparse
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from fund.folder import FundFolder
from infrastructure.names import STACKS
from infrastructure.swarm import networks, secrets
from infrastructure.swarm.deploy import STACK_LABEL, deploy, remove
from infrastructure.swarm.docker import (
    DockerError,
    docker,
    field,
    inspect,
    is_production,
    lines,
    run_command,
    say,
    stacks_there,
    swarm_state,
)
from internal.errors import ConfigurationError

NODE_LABEL = "pocketsizefund.swarm"  # on the node of a Swarm that base up made; it goes with the Swarm
PROGRAM = Path(__file__).parents[1]
NO_PULUMI = (
    "the production Swarm is made by Pulumi, whose command is not on this machine: `flox activate` brings it, or "
    "https://www.pulumi.com/docs/iac/download-install/ ; then `pulumi login`, and run this again"
)
NETWORK_SECONDS = 30.0


def up() -> None:
    """Bring everything up, in order; what is there already is left alone."""
    if is_production():
        apply_program()
    else:
        make_swarm()
    networks.up()
    secrets.fill()
    deploy(STACKS[0])


def apply_program() -> None:
    """Make the machines, the network, the bucket and the Swarm of production with Pulumi, which asks before it acts.

    Raises:
        ConfigurationError: Pulumi's command is missing, or it did not end well.
    """
    if shutil.which("pulumi") is None:
        raise ConfigurationError(NO_PULUMI)
    words = ["pulumi", "up", "--stack", "production", "--cwd", str(PROGRAM)]
    if not sys.stdin.isatty():
        words += ["--yes"]  # a workflow was started by a person who confirmed
    if subprocess.run(words, check=False).returncode != 0:  # noqa: S603 - fixed words
        raise ConfigurationError("pulumi did not bring the production Swarm up; it has said why")


def make_swarm() -> None:
    """Make a Swarm of this one machine where there is none."""
    if swarm_state() == "active":
        say("Swarm: there already")
        return
    docker("swarm", "init", "--advertise-addr", "127.0.0.1")
    docker("node", "update", "--label-add", f"{NODE_LABEL}=base", docker("info", "--format", "{{.Swarm.NodeID}}"))
    say("Swarm: made, with this machine as its only node")


def down(*, volumes: bool) -> None:
    """Remove what `up` made, the stacks first; the Swarm only if `up` made it and it has no other node."""
    if swarm_state() != "active":
        say("Swarm: there is none here, so there is nothing to remove")
        return
    for stack in [stack for stack in reversed(STACKS) if stack in stacks_there()]:
        remove(stack)
    secrets.empty()
    remove_networks()
    if volumes:
        remove_volumes()
    leave_swarm()


def remove_networks() -> None:
    """Remove the networks; for some seconds after a task has ended, the engine still counts it as attached."""
    deadline = time.monotonic() + NETWORK_SECONDS
    while True:
        try:
            networks.down()
        except DockerError:
            if time.monotonic() > deadline:
                raise
            time.sleep(1)
        else:
            return


def remove_volumes() -> None:
    """Remove the stacks' volumes on the node that answers: the lake, the registry, the services' state."""
    for stack in STACKS:
        for name in lines("volume", "ls", "--quiet", "--filter", f"label={STACK_LABEL}={stack}"):
            docker("volume", "rm", name)
            say(f"volume {name} removed")
    opening = FundFolder.from_environment().root / "swarm" / "opening.json"
    opening.unlink(missing_ok=True)  # the next fund starts from the beginning


def leave_swarm() -> None:
    """Dissolve the Swarm if `make_swarm` made it."""
    nodes = inspect("node", *lines("node", "ls", "--quiet"))
    if not any(field(node["Spec"], "Labels").get(NODE_LABEL) == "base" for node in nodes):
        say("Swarm: it was there before and stays")
    elif len(nodes) > 1:
        say("Swarm: other nodes have joined it, so it stays: docker swarm leave --force")
    elif left := every_secret():
        say(f"Swarm: it holds your secrets {', '.join(left)}, so it stays: docker swarm leave --force")
    else:
        docker("swarm", "leave", "--force")
        say("Swarm: dissolved")


def every_secret() -> list[str]:
    """The names of the secrets that are left."""
    return lines("secret", "ls", "--format", "{{.Name}}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one of the commands; the exit status."""
    parser = argparse.ArgumentParser(
        prog="infrastructure.swarm.base", description="The Swarm, networks, secrets and proxy that the fund runs on."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("up")
    commands.add_parser("down").add_argument("--volumes", action="store_true", help="the lake and all state too")
    asked = parser.parse_args(arguments)
    return run_command(up if asked.command == "up" else partial(down, volumes=asked.volumes))


if __name__ == "__main__":
    sys.exit(main())
