"""The monitoring stack: every file is mounted, and each service has limits, health checks and no published port."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

INFRASTRUCTURE = Path(__file__).parents[1]
STACK: dict[str, Any] = yaml.safe_load((INFRASTRUCTURE / "stacks" / "monitoring.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = STACK["services"]
PROMETHEUS = yaml.safe_load((INFRASTRUCTURE / "prometheus" / "prometheus.yaml").read_text())


def mounted(service: str) -> dict[str, Path]:
    """The files of the repository that a service sees, by their path in its container."""
    folder = INFRASTRUCTURE / "stacks"
    return {
        config["target"]: (folder / STACK["configs"][config["source"]]["file"]).resolve()
        for config in SERVICES[service]["configs"]
    }


@pytest.mark.parametrize("name", SERVICES)
def test_service_is_limited_checked_and_closed(name: str) -> None:
    """What each service owes the Swarm."""
    service, deploy = SERVICES[name], SERVICES[name]["deploy"]

    assert re.search(r":v?\d+\.\d+\.\d+@sha256:[0-9a-f]{64}$", service["image"])
    assert service["read_only"]
    assert service["healthcheck"]["test"]
    assert "user" in service
    assert "ports" not in service
    assert "dnsrr" == deploy["endpoint_mode"]
    assert "rollback" == deploy["update_config"]["failure_action"]
    assert "max_attempts" not in deploy["restart_policy"]
    assert {"cpus", "memory"} == set(deploy["resources"]["limits"]) == set(deploy["resources"]["reservations"])


@pytest.mark.parametrize("name", [name for name in SERVICES if "labels" in SERVICES[name]["deploy"]])
def test_dashboards_ask_who_is_there(name: str) -> None:
    """Every dashboard requires credentials: its own (Grafana) or Traefik's."""
    labels = SERVICES[name]["deploy"]["labels"]
    own_login = SERVICES[name].get("environment", {}).get("GF_AUTH_ANONYMOUS_ENABLED") == "false"

    assert own_login or "dashboards@file" == labels[f"traefik.http.routers.{name}.middlewares"]
    assert labels["traefik.swarm.network"] in SERVICES[name]["networks"]


def test_names_of_configs_hold_their_hash() -> None:
    """A changed file is a new config: the variable is the config's own name."""
    for key, config in STACK["configs"].items():
        assert f"{key}-${{{key.upper().replace('-', '_')}_HASH}}" == config["name"]


def test_every_file_is_mounted() -> None:
    """Prometheus sees its file and every rule; Grafana every dashboard and every provisioning file."""
    prometheus, grafana = INFRASTRUCTURE / "prometheus", INFRASTRUCTURE / "grafana"

    assert {prometheus / "prometheus.yaml", *(prometheus / "rules").glob("*.yaml")} == set(
        mounted("prometheus").values()
    )
    files = {*(grafana / "dashboards").glob("*.json"), *(grafana / "provisioning").rglob("*.yaml")}
    assert files == set(mounted("grafana").values())
    provider = yaml.safe_load((grafana / "provisioning" / "dashboards" / "pocketsizefund.yaml").read_text())
    folder = provider["providers"][0]["options"]["path"]
    assert 4 == sum(str(Path(target).parent) == folder for target in mounted("grafana"))


def test_prometheus_reaches_what_it_scrapes() -> None:
    """Each watcher that is scraped is a service of this stack under the scraped name, on a network of Prometheus."""
    for job in PROMETHEUS["scrape_configs"]:
        for discovery in job.get("dns_sd_configs", ()):
            stack, _, service = discovery["names"][0].removeprefix("tasks.").partition("_")
            assert service == job["job_name"]
            assert "A" == discovery["type"]
            if stack == "infrastructure" and service != "traefik":
                assert {*SERVICES[service]["networks"]} & {*SERVICES["prometheus"]["networks"]}
