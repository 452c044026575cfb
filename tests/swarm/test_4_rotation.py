"""Secrets, configs and settings change under load without a failed request, and no secret's value leaks.

Files are changed in a copy of the tree, whose tasks are run as a user would run them after an edit. The canaries are
the values that the running tasks really read: those of the beginning, and the rotated ones.
"""

import secrets
import subprocess
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from swarm.cluster import ROOT, Cluster, wait_until
from swarm.engine import Engine
from swarm.fund_routes import Fund
from swarm.load import Load
from swarm.proofs import tell

from infrastructure.images.build import lay_context

pytestmark = [pytest.mark.swarm, pytest.mark.timeout(600)]

ROTATED = "POLYGON_API_KEY"  # datamanager's alone; the exchange takes any
SECONDS_AFTER = 3  # of load, when every service has settled, which outlasts the old tasks' drain
SHORTEST_CANARY = 16  # characters; what is shorter, an address or a path is no secret and may occur anywhere
KINDS = ("container", "image", "service", "secret", "config", "network", "volume", "node")


def mounted(cluster: Cluster, service: str, name: str) -> set[str]:
    """What the tasks of a service read under a secret's name."""
    return {cluster.secrets(container)[name] for container in cluster.running(service)}


def canaries(cluster: Cluster) -> set[str]:
    """Every secret value in use that is long and random."""
    containers = [container for name in cluster.services() for container in cluster.running(name)]
    values = {one for container in containers for one in cluster.secrets(container).values()}
    return {one for one in values if len(one) >= SHORTEST_CANARY and "//" not in one and not one.startswith("/")}


@pytest.fixture(scope="module")
def edited(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Cluster:
    """The same Swarm, with the tasks of a copy of the tree that may be edited; packages are those of the tree."""
    copy = tmp_path_factory.mktemp("tree") / "copy"
    lay_context(copy, {})
    return replace(cluster, root=copy, variables=cluster.variables | {"UV_PROJECT_ENVIRONMENT": str(ROOT / ".venv")})


def edit(cluster: Cluster, name: str, old: str, new: str) -> None:
    """Change a text that occurs once in a file of a cluster's tree."""
    path = cluster.root / name
    text = path.read_text()
    assert text.count(old) == 1, f"{old} in {name}"
    path.write_text(text.replace(old, new))


def containers(cluster: Cluster) -> dict[str, set[str]]:
    """The running containers of every service."""
    return {name: set(cluster.running(name)) for name in cluster.services()}


def replaced(before: dict[str, set[str]], after: dict[str, set[str]]) -> set[str]:
    """The services that have other containers than before."""
    return {name for name in before if before[name] != after[name]}


def at_once(*changes: Callable[[], object]) -> None:
    """Make changes side by side; the first failure is raised."""
    with ThreadPoolExecutor(len(changes)) as pool:
        for change in [pool.submit(change) for change in changes]:
            change.result()


def test_a_secret_and_a_config_change(cluster: Cluster, edited: Cluster, fund: Fund) -> None:
    """A key is rotated while an alert's rule changes: only those who read them are replaced; 0 failed requests."""
    value, before = secrets.token_hex(24), containers(cluster)
    edit(edited, "infrastructure/prometheus/rules/alerts.yaml", "alert: TargetDown", "alert: TargetMissed")
    with Load(fund.reads("datamanager"), fund.token) as load:
        at_once(
            lambda: cluster.task("secrets rotate", ROTATED, sent=f"{value}\n"),
            lambda: edited.task("infrastructure base up"),
        )
        cluster.wait_settled("applications_datamanager", "infrastructure_prometheus")
        time.sleep(SECONDS_AFTER)
    kept = cluster.docker("secret", "ls", "--filter", f"label=pocketsizefund.secret={ROTATED}", "--quiet").split()
    tell(f"rotation of {ROTATED} and a changed alert rule: {load.report}")
    assert {value} == mounted(cluster, "applications_datamanager", ROTATED)
    assert len(kept) == 1
    wait_until("Prometheus has loaded the rule", lambda: "TargetMissed" in fund.rules())
    assert replaced(before, containers(cluster)) == {"applications_datamanager", "infrastructure_prometheus"}
    assert load.report.failed == 0


def test_a_setting_changes(cluster: Cluster, fund: Fund) -> None:
    """STRATEGY_PARAMETERS of another value, and the tree's own images again after the updates; 0 failed requests."""
    services = {"applications_datamanager", "applications_portfoliomanager"}
    before = containers(cluster)
    with Load(fund.reads("datamanager") + fund.reads("portfoliomanager"), fund.token) as load:
        cluster.task("applications up", STRATEGY_PARAMETERS="gross_exposure=0.9")
        cluster.wait_settled(*services)
        time.sleep(SECONDS_AFTER)
    tell(f"changed setting STRATEGY_PARAMETERS: {load.report}")
    trader = cluster.service("applications_portfoliomanager")["Spec"]["TaskTemplate"]["ContainerSpec"]
    assert "STRATEGY_PARAMETERS=gross_exposure=0.9" in trader["Env"]
    assert replaced(before, containers(cluster)) == services
    assert load.report.failed == 0


def test_the_door_itself_changes(cluster: Cluster, edited: Cluster, fund: Fund) -> None:
    """Traefik's own file: its ports are the machine's, so that the old task ends before the new one begins."""
    service, before = "infrastructure_traefik", containers(cluster)
    edit(edited, "infrastructure/traefik/dynamic.yaml", "burst: 400", "burst: 500")
    with Load(fund.reads("datamanager"), fund.token) as load:
        edited.task("infrastructure base up")
        cluster.wait_settled(service)
        time.sleep(SECONDS_AFTER)
    tell(f"changed file of Traefik, the only entry point: {load.report}")
    assert replaced(before, containers(cluster)) == {service}
    assert load.report.answers[-1].fault == ""
    assert load.report.outage < 15


def test_the_token_is_rotated(cluster: Cluster, fund: Fund) -> None:
    """FUND_API_TOKEN, which every service asks for and sends: no service is away, then the old one opens nothing."""
    value, open_to_all = secrets.token_hex(24), [f"{base}/health" for base in (fund.datamanager, fund.portfoliomanager)]
    with Load(open_to_all) as load:
        cluster.task("secrets rotate", "FUND_API_TOKEN", sent=f"{value}\n")
        cluster.wait_settled("applications_datamanager", "applications_portfoliomanager", "applications_exchange")
        time.sleep(SECONDS_AFTER)
    old = fund.request("POST", f"{fund.datamanager}/predictions", {})
    fund.token = value
    new = fund.request("POST", f"{fund.datamanager}/predictions", {})
    session = fund.play_session()
    tell(f"rotation of FUND_API_TOKEN: {load.report}; the session of {session} was traded with the new one")
    assert old.status_code == 401
    assert new.status_code in {415, 422}
    assert load.report.failed == 0


def test_canaries_are_found_nowhere(cluster: Cluster, fund: Fund, engine: Engine) -> None:
    """Not in logs, in what the engine tells, in images (layers, history), containers, volumes, or metrics."""
    values = canaries(cluster)
    texts = {
        "logs": "".join(cluster.docker("logs", one, both=True) for one in cluster.docker("ps", "-aq").split()),
        "inspect": "".join(inspected(cluster, kind) for kind in KINDS),
        "history": "".join(
            cluster.docker("history", "--no-trunc", one) for one in cluster.docker("image", "ls", "--quiet").split()
        ),
        "metrics": "".join(
            fund.request("GET", f"{base}/metrics").text
            for base in (fund.datamanager, fund.portfoliomanager, fund.exchange)
        ),
    }
    files, searched = files_with(values, engine.folder)
    asked = ", ".join(f"{len(text)} characters of {name}" for name, text in texts.items())
    tell(
        f"{len(values)} canaries: found in none of {asked}, "
        f"nor in {searched} files of the engine (layers, containers, volumes, logs, Raft)"
    )
    assert len(values) >= 4
    assert not [(name, len(one)) for name, text in texts.items() for one in values if one in text]
    assert not files


def inspected(cluster: Cluster, kind: str) -> str:
    """What `docker inspect` tells of every object of a kind."""
    every = ("--all",) if kind == "container" else ()
    names = cluster.docker(kind, "ls", *every, "--quiet").split()
    return cluster.docker("inspect", "--type", kind, *names) if names else ""


def files_with(values: set[str], folder: Path) -> tuple[list[str], int]:
    """The files under an engine's folder that hold one of the values, and how many were searched.

    Other file systems are left out: merged layers, which are the same files again, and the tasks' memory in which their
    secrets are.
    """
    every = subprocess.run(  # noqa: S603 - a fixed command
        ["find", str(folder), "-xdev", "-type", "f", "-print0"],  # noqa: S607 - find of the PATH
        capture_output=True,
        check=True,
    ).stdout
    with tempfile.NamedTemporaryFile("w") as patterns:
        patterns.write("".join(f"{value}\n" for value in values))
        patterns.flush()
        words = ["xargs", "--null", "grep", "--files-with-matches", "--fixed-strings", f"--file={patterns.name}"]
        found = subprocess.run(words, input=every, capture_output=True, check=False)  # noqa: S603 - a fixed command
    return found.stdout.decode().splitlines(), every.count(b"\0")
