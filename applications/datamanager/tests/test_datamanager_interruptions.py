"""Ingestion after kill -9, a crash between any two commits, a full disk, and with two requests at once."""

import asyncio
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import httpx
import polars as pl
import pytest
from deltalake import DeltaTable

from applications.datamanager.tests.datamanager_process import Process, datamanager_environment, run_service
from applications.datamanager.tests.datamanager_vendor import BARS, Vendor
from datamanager.adapters.polygon import Polygon
from datamanager.ingestion import BATCH_SESSIONS, Ingestion
from datamanager.periods import Period
from datamanager.securities import Securities
from datamanager.server import create_application
from datamanager.session_batches import commit_batch, fetch_batch, read_ingestion_log
from internal.dates import sessions
from internal.errors import ConfigurationError
from internal.http.client import read_frame_response
from internal.lake.store import Lake

START, END = date(2023, 11, 1), date(2024, 3, 28)
WANTED = {"start_date": str(START), "end_date": str(END)}
TABLES = ("equity_bars", "corporate_actions", "equity_bars_quarantine")


def with_actions(vendor: Vendor) -> None:
    """A split, a dividend and a bad row, so that every table is written."""
    vendor.splits = [{"ticker": "DDD", "execution_date": "2024-01-03", "split_from": 1, "split_to": 2}]
    vendor.dividends = [{"ticker": "BBB", "ex_dividend_date": "2024-01-04", "cash_amount": 1, "currency": "USD"}]
    vendor.extra_rows["2024-01-05"] = [{"T": "BAD", "o": None, "h": 1, "l": 1, "c": 1, "v": 1}]


def contents(lake: Lake) -> dict[str, pl.DataFrame]:
    """Every table that an ingestion writes, without the times of writing."""
    return {
        table: lake.scan(table).drop("collected_date", "recorded_at", strict=False).collect().sort(pl.all())
        for table in TABLES
    } | {"ingestion_sessions": read_ingestion_log(lake, START, END).drop("collected_at")}


def in_background(client: httpx.Client) -> threading.Thread:
    """Start a backfill in a thread; its connection may break."""

    def post() -> None:
        try:
            client.post("/equity-bars", json=WANTED)
        except httpx.TransportError:
            return  # the test killed the service

    thread = threading.Thread(target=post)
    thread.start()
    return thread


def wait_for(process: Process, count: str, least: int) -> None:
    """Wait until the progress reaches the count; fails after 60 seconds."""
    deadline = time.monotonic() + 60
    while process.client.get("/equity-bars/ingestion").json()[count] < least:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_kill_nine(vendor: Vendor, polygon: Polygon, tmp_path: Path) -> None:
    """Killed twice and run again: the same tables, and no session in the ingestion log is fetched twice."""
    with_actions(vendor)
    uninterrupted = Lake(str(tmp_path / "uninterrupted"))
    asyncio.run(Ingestion(uninterrupted, polygon, Securities(uninterrupted, polygon)).ingest_period(Period(START, END)))
    vendor.requests.clear()
    environment = datamanager_environment(vendor.url, tmp_path / "killed")
    for sessions_fetched in (30, 70):
        with run_service("datamanager", environment) as process:
            present = read_frame_response(process.client.get("/sessions")).height
            vendor.may_answer.clear()
            vendor.held_from = len(vendor.requests_of(BARS)) + sessions_fetched - present
            backfill = in_background(process.client)
            wait_for(process, "sessions_fetched", sessions_fetched)
            process.kill()
            backfill.join(timeout=20)
            vendor.may_answer.set()
    vendor.held_from = None
    with run_service("datamanager", environment) as process:
        complete = read_frame_response(process.client.get("/sessions")).get_column("date").to_list()
        asked_before = len(vendor.requests)
        answer = process.client.post("/equity-bars", json=WANTED).raise_for_status().json()
        assert answer["rows"] == 3 * len(sessions(START, END))
    assert len(complete) == 2 * BATCH_SESSIONS < len(sessions(START, END))
    refetched = {path[-10:] for path in vendor.requests[asked_before:] if path.startswith("/v2/aggs")}
    assert not refetched & {str(day) for day in complete}
    asked = Counter(vendor.requests_of("/v2/aggs"))
    assert sum(asked.values()) - len(asked) <= 2 * BATCH_SESSIONS, "a kill costs at most one batch"
    killed = contents(Lake(str(tmp_path / "killed" / "lake")))
    for table, frame in contents(uninterrupted).items():
        assert frame.height > 0
        assert frame.equals(killed[table]), table


class PowerCutError(Exception):
    """The simulated machine lost its power."""


class FailingLake(Lake):
    """A lake whose machine loses its power before the n-th write."""

    def __init__(self, url: str, writes: int) -> None:
        super().__init__(url)
        self._writes = writes

    def _commit(self, table: str, write: Callable[[DeltaTable], object]) -> int:
        if self._writes == 0:
            raise PowerCutError
        self._writes -= 1
        return super()._commit(table, write)


@pytest.mark.parametrize("writes", range(4))
def test_crash_between_commits(writes: int, vendor: Vendor, polygon: Polygon, tmp_path: Path) -> None:
    """After any commit, the batch is not in the ingestion log, and ingesting it again gives the same tables."""
    with_actions(vendor)
    batch = sessions(date(2024, 1, 3), date(2024, 1, 8))
    fetched = fetch_batch(polygon, batch, lambda: None)
    uninterrupted = Lake(str(tmp_path / "uninterrupted"))
    commit_batch(uninterrupted, fetched, datetime.now(UTC))
    failing = FailingLake(str(tmp_path / "failing"), writes)
    with pytest.raises(PowerCutError):
        commit_batch(failing, fetched, datetime.now(UTC))
    again = Lake(str(tmp_path / "failing"))
    assert read_ingestion_log(again, START, END).is_empty()
    rows_by_day = again.scan("equity_bars").group_by("date").len().collect().get_column("len").to_list()
    assert rows_by_day in ([], [3] * len(batch)), "no day is partly there"
    commit_batch(again, fetched, datetime.now(UTC))
    after = contents(again)
    assert all(frame.equals(after[table]) for table, frame in contents(uninterrupted).items())


def test_full_disk(vendor: Vendor, tmp_path: Path) -> None:
    """Without space: 503 with the reason, nothing stored; with space, the same request succeeds."""
    day = "2024-03-28"
    price = random.Random(0).uniform  # noqa: S311 - not a secret: random figures do not compress
    vendor.extra_rows[day] = [
        {"T": f"X{number}", "o": price(1, 2), "h": 2, "l": 1, "c": price(1, 2), "v": price(1, 2)}
        for number in range(4000)
    ]
    environment = datamanager_environment(vendor.url, tmp_path)
    with run_service("datamanager", environment, file_bytes=60_000) as process:
        answer = process.client.post("/equity-bars", json={"date": day})
        assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
        assert "no space is left" in answer.json()["detail"]
        assert read_frame_response(process.client.get("/sessions")).is_empty()
        bars = process.client.get("/equity-bars", params={"start_date": day, "end_date": day})
        assert read_frame_response(bars).is_empty()
        assert process.client.get("/health").status_code == 200
    with run_service("datamanager", environment) as process:
        assert process.client.post("/equity-bars", json={"date": day}).raise_for_status().json()["rows"] == 4003


def test_one_ingestion_at_a_time(vendor: Vendor, tmp_path: Path) -> None:
    """While one runs, its progress is shown, a second is refused with 409, and readers see complete sessions only."""
    vendor.held_from = BATCH_SESSIONS + 5
    with run_service("datamanager", datamanager_environment(vendor.url, tmp_path)) as process:
        backfill = in_background(process.client)
        wait_for(process, "sessions_done", 1)
        progress = process.client.get("/equity-bars/ingestion").json()
        assert (progress["running"], progress["sessions_total"]) == (True, len(sessions(START, END)))
        refused = process.client.post("/equity-bars", json={"date": "2024-03-28"})
        assert (refused.status_code, "sessions done" in refused.json()["detail"]) == (409, True)
        vendor.delay_seconds = 0.005
        vendor.may_answer.set()
        while backfill.is_alive():
            bars = read_frame_response(process.client.get("/equity-bars", params=WANTED))
            assert set(bars.group_by("date").len().get_column("len")) == {3}
        done = process.client.get("/equity-bars/ingestion").json()
        total = len(sessions(START, END))
        assert done | {"seconds_left": 0.0} == {
            **dict.fromkeys(("sessions_total", "sessions_fetched", "sessions_done"), total),
            "running": False,
            "seconds_left": 0.0,
        }


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"POLYGON_API_KEY": ""}, "POLYGON_API_KEY is not set"),
        ({"DATA_BUCKET": ""}, "DATA_BUCKET is not set"),
        ({"POLYGON_BASE_URL": "exchange:8090"}, "POLYGON_BASE_URL is wrong"),
        ({"EDGAR_USER_AGENT": "just-a-name"}, "EDGAR_USER_AGENT is wrong: .*Jane Doe jane@example.com"),
        ({"EDGAR_REQUESTS_PER_SECOND": "11"}, "EDGAR_REQUESTS_PER_SECOND is wrong"),
        ({"POLYGON_REQUESTS_PER_MINUTE": "-1"}, "POLYGON_REQUESTS_PER_MINUTE is wrong"),
    ],
)
def test_wrong_configuration(
    change: dict[str, str], expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error of a wrong setting names it."""
    for name, value in (datamanager_environment("http://127.0.0.1:9", tmp_path) | change).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=expected):
        create_application()


def test_service_without_a_key_ends(tmp_path: Path) -> None:
    """The process ends at once and names the missing setting."""
    environment = datamanager_environment("http://127.0.0.1:9", tmp_path) | {"POLYGON_API_KEY": ""}
    with pytest.raises(AssertionError, match="POLYGON_API_KEY is not set"), run_service("datamanager", environment):
        pass
