"""The real Prometheus, Alertmanager, node-exporter and Traefik on loopback, with the product's own configuration.

The one change to `prometheus.yaml`: every target comes from a file with loopback's address instead of the Swarm's DNS,
and is scraped every two seconds instead of every fifteen.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from libraries.python.tests.free_ports import free_ports

PROMETHEUS = Path(__file__).parents[1] / "prometheus"
PACKAGES = "prometheus prometheus-alertmanager prometheus-node-exporter"
PROGRAMS = ("prometheus", "prometheus-alertmanager", "prometheus-node-exporter", "traefik")
PACE = {"scrape_interval": "2s", "scrape_timeout": "2s", "evaluation_interval": "2s"}
DISCOVERIES = ("dns_sd_configs", "static_configs")


@dataclass(frozen=True)
class Watchers:
    """The running programs.

    Attributes:
        prometheus: Prometheus' own address.
        datamanager: Traefik's entry point that routes to datamanager.
    """

    prometheus: str
    datamanager: str

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The instant vector of an expression: `metric` and `value` of each series."""
        answer = httpx.get(f"{self.prometheus}/api/v1/query", params={"query": expression}, timeout=10).json()
        assert answer["status"] == "success", f"{expression}: {answer}"
        found: list[dict[str, Any]] = answer["data"]["result"]
        return found


def on_loopback(folder: Path, addresses: Mapping[str, str]) -> Path:
    """Write the product's prometheus.yaml with addresses of loopback; a job without one has no target."""
    configuration = yaml.safe_load((PROMETHEUS / "prometheus.yaml").read_text())
    configuration["global"] |= PACE
    jobs = [(job["job_name"], job) for job in configuration["scrape_configs"]]
    for name, job in [*jobs, ("alertmanager", configuration["alerting"]["alertmanagers"][0])]:
        assert any(job.pop(kind, None) for kind in DISCOVERIES), f"{name} has no target in prometheus.yaml"
        targets = [{"targets": [addresses[name]]}] if name in addresses else []
        (folder / f"{name}.json").write_text(json.dumps(targets))
        job["file_sd_configs"] = [{"files": [f"{name}.json"]}]
    (folder / "prometheus.yaml").write_text(yaml.safe_dump(configuration))
    shutil.copytree(PROMETHEUS / "rules", folder / "rules", ignore=shutil.ignore_patterns("tests"))
    return folder / "prometheus.yaml"


def traefik_routes(folder: Path, url: str) -> Path:
    """A file for Traefik that routes its entry point `entry` to one address."""
    router = {"rule": "PathPrefix(`/`)", "entryPoints": ["entry"], "service": "datamanager"}
    service = {"loadBalancer": {"servers": [{"url": url}]}}
    routes = {"http": {"routers": {"datamanager": router}, "services": {"datamanager": service}}}
    (folder / "datamanager.yaml").write_text(yaml.safe_dump(routes))
    return folder / "datamanager.yaml"


def can_watch() -> bool:
    """Whether the programs are on this machine; in CI (`CI` is set) always, so that a missing one is a failure."""
    return bool(os.environ.get("CI")) or all(find_program(name) for name in PROGRAMS)


def find_program(name: str) -> str | None:
    """The path of a program: of this environment, of the machine, or none."""
    return shutil.which(name, path=f"{Path(sys.executable).parent}:{os.environ['PATH']}:/usr/bin")


def installed(name: str) -> str:
    """The path of a program. In CI (`CI` is set) its absence is a failure, else a skip."""
    found = find_program(name)
    if found is None:
        give_up = pytest.fail if os.environ.get("CI") else pytest.skip
        give_up(f"{name} is not on this machine; `apt-get install {PACKAGES}` and `uv sync` bring all that is needed")
    return found


@contextmanager
def running(command: Sequence[str], log: Path, ready: str) -> Generator[None]:
    """A program that answers at an address; it is ended at the end."""
    with log.open("wb") as output:
        process = subprocess.Popen([installed(command[0]), *command[1:]], cwd=log.parent, stdout=output, stderr=output)  # noqa: S603 - a fixed program
    try:
        deadline = time.monotonic() + 120
        while not _answers(ready):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        yield
    finally:
        process.kill()  # nothing of it is kept, and Traefik would wait ten seconds for its last caller
        process.wait(20)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=1).is_success
    except httpx.TransportError:
        return False


@contextmanager
def watch(folder: Path, services: Mapping[str, int]) -> Generator[Watchers]:
    """Run everything that watches, around services that listen (or will listen) on these ports."""
    names = ("prometheus", "alertmanager", "node-exporter", "traefik", "entry")
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    at = {name: f"127.0.0.1:{port}" for name, port in (ports | dict(services)).items()}
    targets = {name: address for name, address in at.items() if name != "entry"}
    alertmanager, prometheus = (f"http://{at[name]}/{name}" for name in ("alertmanager", "prometheus"))
    with ExitStack() as stack:
        for name, ready, command in (
            (
                "node-exporter",
                f"http://{at['node-exporter']}/",
                ["prometheus-node-exporter", f"--web.listen-address={at['node-exporter']}"],
            ),
            (
                "alertmanager",
                f"{alertmanager}/-/ready",
                [
                    *("prometheus-alertmanager", f"--config.file={PROMETHEUS / 'alertmanager.yaml'}"),
                    *(f"--web.listen-address={at['alertmanager']}", f"--web.external-url={alertmanager}/"),
                    *("--cluster.listen-address=", "--storage.path=alertmanager"),
                ],
            ),
            (
                "traefik",
                f"http://{at['traefik']}/metrics",
                [
                    *("traefik", f"--providers.file.filename={traefik_routes(folder, 'http://' + at['datamanager'])}"),
                    *(
                        f"--entryPoints.metrics.address={at['traefik']}",
                        f"--entryPoints.entry.address={at['entry']}",
                    ),
                    *("--metrics.prometheus.entryPoint=metrics", "--metrics.prometheus.addRoutersLabels=true"),
                ],
            ),
            (
                "prometheus",
                f"{prometheus}/-/ready",
                [
                    *("prometheus", f"--config.file={on_loopback(folder, targets)}", "--storage.tsdb.path=series"),
                    *(f"--web.listen-address={at['prometheus']}", f"--web.external-url={prometheus}/"),
                ],
            ),
        ):
            stack.enter_context(running(command, folder / f"{name}.log", ready))
        yield Watchers(prometheus, f"http://{at['entry']}")
