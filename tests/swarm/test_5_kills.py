"""`kill -9` of a replica, of Traefik, and of the trader in the middle of a rebalance.

Afterwards everything is back, and the exchange's own list of orders is the journal's.
"""

import time

import pytest
from swarm.cluster import Cluster, wait_until
from swarm.fund_routes import Fund, require_same_orders
from swarm.load import Load
from swarm.proofs import tell

pytestmark = [pytest.mark.swarm, pytest.mark.timeout(900)]

SESSIONS = 20
ANSWER_SECONDS = 30.0  # longer than the trader waits for an answer, and than a kill takes


def kill_one(cluster: Cluster, service: str) -> float:
    """Kill the first task's process; seconds until the service is whole again without it."""
    victim = cluster.running(service)[0]
    cluster.kill(victim)
    gone = wait_until(f"{service} noticed", lambda: victim not in cluster.running(service))
    return gone + cluster.wait_settled(service)


@pytest.mark.parametrize("service", ["applications_datamanager", "infrastructure_traefik"])
def test_a_task(cluster: Cluster, fund: Fund, service: str) -> None:
    """A task of datamanager, and Traefik: how long until a new one serves, and which requests failed meanwhile."""
    with Load(fund.reads("datamanager"), fund.token) as load:
        time.sleep(3)
        seconds = kill_one(cluster, service)
        time.sleep(5)
    tell(f"kill -9 of {service}: whole again after {seconds:.1f} s; {load.report}")
    assert load.report.answers[-1].fault == ""
    assert load.report.outage < 60


def test_the_trader_in_the_middle(cluster: Cluster, fund: Fund) -> None:
    """Killed between two sends of one rebalance: the next trader goes on, no order is doubled and none is lost."""
    service, before = "applications_portfoliomanager", begin_to_trade(fund)
    sent = len(fund.exchange_orders()) - before
    victim = cluster.running(service)[0]
    cluster.kill(victim)
    back = wait_until("the trader is back", lambda: victim not in cluster.running(service) and answers(fund))
    fund.ask("DELETE", f"{fund.exchange}/control/faults")
    ready = wait_until("the trader may trade", lambda: fund.ready(fund.portfoliomanager))
    done = fund.finish_events()
    total = len(fund.exchange_orders()) - before
    fund.move_clock("next_open")
    fund.finish_events()
    orders, fills = require_same_orders(fund)
    tell(
        f"kill -9 of the trader after {sent} of {total} orders of a session: answers after {back:.1f} s, trades after "
        f"{back + ready:.1f} s, session done after {back + ready + done:.1f} s; {orders} orders and {fills} fills at "
        "the exchange are the journal's, none doubled or lost"
    )
    assert 0 < sent < total, "it was not killed in the middle"


def begin_to_trade(fund: Fund) -> int:
    """Play sessions until one has several orders, and come back as the first is sent; how many there were before.

    A session in which no position leaves its band has none. From here on every answer to an order is lost, and each
    sender waits for it, so that the others are still to be sent.
    """
    for _ in range(SESSIONS):
        fund.move_clock("next_open")
        fund.finish_events()
        before, journaled = len(fund.exchange_orders()), len(fund.journal())
        fund.slow_answers(ANSWER_SECONDS)
        fund.move_clock("next_close")
        wait_until("orders, or none", lambda: len(fund.exchange_orders()) > before or not fund.pending())  # noqa: B023 - asked at once
        if len(fund.journal()) - journaled > 1:
            return before
        fund.ask("DELETE", f"{fund.exchange}/control/faults")
        fund.finish_events()
    pytest.fail(f"no session with several orders in {SESSIONS}")


def answers(fund: Fund) -> bool:
    """Whether portfoliomanager answers."""
    return fund.alive(fund.portfoliomanager)
