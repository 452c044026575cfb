"""Rolling updates under load: a good image is taken without a failed request, a bad one is given back without one.

The load asks `/health` and a real GET through Traefik, 50 requests a second, from before the update until it is over.
"""

import time

import pytest
from swarm.cluster import Cluster, wait_until
from swarm.fund_routes import Fund
from swarm.load import Load
from swarm.proofs import tell

pytestmark = [pytest.mark.swarm, pytest.mark.timeout(600)]

# Alive as a process, but deaf: what only a health check notices. It takes whatever arguments the stack gives it.
DEAF = 'FROM {image}\nENTRYPOINT ["python", "-c", "import time; time.sleep(3600)"]\n'
NEXT = "FROM {image}\nLABEL proof=next\n"


def derive(cluster: Cluster, service: str, recipe: str, tag: str) -> str:
    """Build an image on top of the service's own; its name."""
    image = cluster.service(service)["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"]
    name = f"{image.rpartition(':')[0]}:{tag}"
    cluster.docker("build", "--quiet", "--tag", name, "-", sent=recipe.format(image=image))
    return name


def update(cluster: Cluster, service: str, image: str) -> str:
    """Update a service to an image and wait for the end of it; the state that the engine gives the update."""
    before = cluster.service(service)["Version"]["Index"]
    cluster.docker("service", "update", "--detach", "--no-resolve-image", "--image", image, service)
    wait_until(f"{service} updates", lambda: cluster.service(service)["Version"]["Index"] != before)
    ends = ("completed", "rollback_completed", "paused", "rollback_paused")
    wait_until(f"{service} updated", lambda: cluster.service(service)["UpdateStatus"]["State"] in ends, 240)
    return str(cluster.service(service)["UpdateStatus"]["State"])


@pytest.mark.parametrize("name", ["datamanager", "portfoliomanager"])
def test_a_good_image_costs_no_request(cluster: Cluster, fund: Fund, name: str) -> None:
    """Every task is replaced; 0 failed requests."""
    service = f"applications_{name}"
    old, image = set(cluster.running(service)), derive(cluster, service, NEXT, "proof-next")
    with Load(fund.reads(name)) as load:
        assert update(cluster, service, image) == "completed"
        seconds = cluster.wait_settled(service)
        time.sleep(15)
    tell(f"rolling update of {name}: {load.report}")
    assert seconds >= 0
    assert not old & set(cluster.running(service))
    assert load.report.failed == 0


@pytest.mark.parametrize("name", ["datamanager", "portfoliomanager"])
def test_a_bad_image_is_given_back(cluster: Cluster, fund: Fund, name: str) -> None:
    """The health check fails, the engine rolls back by itself; 0 failed requests."""
    service = f"applications_{name}"
    before = cluster.service(service)["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"]
    image = derive(cluster, service, DEAF, "proof-deaf")
    with Load(fund.reads(name)) as load:
        assert update(cluster, service, image) == "rollback_completed"
        cluster.wait_settled(service)
        time.sleep(5)
    tell(f"bad image for {name}, rolled back: {load.report}")
    assert cluster.service(service)["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"] == before
    assert load.report.failed == 0
