"""Runs one command of `models` as a job in the Swarm and shows its output.

A job may read the token and the registry's bucket, never a broker's key.

    python -m infrastructure.swarm.jobs train --model small
"""

import os
import secrets as randomness
import subprocess
import sys
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial

from infrastructure.names import STACKS
from infrastructure.revision import revision
from infrastructure.swarm import secrets
from infrastructure.swarm.deploy import STACK_LABEL
from infrastructure.swarm.docker import Json, docker, inspect, is_production, lines, run_command
from infrastructure.swarm.variables import settings
from internal.errors import ConfigurationError, FundError

SECRETS = (
    "FUND_API_TOKEN",
    "WEIGHTS_AND_BIASES_API_KEY",
    "DATA_BUCKET",
    "DUCKDB_ACCESS_KEY",
    "DUCKDB_SECRET",
    "AZURE_STORAGE_ACCOUNT_KEY",
    "GOOGLE_SERVICE_ACCOUNT_KEY",
)
STORE_VARIABLES = ("AWS_ENDPOINT_URL", "AWS_REGION", "AZURE_STORAGE_ACCOUNT_NAME")
VOLUMES = {"pocketsizefund-registry": "/registry", "pocketsizefund-models-state": "/state"}
USER = "10001"
POLL_SECONDS = 0.5
LOG_SECONDS = 2.0  # the log of a task arrives a little after its end
ENDED = ("complete", "failed", "rejected", "orphaned", "shutdown", "remove")


class JobFailedError(FundError):
    """A job ended with another exit code than 0; what it printed says why."""


def run_job(arguments: Sequence[str], environment: Mapping[str, str] = os.environ) -> None:
    """Run `models ...` as a task of its own, show its output, and remove it.

    Raises:
        JobFailedError: it ended with another exit code than 0, or could not begin.
        ConfigurationError: the applications are not deployed.
    """
    if not arguments:
        raise ConfigurationError("which command of models? For example: train --model small")
    service = docker(*options_of(arguments, environment))
    try:
        with _log_of(service):
            task = _ended_task(service)
            time.sleep(LOG_SECONDS)
    finally:
        docker("service", "rm", service)
    status = task["Status"]
    if status["State"] != "complete":
        raise JobFailedError(f"`models {arguments[0]}` {status['State']}: {status.get('Err') or status['Message']}")


def options_of(arguments: Sequence[str], environment: Mapping[str, str]) -> list[str]:
    """The words of `docker service create` for one command of `models`."""
    production = is_production()
    there, values = secrets.current_names(), settings(environment, production=production)
    image = f"{values['IMAGE_PREFIX']}pocketsizefund/models:{revision(environment)}"
    return [
        *("service", "create", "--quiet", "--detach", "--name", f"models-{arguments[0]}-{randomness.token_hex(3)}"),
        *("--mode", "replicated-job", "--restart-condition", "none", "--network", "app-network"),
        *("--label", f"{STACK_LABEL}={STACKS[1]}", "--container-label", f"{STACK_LABEL}={STACKS[1]}"),
        *(["--with-registry-auth"] if production else ["--no-resolve-image"]),
        *("--user", f"{USER}:{USER}", "--cap-drop", "ALL", "--read-only", "--init"),
        *("--mount", "type=tmpfs,destination=/tmp,tmpfs-size=1073741824"),
        *("--limit-cpu", "2", "--limit-memory", "6G", "--reserve-memory", "512M"),
        *(word for name, path in VOLUMES.items() for word in ("--mount", _volume(name, path))),
        *(word for name in SECRETS if name in there for word in ("--secret", _secret(name, there[name]))),
        *("--env", "STATE_DIRECTORY=/state", "--env", f"REGISTRY_DIRECTORY={values['REGISTRY_DIRECTORY']}"),
        *("--env", "DATAMANAGER_URL=http://datamanager:8080", "--env", "LOG_FORMAT=console", "--env", "COLUMNS=120"),
        *(word for name in STORE_VARIABLES for word in ("--env", f"{name}={values[name]}")),
        *(image, "models", *arguments),
    ]


def _volume(name: str, path: str) -> str:
    return f"type=volume,source={name},destination={path},volume-label={STACK_LABEL}={STACKS[1]}"


def _secret(name: str, actual: str) -> str:
    return f"source={actual},target={name},uid={USER},gid={USER},mode=0400"


@contextmanager
def _log_of(service: str) -> Generator[None]:
    """Show a service's log while the block runs."""
    words = ["docker", "service", "logs", "--follow", "--raw", service]
    with subprocess.Popen(words, stdin=subprocess.DEVNULL) as shown:  # noqa: S603 - fixed words and an id
        try:
            yield
        finally:
            shown.terminate()


def _ended_task(service: str) -> Json:
    """Wait until the job's one task has ended, however long it takes."""
    while True:
        tasks = inspect("task", *lines("service", "ps", "--quiet", "--no-trunc", service))
        if tasks and tasks[0]["Status"]["State"] in ENDED:
            return tasks[0]
        time.sleep(POLL_SECONDS)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command of `models` as a job; the exit status."""
    return run_command(partial(run_job, sys.argv[1:] if arguments is None else arguments))


if __name__ == "__main__":
    sys.exit(main())
