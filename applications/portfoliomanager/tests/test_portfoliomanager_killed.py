"""`kill -9` at every write and every send of a rebalance: the exchange's own order list is that of a run undisturbed.

Two exchanges play the same market. On one the rebalance is killed, started again and goes on; on the other it runs
through. Bands are narrow, so that every session closes the whole book and opens another: closes, shorts and longs.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from loaded_strategies import TEN_BY_TEN

from applications.portfoliomanager.tests.portfoliomanager_kit import World
from internal.lake.store import Lake
from internal.trading.enums import OrderState
from portfoliomanager.adapters.lake_journal import LakeJournal

RUNNER = Path(__file__).with_name("portfoliomanager_killed_run.py")
KILLED = 9
VARIABLES = {
    "ALPACA_API_KEY_ID": "PKTESTKEY",
    "ALPACA_API_SECRET": "a-secret-of-the-tests",
    "FUND_API_TOKEN": "a-token-of-the-tests-and-no-other",
    "STRATEGY": TEN_BY_TEN,
}
FEW = [(2, "after"), (4, "before"), (7, "after"), (9, "before")]


@pytest.fixture
def twins(tmp_path: Path, worlds: Callable[..., AbstractContextManager[World]]) -> Iterator[tuple[World, World]]:
    """Two worlds of the same seed."""
    with ExitStack() as stack:
        first, second = (
            stack.enter_context(worlds(tmp_path / name, seed=5, tickers=30, history=45)) for name in ("killed", "whole")
        )
        yield first, second


@dataclass
class Runner:
    """The process that starts the runs."""

    process: "subprocess.Popen[str]"

    def rebalance(self, world: World, deadly_step: int = 0, moment: str = "never") -> tuple[int, int]:
        """Rebalance the last closed session in a process of its own: exit code, and writes and sends."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        order = [world.exchange.url, world.datamanager.url, world.folder / "journal", deadly_step, moment]
        self.process.stdin.write(" ".join(map(str, order)) + "\n")
        self.process.stdin.flush()
        while not (line := self.process.stdout.readline()).startswith('{"exit_code"'):
            assert line, "the runner ended"
        answer = json.loads(line)
        return answer["exit_code"], answer["steps"]

    def whole(self, world: World) -> int:
        """A rebalance that runs through; how many writes and sends it took."""
        code, steps = self.rebalance(world)
        assert code == 0
        return steps


@pytest.fixture
def runner() -> Iterator[Runner]:
    """The process, ended with the test."""
    with subprocess.Popen(  # noqa: S603 - our own script
        [sys.executable, str(RUNNER)],
        env=os.environ | VARIABLES,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Runner(process)
        assert process.stdin is not None
        process.stdin.close()


def seen(world: World) -> list[tuple[Any, ...]]:
    """Every order at the exchange: id, ticker, side, shares, fill."""
    fields = ("client_order_id", "symbol", "side", "qty", "filled_qty", "filled_avg_price", "status")
    return sorted(tuple(order[name] for name in fields) for order in world.orders())


def play(runner: Runner, twins: tuple[World, World], points: list[tuple[int, str]]) -> None:
    """A session for each point: killed there and started again on one world, undisturbed on the other."""
    killed, undisturbed = twins
    for step, moment in points:
        for world in twins:
            world.store_predictions(world.session(), width=1e-6)
        code, _ = runner.rebalance(killed, step, moment)
        assert code == KILLED, f"step {step} was not reached"
        runner.whole(killed)
        runner.whole(undisturbed)
        assert seen(killed) == seen(undisturbed), f"killed {moment} step {step}"
        for world in twins:
            world.play_session()
    for world in twins:
        world.store_predictions(world.session(), width=1e-6)
        runner.whole(world)
        require_same_journal(world)
    assert seen(killed) == seen(undisturbed)


def require_same_journal(world: World) -> None:
    """Every order of the exchange is in the journal with its fill, and every order of the journal at the exchange."""
    orders = world.orders()
    ids = [order["client_order_id"] for order in orders]
    assert len(set(ids)) == len(ids)
    journal = LakeJournal(Lake(str(world.folder / "journal"))).orders()
    sent = [order for order in journal if order.state not in {OrderState.DROPPED, OrderState.REJECTED}]
    assert set(ids) == {order.client_order_id for order in sent}
    recorded = {order.client_order_id: order.filled_quantity for order in sent}
    assert recorded == {order["client_order_id"]: float(order["filled_qty"]) for order in orders}


@pytest.mark.timeout(600)
def test_killed_at_some_points(runner: Runner, twins: tuple[World, World]) -> None:
    """The short form: a write of the plan, the plan itself, sends and the state after them."""
    play(runner, twins, FEW)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_killed_at_every_point(runner: Runner, twins: tuple[World, World]) -> None:
    """Every write and every send, killed before it and after it."""
    steps = [0, 0]
    for _ in range(2):  # the second session closes a book as every later one does
        for world in twins:
            world.store_predictions(world.session(), width=1e-6)
        steps = [runner.whole(world) for world in twins]
        for world in twins:
            world.play_session()
    assert steps[0] == steps[1] >= 12
    play(runner, twins, [(step, moment) for step in range(1, steps[0] + 1) for moment in ("before", "after")])
