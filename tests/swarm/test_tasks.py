"""The tasks against a real engine: secrets rotate under a running service, and base down removes only its own."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from swarm import base_image
from swarm.cluster import Cluster
from swarm.engine import Engine
from swarm.machine import found
from swarm.node import Node

from infrastructure.names import CONTEXTS, GENERATED_SECRETS, SECRETS
from infrastructure.swarm.base import NO_PULUMI

pytestmark = [pytest.mark.swarm, pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[2]
READER_PROGRAM = """
import http.server, sys
if open("/run/secrets/FUND_API_TOKEN").read() == sys.argv[1]:
    raise SystemExit("I cannot live with that")
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        value = open("/run/secrets/FUND_API_TOKEN").read()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(value.encode())
http.server.ThreadingHTTPServer(("", 8000), Handler).serve_forever()
"""
FIRST, SECOND, THIRD, BAD = (f"{name}-token-of-32-characters-and-more" for name in ("first", "second", "third", "bad"))
ASK = "import urllib.request; print(urllib.request.urlopen('http://127.0.0.1:8000').read().decode(), end='')"


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """A Swarm of one node that was there before any task ran, with a network and a secret of somebody else's."""
    with Engine(tmp_path_factory.mktemp("swarm") / "engine") as engine:
        manager = engine.manager
        base_image.load(manager)
        manager.docker("swarm", "init", "--advertise-addr", "127.0.0.1")
        manager.docker("network", "create", "--driver=overlay", "somebody-elses")
        manager.docker("secret", "create", "SOMEBODY_ELSES", "-", sent="theirs")
        yield manager


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the local Swarm's credentials."""
    return tmp_path_factory.mktemp("home")


def task(node: Node, home: Path, module: str, *arguments: str, sent: str = "") -> subprocess.CompletedProcess[str]:
    """Run one of the commands that maskfile.md calls."""
    variables = os.environ | {"DOCKER_HOST": node.docker_host, "FUND_HOME": str(home)}
    words = [sys.executable, "-m", f"infrastructure.swarm.{module}", *arguments]
    return subprocess.run(words, cwd=ROOT, env=variables, input=sent, capture_output=True, text=True, check=False)  # noqa: S603


def served(node: Node, service: str) -> str:
    """What the container of a service's one task answers; one that is being replaced is not asked."""
    return node.docker("exec", *Cluster(node).running(service), "python", "-c", ASK)


@pytest.fixture(scope="module")
def reader(node: Node, home: Path) -> Node:
    """Two services that answer with the secret FUND_API_TOKEN; `reader` ends at once when that is `BAD`."""
    assert task(node, home, "secrets", "create", "FUND_API_TOKEN", sent=f"{FIRST}\n").returncode == 0
    for name, hated in (("reader", BAD), ("willing", "nothing")):
        create_reader(node, name, hated)
    return node


def create_reader(node: Node, name: str, hated: str) -> None:
    """Make one of the services."""
    node.docker(
        *("service", "create", "--quiet", f"--name={name}", "--secret=FUND_API_TOKEN", "--update-order=start-first"),
        *("--update-failure-action=rollback", "--update-monitor=3s", "--rollback-monitor=1s"),
        *("--health-cmd", f'python -c "{ASK}"', "--health-interval=2s", "--health-retries=9", "--health-timeout=30s"),
        *(base_image.NAME, "python", "-c", READER_PROGRAM, hated),
    )


def secrets(node: Node) -> list[str]:
    """The names of the Swarm's secrets, without somebody else's."""
    return [name for name in node.docker("secret", "ls", "--format", "{{.Name}}").split() if name != "SOMEBODY_ELSES"]


def test_second_create_is_refused(reader: Node, home: Path) -> None:
    """A secret that is there is not made twice; the message says how to change it."""
    refused = task(reader, home, "secrets", "create", "FUND_API_TOKEN", sent=f"{THIRD}\n")
    assert refused.returncode == 1
    assert "mask secrets rotate FUND_API_TOKEN" in refused.stderr


def test_rotation_reaches_the_service(reader: Node, home: Path) -> None:
    """The services serve the new value, the old secret is gone, and no output holds either value."""
    assert served(reader, "reader") == FIRST
    rotated = task(reader, home, "secrets", "rotate", "FUND_API_TOKEN", sent=f"{SECOND}\n")
    assert rotated.returncode == 0, rotated.stderr
    assert served(reader, "reader") == served(reader, "willing") == SECOND
    assert len(secrets(reader)) == 1
    assert secrets(reader)[0].startswith("FUND_API_TOKEN-")
    assert SECOND not in rotated.stdout + rotated.stderr
    assert f'"{SECOND}"' in (home / "swarm" / "credentials.json").read_text()
    assert (home / "swarm" / "credentials.json").stat().st_mode & 0o777 == 0o600


def test_what_pulumi_settles_may_be_there_or_not(reader: Node, home: Path) -> None:
    """One that is there is rotated, under the services that mount it; one that is not is made."""
    assert task(reader, home, "secrets", "settle", "FUND_API_TOKEN", sent=f"{THIRD}\n").returncode == 0
    assert served(reader, "reader") == served(reader, "willing") == THIRD
    assert task(reader, home, "secrets", "settle", "POLYGON_API_KEY", sent="key\n").returncode == 0
    assert "POLYGON_API_KEY" in secrets(reader)
    assert task(reader, home, "secrets", "remove", "POLYGON_API_KEY").returncode == 0


def test_bad_value_is_undone(reader: Node, home: Path) -> None:
    """A value that one service cannot live with: both go on with the old one, and the new one is gone."""
    before = secrets(reader)
    refused = task(reader, home, "secrets", "rotate", "FUND_API_TOKEN", sent=f"{BAD}\n")
    assert refused.returncode == 1
    assert "rolled back" in refused.stderr
    assert secrets(reader) == before
    assert served(reader, "reader") == served(reader, "willing") == THIRD


def test_down_removes_its_own_alone(node: Node, home: Path) -> None:
    """What was there before stays: the Swarm, somebody else's network and secret, the secret that its owner made."""
    theirs = set(node.docker("network", "ls", "--format", "{{.Name}}").split()), set(secrets(node))
    for module, verb in (("networks", "up"), ("secrets", "fill"), ("networks", "up"), ("secrets", "fill")):
        done = task(node, home, module, verb)
        assert done.returncode == 0, done.stderr
    assert {"public", "internal", "app-network"} <= set(node.docker("network", "ls", "--format", "{{.Name}}").split())
    assert node.docker("network", "inspect", "internal", "--format", "{{.Internal}}").strip() == "true"
    assert len(secrets(node)) == len(SECRETS) + len(GENERATED_SECRETS)
    done = task(node, home, "base", "down", "--volumes")
    assert done.returncode == 0, done.stderr
    assert theirs == (set(node.docker("network", "ls", "--format", "{{.Name}}").split()), set(secrets(node)))
    assert "SOMEBODY_ELSES" in node.docker("secret", "ls", "--format", "{{.Name}}")
    assert node.docker("info", "--format", "{{.Swarm.LocalNodeState}}").strip() == "active"


def test_up_and_down_again_leave_no_swarm(tmp_path: Path) -> None:
    """A Swarm that base up made goes with base down; a second base down finds nothing to do."""
    with Engine(tmp_path / "engine") as engine:
        made = (
            "from infrastructure.swarm import base, networks, secrets; base.make_swarm(); networks.up(); secrets.fill()"
        )
        variables = os.environ | {"DOCKER_HOST": engine.manager.docker_host, "FUND_HOME": str(tmp_path)}
        subprocess.run([sys.executable, "-c", made], cwd=ROOT, env=variables, check=True)  # noqa: S603 - our own modules
        for _ in range(2):
            done = task(engine.manager, tmp_path, "base", "down")
            assert done.returncode == 0, done.stderr
            state = engine.manager.docker("info", "--format", "{{.Swarm.LocalNodeState}}").strip()
            assert state == "inactive"
        assert engine.manager.docker("image", "ls", "--quiet").strip() == ""
        assert not (tmp_path / "swarm" / "credentials.json").exists()


def test_production_without_pulumi_says_how_to_get_it(tmp_path: Path) -> None:
    """In the production context, on a machine that has docker and not pulumi: one sentence, and nothing is made."""
    (tmp_path / "docker").symlink_to(str(found("docker")))
    variables = {"PATH": str(tmp_path), "HOME": str(tmp_path), "DOCKER_CONFIG": str(tmp_path / "config")}
    make = ["docker", "context", "create", CONTEXTS[1], "--docker", f"host=unix://{tmp_path}/nobody.sock"]
    subprocess.run(make, env=variables | {"PATH": os.environ["PATH"]}, check=True, capture_output=True)  # noqa: S603 - fixed words
    words = [sys.executable, "-m", "infrastructure.swarm.base", "up"]
    asked = variables | {"DOCKER_CONTEXT": CONTEXTS[1]}
    done = subprocess.run(words, cwd=ROOT, env=asked, capture_output=True, text=True, check=False)  # noqa: S603 - fixed words
    assert done.returncode == 1
    assert done.stderr == f"error: {NO_PULUMI}\n"
