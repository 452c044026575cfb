"""Funds in the states that a running one seldom shows: real services, with 8,000 tickers where there is data."""

import os
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from shutil import copytree, ignore_patterns
from unittest.mock import patch

import httpx
from browser.fund_pages import RunningFund

from applications.portfoliomanager.tests.portfoliomanager_kit import TOKEN, World, open_world
from internal.http.bearer import bearer_headers
from libraries.python.tests.loopback import bound_socket, serving

TICKERS, SESSIONS = 8000, 22  # the strategy asks for a month of bars


class State(StrEnum):
    """The state of a fund whose pages are looked at."""

    EMPTY = "empty"
    YOUNG = "young"
    STANDBY = "standby"
    DATAMANAGER_DOWN = "datamanager-down"
    BROKER_DOWN = "broker-down"


@contextmanager
def open_funds(folder: Path) -> Generator[Mapping[State, RunningFund]]:
    """Start a fund in each state."""
    with open_world(folder, seed=11, tickers=TICKERS, history=SESSIONS) as world, ExitStack() as stack:

        def start(state: State, **variables: str) -> RunningFund:
            served = serve("portfoliomanager", world.variables(state) | variables)
            return RunningFund(stack.enter_context(served), TOKEN)

        lake = str(_trade_first_day(world, State.DATAMANAGER_DOWN, State.BROKER_DOWN))
        _, nowhere = stack.enter_context(bound_socket())
        exchange = stack.enter_context(serve("exchange", world.exchange.variables | _own_folders(folder, "exchange")))
        no_data = _own_folders(folder, "no-data") | {"POLYGON_BASE_URL": exchange}
        datamanager = stack.enter_context(serve("datamanager", world.datamanager.variables | no_data))
        yield {
            State.EMPTY: start(
                State.EMPTY,
                DATAMANAGER_URL=datamanager,
                ALPACA_BASE_URL=exchange,
                RESEARCH_DIRECTORY=str(folder / "empty" / "research"),
            ),
            State.YOUNG: start(State.YOUNG, DATA_BUCKET=lake),
            State.STANDBY: start(State.STANDBY, DATA_BUCKET=lake),
            State.DATAMANAGER_DOWN: start(State.DATAMANAGER_DOWN, DATAMANAGER_URL=nowhere),
            State.BROKER_DOWN: start(State.BROKER_DOWN, ALPACA_BASE_URL=nowhere),
        }


@contextmanager
def serve(service: str, variables: Mapping[str, str]) -> Generator[str]:
    """A service in this process, which a process of its own would cost seconds; its URL."""
    with patch.dict(os.environ, variables):
        application = import_module(f"{service}.server").create_application()
    with serving(application) as url:
        yield url


def _own_folders(folder: Path, name: str) -> dict[str, str]:
    return {variable: str(folder / "empty" / name / variable) for variable in ("STATE_DIRECTORY", "DATA_BUCKET")}


def _trade_first_day(world: World, *states: State) -> Path:
    """Let a fund open and close its first session and end it, and give each state a copy of its lake; the lake."""
    variables = world.variables("founder")
    with serve("portfoliomanager", variables) as url:
        _decide(world, url)
        world.play_session()
        _decide(world, url)
    lake = Path(variables["DATA_BUCKET"])
    for state in states:
        copytree(lake, world.variables(state)["DATA_BUCKET"], ignore=ignore_patterns("leases"))
    return lake


def _decide(world: World, url: str) -> None:
    session = world.session()
    world.store_predictions(session)
    with httpx.Client(base_url=url, headers=bearer_headers(TOKEN), timeout=60, trust_env=False) as client:
        client.post("/reconciliations").raise_for_status()
        client.post("/portfolios", json={"date": str(session)}).raise_for_status()
