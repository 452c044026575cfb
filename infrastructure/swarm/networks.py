"""The Swarm's three networks: created where they are missing, encrypted where the engine can, and removed.

python -m infrastructure.swarm.networks up      # or down
"""

import argparse
import io
import os
import sys
import tarfile
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, suppress

from infrastructure.names import NETWORKS
from infrastructure.swarm.docker import DockerError, docker, is_production, lines, run_command, say

LABEL = "pocketsizefund=base"
INTERNAL = "internal"
PROBE = "pocketsizefund-probe"


def up() -> None:
    """Make the networks that are missing, encrypted between nodes.

    Raises:
        DockerError: in production, when the engine cannot encrypt.
    """
    there = set(lines("network", "ls", "--filter", "scope=swarm", "--format", "{{.Name}}"))
    missing = [name for name in NETWORKS if name not in there]
    encrypted = bool(missing) and (is_production() or not _is_off()) and _encrypts()
    for name in missing:
        options = ["--internal"] if name == INTERNAL else []
        options += ["--opt", "encrypted"] if encrypted else []
        _make(name, *options)
        say(f"network {name} made{', encrypted' if encrypted else ''}")
    say(f"networks: {', '.join(NETWORKS)} are there")


def _is_off(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether the owner of a local Swarm has switched encryption off with NETWORK_ENCRYPTION=off.

    A kernel without ESP lets every container join an encrypted network, which the probe sees, and then drops what goes
    from node to node, which it cannot see on one node. In production the variable means nothing.
    """
    return environment.get("NETWORK_ENCRYPTION") == "off"


def _make(name: str, *options: str) -> None:
    docker("network", "create", "--driver", "overlay", "--attachable", "--label", LABEL, *options, name)


def _encrypts() -> bool:
    """Whether a container can join an encrypted network here: the kernel may lack IPsec, or a match of its firewall."""
    with _probe_image() as image:
        _make(PROBE, "--opt", "encrypted")
        try:
            docker("create", "--name", PROBE, "--network", PROBE, image, "/nothing")
            docker("start", PROBE)  # joins the network first, and then finds no program to run
        except DockerError as error:
            if "network" not in error.detail.removeprefix("docker start"):
                return True
            if is_production():
                raise DockerError(f"this engine cannot encrypt between nodes: {error.detail}") from error
            say(f"this engine cannot encrypt between nodes; on one machine nothing leaves it: {error.detail}")
            return False
        else:
            return True
        finally:
            with suppress(DockerError):
                docker("rm", "--force", PROBE)
            docker("network", "rm", PROBE)


@contextmanager
def _probe_image() -> Generator[str]:
    """An image with nothing in it."""
    empty = io.BytesIO()
    tarfile.open(fileobj=empty, mode="w").close()
    image = docker("import", "-", PROBE, sent=empty.getvalue().decode("latin-1"))
    try:
        yield image
    finally:
        docker("image", "rm", "--force", image)


def down() -> None:
    """Remove the networks that `up` made. Raises DockerError while something is attached to one."""
    for name in lines("network", "ls", "--filter", f"label={LABEL}", "--format", "{{.Name}}"):
        docker("network", "rm", name)
        say(f"network {name} removed")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one of the commands; the exit status."""
    parser = argparse.ArgumentParser(prog="infrastructure.swarm.networks", description="The Swarm's networks.")
    parser.add_argument("command", choices=("up", "down"))
    return run_command({"up": up, "down": down}[parser.parse_args(arguments).command])


if __name__ == "__main__":
    sys.exit(main())
