"""One Swarm for all tests, created as a user creates it: base up, build, applications up, start. Steps are timed."""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from swarm import base_image, stand_ins
from swarm.cluster import ROOT, Cluster
from swarm.engine import Engine
from swarm.fund_routes import Fund
from swarm.proofs import LINES
from swarm.rise import INDEX_CANARY, Rise

from infrastructure.revision import revision

NODES = 3
TICKERS = "60"
USER = 10001  # of the images
VOLUMES = (
    "lake",
    "registry",
    *(f"{name}-state" for name in ("datamanager", "portfoliomanager", "exchange", "scheduler")),
)
STACKS = [ROOT / "infrastructure" / "stacks" / name for name in ("platform.yaml", "monitoring.yaml")]


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Three engines that know nothing of one another yet; removed whole."""
    with Engine(tmp_path_factory.mktemp("swarm") / "engine", nodes=NODES) as engine:
        yield engine


def services_of(stacks: Iterable[Path]) -> dict[str, Any]:
    """The services that some stack files describe."""
    return {name: one for stack in stacks for name, one in yaml.safe_load(stack.read_text())["services"].items()}


def without(absent: Iterable[str], images: Mapping[str, str]) -> dict[str, Any]:
    """What leaves out the services whose images cannot be had here, and names the others without a digest.

    The stand-ins have the real images' names, and digests of their own.
    """
    left_out = {"deploy": {"mode": "replicated", "replicas": 0}}
    return {
        "services": {name: {"image": image} | (left_out if name in absent else {}) for name, image in images.items()}
    }


def shared(folder: Path) -> dict[str, Any]:
    """What puts the volumes into one folder that every node sees, as an NFS server would offer it."""
    for name in VOLUMES:
        (folder / name).mkdir(parents=True)
        os.chown(folder / name, USER, USER)
    options = {name: {"type": "none", "o": "bind", "device": str(folder / name)} for name in VOLUMES}
    named = {name: {"name": f"pocketsizefund-{name}", "driver": "local"} for name in VOLUMES}
    return {"volumes": {name: one | {"driver_opts": options[name]} for name, one in named.items()}}


def write(path: Path, overlay: dict[str, Any]) -> str:
    """Write an overlay as a stack file; its path."""
    path.write_text(yaml.safe_dump(overlay))
    return str(path)


@pytest.fixture(scope="session")
def rise() -> Rise:
    """The steps from nothing to a trading fund, as they are taken."""
    return Rise()


@pytest.fixture(scope="session")
def cluster(engine: Engine, rise: Rise, tmp_path_factory: pytest.TempPathFactory) -> Cluster:
    """The whole fund in a Swarm of one node, trading after its first session."""
    folder, manager = tmp_path_factory.mktemp("fund"), engine.manager
    base_image.load(manager)
    images = {name: str(one["image"]).partition("@")[0] for name, one in services_of(STACKS).items()}
    not_had = stand_ins.load(manager, images.values())
    absent = [name for name, image in images.items() if image in not_had]
    manager.docker("swarm", "init", "--advertise-addr", manager.address)
    cluster = Cluster(
        manager,
        {
            "FUND_HOME": str(folder / "home"),
            "SWARM_ADDRESS": manager.address,
            "NETWORK_ENCRYPTION": "off",  # a kernel without ESP lets no packet pass between nodes
            "EXCHANGE_TICKER_COUNT": TICKERS,
            "INFRASTRUCTURE_OVERLAY": write(folder / "infrastructure.yaml", without(absent, images)),
            "APPLICATIONS_OVERLAY": write(folder / "applications.yaml", shared(folder / "shared")),
            "SMOKE_LEFT_OUT": ",".join(absent),
            "REVISION": revision(),  # one for all steps, whatever is edited while they run
            "UV_NO_SYNC": "1",
            "BASE_IMAGE": base_image.NAME,  # as `without` does it: the stand-in has a digest of its own
        },
    )
    rise.take(cluster, "infrastructure base up")
    rise.take(cluster, "applications build", seconds=900, NO_PROXY=f"{os.environ.get('NO_PROXY', '')},{INDEX_CANARY}")
    rise.take(cluster, "applications up")
    rise.take(cluster, "applications start", "--sessions", "1", seconds=900)
    return cluster


@pytest.fixture(scope="session")
def fund(cluster: Cluster) -> Fund:
    """The fund's routes, with the credentials that base up made."""
    kept = json.loads(Path(cluster.variables["FUND_HOME"], "swarm", "credentials.json").read_text())
    return Fund(cluster.node.address, kept["FUND_API_TOKEN"], kept["GRAFANA_ADMIN_PASSWORD"])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show what was proved, with its figures."""
    if LINES:
        terminalreporter.section("what was proved")
        terminalreporter.write("".join(f"{line}\n" for line in LINES))
