"""Three nodes: a worker's power is cut and its services move; the manager restarts. Lake and order journal survive.

The nodes are engines in namespaces of their own (`swarm.engine`). The volumes are in a folder that all three share, as
an NFS server or a bucket would provide it.
"""

import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from swarm.cluster import Cluster, wait_until
from swarm.engine import Engine
from swarm.fund_routes import Fund, require_same_orders
from swarm.load import Load
from swarm.node import Node
from swarm.proofs import tell

pytestmark = [pytest.mark.swarm, pytest.mark.timeout(900)]

MOVING = ("applications_datamanager", "applications_portfoliomanager")


@pytest.fixture(scope="module")
def workers(cluster: Cluster, engine: Engine) -> list[Node]:
    """The two further nodes in the Swarm, with the images; the two services are placed on them."""
    token = cluster.docker("swarm", "join-token", "--quiet", "worker")
    workers = engine.nodes[1:]
    with ThreadPoolExecutor(len(workers)) as pool:
        list(pool.map(partial(carry_images, cluster), workers))
    for worker in workers:
        worker.docker("swarm", "join", "--token", token, f"{engine.manager.address}:2377")
    placed = ("--constraint-add", "node.role==worker", "--update-monitor", "5s")
    for service in MOVING:
        cluster.docker("service", "update", "--detach", "--force", *placed, service)
    time.sleep(3)  # until the engine has begun with it
    cluster.wait_settled(*MOVING, seconds=240)
    return workers


def carry_images(cluster: Cluster, worker: Node) -> None:
    """Bring the images of what may run on a worker to it, as a registry would."""
    specifications = [cluster.service(name)["Spec"] for name in cluster.services() if cluster.replicas(name)]
    asked = [one for one in specifications if "Global" in one["Mode"] or one["Name"] in MOVING]
    images = {str(one["TaskTemplate"]["ContainerSpec"]["Image"]).partition("@")[0] for one in asked}
    worker.shell(f"docker --host {cluster.node.docker_host} save {' '.join(sorted(images))} | docker load --quiet")


def place(cluster: Cluster, service: str) -> str:
    """The host name of the node that a service's first task runs on."""
    return cluster.docker(
        "node", "inspect", "--format", "{{.Description.Hostname}}", cluster.tasks(service)[0]["NodeID"]
    )


def test_a_worker_dies(cluster: Cluster, fund: Fund, workers: list[Node]) -> None:
    """Both services move to the other worker, nothing of the lake or the journal is missing, and the fund trades on."""
    victim = next(worker for worker in workers if worker.name == place(cluster, MOVING[1]))
    before = fund.counts(), require_same_orders(fund)
    with Load(fund.reads("datamanager") + fund.reads("portfoliomanager"), fund.token) as load:
        time.sleep(3)
        victim.kill()
        noticed = wait_until("the node is down", lambda: "down" in states(cluster))
        moved = noticed + wait_until("the services moved", lambda: all(whole(cluster, name) for name in MOVING))
        answers = moved + wait_until(
            "both answer", lambda: all(map(fund.alive, (fund.datamanager, fund.portfoliomanager)))
        )
        time.sleep(5)
    assert before == (fund.counts(), require_same_orders(fund))
    session = fund.play_session()
    orders, fills = require_same_orders(fund)
    tell(
        f"a worker killed: noticed after {noticed:.1f} s, services rescheduled after {moved:.1f} s, "
        f"answering after {answers:.1f} s; {load.report}; lake and journal as before; {session} traded, "
        f"{orders} orders and {fills} fills are the journal's"
    )


def test_the_manager_restarts(cluster: Cluster, fund: Fund, workers: list[Node]) -> None:
    """The only manager stops and starts again; Swarm, lake and journal are as before, and the fund trades on."""
    assert workers
    before = fund.counts(), require_same_orders(fund)
    started = time.monotonic()
    cluster.node.stop()
    cluster.node.start()
    wait_until("both answer", lambda: all(map(fund.alive, (fund.datamanager, fund.portfoliomanager))))
    wait_until("the exchange answers", lambda: fund.alive(fund.exchange))
    seconds = time.monotonic() - started
    wait_until("the trader may trade", lambda: fund.ready(fund.portfoliomanager))
    assert before == (fund.counts(), require_same_orders(fund))
    session = fund.play_session()
    orders, fills = require_same_orders(fund)
    tell(
        f"manager restarted: everything answers after {seconds:.1f} s; lake and journal as before; {session} "
        f"traded, {orders} orders and {fills} fills are the journal's"
    )


def states(cluster: Cluster) -> str:
    """What the manager thinks of the nodes."""
    return cluster.docker("node", "ls", "--format", "{{.Status}}").lower()


def whole(cluster: Cluster, service: str) -> bool:
    """Whether every task of a service that shall run does so on a node that is up."""
    ready = set(cluster.docker("node", "ls", "--format", "{{.ID}} {{.Status}}").replace(" Ready", "").splitlines())
    tasks = cluster.tasks(service)
    return bool(tasks) and all(task["Status"]["State"] == "running" and task["NodeID"] in ready for task in tasks)
