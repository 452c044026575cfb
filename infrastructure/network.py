"""The production Swarm's network: one subnet with internet access, and the firewall rules between groups."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import pulumi
from pulumi_aws import ec2, vpc

from infrastructure.configuration import NetworkConfiguration

EVERYWHERE = "0.0.0.0/0"
WEB_PORTS = (80, 443)
APPLICATION_PORTS = (8080, 8081)  # datamanager, portfoliomanager; published by Traefik, behind a bearer token
SSH_PORT = 22
# (protocol, first port, last port): management, gossip, VXLAN, and the ESP of encrypted overlay networks (no ports)
SWARM_TRAFFIC: Sequence[tuple[str, int | None, int | None]] = (
    ("tcp", 2377, 2377),
    ("tcp", 7946, 7946),
    ("udp", 7946, 7946),
    ("udp", 4789, 4789),
    ("50", None, None),
)


@dataclass(frozen=True)
class Network:
    """Where nodes are placed.

    Args:
        subnet_id: the subnet of every node.
        node_group_id: the security group of every node.
        edge_group_id: the security group of the nodes on which Traefik listens, in addition.
    """

    subnet_id: pulumi.Input[str]
    node_group_id: pulumi.Input[str]
    edge_group_id: pulumi.Input[str]


def create_network(configuration: NetworkConfiguration) -> Network:
    """Make the network, its subnet, its way out, and the firewall."""
    network = ec2.Vpc("pocketsizefund", cidr_block=configuration.network_cidr, enable_dns_hostnames=True)
    subnet = ec2.Subnet("nodes", vpc_id=network.id, cidr_block=configuration.subnet_cidr, map_public_ip_on_launch=False)
    _way_out(network.id, subnet.id)
    nodes = ec2.SecurityGroup("nodes", vpc_id=network.id, description="Every node: SSH, and the Swarm among its nodes")
    edge = ec2.SecurityGroup("edge", vpc_id=network.id, description="Nodes on which Traefik listens")
    _among_nodes(nodes.id)
    _from_addresses("ssh", nodes.id, (SSH_PORT,), configuration.ssh_cidrs)
    _from_addresses("web", edge.id, WEB_PORTS, (EVERYWHERE,))
    _from_addresses("application", edge.id, APPLICATION_PORTS, configuration.application_cidrs)
    vpc.SecurityGroupEgressRule("out", security_group_id=nodes.id, ip_protocol="-1", cidr_ipv4=EVERYWHERE)
    return Network(subnet.id, nodes.id, edge.id)


def _way_out(network_id: pulumi.Input[str], subnet_id: pulumi.Input[str]) -> None:
    gateway = ec2.InternetGateway("way-out", vpc_id=network_id)
    table = ec2.RouteTable("way-out", vpc_id=network_id)
    ec2.Route("way-out", route_table_id=table.id, destination_cidr_block=EVERYWHERE, gateway_id=gateway.id)
    ec2.RouteTableAssociation("way-out", subnet_id=subnet_id, route_table_id=table.id)


def _among_nodes(group_id: pulumi.Input[str]) -> None:
    """Open the Swarm's ports to members of the nodes' own group, whatever addresses they have, and to nobody else."""
    for protocol, first, last in SWARM_TRAFFIC:
        vpc.SecurityGroupIngressRule(
            f"swarm-{protocol}-{first}" if first else "swarm-esp",
            security_group_id=group_id,
            referenced_security_group_id=group_id,
            ip_protocol=protocol,
            from_port=first,
            to_port=last,
        )


def _from_addresses(name: str, group_id: pulumi.Input[str], ports: Sequence[int], cidrs: Sequence[str]) -> None:
    for port, cidr in product(ports, cidrs):
        vpc.SecurityGroupIngressRule(
            f"{name}-{port}-{cidr}",
            security_group_id=group_id,
            ip_protocol="tcp",
            from_port=port,
            to_port=port,
            cidr_ipv4=cidr,
        )
