"""The control API over real HTTP: clock, faults, the order list, and what is not part of any vendor's API."""

# alpaca-py annotates its raw methods and its errors only in part
# pyright: reportUnknownMemberType=false

import json
import time
from collections.abc import Iterator

import httpx
import pytest
from alpaca.common.exceptions import APIError
from alpaca.trading.client import TradingClient
from alpaca.trading.models import Asset, Order
from alpaca.trading.requests import MarketOrderRequest

from applications.exchange.tests.exchange_kit import (
    HTTP,
    KEY_ID,
    SECRET,
    Server,
    exchange_environment,
    start_server,
    stop_server,
)

HEADERS = {"APCA-API-KEY-ID": KEY_ID, "APCA-API-SECRET-KEY": SECRET}
TOKEN = "open-sesame-says-the-test-alone-here"  # noqa: S105 - of this test alone
PROBLEM = "application/problem+json"


@pytest.fixture
def clean(server: Server) -> Iterator[Server]:
    """A server without faults, before and after."""
    server.control("DELETE", "faults")
    yield server
    server.control("DELETE", "faults")


def first_ticker(client: TradingClient) -> str:
    """A ticker that trades."""
    found = next(iter(client.get_all_assets()))
    assert isinstance(found, Asset)
    return found.symbol


def quiet(client: TradingClient) -> TradingClient:
    """The client without retries of its own."""
    client._retry = 0  # pyright: ignore[reportPrivateUsage]  # no argument sets it
    return client


def sent(server: Server, client_order_id: str) -> int:
    """How many orders of that name the exchange ever accepted."""
    orders = server.control("GET", "orders").json()["orders"]
    return sum(order["client_order_id"] == client_order_id for order in orders)


def test_state_and_clock(clean: Server) -> None:
    """The clock goes to the next open, the next close, a moment; sessions count down."""
    before = clean.control("GET", "state").json()
    assert ("simulated", 7, "closed") == (before["market"], before["seed"], before["phase"])
    assert before["planted_signal"].startswith("momentum")
    opened = clean.move("next_open")
    assert (before["next_session"], "open", before["sessions_left"]) == (
        opened["session"],
        opened["phase"],
        opened["sessions_left"],
    )
    closed = clean.move("next_close")
    assert ("closed", before["sessions_left"] - 1) == (closed["phase"], closed["sessions_left"])
    later = clean.control("POST", "clock", timestamp="2025-02-03T12:00:00Z").json()
    assert ("2025-02-03T12:00:00Z", "2025-02-03", "pre_open") == (
        later["timestamp"],
        later["session"],
        later["phase"],
    )
    assert later == clean.control("GET", "state").json()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"to": "tomorrow"}, 422),
        ({"to": "next_open", "timestamp": "2025-02-03T12:00:00Z"}, 422),
        ({"timestamp": "soon"}, 422),
        ({"timestamp": "2025-02-03T12:00:00"}, 422),
        ({"timestamp": "2024-01-02T12:00:00Z"}, 422),
        ({"timestamp": "2099-01-02T12:00:00Z"}, 409),
        ({"too": "next_open"}, 422),
    ],
)
def test_wrong_moves(clean: Server, body: dict[str, str], status: int) -> None:
    """A move that cannot be is a problem with a sentence, and the clock stays."""
    before = clean.control("GET", "state").json()
    answer = HTTP.post(f"{clean.url}/control/clock", json=body)
    assert (status, PROBLEM) == (answer.status_code, answer.headers["content-type"])
    assert answer.json()["detail"]
    assert before == clean.control("GET", "state").json()


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"kind": "meteorite"},
        {"kind": "hang", "count": 0},
        {"kind": "hang", "seconds": -1},
        {"kind": "partial_fill"},
        {"kind": "partial_fill", "share": 1.5},
        {"kind": "hang", "share": 0.5},
        {"kind": "hang", "pathh": "*"},
    ],
)
def test_wrong_faults(clean: Server, body: dict[str, object]) -> None:
    """A fault that is none is a problem, and none is kept."""
    answer = HTTP.post(f"{clean.url}/control/faults", json=body)
    assert (422, PROBLEM) == (answer.status_code, answer.headers["content-type"])
    assert [] == clean.control("GET", "faults").json()


def test_rate_limit(clean: Server) -> None:
    """As often as asked for, on the paths that match, each vendor's header; then the exchange answers again."""
    made = clean.control("POST", "faults", kind="rate_limit", path="/v2/acc*", count=2, seconds=3)
    assert (201, 2) == (made.status_code, made.json()["remaining"])
    assert HTTP.get(f"{clean.url}/v2/clock", headers=HEADERS).status_code == 200
    answers = [HTTP.get(f"{clean.url}/v2/account", headers=HEADERS) for _ in range(3)]
    assert [429, 429, 200] == [answer.status_code for answer in answers]
    assert {"code": 42910000, "message": "too many requests"} == answers[0].json()
    assert 0 < int(answers[0].headers["x-ratelimit-reset"]) - time.time() <= 3
    assert ("0", None) == (answers[0].headers["x-ratelimit-remaining"], answers[0].headers.get("retry-after"))
    clean.control("POST", "faults", kind="rate_limit", path="/v3/*", seconds=3)
    assert HTTP.get(f"{clean.url}/v3/reference/splits").headers["retry-after"] == "3"
    clean.control("DELETE", "faults")
    clean.control("POST", "faults", kind="rate_limit", path="/v2/acc*", count=1, seconds=3)
    HTTP.get(f"{clean.url}/v2/account", headers=HEADERS)
    assert [0] == [fault["remaining"] for fault in clean.control("GET", "faults").json()]


def test_gateway_timeout_after_accepting(clean: Server) -> None:
    """504, and the order is there: the answer was lost, not the order."""
    client = quiet(clean.client())
    ticker = first_ticker(client)
    clean.control("POST", "faults", kind="gateway_timeout", path="/v2/orders", method="POST")
    request = MarketOrderRequest(symbol=ticker, qty=1, side="buy", time_in_force="day", client_order_id="lost-answer")
    with pytest.raises(APIError) as error:
        client.submit_order(request)
    assert error.value.status_code == 504
    found = client.get_order_by_client_id("lost-answer")
    assert isinstance(found, Order)
    assert sent(clean, "lost-answer") == 1


def test_the_clients_own_retry_does_not_double(clean: Server) -> None:
    """alpaca-py sends a POST again after a 504: the second is refused as a duplicate, and there is one order."""
    client = clean.client()
    client._retry_wait = 0  # pyright: ignore[reportPrivateUsage]  # no argument sets it
    ticker = first_ticker(client)
    clean.control("POST", "faults", kind="gateway_timeout", path="/v2/orders", method="POST")
    request = MarketOrderRequest(symbol=ticker, qty=1, side="buy", time_in_force="day", client_order_id="sent-twice")
    with pytest.raises(APIError, match="client_order_id must be unique"):
        client.submit_order(request)
    assert sent(clean, "sent-twice") == 1


def test_server_error_before_accepting(clean: Server) -> None:
    """500, and the order is not there."""
    client = quiet(clean.client())
    ticker = first_ticker(client)
    clean.control("POST", "faults", kind="server_error", path="/v2/orders", method="POST")
    request = MarketOrderRequest(symbol=ticker, qty=1, side="buy", time_in_force="day", client_order_id="never-there")
    with pytest.raises(APIError) as error:
        client.submit_order(request)
    assert (500, 0) == (error.value.status_code, sent(clean, "never-there"))


def test_truncated_and_html_bodies(clean: Server) -> None:
    """Half of a body, and a proxy's page with status 200: neither is JSON."""
    for kind in ("truncated_body", "html_body"):
        clean.control("POST", "faults", kind=kind, path="/v2/account")
        answer = HTTP.get(f"{clean.url}/v2/account", headers=HEADERS)
        assert answer.status_code == 200
        with pytest.raises(ValueError, match=r"Expecting|Unterminated"):
            answer.json()
    whole = HTTP.get(f"{clean.url}/v2/account", headers=HEADERS).text
    clean.control("POST", "faults", kind="truncated_body", path="/v2/account")
    assert whole[: len(whole) // 2] == HTTP.get(f"{clean.url}/v2/account", headers=HEADERS).text


def test_truncated_answer_to_an_order(clean: Server) -> None:
    """The client cannot read the answer, and the order is there; sent again, its refusal cannot be read either."""
    client = quiet(clean.client())
    ticker = first_ticker(client)
    clean.control("POST", "faults", kind="truncated_body", path="/v2/orders", method="POST", count=2)
    request = MarketOrderRequest(symbol=ticker, qty=1, side="buy", time_in_force="day", client_order_id="half-answer")
    with pytest.raises(ValueError, match=r"Expecting|Unterminated"):
        client.submit_order(request)
    assert sent(clean, "half-answer") == 1
    with pytest.raises(APIError) as error:
        client.submit_order(request)
    assert error.value.status_code == 422
    with pytest.raises(ValueError, match=r"Expecting|Unterminated"):
        json.loads(str(error.value))
    found = client.get_order_by_client_id("half-answer")
    assert isinstance(found, Order)
    assert sent(clean, "half-answer") == 1


@pytest.mark.parametrize(("processed", "count"), [(False, 0), (True, 1)])
def test_unreadable_refusal(clean: Server, processed: bool, count: int) -> None:  # noqa: FBT001 - a table's column
    """422 with a body that is no JSON says nothing: the order may be there, or not."""
    client = quiet(clean.client())
    name = f"unreadable-{processed}"
    fault = {"kind": "unreadable_refusal", "path": "/v2/orders", "method": "POST", "processed": processed}
    clean.control("POST", "faults", **fault)
    request = MarketOrderRequest(
        symbol=first_ticker(client), qty=1, side="buy", time_in_force="day", client_order_id=name
    )
    with pytest.raises(APIError) as error:
        client.submit_order(request)
    assert error.value.status_code == 422
    with pytest.raises(ValueError, match=r"Expecting|Unterminated"):
        json.loads(str(error.value))
    assert count == sent(clean, name)


def test_hang(clean: Server) -> None:
    """The client waits, then has no answer; others are answered meanwhile."""
    clean.control("POST", "faults", kind="hang", path="/v2/account", seconds=60)
    started = time.monotonic()
    with pytest.raises(httpx.ReadTimeout):
        HTTP.get(f"{clean.url}/v2/account", headers=HEADERS, timeout=0.3)
    assert HTTP.get(f"{clean.url}/v2/account", headers=HEADERS).status_code == 200
    assert time.monotonic() - started < 30
    clean.control("POST", "faults", kind="hang", path="/v2/account", seconds=0)
    with pytest.raises(httpx.RemoteProtocolError):
        HTTP.get(f"{clean.url}/v2/account", headers=HEADERS)


def test_faults_reach_market_data(clean: Server) -> None:
    """The same faults strike Polygon's paths; control and health are spared."""
    clean.control("POST", "faults", kind="server_error", count=1, path="*")
    paths = ("/health", "/control/state", "/metrics", "/v1/marketstatus/now?apiKey=k", "/v1/marketstatus/now?apiKey=k")
    assert [200, 200, 200, 500, 200] == [HTTP.get(f"{clean.url}{path}").status_code for path in paths]


def test_order_list(clean: Server) -> None:
    """Every order with its fills, oldest first."""
    client = clean.client()
    client.submit_order(MarketOrderRequest(symbol=first_ticker(client), qty=3, side="buy", time_in_force="day"))
    clean.move("next_open")
    orders = clean.control("GET", "orders").json()["orders"]
    assert [order["sequence"] for order in orders] == list(range(1, len(orders) + 1))
    assert [("3", orders[-1]["filled_avg_price"])] == [
        (fill["quantity"], fill["price"]) for fill in orders[-1]["fills"]
    ]


def test_events(clean: Server) -> None:
    """The events that were sent, newest first: the close and the open of a session."""
    session = clean.move("next_close")["session"]
    events = clean.control("GET", "events").json()
    expected = [f"application.exchange.session.{kind}:{session}" for kind in ("closed", "opened")]
    assert expected == [event["id"] for event in events["outbox"][:2]]
    assert [] == events["inbox"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("PUT", "/control/clock", 405),
        ("POST", "/control/clock", 422),
        ("GET", "/events", 404),
        ("POST", "/events", 404),
    ],
)
def test_other_paths(clean: Server, method: str, path: str, status: int) -> None:
    """What neither vendor has is answered with problem details; the exchange takes no events."""
    answer = HTTP.request(method, f"{clean.url}{path}")
    assert (status, PROBLEM) == (answer.status_code, answer.headers["content-type"])


def test_description(clean: Server) -> None:
    """The OpenAPI document can be made and names both vendors' paths."""
    paths = HTTP.get(f"{clean.url}/openapi.json").json()["paths"]
    assert {"/v2/orders", "/control/clock", "/v3/reference/splits", "/v2/account/activities/{activity_type}"} <= set(
        paths
    )


def test_token(tmp_path_factory: pytest.TempPathFactory) -> None:
    """With a token configured, control's changes need it; Alpaca's own keys are enough for Alpaca's paths."""
    folder = tmp_path_factory.mktemp("token")
    guarded = start_server(exchange_environment(folder / "state", FUND_API_TOKEN=TOKEN), folder / "log")
    try:
        refused = guarded.control("POST", "clock", to="next_open")
        assert (401, PROBLEM) == (refused.status_code, refused.headers["content-type"])
        assert guarded.control("GET", "state").status_code == 200
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        moved = HTTP.post(f"{guarded.url}/control/clock", json={"to": "next_open"}, headers=bearer)
        assert moved.json()["phase"] == "open"
        client = guarded.client()
        client.submit_order(MarketOrderRequest(symbol=first_ticker(client), qty=1, side="buy", time_in_force="day"))
    finally:
        stop_server(guarded)
