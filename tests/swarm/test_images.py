"""The images on a real engine: built by the product's own task, then looked at and run as the Swarm runs them."""

import itertools
import json
import re
import tarfile
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pytest
from swarm.cluster import Cluster
from swarm.machine import MachineError, wait_for
from swarm.node import Node
from swarm.proofs import tell
from swarm.rise import INDEX_CANARY

from infrastructure.images import build
from infrastructure.revision import ROOT

pytestmark = [pytest.mark.swarm, pytest.mark.timeout(1200)]

APPLICATIONS = ("datamanager", "portfoliomanager", "models", "exchange", "scheduler")
TOKEN = "a-token-of-the-tests-and-no-other"  # noqa: S105 - of engines that end with the tests
WITHOUT_COMPILER = ("datamanager", "exchange", "scheduler")
SETTINGS: Mapping[str, Mapping[str, str]] = {
    "exchange": {"EXCHANGE_API_KEY_ID": "key", "EXCHANGE_API_SECRET": "secret", "EXCHANGE_TICKER_COUNT": "20"},
    "datamanager": {
        "DATA_BUCKET": "/lake",
        "POLYGON_BASE_URL": "http://exchange:8090",
        "POLYGON_API_KEY": "key",
        "POLYGON_REQUESTS_PER_MINUTE": "0",
        "EDGAR_USER_AGENT": "A fund of the tests admin@example.com",
        "EDGAR_BASE_URL": "http://exchange:8090",
        "EDGAR_DATA_BASE_URL": "http://exchange:8090",
        "EDGAR_REQUESTS_PER_SECOND": "0",
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


def is_healthy(node: Node, container: str) -> bool:
    """Whether the container's health check passes."""
    return node.docker("inspect", "--format", "{{.State.Health.Status}}", container).strip() == "healthy"


@pytest.fixture(scope="module")
def node(cluster: Cluster) -> Node:
    """The node whose engine built the images."""
    return cluster.node


@pytest.fixture(scope="module")
def tag(cluster: Cluster) -> str:
    """The images' tag."""
    return cluster.variables["REVISION"]


def image(application: str, tag: str) -> str:
    """The image's name with its tag."""
    return f"pocketsizefund/{application}:{tag}"


def run_as_in_the_swarm(node: Node, application: str, tag: str, *words: str) -> str:
    """The output of a command in a read-only container without rights, as the stacks have it."""
    return node.docker("run", "--rm", *CONFINED, "--network=none", image(application, tag), *words)


@pytest.mark.parametrize("application", APPLICATIONS)
def test_it_is_labelled_and_unprivileged(node: Node, tag: str, application: str) -> None:
    """OCI labels, user 10001, a tag that is a revision, the health check of a service."""
    about = json.loads(node.docker("image", "inspect", image(application, tag)))[0]
    labels = {
        name.removeprefix("org.opencontainers.image."): value for name, value in about["Config"]["Labels"].items()
    }
    assert labels["title"] == f"pocketsizefund/{application}"
    assert labels["revision"] == tag
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d", labels["created"].replace("Z", "+00:00"))
    assert (labels["licenses"], labels["version"]) == ("MIT", "0.1.0")
    assert about["Config"]["User"] == "10001:10001"
    assert ("Healthcheck" in about["Config"]) == (application != "models")
    assert run_as_in_the_swarm(node, application, tag, "id", "-u").strip() == "10001"


@pytest.mark.parametrize("application", APPLICATIONS)
def test_it_holds_its_environment_and_nothing_more(node: Node, tag: str, application: str) -> None:
    """No curl, no sources, no history of git, no tests; a compiler only where models are computed."""
    listing = run_as_in_the_swarm(node, application, tag, "python", "-c", LIST_FILES)
    paths = listing.splitlines()
    names = {path.rpartition("/")[2] for path in paths if "/bin/" in path or "/sbin/" in path}
    compilers: set[str] = set() if application in WITHOUT_COMPILER else {"zig"}
    found = {name for name in PROGRAMS if name in names} | {"zig" for path in paths if path.endswith("/ziglang/zig")}
    assert found <= compilers
    assert [path for path in paths if path.endswith("/.git") or path.startswith(("/source", "/build-settings"))] == []
    others = {f"{PACKAGES}/{other}" for other in APPLICATIONS if other != application}
    assert [path for path in paths if path in others] == []


def test_bars_are_multiplied_without_a_compiler(node: Node, tag: str) -> None:
    """The C files for bars are in datamanager's image as they were compiled while the image was built."""
    load = "import importlib.util as u, internal.bar_kernels.library as x; x.load(); x.load_volatility()"
    words = f"{load}; print(u.find_spec('ziglang'))"
    assert run_as_in_the_swarm(node, "datamanager", tag, "python", "-c", words).strip() == "None"


@pytest.mark.parametrize("application", APPLICATIONS)
def test_its_bill_of_materials_is_what_is_installed(node: Node, tag: str, application: str) -> None:
    """CycloneDX in the image lists exactly the distributions that its Python finds; a copy is next to the digest."""
    bill = json.loads(run_as_in_the_swarm(node, application, tag, "cat", f"/usr/share/sbom/{application}.cdx.json"))
    listed = {(part["name"].lower().replace("_", "-"), part["version"]) for part in bill["components"]}
    found = run_as_in_the_swarm(node, application, tag, "python", "-c", LIST_DISTRIBUTIONS, PACKAGES)
    installed = {tuple(line.split()) for line in found.splitlines()}
    assert listed == installed
    assert "polars" in {name for name, _ in listed}
    kept = ROOT / build.BILLS / f"{application}-{tag}"
    assert json.loads(Path(f"{kept}.cdx.json").read_text()) == bill
    digest = node.docker("image", "inspect", "--format", "{{.Id}}", image(application, tag))
    assert Path(f"{kept}.digest").read_text() == digest


def test_no_host_of_a_package_index_is_left_in_them(node: Node, tag: str, tmp_path: Path) -> None:
    """Neither in history, nor in the environment, nor in any byte of any layer."""
    names, archive = [image(application, tag) for application in APPLICATIONS], tmp_path / "images.tar"
    history = "".join(node.docker("history", "--no-trunc", name) + node.docker("inspect", name) for name in names)
    assert INDEX_CANARY not in history
    assert "pypi" not in history.lower()
    node.docker("save", "--output", str(archive), *names)
    with tarfile.open(archive) as whole:
        layers = [member for member in whole.getmembers() if member.isfile()]
        assert len(layers) > len(names)
        assert [layer.name for layer in layers if INDEX_CANARY.encode() in _content(whole, layer)] == []


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    part = archive.extractfile(member)
    return part.read() if part else b""


def test_services_start_cold_read_only_and_are_found_healthy(node: Node, tag: str) -> None:
    """Beside one another on a network of their own, one after the other; the image's own health check says so too."""
    node.docker("network", "create", "cold")
    for application, settings in SETTINGS.items():
        seconds = start(node, application, tag, settings)
        tell(f"image of {application}: {megabytes(node, application, tag)}, {seconds:.1f} s from docker run to /health")
    began = time.monotonic()
    run_as_in_the_swarm(node, "models", tag, "models", "list")
    seconds = time.monotonic() - began
    tell(
        f"image of models: {megabytes(node, 'models', tag)}, {seconds:.1f} s from docker run to the end of models list"
    )
    for application in SETTINGS:
        wait_for(f"the health of {application}", partial(is_healthy, node, f"cold-{application}"), 60)
    for application in SETTINGS:
        node.docker("rm", "--force", "--volumes", f"cold-{application}")


def megabytes(node: Node, application: str, tag: str) -> str:
    """An image's size with every layer, and of that what the other images do not share."""
    whole = int(node.docker("image", "inspect", "--format", "{{.Size}}", image(application, tag)))
    layers = node.docker("history", "--human=false", "--format", "{{.Size}} {{.CreatedBy}}", image(application, tag))
    own = sum(
        int(line.split()[0]) for line in itertools.takewhile(lambda line: "/opt/venv" not in line, layers.splitlines())
    )
    return f"{whole / 1e6:.0f} MB ({own / 1e6:.0f} of its own)"


def start(node: Node, application: str, tag: str, settings: Mapping[str, str]) -> float:
    """Run a service, read-only and without rights, under its own name on the network; seconds until /health answers."""
    variables = {**settings, "FUND_API_TOKEN": TOKEN}  # without one a service listens on loopback alone
    words = [word for name, value in variables.items() for word in ("--env", f"{name}={value}")]
    words += [f"--volume=cold-{name}:/{name}" for name in ("lake", "registry")]
    name, began = f"cold-{application}", time.monotonic()
    where = ("--network=cold", f"--network-alias={application}", f"--name={name}", "--volume=/state")
    node.docker("run", "--detach", *where, *CONFINED, *words, image(application, tag))
    ask = ("exec", name, "python", "-m", "internal.http.probe", f"http://127.0.0.1:{build.PORTS[application]}/health")
    try:
        wait_for(application, lambda: answers(node, ask), 120)
    except MachineError as error:
        raise MachineError(f"{error}: {node.docker('logs', '--tail=9', name)[-900:]}") from error
    return time.monotonic() - began


def answers(node: Node, ask: tuple[str, ...]) -> bool:
    """Whether a command in a container ends well."""
    try:
        node.docker(*ask)
    except MachineError:
        return False
    return True
