"""Builds a stack: on AWS network, machines, bucket and DNS first; then, everywhere, what runs on the Swarm."""

from dataclasses import replace

import pulumi

from infrastructure.configuration import (
    SwarmConfiguration,
    read_cluster,
    read_place,
    read_swarm,
)
from infrastructure.dns import create_record
from infrastructure.local import PRODUCTION, deploy, make_swarm, use_context
from infrastructure.network import create_network
from infrastructure.nodes import USER, create_cluster
from infrastructure.storage import Storage, create_storage


def compose() -> None:
    """Make everything that the stack's configuration asks for, and export what a person may see."""
    configuration = pulumi.Config()
    place = read_place(configuration)
    swarm = read_swarm(configuration, place)
    if place == "aws":
        compose_aws(configuration, swarm)
    else:
        deploy(swarm, after=[make_swarm()])


def compose_aws(configuration: pulumi.Config, swarm: SwarmConfiguration) -> None:
    """Make a Swarm on AWS, and deploy on it over the docker context `pocketsizefund-production`."""
    cluster = read_cluster(configuration)
    made = create_cluster(cluster.nodes, create_network(cluster.network))
    storage = create_storage(cluster.lake_prefix)
    addresses = [manager.public_address for manager in made.managers]
    if cluster.zone_id:
        create_record(cluster.domain, cluster.zone_id, addresses)
    known_hosts = pulumi.Output.all(*[manager.known_host for manager in made.managers]).apply("\n".join)
    engine = pulumi.Output.format("ssh://{0}@{1}", USER, addresses[0])
    context = use_context(engine, known_hosts, after=made.joined)
    deploy(on_aws(swarm, storage), after=[context])
    pulumi.export("managers", addresses)
    pulumi.export("known_hosts", known_hosts)
    pulumi.export("data_bucket", storage.data_bucket)


def on_aws(swarm: SwarmConfiguration, storage: Storage) -> SwarmConfiguration:
    """Return the deployment that uses the production context, and the bucket with its key as three of its secrets."""
    bucket = {
        "DATA_BUCKET": storage.data_bucket,
        "DUCKDB_ACCESS_KEY": storage.access_key,
        "DUCKDB_SECRET": storage.secret_key,
    }
    return replace(
        swarm, secrets={**swarm.secrets, **bucket}, environment={**swarm.environment, "DOCKER_CONTEXT": PRODUCTION}
    )
