"""Rolling updates under load: a good image replaces the old one and a bad one is rolled back, without a failed request.

The load sends each service's `/health` and a real GET through Traefik, 50 requests a second on each, from before the
update until it is over.
"""

import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager

import pytest
from swarm.cluster import Cluster, wait_until
from swarm.fund_routes import Fund
from swarm.load import Load
from swarm.proofs import tell

pytestmark = [pytest.mark.swarm, pytest.mark.timeout(600)]

# The process runs but does not answer: only a health check notices. It takes whatever arguments the stack gives it.
UNRESPONSIVE = 'FROM {image}\nENTRYPOINT ["python", "-c", "import time; time.sleep(3600)"]\n'
NEXT = "FROM {image}\nLABEL proof=next\n"


SERVICES = {"applications_datamanager": "datamanager", "applications_portfoliomanager": "portfoliomanager"}
SECONDS_AFTER = 3  # of load
ENDS = ("completed", "rollback_completed", "paused", "rollback_paused")


def image_of(cluster: Cluster, service: str) -> str:
    """The image that a service's tasks shall have."""
    return str(cluster.service(service)["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"])


def derive(cluster: Cluster, service: str, recipe: str, tag: str) -> str:
    """Build an image on top of the service's own; its name."""
    image = image_of(cluster, service)
    name = f"{image.rpartition(':')[0]}:{tag}"
    cluster.docker("build", "--quiet", "--tag", name, "-", sent=recipe.format(image=image))
    return name


def update(cluster: Cluster, images: dict[str, str], *options: str) -> set[str]:
    """Update services to images, and wait for the end of it; the states that the engine gives the updates."""
    before = {name: cluster.service(name)["Version"]["Index"] for name in images}
    for name, image in images.items():
        cluster.docker("service", "update", "--detach", "--no-resolve-image", "--image", image, *options, name)
    for name in images:
        wait_until(f"{name} updates", lambda name=name: cluster.service(name)["Version"]["Index"] != before[name])
        wait_until(f"{name} updated", lambda name=name: state_of(cluster, name) in ENDS, 240)
    return {state_of(cluster, name) for name in images}


def state_of(cluster: Cluster, service: str) -> str:
    """The state that the engine gives a service's newest update."""
    return str(cluster.service(service).get("UpdateStatus", {}).get("State", ""))


@contextmanager
def loads(fund: Fund) -> Generator[dict[str, Load]]:
    """A load on each of the services, 50 requests a second on each."""
    with ExitStack() as stack:
        yield {name: stack.enter_context(Load(fund.reads(name), fund.token)) for name in SERVICES.values()}


def failed(loads: dict[str, Load], what: str) -> int:
    """Tell what came of the loads; how many requests failed in all."""
    for name, load in loads.items():
        tell(f"{what} of {name}: {load.report}")
    return sum(load.report.failed for load in loads.values())


def test_good_images_cost_no_request(cluster: Cluster, fund: Fund) -> None:
    """Both are updated at once, every task is replaced; 0 failed requests."""
    old = {name: set(cluster.running(name)) for name in SERVICES}
    images = {name: derive(cluster, name, NEXT, "proof-next") for name in SERVICES}
    with loads(fund) as load:
        assert update(cluster, images) == {"completed"}
        cluster.wait_settled(*SERVICES)  # which outlasts the old tasks' drain
        time.sleep(SECONDS_AFTER)
    failures = failed(load, "rolling update")
    assert not [name for name in SERVICES if old[name] & set(cluster.running(name))]
    assert failures == 0


def test_bad_images_are_given_back(cluster: Cluster, fund: Fund) -> None:
    """The health check fails, the engine rolls both back by itself; 0 failed requests.

    The time that a start has is shortened with the image: what is proved is what happens after it.
    """
    before = {name: image_of(cluster, name) for name in SERVICES}
    images = {name: derive(cluster, name, UNRESPONSIVE, "proof-unresponsive") for name in SERVICES}
    with loads(fund) as load:
        assert update(cluster, images, "--health-start-period", "10s") == {"rollback_completed"}
        cluster.wait_settled(*SERVICES)
        time.sleep(SECONDS_AFTER)
    failures = failed(load, "bad image, rolled back")
    assert before == {name: image_of(cluster, name) for name in SERVICES}
    assert failures == 0
