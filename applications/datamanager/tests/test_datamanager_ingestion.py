"""Sessions that datamanager ingests over HTTP: once, again by force, in ranges, and every request that it refuses."""

from datetime import date
from pathlib import Path

import httpx
import polars as pl
import pytest
from fastapi.responses import JSONResponse, Response

from applications.datamanager.tests.datamanager_service import SESSION, problem, read
from applications.datamanager.tests.datamanager_vendor import KEY, TICKERS, Vendor
from internal.dates import session_close, sessions
from internal.lake.store import Lake
from internal.schemas import equity_bars


def test_backfill(client: httpx.Client, vendor: Vendor) -> None:
    """A backfill fetches and stores every session once; the second time it fetches nothing."""
    wanted = {"start_date": "2024-02-01", "end_date": "2024-03-28"}
    days = sessions(date(2024, 2, 1), SESSION)
    first = client.post("/equity-bars", json=wanted).raise_for_status().json()
    assert [{"date": str(day), "status": "collected", "rows": 3, "quarantined": 0} for day in days] == first["sessions"]
    assert (3 * len(days), 0) == (first["rows"], first["quarantined"])
    requested = vendor.requests_of("/v2/aggs")
    assert sorted(requested) == [f"/v2/aggs/grouped/locale/us/market/stocks/{day}" for day in days]

    again = client.post("/equity-bars", json=wanted).raise_for_status().json()
    assert {"present"} == {outcome["status"] for outcome in again["sessions"]}
    assert requested == vendor.requests_of("/v2/aggs")
    assert first["bars_version"] == again["bars_version"]

    bars = read(client, "/equity-bars", start_date="2024-02-01", end_date="2024-03-28")
    assert equity_bars.validate(bars).height == 3 * len(days)
    expected = [row["c"] for row in vendor.grouped("2024-03-28")]
    assert bars.filter(pl.col("date") == SESSION).get_column("close").to_list() == expected
    assert set(bars.get_column("timestamp").unique()) == {session_close(day) for day in days}


def test_force_fetches_again(client: httpx.Client, vendor: Vendor) -> None:
    """With force an ingested session is fetched again and replaced, not added."""
    client.post("/equity-bars", json={"date": "2024-03-28"}).raise_for_status()
    vendor.extra_rows["2024-03-28"] = [{"T": "NEW", "o": 1, "h": 1, "l": 1, "c": 1, "v": 5}]
    answer = client.post("/equity-bars", json={"date": "2024-03-28", "force": True}).raise_for_status().json()
    assert ([outcome["status"] for outcome in answer["sessions"]], answer["rows"]) == (["collected"], 4)
    bars = read(client, "/equity-bars", start_date="2024-03-28", end_date="2024-03-28")
    assert [*TICKERS, "NEW"] == bars.get_column("ticker").to_list()


def test_only_missing_sessions_are_fetched(client: httpx.Client, vendor: Vendor) -> None:
    """A range around ingested sessions fetches only the others and leaves the ingested ones."""
    client.post("/equity-bars", json={"date": "2024-03-26"}).raise_for_status()
    before = read(client, "/sessions")
    vendor.requests.clear()
    client.post("/equity-bars", json={"start_date": "2024-03-25", "end_date": "2024-03-28"}).raise_for_status()
    assert sorted(path[-10:] for path in vendor.requests_of("/v2/aggs")) == ["2024-03-25", "2024-03-27", "2024-03-28"]
    log = read(client, "/sessions", start_date="2024-03-25", end_date="2024-03-28")
    assert before.rows() == log.filter(pl.col("date") == date(2024, 3, 26)).rows()
    assert log.get_column("vendor_digest").str.len_chars().to_list() == [64] * 4


def test_invalid_rows_are_quarantined(client: httpx.Client, vendor: Vendor, tmp_path: Path) -> None:
    """An invalid row is stored as text with the reason, counted once, and never read as a bar."""
    vendor.extra_rows["2024-03-28"] = [
        {"T": "TEXT", "o": "n/a", "h": 2, "l": 1, "c": 1, "v": 5},
        {"T": "LOW", "o": 1, "h": 2, "l": 1.5, "c": 2, "v": 5},
        {"T": "NONE", "o": None, "h": 2, "l": 1, "c": 1, "v": 5},
        {"T": "TWICE", "o": 1, "h": 1, "l": 1, "c": 1, "v": 5},
        {"T": "TWICE", "o": 1, "h": 1, "l": 1, "c": 1, "v": 6},
        {"T": "LATE", "o": 1, "h": 1, "l": 1, "c": 1, "v": 5, "t": 1711742400000},
    ]
    for _ in range(2):
        answer = client.post("/equity-bars", json={"date": "2024-03-28", "force": True}).raise_for_status().json()
        assert (answer["rows"], answer["quarantined"]) == (3, 6)
    quarantined = Lake(str(tmp_path / "lake")).scan("equity_bars_quarantine").sort("ticker", "volume").collect()
    assert quarantined.select("ticker", "reason", "open").rows() == [
        ("LATE", "date_is_not_the_session", "1"),
        ("LOW", "low_at_most_open", "1.0"),
        ("NONE", "open_missing", None),
        ("TEXT", "open_unreadable", "n/a"),
        ("TWICE", "duplicate_key", "1.0"),
        ("TWICE", "duplicate_key", "1.0"),
    ]
    bars = read(client, "/equity-bars", start_date="2024-03-28", end_date="2024-03-28")
    assert list(TICKERS) == bars.get_column("ticker").to_list()


INVALID_INGESTIONS = [
    (b"", "body"),
    (b"{", "body"),
    (b"[]", "body"),
    (b"{}", "start_date"),
    (b'{"date": "2024-03-28", "start_date": "2024-03-01"}', "start_date"),
    (b'{"start_date": "2024-03-01"}', "start_date"),
    (b'{"date": "28.03.2024"}', "date"),
    (b'{"dates": "2024-03-28"}', "dates"),
    (b'{"date": "2024-03-29"}', "not a session"),  # Good Friday
    (b'{"date": "2024-03-30"}', "not a session"),  # a Saturday
    (b'{"date": "2024-04-01"}', "has not closed"),
    (b'{"start_date": "2024-03-28", "end_date": "2024-04-01"}', "has not closed"),
    (b'{"start_date": "2024-03-28", "end_date": "2024-03-27"}', "backwards"),
    (b'{"start_date": "2010-01-04", "end_date": "2024-03-27"}', "longer than 10 years"),
    (b'{"date": "9999-12-31"}', "calendar"),
]


@pytest.mark.parametrize(("body", "expected"), INVALID_INGESTIONS)
def test_invalid_ingestions(untouched: tuple[httpx.Client, Vendor], body: bytes, expected: str) -> None:
    """An invalid body is 422 with the reason, and no bars are requested from the vendor."""
    client, vendor = untouched
    vendor.requests.clear()
    response = client.post("/equity-bars", content=body, headers={"Content-Type": "application/json"})
    assert expected in problem(response, 422)
    assert vendor.requests_of("/v2/aggs") == []


def test_holidays_in_a_range_are_allowed(client: httpx.Client) -> None:
    """Thursday to Sunday over Good Friday is one session; a weekend is none."""
    answer = client.post("/equity-bars", json={"start_date": "2024-03-28", "end_date": "2024-03-31"}).json()
    assert [outcome["date"] for outcome in answer["sessions"]] == ["2024-03-28"]
    weekend = client.post("/equity-bars", json={"start_date": "2024-03-23", "end_date": "2024-03-24"})
    assert (weekend.json()["sessions"], weekend.json()["rows"]) == ([], 0)


def test_session_without_an_answer(client: httpx.Client, vendor: Vendor) -> None:
    """One session without final figures: it is reported missing with the reason, the others are stored.

    Asked for alone it is an error; asked for again with the range, it is collected.
    """
    grouped = "/v2/aggs/grouped/locale/us/market/stocks/2024-03-27"
    vendor.fault(grouped, lambda: JSONResponse({"status": "PENDING"}), 2)
    wanted = {"start_date": "2024-03-25", "end_date": "2024-03-28"}
    answer = client.post("/equity-bars", json=wanted).raise_for_status().json()
    assert [one["status"] for one in answer["sessions"]] == ["collected", "collected", "missing", "collected"]
    assert "PENDING" in answer["sessions"][2]["reason"]
    assert read(client, "/sessions").height == 3
    detail = problem(client.post("/equity-bars", json={"date": "2024-03-27"}), 502)
    assert "PENDING" in detail
    assert KEY not in detail
    assert client.get("/equity-bars/ingestion").json()["running"] is False
    again = client.post("/equity-bars", json=wanted).raise_for_status().json()
    assert (again["sessions"][2]["status"], again["rows"]) == ("collected", 12)


def test_transient_vendor_errors_are_retried(client: httpx.Client, vendor: Vendor) -> None:
    """A 429, an HTML page and a truncated body during a backfill are retried."""
    prefix = "/v2/aggs/grouped/locale/us/market/stocks/2024-03-2"
    vendor.fault(prefix, lambda: JSONResponse({}, 429, {"Retry-After": "0"}))
    vendor.fault(prefix, lambda: Response("<html>", media_type="text/html"))
    vendor.fault(prefix, lambda: Response('{"status": "OK", "res', media_type="application/json"))
    wanted = {"start_date": "2024-03-25", "end_date": "2024-03-28"}
    assert client.post("/equity-bars", json=wanted).raise_for_status().json()["rows"] == 12


def test_files_are_compacted_at_the_end_of_a_month(client: httpx.Client, tmp_path: Path) -> None:
    """At the end of a month its files become one, in order, and the rows stay the same."""
    for day in ("2024-03-27", "2024-03-26", "2024-03-25"):
        client.post("/equity-bars", json={"date": day}).raise_for_status()
    lake, month = Lake(str(tmp_path / "lake")), (date(2024, 3, 1), date(2024, 3, 31))
    assert len(lake.files("equity_bars", *month) or []) == 3
    client.post("/equity-bars", json={"date": "2024-03-28"}).raise_for_status()
    (file,) = lake.files("equity_bars", *month) or []
    rows = pl.read_parquet(file, columns=["date", "ticker"])
    assert rows.equals(rows.sort("date", "ticker"))
    assert read(client, "/equity-bars", start_date="2024-03-25", end_date="2024-03-28").height == 12
