"""The production Swarm's DNS record, where a hosted zone is configured: the domain points at the nodes with Traefik."""

from collections.abc import Sequence

import pulumi
from pulumi_aws import route53

TIME_TO_LIVE_SECONDS = 300


def create_record(domain: str, zone_id: str, addresses: Sequence[pulumi.Input[str]]) -> None:
    """Point the domain at the managers' fixed addresses.

    Args:
        domain: the fund's name, such as `fund.example.org`.
        zone_id: the Route 53 hosted zone that it belongs to.
        addresses: the public IPv4 addresses on which Traefik listens.
    """
    route53.Record("fund", zone_id=zone_id, name=domain, type="A", ttl=TIME_TO_LIVE_SECONDS, records=list(addresses))
