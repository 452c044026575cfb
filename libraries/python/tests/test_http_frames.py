"""Frames over HTTP: negotiation after RFC 9110, a round trip of each representation, faults of bodies."""

# pyarrow ships no types:
# pyright: reportUnknownMemberType=false

import io
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import httpx
import polars as pl
import pyarrow.ipc
import pyarrow.parquet
import pytest
from fastapi import FastAPI, Request, Response
from hypothesis import given, settings
from hypothesis import strategies as st

from internal.errors import InvalidRequestError, NotAcceptableError
from internal.http.frames import ARROW, CSV, JSON, PARQUET, decode, frame_response, negotiate, read_frame
from internal.http.problems import install_problem_handlers
from internal.schemas import predictions
from libraries.python.tests.loopback import serving

SCHEMA: dict[str, pl.DataType] = {
    "ticker": pl.String(),
    "date": pl.Date(),
    "timestamp": pl.Datetime("ms", "UTC"),
    "close": pl.Float64(),
    "horizon": pl.Int8(),
    "active": pl.Boolean(),
}
ROW: dict[str, Any] = {
    "ticker": "AAA",
    "date": date(2024, 11, 27),
    "timestamp": datetime(2024, 11, 27, 21, 0, 0, 250_000, tzinfo=UTC),
    "close": 10.25,
    "horizon": 7,
    "active": True,
}
RECORD = {**ROW, "date": "2024-11-27", "timestamp": "2024-11-27T21:00:00.250Z"}
FRAME = pl.DataFrame([ROW, dict.fromkeys(ROW)], schema=SCHEMA)


def application() -> FastAPI:
    """A service that answers FRAME, and echoes what it reads by SCHEMA."""
    service = FastAPI()
    install_problem_handlers(service)

    @service.get("/frame")
    def get_frame(request: Request) -> Response:
        return frame_response(FRAME, request, bars_version=12)

    @service.post("/frame")
    async def post_frame(request: Request) -> Response:
        return frame_response(await read_frame(request, SCHEMA), request)

    return service


@pytest.fixture(scope="module")
def serve() -> Iterator[Callable[[FastAPI], str]]:
    """Serve an application through uvicorn, on a free loopback port, until the module's tests end; gives its URL."""
    with ExitStack() as stack:
        yield lambda application: stack.enter_context(serving(application))


@pytest.fixture(scope="module")
def client(serve: Callable[[FastAPI], str]) -> Iterator[httpx.Client]:
    """Requests to the service above."""
    with httpx.Client(base_url=serve(application()), trust_env=False) as opened:
        yield opened


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        (None, ARROW),
        ("", ARROW),
        ("*/*", ARROW),
        ("application/*", ARROW),
        (JSON, JSON),
        (PARQUET, PARQUET),
        ("APPLICATION/JSON", JSON),
        ("application/json;q=0.5, application/vnd.apache.parquet;q=0.9", PARQUET),
        ("application/json, */*;q=0.1", JSON),
        (f"{ARROW};q=0, */*", PARQUET),
        ("text/html, application/json; q=0.2", JSON),
        ("application/json; charset=utf-8", JSON),
        ("text/html,application/xhtml+xml,*/*;q=0.8", ARROW),
    ],
)
def test_negotiation(accept: str | None, media_type: str) -> None:
    """The most specific range counts, then its q; Arrow is first among equals."""
    assert media_type == negotiate(accept)


@pytest.mark.parametrize(
    "accept", ["text/csv", "image/*", "application/json;q=0", "*/*;q=0", "application/json;q=high"]
)
def test_nothing_acceptable(accept: str, client: httpx.Client) -> None:
    """406 as a problem that lists what there is."""
    with pytest.raises(NotAcceptableError):
        negotiate(accept)
    response = client.get("/frame", headers={"Accept": accept})
    assert response.status_code == 406
    assert response.headers["content-type"] == "application/problem+json"


def test_answers_read_by_arrow_itself(client: httpx.Client) -> None:
    """Pyarrow alone reads the same rows from stream and parquet."""
    expected = FRAME.to_dicts()
    stream = client.get("/frame", headers={"Accept": ARROW})
    parquet = client.get("/frame", headers={"Accept": PARQUET})
    assert expected == pyarrow.ipc.open_stream(stream.content).read_all().to_pylist()
    assert expected == pyarrow.parquet.read_table(io.BytesIO(parquet.content)).to_pylist()
    for response in (stream, parquet):
        assert response.headers["vary"] == "Accept"
        assert response.headers["x-bars-version"] == "12"


def test_json_says_dates_in_iso_8601(client: httpx.Client) -> None:
    """Records with ISO dates, moments with Z, and null for what is missing."""
    response = client.get("/frame", headers={"Accept": JSON})
    assert response.json() == [RECORD, dict.fromkeys(RECORD)]


def test_json_is_valid_whatever_the_numbers(serve: Callable[[FastAPI], str]) -> None:
    """NaN, infinities and decimals leave as null or numbers; a strict parser reads them."""
    service = FastAPI()
    odd = pl.DataFrame(
        {"a": [float("nan"), float("inf"), -0.5], "b": [Decimal("1.25"), None, None], "c": [[1.0], [], None]}
    )

    @service.get("/odd")
    def get_odd(request: Request) -> Response:
        return frame_response(odd, request)

    def refuse(name: str) -> None:
        raise AssertionError(name)

    text = httpx.get(f"{serve(service)}/odd", headers={"Accept": JSON}, trust_env=False).text
    records = json.loads(text, parse_constant=refuse)
    assert [(row["a"], row["b"]) for row in records] == [(None, 1.25), (None, None), (-0.5, None)]


@pytest.mark.parametrize("accept", [ARROW, PARQUET, JSON])
@pytest.mark.parametrize("content_type", [ARROW, PARQUET, CSV, JSON])
def test_every_body_comes_back(content_type: str, accept: str, client: httpx.Client) -> None:
    """Sent in any representation, answered in any: the same frame, types and nulls included."""
    body = io.BytesIO()
    if content_type == ARROW:
        FRAME.write_ipc_stream(body)
    elif content_type == PARQUET:
        FRAME.write_parquet(body)
    elif content_type == CSV:
        iso = FRAME.with_columns(pl.col("timestamp").dt.strftime("%Y-%m-%dT%H:%M:%S%.3fZ"))
        iso.select(reversed(iso.columns)).write_csv(body)
    else:
        body.write(json.dumps([RECORD, dict.fromkeys(RECORD)]).encode())
    headers = {"Content-Type": f"{content_type}; charset=utf-8", "Accept": accept}
    response = client.post("/frame", content=body.getvalue(), headers=headers)
    assert response.status_code == 200, response.text
    if accept == JSON:
        assert response.json() == [RECORD, dict.fromkeys(RECORD)]
    else:
        assert decode(response.content, accept).equals(FRAME)


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ({"date": "2024-13-01"}, "row 1, column date: '2024-13-01' is not Date"),
        ({"date": 20241127}, "column date"),
        ({"timestamp": "2024-11-27"}, "row 1, column timestamp"),
        ({"timestamp": "2024-11-27T21:00:00"}, "row 1, column timestamp"),
        ({"close": "dear"}, "row 1, column close: 'dear' is not Float64"),
        ({"horizon": 1.5}, "row 1, column horizon: 1.5 is not Int8"),
        ({"horizon": 300}, "row 1, column horizon: 300 is not Int8"),
        ({"active": "perhaps"}, "row 1, column active: 'perhaps' is not Boolean"),
        ({"extra": 1}, "unknown columns: extra"),
        ({"close": {"nested": 1}}, "column close"),
    ],
)
def test_a_wrong_value_is_named(fault: dict[str, Any], message: str, client: httpx.Client) -> None:
    """422 with row, column and value; nothing turns silently to null."""
    first = {name: None for name in fault if name not in RECORD} | RECORD
    response = client.post("/frame", json=[first, {**first, **fault}])
    assert response.status_code == 422
    assert message in response.json()["detail"]


def test_types_that_do_not_convert_are_named(client: httpx.Client) -> None:
    """Numbers where texts belong, booleans as numbers, moments without a zone."""
    for column, wrong in {"ticker": pl.lit(5), "active": pl.lit(1), "timestamp": pl.lit(datetime(2024, 1, 1))}.items():  # noqa: DTZ001 - the fault under test
        body = io.BytesIO()
        FRAME.with_columns(wrong.alias(column)).write_ipc_stream(body)
        response = client.post("/frame", content=body.getvalue(), headers={"Content-Type": ARROW})
        assert response.status_code == 422
        assert f"column {column} is " in response.json()["detail"]


@pytest.mark.parametrize(
    ("body", "content_type", "status", "message"),
    [
        (b"", JSON, 422, "the body is empty"),
        (b"{", JSON, 422, "cannot be read as application/json"),
        (b"{}", JSON, 422, "not a list of records"),
        (b"[1, 2]", JSON, 422, "not a list of records"),
        (b'[{"close": NaN}]', JSON, 422, "NaN, which is not JSON"),
        (b"\xff\xfe", JSON, 422, "cannot be read"),
        (b"[" * 100_000, JSON, 422, "cannot be read"),
        (b'[{"ticker": "A"}]', JSON, 422, "missing columns: date, timestamp, close, horizon, active"),
        (b"not arrow", ARROW, 422, "cannot be read as application/vnd.apache.arrow.stream"),
        (b"PAR1 and no more", PARQUET, 422, "cannot be read as application/vnd.apache.parquet"),
        (b"a,b\n1,2,3\n", CSV, 422, "cannot be read as text/csv"),
        (b"<html>", "text/html", 415, "Content-Type text/html is not supported"),
        (b"x", "", 415, "Content-Type (none)"),
    ],
)
def test_a_wrong_body_is_explained(
    body: bytes, content_type: str, status: int, message: str, client: httpx.Client
) -> None:
    """Each wrong body gets a problem that names its fault."""
    response = client.post("/frame", content=body, headers={"Content-Type": content_type})
    assert response.status_code == status
    assert message in response.json()["detail"]


def test_truncated_bodies_are_told(client: httpx.Client) -> None:
    """Half an Arrow stream or parquet file is never half a frame."""
    for content_type in (ARROW, PARQUET):
        body = io.BytesIO()
        FRAME.write_ipc_stream(body) if content_type == ARROW else FRAME.write_parquet(body)
        half = body.getvalue()[: len(body.getvalue()) // 2]
        response = client.post("/frame", content=half, headers={"Content-Type": content_type})
        assert response.status_code == 422


def test_an_empty_list_is_an_empty_frame(client: httpx.Client) -> None:
    """Nothing sent as JSON is a frame without rows, with all its columns."""
    response = client.post("/frame", json=[], headers={"Accept": ARROW})
    assert decode(response.content, ARROW).equals(FRAME.clear())


@settings(deadline=None)
@given(st.binary(max_size=400), st.sampled_from([ARROW, PARQUET, CSV, JSON]))
def test_no_bytes_crash_the_reader(body: bytes, media_type: str) -> None:
    """Any bytes give a frame or an InvalidRequestError, never another exception."""
    with suppress(InvalidRequestError):
        assert isinstance(decode(body, media_type), pl.DataFrame)


def test_a_prediction_survives_json(serve: Callable[[FastAPI], str]) -> None:
    """The contract's own schema, from JSON records: Int8 and Date are made, not guessed."""
    record = {
        "date": "2024-11-27",
        "ticker": "AAA",
        "target_date": "2024-11-29",
        "horizon": 1,
        "quantile_10": -1e-3,
        "quantile_50": 0,
        "quantile_90": 2e-3,
        "model_version": "abc",
        "bars_version": 3,
    }
    service = FastAPI()

    @service.post("/predictions")
    async def post(request: Request) -> int:
        return predictions.validate(await read_frame(request, predictions.COLUMNS)).height

    assert httpx.post(f"{serve(service)}/predictions", json=[record], trust_env=False).json() == 1
