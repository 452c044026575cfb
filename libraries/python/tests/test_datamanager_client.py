"""The client of datamanager against servers that answer wrongly, with progress, or not at all."""

import threading
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, date, datetime

import httpx
import polars as pl
import pytest
from fastapi import FastAPI, Request, Response
from pydantic import SecretStr

from internal.errors import ConflictError, UnavailableError, UpstreamError
from internal.http.bearer import require_bearer_token
from internal.http.datamanager_client import DatamanagerClient
from internal.http.datamanager_responses import CollectionPhase
from internal.http.frames import frame_response
from internal.http.problems import install_problem_handlers
from internal.schemas import fundamentals, portfolios, predictions
from libraries.python.tests.loopback import serving

FIRST, LAST = date(2024, 1, 2), date(2024, 1, 31)
TOKEN = "a-long-token"  # noqa: S105 - of the test alone


def collecting() -> FastAPI:
    """An application whose collection of details is asked for its progress, should the answer take a moment."""
    application = FastAPI()

    @application.get("/equity-details/progress")
    def progress() -> dict[str, object]:
        runs = {"phase": "companies", "done": 5, "total": 9, "unit": "companies", "running": True, "seconds_left": 4.5}
        return {"phases": [runs]}

    return application


@contextmanager
def connected(application: FastAPI) -> Generator[DatamanagerClient]:
    """A client of an application on loopback."""
    install_problem_handlers(application)
    with serving(application) as url, DatamanagerClient(f"{url}/", SecretStr(TOKEN)) as client:
        yield client


def test_nobody_answers() -> None:
    """UnavailableError with the address and what to do."""
    with DatamanagerClient("http://127.0.0.1:9", SecretStr("")) as client:
        for call in (client.check_health, client.details, lambda: client.predictions(FIRST, LAST)):
            with pytest.raises(UnavailableError, match=r"127\.0\.0\.1:9 cannot be reached .*fund up"):
                call()


def test_collection_reports_progress() -> None:
    """While the collection runs its progress is polled, under the token; the answer is typed."""
    application, polled = FastAPI(), threading.Event()

    @application.post("/equity-bars")
    def collect(request: Request) -> dict[str, object]:
        require_bearer_token(request.headers, TOKEN)
        polled.wait(10)
        sessions = [{"date": "2024-01-02", "status": "collected", "rows": 5, "quarantined": 1}]
        return {"sessions": sessions, "rows": 5, "quarantined": 1, "bars_version": 3}

    @application.get("/equity-bars/ingestion")
    def progress() -> dict[str, object]:
        polled.set()
        return {"running": True, "sessions_done": 1, "sessions_total": 2}

    seen: list[tuple[int, int]] = []
    with connected(application) as client:
        collected = client.collect_bars(
            FIRST, LAST, lambda progress: seen.append((progress.sessions_done, progress.sessions_total))
        )
    assert (1, 2) in seen
    assert (collected.sessions[0].date, collected.sessions[0].status) == (FIRST, "collected")
    assert (collected.rows, collected.quarantined, collected.bars_version) == (5, 1, 3)


def test_details_report_their_phase() -> None:
    """While details are collected, the phase that runs is reported with its time left, those that ended are not."""
    application, polled = FastAPI(), threading.Event()

    @application.post("/equity-details")
    def collect() -> dict[str, int]:
        polled.wait(10)
        return {"rows": 7}

    @application.get("/equity-details/progress")
    def progress() -> dict[str, object]:
        polled.set()
        ended = {"phase": "listings", "done": 1, "total": 1, "unit": "listing", "running": False, "seconds_left": 0.0}
        runs = {"phase": "companies", "done": 5, "total": 9, "unit": "companies", "running": True, "seconds_left": 4.5}
        return {"phases": [ended, runs]}

    seen: list[tuple[str, int, float | None]] = []
    with connected(application) as client:
        rows = client.collect_details(lambda phase: seen.append((phase.phase, phase.done, phase.seconds_left)))
    assert rows == 7
    assert set(seen) == {("companies", 5, 4.5)}


def test_an_interrupt_does_not_wait_for_a_collection() -> None:
    """Ctrl-C while datamanager still collects ends the wait at once, whether or not it ever answers."""
    application, released, answered = collecting(), threading.Event(), threading.Event()

    @application.post("/equity-details")
    def collect() -> dict[str, int]:
        released.wait(10)
        answered.set()
        return {"rows": 7}

    def interrupt(_: CollectionPhase) -> None:
        raise KeyboardInterrupt

    with connected(application) as client:
        with pytest.raises(KeyboardInterrupt):
            client.collect_details(interrupt)
        assert not answered.is_set()
        released.set()


def test_fundamentals_as_of_a_moment() -> None:
    """The moment, with its offset, and the tickers are asked for; the frame is the answer's."""
    application = FastAPI()
    asked: list[dict[str, str]] = []

    @application.get("/fundamentals")
    def answer(request: Request) -> Response:
        asked.append(dict(request.query_params))
        return frame_response(fundamentals.empty(), request)

    with connected(application) as client:
        frames = client.fundamentals(datetime(2024, 12, 31, 21, tzinfo=UTC), ["AAPL", "BRK.B"]), client.fundamentals()
    assert [frame.columns for frame in frames] == [list(fundamentals.COLUMNS)] * 2
    assert asked == [{"as_of": "2024-12-31T21:00:00+00:00", "tickers": "AAPL,BRK.B"}, {}]


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"rows": "many"}'])
def test_an_unexpected_answer_is_an_upstream_error(body: bytes) -> None:
    """A body that is not the promised object names the path."""
    application = collecting()

    @application.post("/equity-details")
    def answer() -> Response:
        return Response(body, media_type="application/json")

    with connected(application) as client, pytest.raises(UpstreamError, match="/equity-details"):
        client.collect_details(lambda _: None)


def test_problems_are_raised() -> None:
    """A problem answer is the error that datamanager raised."""
    application = collecting()

    @application.post("/equity-details")
    def answer() -> None:
        raise ConflictError("a collection is running")

    with connected(application) as client, pytest.raises(ConflictError, match="a collection is running"):
        client.collect_details(lambda _: None)


def test_frames_that_do_not_exist_yet_are_empty() -> None:
    """404 for predictions and portfolios is an empty frame of their schema."""
    with connected(FastAPI()) as client:
        assert client.predictions(FIRST, LAST).equals(predictions.empty())
        assert client.portfolio("none").equals(portfolios.empty())


def test_bars_without_a_version_are_refused() -> None:
    """Something else than datamanager answers."""
    application = FastAPI()

    @application.get("/equity-bars")
    def answer() -> dict[str, str]:
        return {"hello": "world"}

    with connected(application) as client, pytest.raises(UpstreamError, match="X-Bars-Version"):
        client.bars(FIRST, LAST, adjusted_as_of=None)


def test_a_given_http_client_stays_open() -> None:
    """The caller's HTTP client is used with the reader's password, for reading alone, and is not closed."""
    application = FastAPI()
    given: list[str | None] = []

    @application.get("/sessions")
    def read(request: Request) -> Response:
        given.append(request.headers.get("authorization"))
        return frame_response(pl.DataFrame({"rows": [1]}), request)

    @application.post("/equity-details")
    async def store(request: Request) -> int:
        given.append(request.headers.get("authorization"))
        return len(await request.body())

    with serving(application) as url, httpx.Client(trust_env=False) as http:
        with DatamanagerClient(url, SecretStr(TOKEN), http=http, reader=("reader", "secret")) as client:
            assert client.sessions().item() == 1
            client.save_details(pl.DataFrame({"ticker": ["A"]}))
        assert not http.is_closed
    assert given == ["Basic cmVhZGVyOnNlY3JldA==", f"Bearer {TOKEN}"]
