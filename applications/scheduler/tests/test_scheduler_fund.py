"""The scheduler with the real exchange, datamanager and portfoliomanager: days, a sleep, a killed service."""

import asyncio
from collections.abc import Iterator
from datetime import date

import pytest
from loaded_strategies import STRATEGIES
from pydantic import SecretStr

from applications.portfoliomanager.tests.portfoliomanager_kit import TOKEN, Service, World, open_world
from applications.scheduler.tests.scheduler_kit import open_scheduler, turn_until
from internal.dates import next_session
from scheduler.configuration import Configuration
from scheduler.runs import Outcome, RunKind
from scheduler.services import Services

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A simulated market whose past is collected; only the scheduler says when a session opens or closes."""
    with open_world(tmp_path_factory.mktemp("world"), seed=11, tickers=60, history=70) as opened:
        yield opened


@pytest.fixture(scope="module")
def portfoliomanager(world: World) -> Iterator[Service]:
    """Trades by a strategy that reads no forecasts; datamanager tells it of new bars."""
    variables = world.variables("service") | {
        "STRATEGY": f"{STRATEGIES / 'equal_weight.py'}:EqualWeight",
        "STRATEGY_PARAMETERS": "names=10 schedule=daily",
        "TRADE_UPDATES": "false",
    }
    service = Service("portfoliomanager", variables, world.folder / "portfoliomanager.log").start()
    world.datamanager.stop()
    world.datamanager.variables["EVENT_SUBSCRIBERS"] = service.url
    world.datamanager.start()
    yield service
    service.kill()


def configure(world: World, portfoliomanager: Service, machine: str) -> Configuration:
    """The settings of a scheduler on a machine; it acts at the very open and close."""
    return Configuration(
        state_directory=world.folder / machine,
        data_bucket=str(world.folder / "lake"),
        datamanager_url=world.datamanager.url,
        portfoliomanager_url=portfoliomanager.url,
        fund_api_token=SecretStr(TOKEN),
        bars_delay_minutes=0,
        open_delay_minutes=0,
    )


async def finish(services: Services, kind: RunKind, day: date) -> None:
    """Turn until the run of a session is done; the market's clock is seen a second after it has moved."""

    def is_done() -> bool:
        run = services.loop.schedule.find(kind, day)
        return run is not None and run.is_success

    await turn_until(services, is_done)


def move(world: World, to: str) -> None:
    """Move the market's clock, and tell nobody."""
    world.exchange.json("POST", "/control/clock", json={"to": to})


def decided(portfoliomanager: Service, first: date) -> list[date]:
    """The sessions that were decided."""
    rows = portfoliomanager.json("GET", f"/portfolios/decisions?since={first}")
    return [date.fromisoformat(row["date"]) for row in rows]


def test_fund_runs_by_itself(world: World, portfoliomanager: Service) -> None:
    """Two sessions are traded, one past a killed datamanager; of three that pass in a sleep the last is decided."""
    first = world.session()
    days = [first, *(next_session(first, count) for count in range(1, 6))]

    async def two_sessions() -> None:
        async with open_scheduler(configure(world, portfoliomanager, "one")) as services:
            await finish(services, RunKind.DECISION, first)
            assert decided(portfoliomanager, first) == days[:1]
            move(world, "next_open")
            await finish(services, RunKind.RECONCILIATION, days[1])
            assert portfoliomanager.json("GET", "/orders?state=submitted", headers={"Accept": "application/json"}) == []
            move(world, "next_close")
            world.datamanager.kill()
            await turn_until(services, lambda: "datamanager at" in services.loop.problem)
            world.datamanager.start()
            await finish(services, RunKind.DECISION, days[1])

    async def after_a_sleep() -> None:
        async with open_scheduler(configure(world, portfoliomanager, "another")) as services:
            await finish(services, RunKind.DECISION, days[4])
            decisions = {run.session: run.outcome for run in services.loop.schedule.of(RunKind.DECISION)}
            assert [decisions[day] for day in days[2:4]] == [Outcome.MISSED, Outcome.MISSED]
            assert services.fund.list_collected() >= set(days[:5])

    asyncio.run(two_sessions())
    assert decided(portfoliomanager, first) == days[:2]
    assert world.orders(), portfoliomanager.json("POST", "/portfolios", json={})["notes"]
    for _ in range(3):
        move(world, "next_open")
        move(world, "next_close")
    asyncio.run(after_a_sleep())
    assert decided(portfoliomanager, first) == [*days[:2], days[4]]
    opens = {order["client_order_id"] for order in world.orders()}
    assert len(opens) == len(world.orders())
