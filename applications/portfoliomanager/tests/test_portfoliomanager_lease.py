"""Two real traders on one lake and one exchange: one trades; when it dies in the middle, the other ends its work."""

import json
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from applications.portfoliomanager.tests.portfoliomanager_kit import Service, World
from internal.lake.store import Lake
from internal.trading.enums import OrderState, RunState
from internal.trading.runs import RebalanceRun
from portfoliomanager.adapters.lake_journal import LakeJournal

SECONDS = 3.0
LEASE_SECONDS = 30.0  # the default
TURN_SECONDS = 5.0  # between two looks at it


@pytest.fixture(scope="module")
def traders(world: World, services: type[Service]) -> Iterator[list[Service]]:
    """Two, each with a state directory of its own, on one journal; the first one holds the lease."""
    found: list[Service] = []
    shared = {"DATA_BUCKET": str(world.folder / "shared"), "LEASE_SECONDS": str(SECONDS)}
    shared |= {
        "STRATEGY_PARAMETERS": "same_day_lock=false gross_exposure=0.7"
    }  # a whole exchange of the portfolio fits into buying power at once
    for name in ("first", "second"):
        found.append(services("portfoliomanager", world.variables(name) | shared, world.folder / f"{name}.log").start())
        wait_for((world.folder / "shared/leases/trader/000000000001.json").exists)
    yield found
    for service in found:
        service.kill()


def wait_for(condition: Callable[[], bool], seconds: float = 30) -> float:
    """Wait until it holds; how long it took."""
    started = time.monotonic()
    while not condition():
        assert time.monotonic() < started + seconds
        time.sleep(0.05)
    return time.monotonic() - started


def holds(service: Service) -> bool:
    """Whether a trader says that it holds the lease."""
    return "\nlease_held 1.0" in service.request("GET", "/metrics").text


def require_each_once(world: World) -> None:
    """The exchange's own list: no order twice, and exactly those that the journal says were sent."""
    ids = [order["client_order_id"] for order in world.orders()]
    assert len(set(ids)) == len(ids)
    orders = read_journal(world).orders()
    sent = [order for order in orders if order.state not in {OrderState.DROPPED, OrderState.REJECTED}]
    assert set(ids) == {order.client_order_id for order in sent}
    assert not any(order.state.is_sendable for order in orders)


def read_journal(world: World) -> LakeJournal:
    """The journal as it is now."""
    return LakeJournal(Lake(str(world.folder / "shared")))


def last_run(world: World) -> RebalanceRun:
    """The newest run."""
    return read_journal(world).runs()[-1]


def read_holding(world: World, number: int) -> dict[str, Any]:
    """One holding of the lease, as it is stored."""
    holding: dict[str, Any] = json.loads((world.folder / f"shared/leases/trader/{number:012}.json").read_text())
    return holding


def test_one_trades_and_the_other_takes_over(world: World, traders: list[Service]) -> None:
    """Both are asked at once: one trades. It is killed in the middle of the next run: the other ends it."""
    first, second = traders
    world.store_predictions(world.session(), width=1e-6)
    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(ask, traders))
    assert [200, 503] == [answer.status_code for answer in answers]
    refusal = answers[1].json()
    assert "standby" in refusal["type"]
    assert "number 1, last renewed at 20" in refusal["detail"]
    assert "standby" in second.request("GET", "/ready").json()["checks"]["lease"]
    assert 'rebalances_total{result="standby"} 1.0' in second.request("GET", "/metrics").text
    assert second.request("POST", "/reconciliations", json={}).status_code == 503
    require_each_once(world)
    assert 1 == last_run(world).lease_number

    world.play_session()
    world.store_predictions(world.session(), width=1e-6)
    before = len(world.orders())
    world.fault("hang", path="/v2/orders", method="POST", count=1, seconds=2)
    asking = threading.Thread(target=ask_in_vain, args=(first,))
    asking.start()
    wait_for(lambda: len(world.orders()) > before)
    first.kill()
    asking.join()
    renewed = datetime.fromisoformat(read_holding(world, 1)["told_at"])  # to the second before
    wait_for(lambda: holds(second))
    assert (datetime.now(UTC) - renewed).total_seconds() > SECONDS
    wait_for(lambda: last_run(world).state is RunState.SUBMITTED)
    require_each_once(world)
    assert len(world.orders()) > before + 1
    assert 2 == last_run(world).lease_number

    first.start()
    assert "standby" in first.request("GET", "/ready").json()["checks"]["lease"]
    assert first.process is not None
    first.process.send_signal(signal.SIGSTOP)  # however long the start takes, the other does not get in between
    second.kill()
    second.start()
    assert holds(second)  # the lease of its former process is its own: it does not wait for the end of it
    first.process.send_signal(signal.SIGCONT)
    assert not holds(first)


def ask(service: Service) -> httpx.Response:
    """Ask for a rebalance."""
    return service.request("POST", "/portfolios", json={})


def ask_in_vain(service: Service) -> None:
    """Ask for a rebalance of which no answer comes."""
    with pytest.raises(httpx.TransportError):
        service.request("POST", "/portfolios", json={})


def test_an_orderly_end_gives_it_back(world: World, traders: list[Service]) -> None:
    """After SIGTERM the lease is released and not left to run out, and the other one takes it."""
    first, second = traders
    holder, waiting = (first, second) if holds(first) else (second, first)
    number = len(list((world.folder / "shared/leases/trader").iterdir()))
    holder.stop()
    assert read_holding(world, number)["released"] is True
    wait_for(lambda: holds(waiting))


def test_a_start_first_update(world: World, services: type[Service]) -> None:
    """Two over one state directory: the new one takes over at its turn, and again at once when it was killed.

    One that is killed for good is followed at the next turn. The seconds are production's: who waited, would wait 33.
    """
    variables = world.variables("updated") | {"DRAIN_SECONDS": "1"}
    old, new = (
        services("portfoliomanager", variables, world.folder / f"{name}.log").start() for name in ("old", "new")
    )
    try:
        assert [True, False] == [holds(old), holds(new)]
        old.stop()
        assert wait_for(lambda: holds(new)) < LEASE_SECONDS - TURN_SECONDS
        wait_for(lambda: signed_by_the_directory(world.folder / "updated"))
        new.kill()
        new.start()
        assert holds(new)
        old.start()
        assert not holds(old)
        new.kill()
        assert wait_for(lambda: holds(old)) < LEASE_SECONDS - TURN_SECONDS
        assert "\nlease_fencing_number 4.0" in old.request("GET", "/metrics").text
    finally:
        for service in (old, new):
            service.kill()


def signed_by_the_directory(folder: Path) -> bool:
    """Whether the last holding is that of the state directory's word, which a restart finds there."""
    last = max((folder / "lake/leases/trader").iterdir())
    return bool(json.loads(last.read_text())["holder"] == (folder / "state/holder").read_text())
