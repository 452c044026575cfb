"""Every panel of every dashboard, on the real Prometheus that scraped the running fund.

`uv run pytest -n 0 -s infrastructure/tests/test_monitoring_panels.py` prints the value that each query returned.
"""

import json
import math
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fund_command import FundCommand, read_until

from fund.folder import FundFolder
from fund.processes import end_leftovers
from infrastructure.grafana.__main__ import DASHBOARDS, path, text
from infrastructure.grafana.panels import COLUMNS
from infrastructure.tests.monitoring_processes import Watchers, watch

pytestmark = pytest.mark.timeout(900)

# What is no target here: cAdvisor (Debian 12 has no package), Grafana, and the scheduler, which an offline fund has not
# (tests/swarm/test_7_scheduler.py asks for its panels).
NOT_HERE = re.compile(r"\b(container|scheduler)_\w+")
RATE_OF_TRAEFIK = 'sum(rate(traefik_entrypoint_requests_total{entrypoint="entry"}[$__rate_interval])) > 0'
VARIABLES = {"$__rate_interval": "10m", "$job": ".*"}


def panels() -> list[tuple[str, dict[str, Any]]]:
    """Each panel of the files that Grafana reads, with its dashboard's title."""
    files = [json.loads(path(dashboard).read_text()) for dashboard in DASHBOARDS]
    return [(file["title"], panel) for file in files for panel in file["panels"]]


def filled(expression: str) -> str:
    """An expression as Grafana would send it, nothing chosen."""
    for name, value in VARIABLES.items():
        expression = expression.replace(name, value)
    assert "$" not in expression, f"{expression}: a variable has no value in this test"
    return expression


@pytest.fixture(scope="module")
def watchers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watchers]:
    """A fund that walked a session while Prometheus watched, was asked through Traefik, and stays up."""
    folder = tmp_path_factory.mktemp("watched")
    fund = FundCommand(folder / "home")
    services: dict[str, int] = dict(zip(("exchange", "datamanager", "portfoliomanager"), fund.ports[:3], strict=True))
    with watch(folder, services) as watchers, fund.start("up", "--tickers", "40", "--sessions", "1") as up:
        try:
            read_until(up, "The fund stays up", seconds=800)
            ask_until_counted(watchers)
            yield watchers
        finally:
            end_leftovers(FundFolder(fund.home))


def ask_until_counted(watchers: Watchers) -> None:
    """Ask through Traefik until Prometheus can give a rate of its requests, for which it needs two scrapes."""
    deadline = time.monotonic() + 120
    while not answer(watchers, RATE_OF_TRAEFIK):
        assert time.monotonic() < deadline
        assert httpx.get(f"{watchers.datamanager}/sessions", timeout=30).is_success
        time.sleep(0.5)


def answer(watchers: Watchers, expression: str) -> list[str]:
    """What a query returned: each series' legend and finite value."""
    labels_of = [
        (
            ", ".join(value for name, value in sorted(row["metric"].items()) if name != "__name__"),
            float(row["value"][1]),
        )
        for row in watchers.query(filled(expression))
    ]
    return [f"{labels}={value:.6g}".lstrip("=") for labels, value in labels_of if math.isfinite(value)]


def test_every_panel_returns_data(watchers: Watchers) -> None:
    """Each query of each panel has at least one finite value; what it is, is printed."""
    empty: list[str] = []
    deadline = time.monotonic() + 60
    for dashboard, panel in panels():
        for target in panel["targets"]:
            left_out = NOT_HERE.search(target["expr"])
            while not (found := answer(watchers, target["expr"])) and not left_out and time.monotonic() < deadline:
                time.sleep(0.5)  # a scrape of a busy machine comes late
            said = "; ".join(found) or (f"(not here: {left_out[0]})" if left_out else "NOTHING")
            print(f"{dashboard:9} {panel['title']:24} {said}")  # noqa: T201 - the list is the test's report
            if not found and not left_out:
                empty.append(f"{dashboard}, {panel['title']}: {target['expr']}")
    assert [] == empty


def test_every_service_is_a_target(watchers: Watchers) -> None:
    """All services answer Prometheus at the paths of prometheus.yaml."""
    up = {row["metric"]["job"] for row in watchers.query("max_over_time(up[1m]) == 1")}
    assert up >= {
        "datamanager",
        "portfoliomanager",
        "exchange",
        "traefik",
        "node-exporter",
        "alertmanager",
        "prometheus",
    }


def test_rules_evaluate(watchers: Watchers) -> None:
    """No rule fails on the real series, and Prometheus reaches Alertmanager."""
    groups = httpx.get(f"{watchers.prometheus}/api/v1/rules", timeout=10).json()["data"]["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert {"ok"} == {rule["health"] for rule in rules}
    alertmanagers = httpx.get(f"{watchers.prometheus}/api/v1/alertmanagers", timeout=10).json()["data"]
    assert 1 == len(alertmanagers["activeAlertmanagers"])


def test_files_are_what_the_description_writes() -> None:
    """The JSON is made from the Python, whole: `uv run python -m infrastructure.grafana`."""
    assert {path(dashboard): text(dashboard) for dashboard in DASHBOARDS} == {
        file: file.read_text() for file in path(DASHBOARDS[0]).parent.iterdir()
    }


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda dashboard: dashboard.title)
def test_panels_lie_side_by_side(dashboard: Any) -> None:  # noqa: ANN401 - read as JSON
    """No two panels share a cell of the grid, none reaches over its edge, each has title, description and unit."""
    cells: set[tuple[int, int]] = set()
    for panel in dashboard.json()["panels"]:
        place = panel["gridPos"]
        own = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not own & cells
        assert place["x"] + place["w"] <= COLUMNS
        assert panel["title"]
        assert panel["description"].endswith(".")
        assert panel["fieldConfig"]["defaults"]["unit"]
        cells |= own
    uids = [other.uid for other in DASHBOARDS]
    assert 1 == uids.count(dashboard.uid)


def test_datasource_is_provisioned() -> None:
    """Each target names the datasource that Grafana is provisioned with."""
    provisioned = Path(__file__).parents[1] / "grafana" / "provisioning" / "datasources" / "prometheus.yaml"
    uids = {target["datasource"]["uid"] for _, panel in panels() for target in panel["targets"]}
    assert all(f"uid: {uid}\n" in provisioned.read_text() for uid in uids)
