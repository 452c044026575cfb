"""`fund status`: the champion's held-out loss beside the best baseline's, and events that were given up."""

import json
import os
from dataclasses import replace
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from fastapi import FastAPI
from rich.console import Console
from typer.testing import CliRunner

from fund.__main__ import application as command_line
from fund.addresses import Addresses
from fund.clients import Clients, connect, parked_events
from fund.doctor import describe_events
from fund.folder import FundFolder
from fund.local_platform import find_trained_model
from fund.market_settings import MarketSettings
from fund.processes import record_processes
from fund.service_client import ServiceClient
from fund.services import OFFLINE_SERVICES, Service
from fund.status import describe_model, services_table, starting_command
from fund.unopened import describe_unopened
from internal.forecasting.artifact import Artifact, save_artifact
from internal.forecasting.registry import LEAK_GATE, Registry
from libraries.python.tests.free_ports import free_ports
from libraries.python.tests.loopback import serving

KIND = "temporal_fusion_transformer"


def promote_model(folder: FundFolder, artifact: Path, **losses: float) -> str:
    """Save, register and promote a model with these held-out losses; its version."""
    held_out = {"held_out": {name: {"cumulative_loss": loss} for name, loss in losses.items()}} if losses else {}
    metrics = {LEAK_GATE: {"day": "2024-01-02"}, **held_out}
    save_artifact(artifact, Artifact(KIND, {"weight": np.ones(1)}, {}, {}, {}, metrics, 0, "test"))
    version = Registry(folder.registry).register(artifact)
    Registry(folder.registry).promote(version)
    return version


def test_the_command_that_starts_a_fund(tmp_path: Path) -> None:
    """A folder that `fund init` has set up is started by `fund run`, also before it ever was; another by either."""
    folder = FundFolder(tmp_path)
    assert (starting_command(folder), "./fund up, or ./fund init" in describe_unopened(folder)) == ("up", True)
    folder.settings_file.write_text('mode = "paper"\n')
    assert (starting_command(folder), "Start it: ./fund run" in describe_unopened(folder)) == ("run", True)
    (tmp_path / "compose").mkdir()
    (tmp_path / "compose" / "compose.env").touch()
    assert f"docker compose --env-file {tmp_path}/compose/compose.env ps" in describe_unopened(folder)


def test_no_model(tmp_path: Path) -> None:
    """Before the first training, the message names the command to run."""
    assert "models train" in describe_model(FundFolder(tmp_path))


@pytest.mark.parametrize(("own", "difference"), [(0.00495, "-1.00 %"), (0.006, "+20.00 %")])
def test_beside_the_best_baseline(tmp_path: Path, own: float, difference: str) -> None:
    """The baseline with the lowest loss is named, with the difference in per cent."""
    folder = FundFolder(tmp_path / "folder")
    losses = {KIND: own, "rolling_history": 0.0052, "heterogeneous_volatility": 0.005}
    version = promote_model(folder, tmp_path / "artifact", **losses)
    description = describe_model(folder)
    assert version in description
    assert (
        f"{1e4 * own:.2f}e-4 beside 50.00e-4 of the best baseline, heterogeneous_volatility ({difference})"
        in description
    )


def test_not_measured(tmp_path: Path) -> None:
    """A model without held-out losses is named as not measured."""
    folder = FundFolder(tmp_path / "folder")
    promote_model(folder, tmp_path / "artifact")
    assert "not measured" in describe_model(folder)


def test_model_without_leak_gate(tmp_path: Path) -> None:
    """A model without a record of the leak gate does not count as trained, nor a damaged one; one with it does."""
    folder = FundFolder(tmp_path / "folder")
    older = Artifact(KIND, {"weight": np.ones(1)}, {"size": "small"}, {}, {}, {}, 0, "test")
    save_artifact(tmp_path / "older", older)
    Registry(folder.registry).register(tmp_path / "older")
    assert find_trained_model(folder, "small") is None
    save_artifact(tmp_path / "newer", replace(older, metrics={LEAK_GATE: {"day": "2024-01-02"}}))
    registry = Registry(folder.registry)
    version = registry.register(tmp_path / "newer")
    assert find_trained_model(folder, "small") == version
    other = replace(older, configuration={"size": "full"}, metrics={LEAK_GATE: {"day": "2024-01-02"}})
    save_artifact(tmp_path / "other", other)
    (registry.path(registry.register(tmp_path / "other")) / "weights.safetensors").write_bytes(b"cut")
    assert find_trained_model(folder, "small") == version  # a damaged one of another size stops no fund


def test_services_fit_in_80_columns(tmp_path: Path) -> None:
    """Each service's whole name and address are shown in a terminal of 80 columns, also when it is down."""
    addresses = Addresses({service: 58081 + number for number, service in enumerate(Service)})
    console = Console(width=80, file=StringIO())
    console.print(services_table(tuple(Service), addresses, {}, connect(FundFolder(tmp_path), addresses)))
    assert isinstance(console.file, StringIO)
    shown = console.file.getvalue()
    assert all(service in shown and addresses.url(service) in shown for service in Service)


def test_events_that_any_service_has_given_up() -> None:
    """The scheduler's too; of the exchange nobody asks. `fund doctor` names the first, and what to do."""
    application = FastAPI()

    @application.get("/events")
    def get_events() -> dict[str, list[dict[str, str | int]]]:
        one: dict[str, str | int] = {
            "id": "closed:1",
            "type": "closed",
            "attempts": 3,
            "last_error": "answered 422",
            "subscriber": "/b",
        }
        return {"outbox": [one | {"state": "parked"}, one | {"state": "delivered"}], "inbox": []}

    with serving(application) as url:
        clients = Clients(*(ServiceClient(service, url) for service in Service))
        found = parked_events(clients, tuple(Service))
    assert [event.service for event in found] == ["datamanager", "portfoliomanager", "scheduler"]
    finding = describe_events(found[2:])
    assert finding.seen == "1 given up"
    assert finding.remedy is not None
    assert finding.remedy.startswith("scheduler gave up the event closed:1 to /b after 3 attempts (answered 422)")
    assert describe_events([]).remedy is None


@pytest.fixture
def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FundFolder:
    """A fund whose record names this process as its supervisor and as its services, on ports that no setting names."""
    folder = FundFolder(tmp_path)
    folder.save_market(MarketSettings(bars=None, details=None, seed=1, tickers=120, session="2024-12-31"))
    folder.credentials()
    ports: dict[Service, int] = dict(zip(OFFLINE_SERVICES, free_ports(len(OFFLINE_SERVICES)), strict=True))
    record_processes(folder, os.getpid(), dict.fromkeys(OFFLINE_SERVICES, os.getpid()), ports)
    monkeypatch.setenv("FUND_HOME", str(tmp_path))
    for service in Service:
        monkeypatch.delenv(f"{service.upper()}_PORT", raising=False)
    return folder


@pytest.mark.parametrize("command", ["status", "status --json", "doctor --json", "data check"])
def test_a_running_fund_is_asked_where_it_listens(recorded: FundFolder, command: str) -> None:
    """Its record says where, without the variables that it was started with; here nobody answers there."""
    result = CliRunner().invoke(command_line, command.split())
    shown = result.output + str(result.exception)
    port = json.loads(recorded.processes.read_text())[Service.DATAMANAGER]["port"]
    assert str(port) in shown
    assert "127.0.0.1:8080" not in shown


def test_the_record_of_a_killed_fund_says_nothing_of_the_next_one(recorded: FundFolder) -> None:
    """What runs now has no port of it; a service that still runs has its own."""
    entries = json.loads(recorded.processes.read_text())
    for name in ("fund", Service.EXCHANGE):
        entries[name]["created"] -= 100  # another process had the number then
    recorded.processes.write_text(json.dumps(entries))
    ports = Addresses.of_running(recorded).ports
    assert ports[Service.EXCHANGE] == 8090
    assert ports[Service.DATAMANAGER] == entries[Service.DATAMANAGER]["port"]
