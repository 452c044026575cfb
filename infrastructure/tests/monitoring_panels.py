"""The panels of the dashboards, and what a running Prometheus answers to their queries."""

import json
import math
import re
import time
from typing import Any

import httpx

from infrastructure.grafana.__main__ import DASHBOARDS, path
from infrastructure.tests.monitoring_processes import Watchers

# What is no target here: cAdvisor (Debian 12 has no package), Grafana, and the scheduler, which an offline fund has not
# (tests/swarm/test_2_scheduler.py asks for its panels).
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


def ask_until_counted(watchers: Watchers) -> None:
    """Ask through Traefik until Prometheus can give a rate of its requests, for which it needs two scrapes."""
    deadline = time.monotonic() + 120
    while not answer(watchers, RATE_OF_TRAEFIK):
        assert time.monotonic() < deadline
        assert httpx.get(f"{watchers.datamanager}/health", timeout=30).is_success
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


def find_empty_panels(watchers: Watchers) -> list[str]:
    """The queries of panels without a finite value; prints the value that each query returned."""
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
    return empty
