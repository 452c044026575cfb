"""The production Swarm's machines: managers and workers, set up by one cloud-init file and joined into one Swarm."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template

import pulumi
from pulumi_aws import ec2
from pulumi_command import local, remote

from infrastructure.configuration import NodesConfiguration
from infrastructure.network import Network

CLOUD_INIT = Path(__file__).with_name("cloud-init.yaml")
DEBIAN = "136693071363"  # the Debian project's account, as its wiki lists it
DIALS = 30  # a machine takes a minute or two before it answers
USER = "admin"  # the user of Debian's machine images
WAIT_FOR_BIRTH = "cloud-init status --wait >/dev/null"
UNLESS_JOINED = """[ "$(docker info --format '{{.Swarm.LocalNodeState}}')" = active ] ||"""
INIT = f'{WAIT_FOR_BIRTH}\n{UNLESS_JOINED} docker swarm init --advertise-addr "$ADDRESS" >&2'
# the token comes by standard input: it is in no list of processes and in no log of Pulumi
JOIN = f'{WAIT_FOR_BIRTH}\n{UNLESS_JOINED} docker swarm join --token "$(cat)" "$MANAGER:2377"'
LEAVE = "docker swarm leave --force"
READ_HOST_KEY = "uv run --frozen --no-sync python -m infrastructure.host_keys"


@dataclass(frozen=True)
class Node:
    """One machine, its private address, how Pulumi reaches it, and its line of a file `known_hosts`."""

    name: str
    private_address: pulumi.Output[str]
    public_address: pulumi.Output[str]
    connection: remote.ConnectionArgs
    known_host: pulumi.Output[str]


@dataclass(frozen=True)
class Cluster:
    """A Swarm.

    Args:
        managers: its managers; the first one made the Swarm.
        joined: what must be done before anything is deployed on it.
    """

    managers: Sequence[Node]
    joined: Sequence[pulumi.Resource]


def render_cloud_init(hostname: str, architecture: str) -> str:
    """Return the cloud-init document of one node.

    Args:
        hostname: the node's name, in the Swarm too.
        architecture: Debian's word for it, `amd64` or `arm64`.

    Raises:
        KeyError: the file asks for a value that is not given.
    """
    return Template(CLOUD_INIT.read_text()).substitute(hostname=hostname, architecture=architecture)


@dataclass(frozen=True)
class _NodeTemplate:
    """What all machines have in common."""

    configuration: NodesConfiguration
    network: Network
    key: pulumi.Input[str]
    image: pulumi.Input[str]


def create_cluster(configuration: NodesConfiguration, network: Network) -> Cluster:
    """Make the machines, make the first manager's Swarm, and let the others join it over private addresses."""
    key = ec2.KeyPair("nodes", public_key=configuration.public_key)
    template = _NodeTemplate(configuration, network, key.key_name, _debian(configuration.architecture))
    managers = [_create_manager(f"manager-{number}", template) for number in range(configuration.managers)]
    workers = [_create_worker(f"worker-{number}", template) for number in range(configuration.workers)]
    return Cluster(managers, _join(managers, workers))


def _debian(architecture: str) -> pulumi.Output[str]:
    names = ec2.GetAmiFilterArgs(name="name", values=[f"debian-12-{architecture}-*"])
    return ec2.get_ami_output(most_recent=True, owners=[DEBIAN], filters=[names]).id


def _create_manager(name: str, template: _NodeTemplate) -> Node:
    """Make a manager: Traefik listens on it, so it has the web's ports and an address that stays."""
    groups = [template.network.node_group_id, template.network.edge_group_id]
    machine = _create_machine(name, template.configuration.manager_type, groups, template)
    return _node(name, machine, ec2.Eip(name, instance=machine.id, domain="vpc").public_ip, template)


def _create_worker(name: str, template: _NodeTemplate) -> Node:
    machine = _create_machine(name, template.configuration.worker_type, [template.network.node_group_id], template)
    return _node(name, machine, machine.public_ip, template)


def _create_machine(name: str, kind: str, groups: Sequence[pulumi.Input[str]], template: _NodeTemplate) -> ec2.Instance:
    size = template.configuration.disk_gigabytes
    disk = ec2.InstanceRootBlockDeviceArgs(encrypted=True, volume_size=size, volume_type="gp3")
    return ec2.Instance(
        name,
        ami=template.image,
        instance_type=kind,
        key_name=template.key,
        subnet_id=template.network.subnet_id,
        vpc_security_group_ids=groups,
        associate_public_ip_address=True,  # the way out, without the price of a NAT gateway; the firewall is closed
        user_data=render_cloud_init(name, template.configuration.architecture),
        metadata_options={"http_endpoint": "enabled", "http_tokens": "required", "http_put_response_hop_limit": 1},
        root_block_device=disk,
        tags={"Name": f"pocketsizefund-{name}"},
        # a newer image or another cloud-init file is for new nodes: it must not replace one that holds state
        opts=pulumi.ResourceOptions(ignore_changes=["ami", "user_data"]),
    )


def _node(name: str, machine: ec2.Instance, address: pulumi.Output[str], template: _NodeTemplate) -> Node:
    """Connect to a machine that has the host key which it printed at its first start, and to no other."""
    host_key = local.Command(
        f"{name}-host-key",
        create=machine.id.apply(lambda identity: f"{READ_HOST_KEY} {identity}"),
        dir="..",  # as in local.py
        environment={"AWS_DEFAULT_REGION": pulumi.Config("aws").require("region")},
        triggers=[machine.id],
        # the console forgets: the key is read once a machine
        opts=pulumi.ResourceOptions(ignore_changes=["create", "environment"]),
    ).stdout
    key = template.configuration.private_key
    connection = remote.ConnectionArgs(
        host=address, user=USER, private_key=key, host_key=host_key, dial_error_limit=DIALS
    )
    return Node(name, machine.private_ip, address, connection, pulumi.Output.format("{0} {1}", address, host_key))


def _join(managers: Sequence[Node], workers: Sequence[Node]) -> Sequence[pulumi.Resource]:
    first, *others = managers
    made = remote.Command(
        "swarm",
        connection=first.connection,
        create=first.private_address.apply(lambda address: f"ADDRESS={address}\n{INIT}"),
        delete=LEAVE,
    )
    return [
        made,
        *_join_as("manager", others, first, made),
        *_join_as("worker", workers, first, made),
    ]


def _join_as(role: str, nodes: Sequence[Node], first: Node, made: pulumi.Resource) -> Sequence[pulumi.Resource]:
    if not nodes:
        return []
    token = remote.Command(
        f"{role}-token",
        connection=first.connection,
        create=f"docker swarm join-token --quiet {role}",
        logging=remote.Logging.NONE,
        opts=pulumi.ResourceOptions(depends_on=[made], additional_secret_outputs=["stdout"]),
    )
    return [
        remote.Command(
            f"{node.name}-joins",
            connection=node.connection,
            create=first.private_address.apply(lambda address: f"MANAGER={address}\n{JOIN}"),
            stdin=token.stdout.apply(pulumi.Output.secret),
            delete=LEAVE,
        )
        for node in nodes
    ]
