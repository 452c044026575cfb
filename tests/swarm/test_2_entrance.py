"""Only Traefik publishes ports, and every route that changes something requires credentials.

The routes and ports are read from what runs: the services' own lists of routes, the engine's list of ports.
"""

from collections.abc import Iterator

import httpx
import pytest
from swarm.cluster import Cluster
from swarm.fund_routes import Fund
from swarm.proofs import tell

pytestmark = [pytest.mark.swarm, pytest.mark.timeout(300)]

TRAEFIK = "infrastructure_traefik"
PORTS = {80, 443, 8080, 8081}
DASHBOARDS = {
    "/grafana": "infrastructure_grafana",
    "/prometheus": "infrastructure_prometheus",
    "/alertmanager": "infrastructure_alertmanager",
    "/portainer": "infrastructure_portainer",
    "/traefik": TRAEFIK,
    "/exchange/control/state": "applications_exchange",
}
REFUSED = {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}


def published(cluster: Cluster) -> dict[str, set[int]]:
    """The ports that each service publishes."""
    ports = {name: cluster.service(name)["Spec"]["EndpointSpec"].get("Ports", []) for name in cluster.services()}
    return {name: {int(port["PublishedPort"]) for port in rows} for name, rows in ports.items() if rows}


def mutating(fund: Fund, base: str) -> Iterator[tuple[str, str]]:
    """Method and URL of every route that changes something, from the service's own list."""
    for path, methods in fund.ask("GET", f"{base}/openapi.json")["paths"].items():
        url = base + path.replace("{", "").replace("}", "")
        yield from ((method.upper(), url) for method in methods if method.upper() not in {"GET", "HEAD", "OPTIONS"})


def test_only_traefik_publishes(cluster: Cluster) -> None:
    """No other service has a published port, and no container binds one of its own."""
    assert published(cluster) == {TRAEFIK: PORTS}
    bound = cluster.docker("ps", "--format", "{{.Names}} {{.Ports}}").splitlines()
    outside = [line for line in bound if "->" in line]
    tell(f"ports: of {len(cluster.services())} services only Traefik publishes: {sorted(PORTS)}")
    assert all(line.startswith(TRAEFIK) for line in outside)


def test_dashboards_refuse_strangers(cluster: Cluster, fund: Fund) -> None:
    """Without credentials, and with wrong ones, every dashboard that runs answers 401, 403 or its login page."""
    statuses: dict[str, list[int]] = {}
    absent = [path for path, service in DASHBOARDS.items() if not cluster.replicas(service)]
    for path in DASHBOARDS.keys() - absent:
        with httpx.Client(base_url=f"http://{fund.host}", trust_env=False, timeout=10) as client:
            answers = [client.get(path), client.get(path, auth=("admin", "wrong"))]
        statuses[path] = [answer.status_code for answer in answers]
    tell(f"dashboards without credentials: {statuses}; no image here for {absent}")
    assert len(statuses) >= len(DASHBOARDS) - 2  # Grafana and Portainer cannot be had everywhere
    assert all(status in REFUSED or httpx.codes.is_redirect(status) for codes in statuses.values() for status in codes)


@pytest.mark.parametrize("name", ["datamanager", "portfoliomanager"])
def test_mutating_routes_refuse_strangers(fund: Fund, name: str) -> None:
    """Every POST, PUT, PATCH and DELETE of a service answers 401 without its token, and with a wrong one."""
    base = getattr(fund, name)
    routes = list(mutating(fund, base))
    with httpx.Client(trust_env=False, timeout=10) as client:
        plain = {f"{method} {url}": client.request(method, url).status_code for method, url in routes}
        wrong = [client.request(*route, headers={"Authorization": "Bearer wrong"}).status_code for route in routes]
    tell(f"mutating routes of {name} without a token: {len(routes)} of {len(routes)} refuse")
    assert routes
    assert set(plain.values()) == {401}, plain
    assert set(wrong) == {401}
