"""Logs and metrics: one JSON object an event, ids on it, secrets never in it."""

import json
import logging

import pytest
import structlog
from prometheus_client import REGISTRY
from pydantic import SecretStr

from internal.telemetry import configure_logging, get_logger, last_success_gauge


def events(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    """What was logged, line by line."""
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_one_json_object_an_event(capsys: pytest.CaptureFixture[str]) -> None:
    """Service, level, logger, UTC time, the bound ids and the fact's own values."""
    configure_logging("datamanager", "json")
    with structlog.contextvars.bound_contextvars(request_id="r-1", event_id="e-1"):
        get_logger("some.module").info("bars_synced", rows=5)
    (event,) = events(capsys)
    assert str(event.pop("timestamp")).endswith("Z")
    assert event == {
        "service": "datamanager",
        "event": "bars_synced",
        "rows": 5,
        "level": "info",
        "logger": "some.module",
        "request_id": "r-1",
        "event_id": "e-1",
    }


def test_libraries_log_in_the_same_shape(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Uvicorn's own lines too; its access lines are left to ours."""
    monkeypatch.setattr(logging.getLogger("uvicorn"), "level", logging.NOTSET)  # a server of another test sets them
    monkeypatch.setattr(logging.getLogger("uvicorn.error"), "level", logging.NOTSET)
    logging.getLogger("uvicorn.error").setLevel(logging.NOTSET)  # forgets the cached levels of all loggers
    configure_logging("datamanager", "json")
    logging.getLogger("uvicorn.error").info("Started %s", "server")
    logging.getLogger("uvicorn.access").info("GET /x")
    assert [event["event"] for event in events(capsys)] == ["Started server"]


@pytest.mark.parametrize(
    "logged",
    [
        {"secret_value": SecretStr("hunter2")},
        {"nested": {"deep": [SecretStr("hunter2")]}},
        {"Authorization": "hunter2"},
        {"headers": {"authorization": "Basic hunter2"}},
        {"alpaca_api_key_id": "hunter2"},
        {"apiKey": "hunter2"},
        {"password": b"hunter2"},
        {"text": "sent Bearer hunter2 to it"},
        {"url": "https://vendor/path?apiKey=hunter2&limit=1"},
        {"list": ["a", "token=hunter2"]},
        {"anything": "the known value kn0wn is here"},
        {"listed": [{"inner": "kn0wn"}]},
    ],
)
def test_secrets_are_masked(logged: dict[str, object], capsys: pytest.CaptureFixture[str]) -> None:
    """By type, by name, by shape and by value, at any depth; the event itself stays."""
    configure_logging("tester", "json", [SecretStr("kn0wn"), SecretStr("")])
    get_logger("x").info("thing_done", **logged)
    out = capsys.readouterr().out
    assert "hunter2" not in out
    assert "kn0wn" not in out
    assert "***" in out
    assert '"event": "thing_done"' in out


def test_tracebacks_and_plain_logs_are_masked(capsys: pytest.CaptureFixture[str]) -> None:
    """An exception's text and a library's message hide the secret as well."""
    configure_logging("tester", "json", [SecretStr("kn0wn")])
    get_logger("x").error("failed", exc_info=RuntimeError("Bearer hunter2 and kn0wn"))
    logging.getLogger("library").warning("using kn0wn")
    failed, warned = events(capsys)
    assert "RuntimeError: Bearer *** and ***" in str(failed["exception"])
    assert warned["event"] == "using ***"


def test_console_is_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    """The console form is no JSON and masks alike."""
    configure_logging("tester", "console", [SecretStr("kn0wn")])
    get_logger("x").info("thing_done", text="kn0wn")
    out = capsys.readouterr().out
    assert "thing_done" in out
    assert "kn0wn" not in out
    with pytest.raises(json.JSONDecodeError):
        json.loads(out)


def test_last_success_is_a_gauge_in_seconds() -> None:
    """Staleness can be computed from it."""
    last_success_gauge("test_sync", "When the test last succeeded").set_to_current_time()
    value = REGISTRY.get_sample_value("test_sync_last_success_timestamp_seconds")
    assert value is not None
    assert value > 1_700_000_000
