"""A strategy that reads no forecasts, over HTTP and events: it needs no model, and an error in it ends one decision."""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from applications.portfoliomanager.tests.portfoliomanager_kit import Service, World
from internal.http.client import read_frame_response
from internal.lake.store import Lake

STRATEGY = """
from pocketsizefund import Situation, Strategy, Targets


class FirstNames(Strategy):
    names: int = 3
    history_sessions = 2

    def decide(self, situation: Situation) -> Targets:
        history = situation.inputs.history
        assert history is not None and len(history.days) == 2
        return Targets.of(dict.fromkeys(situation.tickers[: self.names], 0.1), "among the first names")
"""
FAILING = STRATEGY.replace("return Targets", "return situation.no_such_field or Targets")
SYNCED = "application.datamanager.equity_bars.synced"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The strategy's file."""
    return tmp_path / "first_names.py"


@pytest.fixture
def start(world: World, services: type[Service], file: Path) -> Iterator[Callable[[str], Service]]:
    """A function that starts the service with the strategy's text, the same service again when called again."""
    variables = world.variables("own") | {"STRATEGY": f"{file}:FirstNames", "STRATEGY_PARAMETERS": "names=2"}
    service = services("portfoliomanager", variables, world.folder / "own.log")

    def start_with(text: str) -> Service:
        if service.process is not None:
            service.kill()
        file.write_text(text)
        return service.start()

    yield start_with
    service.kill()


def send_synced(service: Service, day: str) -> None:
    """Report that a session's bars are stored, and wait until the event was dealt with."""
    body = {
        "specversion": "1.0",
        "id": f"synced:{day}",
        "type": SYNCED,
        "source": "/datamanager",
        "data": {"date": day},
    }
    headers = {"Content-Type": "application/cloudevents+json"}
    assert service.request("POST", "/events", json=body, headers=headers).status_code == 204
    while received(service, day)["state"] == "pending" and not received(service, day)["attempts"]:
        pass


def received(service: Service, day: str) -> dict[str, Any]:
    """What became of the event of that session."""
    inbox = service.json("GET", "/events")["inbox"]
    return next(row for row in inbox if row["id"] == f"synced:{day}")


def test_an_error_ends_one_decision(world: World, file: Path, start: Callable[[str], Service]) -> None:
    """A traceback in the answer, one attempt, nothing written, known after a restart; repaired, bars lead to orders."""
    service, day = start(FAILING), str(world.session())
    assert "model" not in service.json("GET", "/ready")["checks"]
    sent = len(world.orders())
    refused = service.request("POST", "/portfolios", json={})
    problem = refused.json()
    assert (refused.status_code, problem["type"]) == (500, "urn:pocketsizefund:problem:strategy-failed")
    assert f"the strategy first_names failed on {day}" in problem["detail"]
    assert f'File "{file}", line' in problem["detail"]
    assert "AttributeError" in problem["detail"]
    send_synced(service, day)
    event = received(service, day)
    assert (event["state"], event["attempts"]) == ("handled", 1)
    assert 'rebalances_total{result="strategy_failed"} 1.0' in service.request("GET", "/metrics").text
    assert "AttributeError" in service.log.read_text()
    assert len(world.orders()) == sent
    assert Lake(service.variables["DATA_BUCKET"]).scan("rebalances").collect().is_empty()
    assert read_frame_response(service.request("GET", "/orders")).is_empty()

    service, failed = start(STRATEGY), day
    failure = service.json("GET", "/strategy")["failure"]
    assert (failure["date"], problem["detail"] in failure["detail"]) == (failed, True)
    assert service.json("GET", "/trading-state")["undecided"].endswith(failure["detail"])
    world.play_session()
    day = str(world.session())
    expected = {
        "name": "first_names",
        "digest": hashlib.sha256(STRATEGY.encode()).hexdigest(),
    }
    deciding = service.json("GET", "/strategy")
    assert (deciding["uses_forecasts"], deciding["history_sessions"], deciding["parameters"]["names"]) == (False, 2, 2)
    assert expected.items() <= deciding.items()
    send_synced(service, day)
    decided = service.json("POST", "/portfolios", json={})
    assert (decided["state"], len(decided["orders"])) == ("submitted", 2)
    assert expected.items() <= decided["strategy"].items()
    assert decided["strategy"] == service.json("GET", "/portfolios/current")["strategy"]
    assert len(world.orders()) == sent + 2
    assert service.json("GET", "/strategy")["failure"] is None
