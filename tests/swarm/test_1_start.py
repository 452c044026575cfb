"""From a new engine to a fund that trades: base up, build, applications up, start; then `mask test` passes.

The fixture `cluster` has taken the steps; here they are timed, checked, and followed by a day of the fund.
"""

import re

import pytest
from swarm.cluster import Cluster, wait_until
from swarm.fund_routes import Fund, require_same_orders
from swarm.proofs import tell
from swarm.rise import Rise

pytestmark = [pytest.mark.swarm, pytest.mark.timeout(1800)]


def test_everything_answers(cluster: Cluster, rise: Rise) -> None:
    """`mask test` asks every endpoint through Traefik and ends with 0."""
    printed = rise.take(cluster, "test")
    lines = [line for line in printed.splitlines() if "endpoints answered" in line or line.startswith("left out")]
    tell(f"from nothing to green: {rise}; mask test: {'; '.join(lines)}")
    assert len(lines) == 2, printed


def test_a_day_is_traded(fund: Fund) -> None:
    """A session passes; bars, forecasts, portfolio and fills follow, and the journal is the exchange's list."""
    session = fund.play_session()
    orders, fills = require_same_orders(fund)
    tell(f"daily cycle in the Swarm: {session}; the exchange's {orders} orders and {fills} fills are the journal's")
    assert orders > 0
    assert fills > 0


def test_one_that_is_down_is_told(cluster: Cluster, fund: Fund) -> None:
    """With Alertmanager stopped `mask test` ends with 1, and says what it got of which address."""
    service, base = "infrastructure_alertmanager", f"http://{fund.host}/alertmanager/-"
    cluster.docker("service", "scale", "--detach", f"{service}=0")
    try:
        # a stopping task answers until its container ends, and Traefik asks the engine every few seconds
        wait_until("Traefik has dropped the task", lambda: fund.request("GET", f"{base}/ready").status_code == 503)
        with pytest.raises(AssertionError, match="ended with 1") as raised:
            cluster.task("test")
    finally:
        cluster.docker("service", "scale", "--detach", f"{service}=1")
        cluster.wait_settled(service)
        wait_until("Traefik has found the task again", lambda: fund.ready(base))
    printed = str(raised.value)
    tell(f"mask test with Alertmanager stopped: ends with 1, {re.findall(r'[0-9]+ of [0-9]+ endpoints', printed)}")
    assert re.search(r"/alertmanager/-/ready +│ 503", printed)
