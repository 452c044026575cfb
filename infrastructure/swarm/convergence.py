"""Waits until services are updated: every task of the new version is healthy, or the update was rolled back."""

import time

from infrastructure.swarm.docker import DockerError, Json, docker, field, inspect, lines

SECONDS = 300.0
STEADY_SECONDS = 4.0  # an update that was asked for may not have begun yet when the services are first looked at
POLL_SECONDS = 0.5
FAILED = ("paused", "rollback_started", "rollback_paused", "rollback_completed")


def wait_for(*services: str) -> None:
    """Wait until the services, by id or name, have the tasks that they should have, and are not being updated.

    Raises:
        DockerError: one was rolled back, or is not there after five minutes; the message holds its tasks' own words.
    """
    deadline, steady_since = time.monotonic() + SECONDS, time.monotonic()
    while time.monotonic() - steady_since < STEADY_SECONDS:
        if not all(_settled(service) for service in inspect("service", *services)):
            steady_since = time.monotonic()
        if time.monotonic() > deadline:
            raise DockerError(f"not every service came up within {SECONDS:.0f} s.\n{_complaints(*services)}")
        time.sleep(POLL_SECONDS)


def _settled(service: Json) -> bool:
    state = str(field(service, "UpdateStatus").get("State", "completed"))
    if state in FAILED:
        name = service["Spec"]["Name"]
        raise DockerError(f"the update of {name} failed and was rolled back ({state}).\n{_complaints(service['ID'])}")
    running, _, wanted = replicas(service["ID"]).partition("/")
    return state == "completed" and running == wanted


def replicas(service: str) -> str:
    """How many tasks run of how many that should, such as `1/1`."""
    rows = (row.split("\t") for row in lines("service", "ls", "--format", "{{.ID}}\t{{.Replicas}}"))
    return next((count.split(" ")[0] for identity, count in rows if service.startswith(identity)), "0/1")


def _complaints(*services: str) -> str:
    """What the engine says of the tasks that did not come up."""
    words = "{{.Name}}: {{.CurrentState}} {{.Error}}"
    listed = docker("service", "ps", "--no-trunc", "--format", words, *services).splitlines()
    waiting = [line for line in listed if ": Running" not in line and ": Shutdown" not in line]
    return "\n".join([*waiting[:8], "what each of them logged: mask docker services logs NAME"])
