"""What runs on every Swarm: networks, secrets and stacks, each created by the command that a person's task runs.

A change is detected by hashes of files and by a secret's value. The docker context decides which engine is used.
"""

import hashlib
from collections.abc import Mapping, Sequence

import pulumi
from pulumi_command import local

from infrastructure.configuration import SwarmConfiguration
from infrastructure.names import CONTEXTS
from infrastructure.swarm.variables import config_hashes, files_of, settings

PRODUCTION = CONTEXTS[1]
ROOT = ".."  # the commands' folder, as seen from Pulumi.yaml: a path of this machine would be a change on the next one
PYTHON = "uv run --frozen --no-sync python"
USE_CONTEXT = """
mkdir -p -m 700 ~/.ssh
echo "$KNOWN_HOSTS" | while read -r line; do
    grep -qsxF "$line" ~/.ssh/known_hosts || echo "$line" >> ~/.ssh/known_hosts
done
docker context inspect "$NAME" >/dev/null 2>&1 && verb=update || verb=create
docker context $verb "$NAME" --docker "host=$ENGINE"
"""
UNLESS_GONE = """set -e
there=$(docker stack ls --format '{{{{.Name}}}}')
echo "$there" | grep -qx {stack} || exit 0"""
FORGET_CONTEXT = 'DOCKER_CONTEXT=default docker context rm --force "$NAME"'


def make_swarm() -> pulumi.Resource:
    """Make a Swarm of this machine's engine where there is none."""
    return local.Command("swarm", create=_call("base", "make_swarm"), delete=_call("base", "leave_swarm"), dir=ROOT)


def use_context(
    engine: pulumi.Input[str], known_hosts: pulumi.Input[str], after: Sequence[pulumi.Resource]
) -> pulumi.Resource:
    """Make the docker context `pocketsizefund-production`, and give this machine the host keys of the managers for it.

    Args:
        engine: how the first manager's engine is reached, `ssh://user@address`.
        known_hosts: the managers' host keys, as lines of a file `known_hosts`.
        after: what must be there first: the Swarm.
    """
    return local.Command(
        "context",
        create=USE_CONTEXT,
        update=USE_CONTEXT,
        delete=FORGET_CONTEXT,
        environment={"NAME": PRODUCTION, "ENGINE": engine, "KNOWN_HOSTS": known_hosts},
        opts=pulumi.ResourceOptions(depends_on=list(after)),
    )


def deploy(swarm: SwarmConfiguration, after: Sequence[pulumi.Resource]) -> None:
    """Make networks and secrets, then deploy the stacks one after the other.

    Args:
        swarm: what is deployed.
        after: what must be there first: the Swarm, and the docker context through which it is reached.
    """
    networks = _command("networks", _module("networks", "up"), _call("base", "remove_networks"), swarm, after)
    secrets = [_secret(name, value, swarm, after) for name, value in swarm.secrets.items()]
    missing = _command(
        "missing-secrets", _module("secrets", "fill"), _module("secrets", "empty"), swarm, secrets or after
    )
    deployed: Sequence[pulumi.Resource] = [networks, missing]
    for stack in swarm.stacks:
        deployed = [_stack(stack, swarm, deployed)]


def _secret(
    name: str, value: pulumi.Output[str], swarm: SwarmConfiguration, after: Sequence[pulumi.Resource]
) -> pulumi.Resource:
    """Make one secret, its value by standard input; another value rotates it, which moves the services that read it.

    One that is there already, because `base up` filled it in before it was configured here, is rotated too.
    """
    return local.Command(
        f"secret-{name}",
        create=_module("secrets", "settle", name),
        update=_module("secrets", "settle", name),
        delete=_module("secrets", "remove", name),
        stdin=value,
        dir=ROOT,
        environment=swarm.environment,
        opts=pulumi.ResourceOptions(depends_on=list(after)),
    )


def _stack(stack: str, swarm: SwarmConfiguration, after: Sequence[pulumi.Resource]) -> pulumi.Resource:
    """Deploy one stack; when its content changes, deploy it over what runs.

    The hashes are a variable of the command and no `triggers`: a changed trigger replaces the resource, whose old half
    is then deleted, and with it the stack that the new half has just deployed.
    """
    return local.Command(
        f"stack-{stack}",
        create=_module("deploy", stack),
        update=_module("deploy", stack),
        delete=f"{UNLESS_GONE.format(stack=stack)}\n{_module('deploy', stack, '--remove')}",
        dir=ROOT,
        environment={**swarm.environment, "CONTENT": "\n".join(content_hashes(stack, swarm.environment))},
        opts=pulumi.ResourceOptions(depends_on=list(after)),
    )


def content_hashes(stack: str, environment: Mapping[str, str]) -> list[str]:
    """Return a SHA-256 of each file that decides what a stack is: its own files, and the configs that they name."""
    production = environment.get("DOCKER_CONTEXT") == PRODUCTION
    files = files_of(stack, environment, production=production)
    configs = config_hashes(files, settings(environment, production=production))
    own = [f"{file.name} {hashlib.sha256(file.read_bytes()).hexdigest()}" for file in files]
    return own + [f"{name} {digest}" for name, digest in sorted(configs.items())]


def _command(
    name: str, create: str, delete: str, swarm: SwarmConfiguration, after: Sequence[pulumi.Resource]
) -> pulumi.Resource:
    return local.Command(
        name,
        create=create,
        delete=delete,
        dir=ROOT,
        environment=swarm.environment,
        opts=pulumi.ResourceOptions(depends_on=list(after)),
    )


def _module(module: str, *words: str) -> str:
    return " ".join((PYTHON, "-m", f"infrastructure.swarm.{module}", *words))


def _call(module: str, function: str) -> str:
    return f'{PYTHON} -c "from infrastructure.swarm.{module} import {function}; {function}()"'
