"""The smoke checks against a small service over real HTTP, and against nothing at all."""

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from fastapi import FastAPI, HTTPException

from infrastructure.smoke import addresses, bearer_token, main, smoke
from infrastructure.smoke_checks import CHECKS, Check
from libraries.python.tests.free_ports import free_port


def create_small_service() -> FastAPI:
    """A service with one good endpoint, one that fails, one vendor endpoint that wants a key, and one nobody asks."""
    service = FastAPI()

    @service.get("/predictions")
    def predictions() -> list[dict[str, str]]:
        return [{"date": "2024-12-31", "ticker": "AAA"}]

    @service.get("/predictions/of")
    def predictions_of(date: str) -> dict[str, list[str]]:
        return {"dates": [date]}

    @service.get("/broken")
    def broken() -> None:
        raise HTTPException(503, "the disk is full [free some]")

    @service.get("/v2/orders/{order_id}")
    def vendor(order_id: str) -> None:
        raise HTTPException(401, f"no key for {order_id}")

    @service.get("/forgotten")
    def forgotten() -> None:
        return None

    return service


@pytest.fixture(scope="module")
def small_service() -> Iterator[str]:
    """The small service on a free port of loopback."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(create_small_service(), log_level="warning"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join(10)


def faults(base: str, *checks: Check) -> dict[str, str]:
    """Path and fault of every outcome."""
    return {outcome.check.path: outcome.fault for outcome in smoke(checks, {"portfoliomanager": base}, token="")}


def test_good_answer(small_service: str) -> None:
    """A right status and the fields that must be there: no fault, with the newest session filled in."""
    good = Check("portfoliomanager", "/predictions/of?date={session}", (("dates", 0),))
    assert faults(small_service, good)[good.path] == ""


def test_wrong_status_is_told_with_the_answer(small_service: str) -> None:
    """A status other than the expected one is a fault that shows what came."""
    fault = faults(small_service, Check("portfoliomanager", "/broken"))["/broken"]
    assert "503 instead of 200" in fault
    assert "the disk is full" in fault


def test_missing_field_is_named(small_service: str) -> None:
    """A body without the field is a fault that names the way to it."""
    fault = faults(small_service, Check("portfoliomanager", "/predictions", ((0, "ticker"), (0, "horizon"))))
    assert fault["/predictions"] == "the body has no 0/horizon"


def test_text_that_is_not_there(small_service: str) -> None:
    """A text body must hold the expected text."""
    fault = faults(small_service, Check("portfoliomanager", "/predictions", text="requests_total"))["/predictions"]
    assert "requests_total" in fault


def test_every_endpoint_of_the_service_is_asked(small_service: str) -> None:
    """An endpoint that no check asks is a fault; a vendor's endpoint is asked without a key and must refuse."""
    found = faults(small_service, Check("portfoliomanager", "/predictions", ((0, "ticker"),)))
    assert "no check asks" in found["/forgotten"]
    assert found["/v2/orders/1"] == ""


def test_one_bad_endpoint_fails_the_whole(small_service: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The command prints a row an endpoint, brackets of a message included, and ends with 1."""
    environment = {"PORTFOLIOMANAGER_URL": small_service, "DATAMANAGER_URL": "", "EXCHANGE_URL": ""}
    assert main(environment, [Check("portfoliomanager", "/broken"), Check("exchange", "/health")]) == 1
    printed = capsys.readouterr().out
    assert "free some" in printed
    assert "exchange" not in printed


def test_all_good_is_status_0(small_service: str) -> None:
    """Nothing wrong anywhere: 0."""
    environment = {"PORTFOLIOMANAGER_URL": small_service, "DATAMANAGER_URL": "", "EXCHANGE_URL": ""}
    checks = [
        Check("portfoliomanager", "/predictions", ((0, "ticker"),)),
        Check("portfoliomanager", "/predictions/of?date={session}"),
        Check("portfoliomanager", "/broken", status=503),
        Check("portfoliomanager", "/forgotten"),
    ]
    assert main(environment, checks) == 0


def test_nothing_answers(capsys: pytest.CaptureFixture[str]) -> None:
    """With no service at all every check fails, and says where it asked."""
    port = str(free_port())
    environment = {f"{name}_PORT": port for name in ("EXCHANGE", "DATAMANAGER", "PORTFOLIOMANAGER")}
    assert main(environment) == 1
    printed = capsys.readouterr().out
    asked = [check for check in CHECKS if check.service in addresses(environment)]
    assert f"0 of {len(asked)} endpoints" in printed
    assert f"127.0.0.1:{port}" in printed


def test_addresses_come_from_the_environment() -> None:
    """A URL wins over a port, a port over the usual one; an empty URL leaves the service out."""
    asked = {"DATAMANAGER_URL": "https://fund.example:8080/", "PORTFOLIOMANAGER_PORT": "9081", "EXCHANGE_URL": ""}
    expected = {"datamanager": "https://fund.example:8080", "portfoliomanager": "http://127.0.0.1:9081"}
    assert addresses(asked) == expected


def test_token_of_the_running_fund(tmp_path: Path) -> None:
    """The token is the environment's, else the one in the fund's folder, else none."""
    assert bearer_token({"FUND_HOME": str(tmp_path)}) == ""
    (tmp_path / "credentials.json").write_text(json.dumps({"fund_api_token": "made-by-fund-up"}))
    assert bearer_token({"FUND_HOME": str(tmp_path)}) == "made-by-fund-up"
    assert bearer_token({"FUND_HOME": str(tmp_path), "FUND_API_TOKEN": "given"}) == "given"
