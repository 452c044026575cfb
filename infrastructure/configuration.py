"""The configuration of a Pulumi stack: read once, checked, and passed on as plain values.

No other module of the program reads Pulumi's configuration.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Network, NetmaskValueError
from typing import cast

import pulumi

from infrastructure.names import SECRETS, STACKS
from infrastructure.swarm.secrets import NOT_SET
from infrastructure.swarm.variables import OWNED

PLACES = ("local", "aws")
MANAGER_NUMBERS = (1, 3, 5)  # Raft needs a majority: an even number survives no more losses than the odd one below it
BUCKET_SECRETS = frozenset({"DATA_BUCKET", "DUCKDB_ACCESS_KEY", "DUCKDB_SECRET"})  # on AWS, made with the bucket
OPTIONAL_SECRETS = frozenset(
    {
        "EDGAR_USER_AGENT",
        "WEIGHTS_AND_BIASES_API_KEY",
        "AZURE_STORAGE_ACCOUNT_KEY",
        "GOOGLE_SERVICE_ACCOUNT_KEY",
        "NOTIFICATION_URLS",
        "ALERT_WEBHOOK_URL",
    }
)
VARIABLES = {"DOMAIN": "domain", "ACME_EMAIL": "acmeEmail", "IMAGE_PREFIX": "imagePrefix"}


class ConfigurationError(pulumi.RunError):
    """A value of the configuration is missing or must not be; Pulumi prints the sentence without a traceback."""


@dataclass(frozen=True)
class NetworkConfiguration:
    """The network and who may enter it.

    Args:
        network_cidr: all addresses of the network.
        subnet_cidr: the nodes' part of them.
        ssh_cidrs: from where SSH is open; never everywhere.
        application_cidrs: from where ports 8080 and 8081 are open; nowhere when empty.
    """

    network_cidr: str
    subnet_cidr: str
    ssh_cidrs: Sequence[str]
    application_cidrs: Sequence[str]


@dataclass(frozen=True)
class NodesConfiguration:
    """The machines.

    Args:
        managers: how many nodes hold the Swarm's state; 1, 3 or 5.
        workers: how many further nodes there are; 0 or more.
        manager_type: the managers' instance type.
        worker_type: the workers' instance type.
        architecture: `amd64` or `arm64`, that of the types and of the images.
        disk_gigabytes: the size of each node's encrypted disk.
        public_key: the SSH public key that the nodes accept.
        private_key: its private half, with which Pulumi reaches them; secret.
    """

    managers: int
    workers: int
    manager_type: str
    worker_type: str
    architecture: str
    disk_gigabytes: int
    public_key: str
    private_key: pulumi.Output[str]


@dataclass(frozen=True)
class ClusterConfiguration:
    """A Swarm on AWS.

    Args:
        network: the network and its firewall.
        nodes: the machines.
        lake_prefix: the lake's folder in the bucket.
        domain: the fund's name.
        zone_id: the hosted zone in which the domain is entered; None leaves DNS alone.
    """

    network: NetworkConfiguration
    nodes: NodesConfiguration
    lake_prefix: str
    domain: str
    zone_id: str | None


@dataclass(frozen=True)
class SwarmConfiguration:
    """What is deployed on a Swarm, wherever it is.

    Args:
        stacks: the stacks that the program deploys, in this order.
        secrets: the secrets whose values are configured, by name; the tasks make what is missing.
        environment: settings of the deployment that are no secrets, by variable.
    """

    stacks: Sequence[str]
    secrets: Mapping[str, pulumi.Output[str]]
    environment: Mapping[str, str]


def read_place(configuration: pulumi.Config) -> str:
    """Return where the Swarm is: `local` (the engine of this machine) or `aws`."""
    return _one_of("place", configuration.require("place"), PLACES)


def read_cluster(configuration: pulumi.Config) -> ClusterConfiguration:
    """Read what a Swarm on AWS needs.

    Raises:
        ConfigurationError: a value is missing, out of bounds, or opens SSH to everyone.
    """
    return ClusterConfiguration(
        _read_network(configuration),
        _read_nodes(configuration),
        (configuration.get("lakePrefix") or "lake").strip("/"),
        configuration.require("domain"),
        configuration.get("zoneId"),
    )


def read_swarm(configuration: pulumi.Config, place: str) -> SwarmConfiguration:
    """Read what is deployed; on AWS, the secrets without which the fund cannot trade must be there."""
    found = {name: value for name in SECRETS if (value := configuration.get_secret(name)) is not None}
    if place == "aws":
        found |= _complete(found)
    stacks = [_one_of("stacks", stack, STACKS) for stack in configuration.get_object("stacks") or STACKS[:1]]
    environment = {name: text for name, key in VARIABLES.items() if (text := configuration.get(key))}
    if place == "aws":
        _refuse({VARIABLES[name] for name in OWNED if name not in environment}, "is missing: pulumi config set")
        environment["AWS_REGION"] = pulumi.Config("aws").require("region")
    return SwarmConfiguration(stacks, found, environment)


def _complete(found: Mapping[str, pulumi.Output[str]]) -> dict[str, pulumi.Output[str]]:
    """Return the optional secrets that are not configured, as not set; refuse what is missing or is made here."""
    missing = set(SECRETS) - found.keys() - BUCKET_SECRETS
    _refuse(BUCKET_SECRETS & found.keys(), "is made with the bucket and must not be configured")
    _refuse(missing - OPTIONAL_SECRETS, "is missing: pulumi config set --secret NAME, which asks for the value")
    return {name: pulumi.Output.secret(f"{NOT_SET}\n") for name in missing}  # the last newline is echo's, and taken off


def _read_network(configuration: pulumi.Config) -> NetworkConfiguration:
    ssh_cidrs = _networks("sshCidrs", configuration.require_object("sshCidrs"))
    if not ssh_cidrs or any(IPv4Network(cidr).prefixlen == 0 for cidr in ssh_cidrs):
        raise ConfigurationError(
            "sshCidrs must name the networks from which SSH is open; everywhere is not one of them"
        )
    return NetworkConfiguration(
        configuration.get("networkCidr") or "10.20.0.0/16",
        configuration.get("subnetCidr") or "10.20.0.0/24",
        ssh_cidrs,
        _networks("applicationCidrs", configuration.get_object("applicationCidrs") or []),
    )


def _read_nodes(configuration: pulumi.Config) -> NodesConfiguration:
    managers, workers = configuration.get_int("managers") or 1, configuration.get_int("workers") or 0
    if managers not in MANAGER_NUMBERS or workers < 0:
        raise ConfigurationError(f"managers must be one of {MANAGER_NUMBERS}, workers 0 or more: {managers}, {workers}")
    return NodesConfiguration(
        managers,
        workers,
        configuration.get("managerType") or "t3.large",
        configuration.get("workerType") or "t3.large",
        _one_of("architecture", configuration.get("architecture") or "amd64", ("amd64", "arm64")),
        configuration.get_int("diskGigabytes") or 50,
        configuration.require("sshPublicKey"),
        configuration.require_secret("sshPrivateKey"),
    )


def _networks(key: str, cidrs: object) -> Sequence[str]:
    if not isinstance(cidrs, list):
        raise ConfigurationError(f"{key} must be a list of networks such as 203.0.113.0/24")
    try:
        return [str(IPv4Network(cidr)) for cidr in cast("list[str]", cidrs)]
    except (AddressValueError, NetmaskValueError, ValueError) as error:
        raise ConfigurationError(f"{key}: {error}") from error


def _one_of(key: str, value: str, known: Sequence[str]) -> str:
    if value not in known:
        raise ConfigurationError(f"{key} must be one of {', '.join(known)}, not '{value}'")
    return value


def _refuse(names: Iterable[str], sentence: str) -> None:
    if wrong := sorted(names):
        raise ConfigurationError(f"{', '.join(wrong)} {sentence}")
