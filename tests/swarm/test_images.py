"""The four images on a real engine: built by the product's own task, then looked at and run as the Swarm runs them."""

import json
import os
import re
import tarfile
import time
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from swarm import base_image
from swarm.engine import Engine
from swarm.machine import MachineError, wait_for
from swarm.node import Node

from infrastructure.images import build
from infrastructure.revision import ROOT

pytestmark = [pytest.mark.swarm, pytest.mark.timeout(1200)]

APPLICATIONS = ("datamanager", "portfoliomanager", "models", "exchange")
WITHOUT_COMPILER = ("datamanager", "exchange")
TAG = "0123456789ab-test"
CANARY = "canary-of-the-package-index.example"
SETTINGS: Mapping[str, Mapping[str, str]] = {
    "exchange": {"EXCHANGE_API_KEY_ID": "key", "EXCHANGE_API_SECRET": "secret", "EXCHANGE_TICKER_COUNT": "20"},
    "datamanager": {
        "DATA_BUCKET": "/lake",
        "POLYGON_BASE_URL": "http://exchange:8090",
        "POLYGON_API_KEY": "key",
        "POLYGON_REQUESTS_PER_MINUTE": "0",
    },
    "portfoliomanager": {
        "DATA_BUCKET": "/lake",
        "REGISTRY_DIRECTORY": "/registry",
        "DATAMANAGER_URL": "http://datamanager:8080",
        "ALPACA_API_KEY_ID": "key",
        "ALPACA_API_SECRET": "secret",
        "ALPACA_BASE_URL": "http://exchange:8090",
    },
}
PACKAGES = "/opt/venv/lib/python3.12/site-packages"
LIST_FILES = """
import os
for root, folders, files in os.walk("/"):
    if not root.startswith(("/proc", "/sys")):
        print(*(f"{root}/{name}" for name in files + folders), sep="\\n")
"""
LIST_DISTRIBUTIONS = """
import sys
from importlib.metadata import distributions
for one in distributions(path=[sys.argv[1]]):
    print(one.name.lower().replace("_", "-"), one.version)
"""
CONFINED = ("--read-only", "--tmpfs=/tmp", "--cap-drop=ALL")
PROGRAMS = ("gcc", "cc", "clang", "tcc", "zig", "ld", "curl", "wget")


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """An engine that holds the four images, built with the machine's index settings and a canary among them."""
    with pytest.MonkeyPatch.context() as patch, Engine(tmp_path_factory.mktemp("engine")) as engine:
        base_image.load(engine.manager)
        patch.setenv("DOCKER_HOST", engine.manager.docker_host)
        patch.setenv("DOCKER_BUILDKIT", "0")
        settings = {**os.environ, "REVISION": TAG, "NO_PROXY": CANARY}
        assert build.main([], settings) == 0
        yield engine.manager


def image(application: str) -> str:
    """The image's name with its tag."""
    return f"pocketsizefund/{application}:{TAG}"


def run_as_in_the_swarm(node: Node, application: str, *words: str) -> str:
    """The output of a command in a read-only container without rights, as the stacks have it."""
    return node.docker("run", "--rm", *CONFINED, "--network=none", image(application), *words)


@pytest.mark.parametrize("application", APPLICATIONS)
def test_it_is_labelled_and_unprivileged(node: Node, application: str) -> None:
    """OCI labels, user 10001, a tag that is a revision, the health check of a service."""
    about = json.loads(node.docker("image", "inspect", image(application)))[0]
    labels = {
        name.removeprefix("org.opencontainers.image."): value for name, value in about["Config"]["Labels"].items()
    }
    assert labels["title"] == f"pocketsizefund/{application}"
    assert labels["revision"] == TAG
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d", labels["created"].replace("Z", "+00:00"))
    assert (labels["licenses"], labels["version"]) == ("MIT", "0.1.0")
    assert about["Config"]["User"] == "10001:10001"
    assert ("Healthcheck" in about["Config"]) == (application != "models")
    assert run_as_in_the_swarm(node, application, "id", "-u").strip() == "10001"


@pytest.mark.parametrize("application", APPLICATIONS)
def test_it_holds_its_environment_and_nothing_more(node: Node, application: str) -> None:
    """No curl, no sources, no history of git, no tests; a compiler only where models are computed."""
    listing = run_as_in_the_swarm(node, application, "python", "-c", LIST_FILES)
    paths = listing.splitlines()
    names = {path.rpartition("/")[2] for path in paths if "/bin/" in path or "/sbin/" in path}
    compilers = {"zig"} if application not in WITHOUT_COMPILER else set()
    found = {name for name in PROGRAMS if name in names} | {"zig" for path in paths if path.endswith("/ziglang/zig")}
    assert found <= compilers
    assert [path for path in paths if path.endswith("/.git") or path.startswith(("/source", "/build-settings"))] == []
    others = {f"{PACKAGES}/{other}" for other in APPLICATIONS if other != application}
    assert [path for path in paths if path in others] == []


@pytest.mark.parametrize("application", APPLICATIONS)
def test_its_bill_of_materials_is_what_is_installed(node: Node, application: str) -> None:
    """CycloneDX in the image lists exactly the distributions that its Python finds; a copy lies beside the digest."""
    bill = json.loads(run_as_in_the_swarm(node, application, "cat", f"/usr/share/sbom/{application}.cdx.json"))
    listed = {(part["name"].lower().replace("_", "-"), part["version"]) for part in bill["components"]}
    installed = {
        tuple(line.split())
        for line in run_as_in_the_swarm(node, application, "python", "-c", LIST_DISTRIBUTIONS, PACKAGES).splitlines()
    }
    assert listed == installed
    assert "polars" in {name for name, _ in listed}
    kept = ROOT / build.BILLS / f"{application}-{TAG}"
    assert json.loads(Path(f"{kept}.cdx.json").read_text()) == bill
    digest = node.docker("image", "inspect", "--format", "{{.Id}}", image(application))
    assert Path(f"{kept}.digest").read_text() == digest


@pytest.mark.parametrize("application", APPLICATIONS)
def test_no_host_of_a_package_index_is_left_in_it(node: Node, application: str, tmp_path: Path) -> None:
    """Neither in history, nor in the environment, nor in any byte of any layer."""
    history = node.docker("history", "--no-trunc", image(application)) + node.docker("inspect", image(application))
    assert CANARY not in history
    assert "pypi" not in history.lower()
    archive = tmp_path / "image.tar"
    node.docker("save", "--output", str(archive), image(application))
    with tarfile.open(archive) as whole:
        layers = [member for member in whole.getmembers() if member.isfile()]
        assert [layer.name for layer in layers if CANARY.encode() in _content(whole, layer)] == []


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    part = archive.extractfile(member)
    return part.read() if part else b""


@pytest.fixture(scope="module")
def services(node: Node) -> Mapping[str, float]:
    """The three services beside one another, read-only and without rights; seconds from `docker run` to /health."""
    node.docker("network", "create", "fund")
    return {application: _start(node, application, settings) for application, settings in SETTINGS.items()}


def _start(node: Node, application: str, settings: Mapping[str, str]) -> float:
    words = [word for name, value in settings.items() for word in ("--env", f"{name}={value}")]
    words += [f"--volume={name}:/{name}" for name in ("lake", "registry")] + [f"--volume={application}-state:/state"]
    port = build.PORTS[application]
    start = time.monotonic()
    where = ("--network=fund", f"--publish={port}:{port}", f"--name={application}")
    node.docker("run", "--detach", *where, *CONFINED, *words, image(application))
    try:
        wait_for(application, lambda: ask(node, application, "/health") is not None, 120)
    except MachineError as error:
        raise MachineError(f"{error}: {node.docker('logs', '--tail=9', application)[-900:]}") from error
    return time.monotonic() - start


def ask(node: Node, application: str, path: str) -> Any | None:  # noqa: ANN401 (any JSON)
    """The JSON at a service's path, None while it does not answer."""
    try:
        answer = httpx.get(f"http://{node.address}:{build.PORTS[application]}{path}", timeout=5)
    except httpx.TransportError:
        return None
    return answer.raise_for_status().json()


def test_services_answer_read_only_and_are_found_healthy(node: Node, services: Mapping[str, float]) -> None:
    """The image's own health check says so too; sizes and cold starts are printed for the note."""
    for application, seconds in services.items():
        size = int(node.docker("image", "inspect", "--format", "{{.Size}}", image(application))) / 1e6
        print(f"{application}: {size:.0f} MB, {seconds:.1f} s from docker run to /health")  # noqa: T201 (the figures of the note)
    for application in services:
        _wait_until_healthy(node, application)


def _wait_until_healthy(node: Node, application: str) -> None:
    state = ["inspect", "--format", "{{.State.Health.Status}}", application]
    wait_for(f"the health of {application}", lambda: node.docker(*state).strip() == "healthy", 60)


@pytest.mark.usefixtures("services")
def test_the_image_of_models_trains_what_the_image_of_portfoliomanager_forecasts_with(node: Node) -> None:
    """Bars collected, a small model trained and registered, a forecast for every ticker, all read-only."""
    state = ask(node, "exchange", "/control/state")
    assert state is not None
    end = date.fromisoformat(state["session"])
    span = ("--start-date", str(end - timedelta(days=2 * 365)), "--end-date", str(end))
    for words in (("collect", *span), ("assemble", *span), ("train", "--model", "small")):
        models(node, *words)
    url = f"http://{node.address}:{build.PORTS['portfoliomanager']}/predictions"
    made = httpx.post(url, json={"date": str(end)}, timeout=120)
    assert made.status_code == 200, made.text
    forecasts = ask(node, "portfoliomanager", "/predictions")
    assert forecasts is not None
    assert {row["date"] for row in forecasts} == {str(end)}
    assert all(row["quantile_10"] <= row["quantile_50"] <= row["quantile_90"] for row in forecasts)


def models(node: Node, *words: str) -> None:
    """Run one command of the image of models beside the services."""
    where = ("--network=fund", "--volume=models-state:/state", "--volume=registry:/registry")
    settings = ("--env", "DATAMANAGER_URL=http://datamanager:8080", "--env", "REGISTRY_DIRECTORY=/registry")
    node.docker("run", "--rm", *where, *CONFINED, *settings, image("models"), "models", *words, timeout=900)
