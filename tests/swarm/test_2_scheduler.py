"""The scheduler of a production Swarm, laid over the local one; and an alert on its way to the owner's targets."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from swarm.cluster import Cluster, wait_until
from swarm.conftest import write
from swarm.fund_routes import Fund
from swarm.proofs import tell

from infrastructure.grafana.fund import SCHEDULER as PANELS
from infrastructure.smoke import smoke
from infrastructure.smoke_checks import CHECKS
from infrastructure.swarm.variables import CALENDAR, FOLDER
from internal.http.bearer import bearer_headers

pytestmark = [pytest.mark.swarm, pytest.mark.timeout(600)]

SERVICE = "applications_scheduler"
AT_ONCE = {"BARS_DELAY_MINUTES": "0", "OPEN_DELAY_MINUTES": "0"}  # the simulated clock stops at opens and closes
ALERT = {"labels": {"alertname": "Trial", "severity": "page"}, "annotations": {"description": "A trial."}}
TAKEN = 'http_requests_total{method="POST",route="/alerts",service="portfoliomanager",status="204"}'


@pytest.fixture(scope="module")
def scheduler(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The base URL of the scheduler behind Traefik; the service is removed at the end."""
    overlay: dict[str, Any] = yaml.safe_load((FOLDER / CALENDAR).read_text())
    overlay["services"]["scheduler"]["environment"] |= AT_ONCE
    usual: dict[str, Any] = yaml.safe_load(Path(cluster.variables["APPLICATIONS_OVERLAY"]).read_text())
    path = tmp_path_factory.mktemp("scheduler") / "applications.yaml"
    cluster.task("applications up", APPLICATIONS_OVERLAY=write(path, overlay | {"volumes": usual["volumes"]}))
    yield f"http://{cluster.node.address}/scheduler"
    cluster.docker("service", "rm", SERVICE)


def test_it_follows_the_fund(fund: Fund, scheduler: str) -> None:
    """It finds the last session collected and decided, Prometheus has its figures, and its routes answer a reader."""
    session = fund.state()["session"]

    def done() -> bool:
        runs = read(fund, f"{scheduler}/schedule")["last"]
        return {(run["kind"], run["session"]) for run in runs if run["outcome"] in {"done", "late"}} >= {
            ("collection", session),
            ("decision", session),
        }

    seconds = wait_until("the scheduler has seen the session done", done)
    sent = read(fund, f"{scheduler}/events")["outbox"]
    assert {row["subscriber"] for row in sent if row["state"] == "delivered"} == {
        "http://datamanager:8080/events",
        "http://portfoliomanager:8081/events",
    }
    for panel in PANELS:
        wait_until(panel.title, lambda panel=panel: figures(fund, panel.queries[0].expression))
    outcomes = smoke(CHECKS, {"scheduler": scheduler}, fund.token)
    assert [(one.check.path, one.fault) for one in outcomes if one.fault] == []
    assert httpx.get(f"{scheduler}/schedule", trust_env=False).status_code == httpx.codes.UNAUTHORIZED
    tell(f"scheduler in the Swarm: {session} found collected and decided {seconds:.0f} s after it was up")


def read(fund: Fund, url: str) -> Any:  # noqa: ANN401 - any JSON
    """What the scheduler answers to whoever has the token; an empty answer while it does not."""
    answer = httpx.get(url, headers=bearer_headers(fund.token), trust_env=False)
    return answer.json() if answer.is_success else {"last": [], "outbox": []}


def figures(fund: Fund, expression: str) -> list[Any]:
    """What Prometheus answers to a query."""
    address = httpx.URL(f"http://{fund.host}/prometheus/api/v1/query", params={"query": expression})
    found: list[Any] = fund.ask("GET", str(address))["data"]["result"]
    return found


def test_alerts_reach_the_fund(fund: Fund) -> None:
    """Alertmanager hands an alert to portfoliomanager, with the token that both have from the Swarm's secret."""
    before = taken(fund)
    sent = httpx.post(
        f"http://{fund.host}/alertmanager/api/v2/alerts", json=[ALERT], auth=("admin", fund.password), trust_env=False
    )
    assert sent.is_success, sent.text
    seconds = wait_until("portfoliomanager takes it", lambda: taken(fund) > before)
    tell(f"an alert is at portfoliomanager {seconds:.0f} s after it began (it waits 10 s for its group)")


def taken(fund: Fund) -> float:
    """How many requests with alerts portfoliomanager has taken."""
    lines = fund.request("GET", f"{fund.portfoliomanager}/metrics").text.splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith(TAKEN))
