"""A service over real HTTP: problems, token, sizes, readiness, metrics, and the client side."""

import asyncio
import json
import re
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager
from typing import Any

import httpx
import polars as pl
import pytest
from fastapi import FastAPI, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, SecretStr

from internal.errors import (
    ArtifactError,
    ConflictError,
    FundError,
    NotFoundError,
    SchemaError,
    UnavailableError,
    UnresolvedOrderError,
    UpstreamError,
)
from internal.http import service as service_module
from internal.http.client import raise_for_problem, read_frame_response
from internal.http.frames import frame_response
from internal.http.service import create_service
from internal.telemetry import configure_logging
from libraries.python.tests.loopback import serving

TOKEN = "a-long-token"  # noqa: S105 - of the test alone
MAXIMUM_BODY_BYTES = 1_000


class Order(BaseModel):
    """A body to validate."""

    quantity: int


async def lake_check(application: FastAPI) -> None:
    """Ready unless the test sets a fault."""
    if application.state.lake_fault:
        raise application.state.lake_fault


@asynccontextmanager
async def lifespan(application: FastAPI) -> AsyncGenerator[None]:
    """A service that starts ready."""
    application.state.lake_fault = None
    yield


def build(token: str) -> FastAPI:
    """A service with one route for each way to fail."""
    application = create_service(
        "tester",
        "A service under test",
        lifespan,
        token=SecretStr(token),
        readiness={"lake": lake_check},
        maximum_body_bytes=MAXIMUM_BODY_BYTES,
    )
    raised: dict[str, Exception] = {
        "conflict": ConflictError("a run is in flight"),
        "schema": SchemaError("orders: two faults", ["one", "two"]),
        "artifact": ArtifactError("no champion: run `models train`"),
        "unresolved": UnresolvedOrderError("ask the broker"),
        "crash": RuntimeError(f"the password is {TOKEN}"),
    }

    @application.post("/orders")
    async def post_order(order: Order) -> Order:
        return order

    @application.post("/raw")
    async def post_raw(request: Request) -> int:
        return len(await request.body())

    @application.get("/fail/{name}")
    async def fail(name: str) -> None:
        raise raised[name]

    @application.get("/orders/{name}")
    async def get_order(name: str) -> str:
        return name

    @application.get("/frame")
    async def get_frame(request: Request) -> Response:
        return frame_response(pl.DataFrame({"a": [1, 2]}), request)

    return application


@pytest.fixture(scope="module")
def serve() -> Iterator[Callable[[FastAPI], str]]:
    """Serve an application through uvicorn, on a free loopback port, until the module's tests end; gives its URL."""
    with ExitStack() as stack:
        yield lambda application: stack.enter_context(serving(application))


@pytest.fixture(scope="module")
def application() -> FastAPI:
    """The service with a token."""
    return build(TOKEN)


@pytest.fixture(scope="module")
def client(application: FastAPI, serve: Callable[[FastAPI], str]) -> Iterator[httpx.Client]:
    """A client of it, without the token."""
    with httpx.Client(base_url=serve(application), trust_env=False) as opened:
        yield opened


BEARER = {"Authorization": f"Bearer {TOKEN}"}


def chunks() -> Iterator[bytes]:
    """A body of unknown length, too long."""
    yield from [b"x" * 300] * 10


@pytest.mark.parametrize(
    ("method", "path", "arguments", "status", "slug"),
    [
        ("GET", "/nowhere", {}, 404, "not-found"),
        ("GET", "/orders", {}, 405, "method-not-allowed"),
        ("POST", "/orders", {"json": {"quantity": 1}}, 401, "unauthorized"),
        ("DELETE", "/nowhere", {}, 401, "unauthorized"),
        (
            "POST",
            "/orders",
            {"json": {"quantity": 1}, "headers": {"Authorization": "Bearer wrong"}},
            401,
            "unauthorized",
        ),
        ("POST", "/orders", {"json": {"quantity": 1}, "headers": {"Authorization": TOKEN}}, 401, "unauthorized"),
        ("POST", "/orders", {"json": {"quantity": "many"}, "headers": BEARER}, 422, "invalid-request"),
        ("POST", "/orders", {"content": b"{", "headers": BEARER}, 422, "invalid-request"),
        ("POST", "/orders", {"headers": BEARER}, 422, "invalid-request"),
        ("POST", "/orders", {"content": b"x" * 2_000, "headers": BEARER}, 413, "content-too-large"),
        ("POST", "/raw", {"content": chunks(), "headers": BEARER}, 413, "content-too-large"),
        ("GET", "/fail/conflict", {}, 409, "conflict"),
        ("GET", "/fail/schema", {}, 422, "schema"),
        ("GET", "/fail/artifact", {}, 500, "artifact"),
        ("GET", "/fail/unresolved", {}, 502, "unresolved-order"),
        ("GET", "/fail/crash", {}, 500, "internal-error"),
        ("GET", "/frame", {"headers": {"Accept": "text/csv"}}, 406, "not-acceptable"),
    ],
)
def test_every_fault_is_a_problem(  # noqa: PLR0913, PLR0917 - the columns of the table
    method: str, path: str, arguments: dict[str, Any], status: int, slug: str, client: httpx.Client
) -> None:
    """RFC 9457: content type, the five members, and the request's id on the answer."""
    response = client.request(method, path, **arguments)
    problem = response.json()
    assert response.status_code == problem["status"] == status
    assert response.headers["content-type"] == "application/problem+json"
    assert problem["type"] == f"urn:pocketsizefund:problem:{slug}"
    assert problem["instance"] == path
    assert problem["title"]
    assert problem["detail"]
    assert re.fullmatch("[0-9a-f]{32}", response.headers["x-request-id"])


def test_a_wrong_method_says_the_right_ones(client: httpx.Client) -> None:
    """405 carries Allow, 401 names the authentication scheme (RFC 9110)."""
    assert client.get("/orders").headers["allow"] == "POST"
    assert client.post("/orders").headers["www-authenticate"] == "Bearer"


def test_the_token_opens(client: httpx.Client) -> None:
    """With the token it works, in any case of the scheme; reading needs none."""
    headers = {"Authorization": f"bearer {TOKEN}"}
    assert client.post("/orders", json={"quantity": 1}, headers=headers).json() == {"quantity": 1}
    assert client.get("/orders/x").status_code == 200


def test_without_a_token_all_is_open(serve: Callable[[FastAPI], str]) -> None:
    """With an empty setting no token is needed."""
    assert httpx.post(f"{serve(build(''))}/orders", json={"quantity": 1}, trust_env=False).status_code == 200


def test_validation_errors_are_listed_without_values(client: httpx.Client) -> None:
    """Each fault with its place; what was sent is not sent back."""
    response = client.post("/orders", json={"quantity": "hunter2"}, headers=BEARER)
    assert response.json()["errors"][0]["location"] == ["body", "quantity"]
    assert "hunter2" not in response.text


def test_a_crash_tells_nothing_but_its_id(client: httpx.Client, capsys: pytest.CaptureFixture[str]) -> None:
    """The body has the request's id; the log has the traceback under that id, with the secret masked."""
    configure_logging("tester", "json", [SecretStr(TOKEN)])
    response = client.get("/fail/crash", headers={"X-Request-ID": "seen-before.1"})
    assert "seen-before.1" in response.json()["detail"]
    assert response.headers["x-request-id"] == "seen-before.1"
    assert "password" not in response.text
    client.get("/health")  # one connection answers in order: the log of the crash is complete now
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    of_request = {line["event"]: line for line in lines if line.get("request_id") == "seen-before.1"}
    crash = of_request["request_crashed"]
    assert "RuntimeError: the password is ***" in crash["exception"]
    access = of_request["request"]
    assert (access["status"], access["path"]) == (500, "/fail/crash")
    assert access["duration_seconds"] > 0


@pytest.mark.parametrize("given", ["with space", "x" * 129, "<script>", ""])
def test_a_strange_request_id_is_replaced(given: str, client: httpx.Client) -> None:
    """Ids go to the log, so only plain ones are taken over."""
    assert client.get("/health", headers={"X-Request-ID": given}).headers["x-request-id"] != given


def test_health_and_readiness(application: FastAPI, client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Alive always; ready only while every check passes; each failure is named, and none hangs."""
    assert client.get("/health").json() == {"status": "alive"}
    assert client.get("/ready").json() == {"status": "ready", "checks": {"lake": "ok"}}
    application.state.lake_fault = UnavailableError("the lake cannot be reached")
    response = client.get("/ready")
    assert response.status_code == 503
    assert response.json()["checks"] == {"lake": "the lake cannot be reached"}
    assert client.get("/health").status_code == 200
    application.state.lake_fault = RuntimeError("secret inside")
    assert client.get("/ready").json()["checks"] == {"lake": "the check itself failed; see the log"}
    application.state.lake_fault = None
    monkeypatch.setattr(service_module, "READINESS_SECONDS", 0.0)
    assert client.get("/ready").json()["checks"] == {"lake": "no answer within 0 seconds"}


def test_metrics_have_bounded_labels(client: httpx.Client) -> None:
    """Routes are templates, unknown paths and methods one label each, however many are tried."""
    for name in ("a", "b", "c"):
        client.get(f"/orders/{name}")
        client.get(f"/unknown/{name}")
        client.request(f"X{name}", "/orders/x")
    text = client.get("/metrics").text
    labels = re.findall(r'http_requests_total\{method="(\w+)",route="([^"]+)",service="tester",status="(\d+)"\}', text)
    assert ("GET", "/orders/{name}", "200") in labels
    assert ("GET", "unmatched", "404") in labels
    assert ("OTHER", "/orders/{name}", "405") in labels
    assert not {route for _, route, _ in labels} & {"/orders/a", "/unknown/a"}
    assert {method for method, _, _ in labels} <= {"GET", "POST", "DELETE", "OTHER"}
    assert (
        'http_request_duration_seconds_bucket{le="+Inf",method="GET",route="/orders/{name}",service="tester"}' in text
    )
    assert 'http_requests_in_flight{service="tester"} 1.0' in text


def test_openapi_describes_problems(client: httpx.Client) -> None:
    """Every operation documents the problem body."""
    document = client.get("/openapi.json").json()
    for path in document["paths"].values():
        for operation in path.values():
            assert "application/problem+json" in operation["responses"]["default"]["content"]


@pytest.mark.parametrize("name", ["conflict", "schema", "artifact", "unresolved"])
def test_an_error_travels(name: str, client: httpx.Client) -> None:
    """What a service raised, its client raises: kind, sentence and failures."""
    with pytest.raises(FundError) as raised:
        raise_for_problem(client.get(f"/fail/{name}"))
    kinds = {
        "conflict": (ConflictError, "a run is in flight"),
        "schema": (SchemaError, "orders: two faults"),
        "artifact": (ArtifactError, "no champion: run `models train`"),
        "unresolved": (UnresolvedOrderError, "ask the broker"),
    }
    assert (type(raised.value), raised.value.detail) == kinds[name]
    if isinstance(raised.value, SchemaError):
        assert raised.value.failures == ["one", "two"]


def test_head_has_the_headers_of_get(client: httpx.Client) -> None:
    """Every path that answers GET answers HEAD, with the same status and headers."""
    for path, accept in (("/frame", "application/json"), ("/health", "*/*"), ("/nowhere", "*/*")):
        asked = {"Accept": accept}
        get, head = client.get(path, headers=asked), client.head(path, headers=asked)
        assert head.status_code == get.status_code
        assert head.headers["content-type"] == get.headers["content-type"]


def test_a_frame_travels(client: httpx.Client) -> None:
    """Any representation becomes the frame again; a problem raises before it is read."""
    for accept in ("*/*", "application/vnd.apache.parquet", "application/json"):
        assert read_frame_response(client.get("/frame", headers={"Accept": accept})).to_dict(as_series=False) == {
            "a": [1, 2]
        }
    with pytest.raises(NotFoundError):
        read_frame_response(client.get("/nowhere"))
    with pytest.raises(UpstreamError, match="did not answer with a frame"):
        read_frame_response(client.get("/metrics"))


@pytest.mark.parametrize(
    ("status", "content_type", "body"),
    [
        (502, "text/html", b"<html>bad gateway</html>"),
        (500, "application/problem+json", b"{"),
        (500, "application/problem+json", b"[]"),
        (418, "application/problem+json", b'{"type": "about:blank", "detail": "teapot"}'),
    ],
)
def test_an_answer_that_is_no_problem_of_ours(status: int, content_type: str, body: bytes) -> None:
    """A proxy's page or an unknown type is UpstreamError, without the query, which could hold a key."""
    request = httpx.Request("GET", "http://service/path?apiKey=hunter2")
    response = httpx.Response(status, headers={"content-type": content_type}, content=body, request=request)
    with pytest.raises(UpstreamError) as raised:
        raise_for_problem(response)
    assert "hunter2" not in raised.value.detail


def test_a_broken_answer_is_cut_off(serve: Callable[[FastAPI], str]) -> None:
    """When a stream fails after its start, the caller gets a broken connection, never a complete response."""
    application = build("")

    @application.get("/stream")
    async def stream() -> Response:
        async def pieces() -> AsyncGenerator[bytes]:
            yield b"first"
            await asyncio.sleep(0)
            raise RuntimeError("disk gone")

        return StreamingResponse(pieces())

    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(f"{serve(application)}/stream", trust_env=False)
