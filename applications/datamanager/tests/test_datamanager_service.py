"""Datamanager over HTTP with a vendor on loopback: ingestion, queries, storage, events, and every invalid input."""

import io
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

import httpx
import polars as pl
import pytest
from fastapi.responses import HTMLResponse, JSONResponse, Response
from pydantic import SecretStr

from applications.datamanager.tests.datamanager_vendor import KEY, TICKERS, Vendor, serve, vendor_application
from datamanager.configuration import Configuration
from datamanager.server import create_application
from internal.dates import session_close, sessions
from internal.http.client import read_frame_response
from internal.http.frames import ARROW, CSV, JSON, PARQUET
from internal.lake.store import Lake
from internal.schemas import equity_bars, equity_details, fundamentals, portfolios, predictions

SESSION = date(2024, 3, 28)
PREDICTION = {
    "date": "2024-03-28",
    "ticker": "AAA",
    "target_date": "2024-04-01",
    "horizon": 1,
    "quantile_10": -0.02,
    "quantile_50": 0.0,
    "quantile_90": 0.02,
    "model_version": "m1",
    "bars_version": 3,
}
POSITION = {
    "portfolio_id": "p-1",
    "date": "2024-03-28",
    "ticker": "AAA",
    "side": "long",
    "action": "open",
    "quantity": 2.0,
    "dollar_amount": 20.0,
    "reference_price": 10.0,
    "opened_date": "2024-03-28",
    "entry_price": 10.0,
    "quantile_10": None,
    "quantile_50": None,
    "quantile_90": None,
    "reason": "rank 1",
    "model_version": "m1",
    "bars_version": 3,
}


@contextmanager
def run_datamanager(
    vendor: Vendor, folder: Path, subscribers: list[str] | None = None, token: str = "", *, declared: bool = True
) -> Generator[httpx.Client]:
    """Run a datamanager whose lake and state are in the folder; a client of it."""
    configuration = Configuration(
        state_directory=folder / "state",
        data_bucket=str(folder / "lake"),
        polygon_api_key=SecretStr(KEY),
        polygon_base_url=vendor.url,
        polygon_requests_per_minute=0,
        edgar_user_agent="A fund of the tests admin@example.com" if declared else None,
        edgar_base_url=vendor.url,
        edgar_data_base_url=vendor.url,
        edgar_requests_per_second=0,
        event_subscribers=subscribers or [],
        fund_api_token=SecretStr(token),
    )
    with serve(create_application(configuration)) as url, httpx.Client(base_url=url, timeout=60) as client:
        yield client


@pytest.fixture
def client(vendor: Vendor, tmp_path: Path) -> Generator[httpx.Client]:
    """A datamanager with an empty lake."""
    with run_datamanager(vendor, tmp_path) as client:
        yield client


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Generator[tuple[httpx.Client, Vendor]]:
    """One datamanager and its vendor, shared by the requests that must change nothing."""
    vendor = Vendor()
    with serve(vendor_application(vendor)) as url:
        vendor.url = url
        with run_datamanager(vendor, tmp_path_factory.mktemp("untouched")) as client:
            yield client, vendor


def problem(response: httpx.Response, status: int) -> str:
    """The detail of a problem response with that status."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"].startswith("application/problem+json")
    body = response.json()
    assert body["status"] == status
    return str(body["detail"])


def read(client: httpx.Client, path: str, **query: str) -> pl.DataFrame:
    """The frame of a GET response."""
    return read_frame_response(client.get(path, params=query))


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


def test_corporate_actions(client: httpx.Client, vendor: Vendor) -> None:
    """Splits and dividends are ingested with the bars, the weekend before included; bars are adjusted as of a day."""
    vendor.splits = [{"ticker": "AAA", "execution_date": "2024-03-27", "split_from": 1, "split_to": 4}]
    vendor.dividends = [
        {"ticker": "BBB", "ex_dividend_date": "2024-03-24", "cash_amount": 0.5, "currency": "USD"},
        {
            "ticker": "BBB",
            "ex_dividend_date": "2024-03-27",
            "cash_amount": 1.5,
            "currency": "USD",
            "pay_date": "2024-04-15",
        },
        {"ticker": "BBB", "ex_dividend_date": "2024-03-27", "cash_amount": 0.5, "currency": "USD"},
        {"ticker": "CCC", "ex_dividend_date": "2024-03-27", "cash_amount": 9, "currency": "CAD"},
    ]
    client.post("/equity-bars", json={"start_date": "2024-03-25", "end_date": "2024-03-28"}).raise_for_status()
    assert [("AAA", date(2024, 3, 27), 1.0, 4.0)] == read(client, "/corporate-actions/splits").rows()
    dividends = read(client, "/corporate-actions/dividends", tickers="BBB")
    assert [
        (date(2024, 3, 24), 0.5, None),
        (date(2024, 3, 27), 0.5, None),
        (date(2024, 3, 27), 1.5, date(2024, 4, 15)),
    ] == dividends.select("ex_dividend_date", "cash_amount", "pay_date").rows()
    actions = read(client, "/corporate-actions", kinds="forward_split")
    assert [("polygon", 1, "AAA", 1.0, 4.0)] == actions.select(
        "source", "version", "ticker", "old_shares", "new_shares"
    ).rows()
    before = read(client, "/corporate-actions", as_of="2024-03-28T00:00:00Z")  # recorded today, not then
    assert before.is_empty()
    for wrong in ({"kinds": "party"}, {"as_of": "2024-03-28T00:00:00"}):
        assert client.get("/corporate-actions", params=wrong).status_code == 422

    range_ = {"start_date": "2024-03-26", "end_date": "2024-03-26", "columns": "ticker,close,volume"}
    traded = read(client, "/equity-bars", **range_)
    assert traded.rows() == read(client, "/equity-bars", **range_, adjusted_as_of="2024-03-26").rows()
    adjusted = read(client, "/equity-bars", **range_, adjusted_as_of="2024-03-28")
    (_, aaa_close, aaa_volume), (_, bbb_close, _), ccc = traded.rows()
    assert ("AAA", pytest.approx(aaa_close / 4), pytest.approx(aaa_volume * 4)) == adjusted.row(0)
    assert adjusted.item(1, "close") == pytest.approx(bbb_close * (1 - 2.0 / bbb_close))
    assert ccc == adjusted.row(2)


def test_representations(client: httpx.Client) -> None:
    """The same bars as Arrow, parquet and JSON, with the version of the table."""
    version = client.post("/equity-bars", json={"date": "2024-03-28"}).json()["bars_version"]
    query = {"start_date": "2024-03-28", "end_date": "2024-03-28"}
    answers = {
        kind: client.get("/equity-bars", params=query, headers={"Accept": kind}) for kind in (ARROW, PARQUET, JSON)
    }
    arrow = pl.read_ipc_stream(answers[ARROW].content)
    assert arrow.equals(pl.read_parquet(io.BytesIO(answers[PARQUET].content)))
    assert answers[JSON].json()[0]["date"] == "2024-03-28"
    for answer in answers.values():
        assert (str(version), "Accept") == (answer.headers["x-bars-version"], answer.headers["vary"])
    assert "none of them" in problem(client.get("/equity-bars", params=query, headers={"Accept": "text/html"}), 406)


def test_tickers_and_columns(client: httpx.Client) -> None:
    """The requested rows and columns; an unknown ticker is 404 by name, an unknown column 422 with the known ones."""
    client.post("/equity-bars", json={"date": "2024-03-28"}).raise_for_status()
    query = {"start_date": "2024-03-28", "end_date": "2024-03-28"}
    frame = read(client, "/equity-bars", **query, tickers="CCC, AAA", columns="close,ticker")
    assert (frame.columns, frame.get_column("ticker").to_list()) == (["close", "ticker"], ["AAA", "CCC"])
    assert "NOPE, ZIP" in problem(client.get("/equity-bars", params=query | {"tickers": "AAA,ZIP,NOPE"}), 404)
    assert "volume_weighted" in problem(client.get("/equity-bars", params=query | {"columns": "close,price"}), 422)
    assert "empty entry" in problem(client.get("/equity-bars", params=query | {"tickers": "AAA,"}), 422)
    earlier = {"start_date": "2024-03-01", "end_date": "2024-03-04", "tickers": "AAA"}
    assert read(client, "/equity-bars", **earlier).is_empty(), "a known ticker without bars in the range is no error"


INVALID_RANGES: list[tuple[dict[str, str], str]] = [
    ({}, "start_date is missing"),
    ({"start_date": "2024-03-01"}, "end_date is missing"),
    ({"start_date": "2024-03-01", "end_date": "yesterday"}, "end_date"),
    ({"start_date": "2024-02-30", "end_date": "2024-03-01"}, "start_date"),
    ({"start_date": "2024-03-05", "end_date": "2024-03-01"}, "backwards"),
    ({"start_date": "2014-03-01", "end_date": "2024-03-02"}, "longer than 10 years"),
    ({"start_date": "2024-03-01", "end_date": "2024-03-02", "adjusted_as_of": "soon"}, "adjusted_as_of"),
]


@pytest.mark.parametrize(("query", "expected"), INVALID_RANGES)
def test_invalid_ranges(untouched: tuple[httpx.Client, Vendor], query: dict[str, str], expected: str) -> None:
    """Missing, malformed, backwards and too long ranges have their own messages."""
    client, _ = untouched
    assert expected in problem(client.get("/equity-bars", params=query), 422)


def test_ten_years_are_a_range(untouched: tuple[httpx.Client, Vendor]) -> None:
    """Ten years to the day are allowed."""
    client, _ = untouched
    assert read(client, "/equity-bars", start_date="2014-03-01", end_date="2024-03-01").is_empty()


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


def test_details(client: httpx.Client, vendor: Vendor) -> None:
    """EDGAR is asked once a company; the sector follows from the SIC code; a file takes precedence and stays."""
    client.post("/equity-bars", json={"date": "2024-03-28"}).raise_for_status()
    assert client.post("/equity-details", json={}).raise_for_status().json()["rows"] == 3
    assert client.post("/equity-details").raise_for_status().json()["rows"] == 3
    assert len(vendor.requests_of("/submissions/")) == 3
    answer = read(client, "/equity-details")
    assert answer.select("ticker", "security_id", "ticker_since").row(0) == (
        "AAA",
        "polygon:AAA:2024-03-28",
        SESSION,
    )
    details = equity_details.validate(answer.drop("security_id", "ticker_since"))
    assert (
        "AAA",
        "AAA Inc.",
        "Information Technology",
        "Electronic Computers",
        "CS",
        "XNYS",
        True,
        None,
        None,
        "0000000001",
        "polygon+edgar",
    ) == details.row(0)[:-1]

    rows = "ticker,sector,industry\nAAA,ENERGY,\nXYZ,UTILITIES,WATER\n"
    assert client.post("/equity-details", content=rows, headers={"Content-Type": CSV}).json()["rows"] == 2
    client.post("/equity-details", json={}).raise_for_status()
    merged = read(client, "/equity-details", tickers="AAA,XYZ").select("ticker", "sector", "industry", "source")
    assert merged.rows() == [
        ("AAA", "ENERGY", "Electronic Computers", "file+polygon+edgar"),
        ("XYZ", "UTILITIES", "WATER", "file"),
    ]


def test_details_of_an_earlier_version(client: httpx.Client, vendor: Vendor, tmp_path: Path) -> None:
    """Rows without a type, as they were stored before that column, get it from the next sync; EDGAR is not asked."""
    client.post("/equity-bars", json={"date": "2024-03-28"}).raise_for_status()
    client.post("/equity-details", json={}).raise_for_status()
    asked = len(vendor.requests_of("/submissions/"))
    path = tmp_path / "lake" / "equity_details"
    older = pl.read_delta(str(path)).drop("security_type")
    older.write_delta(str(path), mode="overwrite", delta_write_options={"schema_mode": "overwrite"})
    assert read(client, "/equity-details").get_column("security_type").to_list() == [None] * 3
    client.post("/equity-details", json={}).raise_for_status()
    assert read(client, "/equity-details").get_column("security_type").to_list() == ["CS"] * 3
    assert len(vendor.requests_of("/submissions/")) == asked


def test_file_before_the_vendor(client: httpx.Client, vendor: Vendor) -> None:
    """A file merged before the vendor's details still takes precedence."""
    client.post("/equity-bars", json={"date": "2024-03-28"}).raise_for_status()
    buffer = io.BytesIO()
    pl.DataFrame(
        {"ticker": ["AAA"], "sector": ["ENERGY"], "industry": [None]}, schema_overrides={"industry": pl.String}
    ).write_parquet(buffer)
    client.post("/equity-details", content=buffer.getvalue(), headers={"Content-Type": PARQUET}).raise_for_status()
    client.post("/equity-details", json={}).raise_for_status()
    row = read(client, "/equity-details", tickers="AAA").row(0, named=True)
    assert (
        row["sector"],
        row["industry"],
        row["name"],
        row["source"],
    ) == ("ENERGY", "Electronic Computers", "AAA Inc.", "file+polygon+edgar")
    assert len(vendor.requests_of("/submissions/")) == 3


def test_details_resume(client: httpx.Client, vendor: Vendor) -> None:
    """A sync that fails at EDGAR is 502 and keeps what the vendor listed; the next fetches the missing companies."""
    client.post("/equity-bars", json={"date": "2024-03-28"}).raise_for_status()
    vendor.fault("/submissions/CIK0000000002.json", lambda: HTMLResponse("Undeclared Automated Tool", 403))
    assert "set EDGAR_USER_AGENT" in problem(client.post("/equity-details", json={}), 502)
    assert read(client, "/equity-details").select("name", "sector").row(0) == ("AAA Inc.", None)
    assert client.post("/equity-details", json={}).json()["rows"] == 3
    assert read(client, "/equity-details").get_column("sector").null_count() == 0
    phases = client.get("/equity-details/progress").json()["phases"]
    assert [(row["phase"], row["done"], row["total"], row["running"]) for row in phases] == [
        ("listings", 1, 1, False),
        ("companies", 3, 3, False),
    ]


def test_undeclared(vendor: Vendor, tmp_path: Path) -> None:
    """Without EDGAR_USER_AGENT the listing is stored, EDGAR is not asked, and the error says what to set."""
    with run_datamanager(vendor, tmp_path, declared=False) as client:
        assert "EDGAR_USER_AGENT is not set" in problem(client.post("/equity-details", json={}), 500)
        assert read(client, "/equity-details").get_column("name").to_list() == ["AAA Inc.", "BBB Inc.", "CCC Inc."]
        assert vendor.requests_of("/files/") == []


def test_fundamentals(client: httpx.Client, vendor: Vendor) -> None:
    """Companies without reports are asked once and have no rows; unknown tickers and moments without offset fail."""
    client.post("/equity-bars", json={"date": "2024-03-28"}).raise_for_status()
    client.post("/equity-details", json={}).raise_for_status()
    asked = len(vendor.requests_of("/submissions/"))
    assert client.post("/fundamentals").raise_for_status().json() == {"rows": 0}
    assert client.post("/fundamentals").raise_for_status().json() == {"rows": 0}
    assert len(vendor.requests_of("/submissions/")) == asked + 3
    assert read(client, "/fundamentals", tickers="AAA").schema == pl.Schema(fundamentals.TICKER_COLUMNS)
    assert "unknown tickers: NOPE" in problem(client.get("/fundamentals", params={"tickers": "AAA,NOPE"}), 404)
    assert "no offset" in problem(client.get("/fundamentals", params={"as_of": "2024-01-02T00:00:00"}), 422)


def test_details_as_of(client: httpx.Client) -> None:
    """As of a moment the details are those that had been recorded by then; later versions do not change them."""
    before = datetime.now(UTC)
    client.post("/equity-details", json={}).raise_for_status()
    between = datetime.now(UTC)
    rows = "ticker,sector\nAAA,ENERGY\n"
    client.post("/equity-details", content=rows, headers={"Content-Type": CSV}).raise_for_status()
    sectors = [
        read(client, "/equity-details", tickers="AAA", as_of=moment.isoformat()).get_column("sector").to_list()
        for moment in (before, between, datetime.now(UTC))
    ]
    assert sectors == [[], ["Information Technology"], ["ENERGY"]]
    assert read(client, "/equity-details", tickers="AAA").get_column("sector").to_list() == ["ENERGY"]
    assert "no offset" in problem(client.get("/equity-details", params={"as_of": "2024-01-02T00:00:00"}), 422)


INVALID_DETAILS = [
    (CSV, b"", 422, "the body is empty"),
    (CSV, b"sector\nx\n", 422, "the body: missing column ticker; found sector"),
    (CSV, b"ticker,sector,industry\n,x,y\n", 422, "line 2, column ticker: nothing, expected a ticker"),
    (CSV, b"ticker,sector,industry\nAAA,x,y\nAAA,z,y\n", 422, "line 2, column ticker: 'AAA', expected one row a"),
    (PARQUET, b"PAR1 no", 422, "cannot be read"),
    (JSON, b'{"ticker": "AAA"}', 422, "only {} is read"),
    ("text/plain", b"AAA", 415, "text/plain"),
]


@pytest.mark.parametrize(("media_type", "body", "status", "expected"), INVALID_DETAILS)
def test_invalid_details(
    untouched: tuple[httpx.Client, Vendor], media_type: str, body: bytes, status: int, expected: str
) -> None:
    """An invalid file is refused as a whole, with the reason."""
    client, _ = untouched
    response = client.post("/equity-details", content=body, headers={"Content-Type": media_type})
    assert expected in problem(response, status)
    assert read(client, "/equity-details").is_empty()


@pytest.mark.parametrize(
    "body",
    [
        "ticker,name,sector\nAAA,Triple A,ENERGY\n",
        "SYMBOL;Company;GICS Sector;row\nAAA;Triple A;ENERGY;1\n",
        "Ticker,Name,SIC Code\nAAA,Triple A,1311\n",
    ],
)
def test_details_as_people_have_them(client: httpx.Client, body: str) -> None:
    """A `name` column, no industry, other names of columns: merged, and the answer says what was understood."""
    answer = client.post("/equity-details", content=body, headers={"Content-Type": CSV}).raise_for_status().json()
    row = read(client, "/equity-details").row(0, named=True)
    assert (answer["rows"], answer["understood"][0].split(":")[0]) == (1, "the body")
    assert (row["name"], row["sector"], row["industry"], row["source"]) == ("Triple A", row["sector"], None, "file")
    assert row["sector"].upper() == "ENERGY"  # as the file says, or of crude petroleum's code


FILE_OF_BARS = """Symbol;Date;Open;High;Low;Close;Volume
AAA;28.03.2024;10,5;11;10;10,75;1000
AAA;27.03.2024;10;11;9;12;500
BBB;27.03.2024;20;21;19;20;700
BBB;28.03.2024;20;21;19;20;0
"""


def post_bars(client: httpx.Client, body: str, **query: str) -> httpx.Response:
    """The answer to an import of a CSV file."""
    return client.post("/equity-bars/import", params=query, content=body, headers={"Content-Type": CSV})


def test_import(client: httpx.Client, vendor: Vendor) -> None:
    """A file's sound rows are bars, a close outside low..high goes to quarantine; the vendor is not asked."""
    answer = post_bars(client, FILE_OF_BARS).raise_for_status().json()
    outcomes = [(one["date"], one["status"], one["rows"], one["quarantined"]) for one in answer["sessions"]]
    assert outcomes == [("2024-03-27", "imported", 1, 1), ("2024-03-28", "imported", 1, 0)]
    assert any("left out: 1 row, zero volume (first: line 5 BBB 2024-03-28)" in one for one in answer["understood"])
    bars = equity_bars.validate(read(client, "/equity-bars", start_date="2024-03-27", end_date="2024-03-28"))
    assert bars.select("ticker", "date", "open", "close").rows() == [
        ("BBB", date(2024, 3, 27), 20.0, 20.0),
        ("AAA", date(2024, 3, 28), 10.5, 10.75),
    ]
    reasons = read(client, "/query", sql="SELECT ticker, reason FROM equity_bars_quarantine").rows()
    assert [("AAA", "close_at_most_high")] == reasons
    assert vendor.requests_of("/v2/aggs") == []
    again = post_bars(client, FILE_OF_BARS).raise_for_status().json()
    assert {one["status"] for one in again["sessions"]} == {"present"}
    assert again["bars_version"] == answer["bars_version"]


def test_import_beside_the_vendor(client: httpx.Client) -> None:
    """Sessions of the vendor are not overwritten unless asked; nothing is stored of a refused file."""
    client.post("/equity-bars", json={"date": "2024-03-28"}).raise_for_status()
    before = read(client, "/equity-bars", start_date="2024-03-27", end_date="2024-03-28")
    detail = problem(post_bars(client, FILE_OF_BARS), 409)
    assert "holds 1 of the 2 sessions with other rows, the first is 2024-03-28; nothing was stored" in detail
    assert before.equals(read(client, "/equity-bars", start_date="2024-03-27", end_date="2024-03-28"))
    post_bars(client, FILE_OF_BARS, replace="true").raise_for_status()
    after = read(client, "/equity-bars", start_date="2024-03-28", end_date="2024-03-28")
    assert after.get_column("ticker").to_list() == ["AAA"]


def test_import_keeps_the_sessions_between(client: httpx.Client) -> None:
    """A file without Wednesday leaves the vendor's Wednesday as it is."""
    client.post("/equity-bars", json={"date": "2024-03-27"}).raise_for_status()
    wednesday = read(client, "/equity-bars", start_date="2024-03-27", end_date="2024-03-27")
    days = FILE_OF_BARS.replace("27.03.2024", "26.03.2024").replace("AAA", "DDD")
    assert post_bars(client, days).raise_for_status().json()["rows"] == 2
    assert wednesday.equals(read(client, "/equity-bars", start_date="2024-03-27", end_date="2024-03-27"))
    assert read(client, "/sessions").height == 3


INVALID_BARS = [
    (CSV, b"", 422, "the body is empty; a table was expected as text/csv"),
    (CSV, b"ticker,date\nA,2024-03-28\n", 422, "missing column open, high, low, close, volume"),
    (CSV, FILE_OF_BARS.replace("10,75", "x").encode(), 422, "line 2, column Close: 'x', expected a number"),
    (CSV, FILE_OF_BARS.replace("28.03", "29.03").encode(), 422, "2024-03-29, expected a session of XNYS"),
    (CSV, FILE_OF_BARS.replace("AAA;27", "AAA;28").encode(), 422, "expected one row a ticker and date"),
    (CSV, (",".join(map(str, range(20_000))) + "\n1" * 20_000).encode(), 422, "unpacks to 400020000 values"),
    (PARQUET, b"PAR1 no", 422, "the body cannot be read as application/vnd.apache.parquet"),
    (ARROW, b"no stream", 422, "cannot be read"),
    (JSON, b"{}", 422, "not a list of records"),
    ("text/plain", b"AAA", 415, "text/plain"),
]


@pytest.mark.parametrize(("media_type", "body", "status", "expected"), INVALID_BARS)
def test_invalid_import(
    untouched: tuple[httpx.Client, Vendor], media_type: str, body: bytes, status: int, expected: str
) -> None:
    """A file that cannot be used is refused as a whole, with the reason."""
    client, _ = untouched
    response = client.post("/equity-bars/import", content=body, headers={"Content-Type": media_type})
    assert expected in problem(response, status)
    assert read(client, "/sessions").is_empty()


def test_predictions(client: httpx.Client) -> None:
    """The first predictions of a session stay; later ones are re-forecasts, marked by their training."""
    other_day = PREDICTION | {"date": "2024-03-27", "target_date": "2024-03-28"}
    third_day = PREDICTION | {"date": "2024-03-26", "target_date": "2024-03-27"}
    assert client.post("/predictions", json=[PREDICTION, other_day, third_day]).json() == {"rows": 3, "reforecasts": 0}
    assert client.post("/predictions", json=[PREDICTION]).json() == {"rows": 1, "reforecasts": 0}
    changed = [one | {"ticker": "BBB"} for one in (PREDICTION, third_day)]
    path = "/predictions?trained_through=2024-03-27"
    assert client.post(path, json=changed).json() == {"rows": 2, "reforecasts": 2}
    again = [one | {"quantile_90": 0.5} for one in changed]
    assert client.post(path, json=again).json() == {"rows": 2, "reforecasts": 2}
    other_model = PREDICTION | {"model_version": "other"}
    assert client.post("/predictions", json=[other_model]).json() == {"rows": 1, "reforecasts": 1}
    later = read(client, "/predictions/reforecasts", start_date="2024-03-26", end_date="2024-03-28")
    marks = later.select(pl.col("date").cast(pl.String), "ticker", "quantile_90", "hindsight").rows()
    assert marks == [
        ("2024-03-26", "BBB", 0.5, True),
        ("2024-03-28", "BBB", 0.5, False),
        ("2024-03-28", "AAA", PREDICTION["quantile_90"], None),
    ]
    frame = predictions.validate(read(client, "/predictions", start_date="2024-03-26", end_date="2024-03-28"))
    assert frame.get_column("ticker").to_list() == ["AAA", "AAA", "AAA"]
    assert set(frame["model_version"]) == {PREDICTION["model_version"]}
    assert read(client, "/predictions", date="2024-03-28", tickers="BBB").is_empty()
    assert "YYYY-MM-DD" in problem(client.get("/predictions/reforecasts"), 422)
    assert "trained_through" in client.post("/predictions?trained_through=soon", json=[PREDICTION]).text
    sent_again = PREDICTION | {"date": "2024-03-25", "target_date": "2024-03-26"}
    with ThreadPoolExecutor(8) as pool:  # a client whose request timed out sends it again while the first one runs
        sent = [pool.submit(client.post, "/predictions", json=[sent_again]) for _ in range(8)]
        assert {answer.result().status_code for answer in sent} == {200}
    assert read(client, "/predictions", date="2024-03-25").height == 1


def test_portfolios(client: httpx.Client) -> None:
    """A portfolio replaces the one with its id and is read by id, date or range."""
    two = [POSITION, POSITION | {"ticker": "BBB"}]
    assert client.post("/portfolios", json=two).json() == {"rows": 2}
    buffer = io.BytesIO()
    changed = pl.DataFrame([POSITION | {"portfolio_id": "p-2", "date": "2024-03-27"}]).with_columns(
        pl.col("date", "opened_date").str.to_date(), pl.col("^quantile_.*$").cast(pl.Float64)
    )
    changed.write_ipc_stream(buffer)
    assert client.post("/portfolios", content=buffer.getvalue(), headers={"Content-Type": ARROW}).json() == {"rows": 1}
    assert client.post("/portfolios", json=[POSITION]).json() == {"rows": 1}
    stored = portfolios.validate(read(client, "/portfolios", start_date="2024-03-01", end_date="2024-03-31"))
    assert stored.select("portfolio_id", "ticker").rows() == [("p-2", "AAA"), ("p-1", "AAA")]
    assert read(client, "/portfolios", date="2024-03-28").equals(read(client, "/portfolios", portfolio_id="p-1"))


INVALID_BODIES: list[tuple[str, object, str]] = [
    ("/predictions", [PREDICTION | {"quantile_10": 0.5}], "quantiles_ordered"),
    ("/predictions", [PREDICTION, PREDICTION], "unique"),
    ("/predictions", [PREDICTION | {"horizon": 8}], "horizon_in_range"),
    ("/predictions", [PREDICTION | {"date": "today"}], "row 0, column date"),
    ("/predictions", [{"date": "2024-03-28"}], "missing columns"),
    ("/predictions", [], "no rows"),
    ("/predictions", {"date": "2024-03-28"}, "not a list of records"),
    ("/portfolios", [POSITION, POSITION | {"portfolio_id": "p-2", "ticker": "BBB"}], "one portfolio a request"),
    ("/portfolios", [POSITION | {"side": "sideways"}], "side_known"),
    ("/portfolios", [], "no rows"),
]


@pytest.mark.parametrize(("path", "body", "expected"), INVALID_BODIES)
def test_invalid_bodies(untouched: tuple[httpx.Client, Vendor], path: str, body: object, expected: str) -> None:
    """A frame that violates its schema is refused with the place; nothing is stored."""
    client, _ = untouched
    assert expected in problem(client.post(path, json=body), 422)
    assert read(client, path, start_date="2024-01-01", end_date="2024-12-31").is_empty()


@pytest.mark.parametrize("path", ["/predictions", "/portfolios"])
def test_queries_without_a_day(untouched: tuple[httpx.Client, Vendor], path: str) -> None:
    """A query needs either a date or a range, not neither and not both."""
    client, _ = untouched
    assert "give date" in problem(client.get(path), 422)
    assert "not both" in problem(client.get(path, params={"date": "2024-03-28", "end_date": "2024-03-28"}), 422)


def closed_event(day: str) -> dict[str, object]:
    """The exchange's event of a closed session, structured."""
    return {
        "specversion": "1.0",
        "id": f"application.exchange.session.closed:{day}",
        "type": "application.exchange.session.closed",
        "source": "/exchange",
        "datacontenttype": "application/json",
        "data": {"date": day},
    }


def wait_for_events(client: httpx.Client, box: str, count: int) -> list[dict[str, object]]:
    """The events of the box once that many are processed; fails after a minute."""
    deadline = datetime.now(UTC).timestamp() + 60
    while datetime.now(UTC).timestamp() < deadline:
        events: list[dict[str, object]] = client.get("/events").json()[box]
        if len(events) >= count and all(event["state"] in {"handled", "delivered", "ignored"} for event in events):
            return events
    pytest.fail(f"{box}: {client.get('/events').json()}")


def test_closed_session_is_ingested_and_published(vendor: Vendor, tmp_path: Path) -> None:
    """The exchange's event, received twice, ingests the session and publishes equity_bars.synced once."""
    structured = {"Content-Type": "application/cloudevents+json"}
    with (
        run_datamanager(vendor, tmp_path / "receiver") as receiver,
        run_datamanager(vendor, tmp_path / "one", [f"{receiver.base_url}/events"]) as client,
    ):
        for _ in range(2):
            assert client.post("/events", json=closed_event("2024-03-28"), headers=structured).status_code == 204
        (sent,) = wait_for_events(client, "outbox", 1)
        assert sent["type"] == "application.datamanager.equity_bars.synced"
        assert sent["id"] == "application.datamanager.equity_bars.synced:2024-03-28"
        wait_for_events(client, "inbox", 1)
        assert len(vendor.requests_of("/v2/aggs")) == 1
        assert [event["type"] for event in wait_for_events(receiver, "inbox", 1)] == [
            "application.datamanager.equity_bars.synced"
        ]
        assert read(client, "/equity-bars", start_date="2024-03-28", end_date="2024-03-28").height == 3


def test_event_without_a_session_is_dropped(client: httpx.Client, vendor: Vendor) -> None:
    """The event of a Saturday is dropped, of a day outside the calendar refused; the session after them is ingested."""
    structured = {"Content-Type": "application/cloudevents+json"}
    answers = [
        client.post("/events", json=closed_event(day), headers=structured).status_code
        for day in ("2024-03-30", "2999-01-01", "2024-03-28")
    ]
    assert answers == [204, 422, 204]
    wait_for_events(client, "inbox", 2)
    assert [path[-10:] for path in vendor.requests_of("/v2/aggs")] == ["2024-03-28"]


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


def test_query(client: httpx.Client) -> None:
    """A SELECT is answered as a frame, any other statement with a problem."""
    client.post("/equity-bars", json={"date": "2024-03-28"}).raise_for_status()
    statement = "SELECT date, sum(volume) AS volume, count(*) AS rows FROM equity_bars GROUP BY date"
    assert read(client, "/query", sql=statement).rows() == [(SESSION, 3_000_004.5, 3)]
    answer = client.get("/query", params={"sql": statement}, headers={"Accept": JSON})
    assert answer.json() == [{"date": "2024-03-28", "volume": 3_000_004.5, "rows": 3}]
    assert "one SELECT statement" in problem(client.get("/query", params={"sql": "DROP TABLE equity_bars"}), 422)
    assert "sql" in problem(client.get("/query"), 422)


def test_only_the_latest_requested_session_is_published(vendor: Vendor, tmp_path: Path) -> None:
    """Requesting the latest closed session publishes it, present or not; an older one and a backfill do not."""
    with (
        run_datamanager(vendor, tmp_path / "receiver") as receiver,
        run_datamanager(vendor, tmp_path / "one", [f"{receiver.base_url}/events"]) as client,
    ):
        client.post("/equity-bars", json={"start_date": "2024-03-26", "end_date": "2024-03-28"}).raise_for_status()
        client.post("/equity-bars", json={"date": "2024-03-25"}).raise_for_status()
        assert client.get("/events").json()["outbox"] == []
        client.post("/equity-bars", json={"date": "2024-03-28"}).raise_for_status()
        (sent,) = wait_for_events(client, "outbox", 1)
        assert sent["id"] == "application.datamanager.equity_bars.synced:2024-03-28"


def test_operations(client: httpx.Client) -> None:
    """Health, readiness, and metrics of freshness and of the vendor's outcomes."""
    assert client.get("/health").json() == {"status": "alive"}
    assert client.get("/ready").json()["checks"] == {"lake": "ok", "vendor": "ok", "events": "ok"}
    client.post("/equity-bars", json={"date": "2024-03-28"}).raise_for_status()
    metrics = dict(line.rsplit(" ", 1) for line in client.get("/metrics").text.splitlines() if not line.startswith("#"))
    close = float(metrics["datamanager_bars_last_session_timestamp_seconds"])
    assert session_close(SESSION).timestamp() == close
    assert float(metrics['datamanager_vendor_requests_total{outcome="ok"}']) >= 4
    assert float(metrics["datamanager_vendor_request_duration_seconds_count"]) >= 4
    assert float(metrics["equity_bars_sessions"]) == 1
    assert float(metrics["equity_bars_rows"]) == read(client, "/sessions").get_column("rows").item()
    assert float(metrics["equity_bars_sessions_missing"]) == 0


def test_openapi_documents_every_response(untouched: tuple[httpx.Client, Vendor]) -> None:
    """Every JSON route refers to a response model, every frame route lists the frame's media types."""
    client, _ = untouched
    paths = client.get("/openapi.json").json()["paths"]
    operations = {(method, path): one for path, methods in paths.items() for method, one in methods.items()}
    contents = {key: one["responses"].get("200", {}).get("content", {}) for key, one in operations.items()}
    frames = {key for key, content in contents.items() if ARROW in content}
    assert frames == {
        ("get", path)
        for path in (
            *("/equity-bars", "/equity-details", "/fundamentals", "/sessions", "/predictions", "/portfolios", "/query"),
            *(
                "/corporate-actions",
                "/corporate-actions/splits",
                "/corporate-actions/dividends",
                "/securities",
                "/universe",
                "/disagreements",
            ),
            *("/quarantine", "/quarantine/releases"),
            "/predictions/reforecasts",
        )
    }
    bars = contents["get", "/equity-bars"][JSON]["schema"]["items"]["properties"]
    assert list(equity_bars.COLUMNS) == list(bars)
    assert bars["date"] == {"type": ["string", "null"], "format": "date"}
    own = (
        contents.keys()
        - frames
        - {("get", path) for path in ("/health", "/ready", "/metrics", "/events")}
        - {("post", "/events"), ("post", "/events/redeliveries")}
    )
    models = {key: contents[key][JSON]["schema"]["$ref"].rsplit("/", 1)[1] for key in own}
    assert models == {
        ("post", "/equity-bars"): "IngestionResponse",
        ("get", "/equity-bars/ingestion"): "IngestionProgressResponse",
        ("post", "/equity-bars/import"): "BarImportResponse",
        ("post", "/disagreements"): "ComparisonResponse",
        ("post", "/equity-details"): "DetailsResponse",
        ("get", "/equity-details/progress"): "CollectionProgressResponse",
        ("post", "/quarantine/releases"): "ReleaseResponse",
        ("get", "/data-checks"): "DataCheckResponse",
        ("post", "/fundamentals"): "StoredResponse",
        ("post", "/predictions"): "StoredPredictionsResponse",
        ("post", "/portfolios"): "StoredResponse",
    }


def test_not_ready_while_the_key_is_refused(vendor: Vendor, tmp_path: Path) -> None:
    """/ready reports a refused key with the reason before anything is ingested."""
    vendor.fault("/v1/marketstatus", lambda: JSONResponse({"error": "Unknown API Key"}, 401), count=10)
    with run_datamanager(vendor, tmp_path) as client:
        assert "Check POLYGON_API_KEY" in problem(client.get("/ready"), 503)
        assert client.get("/health").status_code == 200


def test_mutations_need_the_token(vendor: Vendor, tmp_path: Path) -> None:
    """With FUND_API_TOKEN set, POST needs it and GET does not."""
    with run_datamanager(vendor, tmp_path, token="open-sesame-says-the-test-alone-here") as client:  # noqa: S106 - a token for this test
        problem(client.post("/equity-bars", json={"date": "2024-03-28"}), 401)
        headers = {"Authorization": "Bearer open-sesame-says-the-test-alone-here"}
        client.post("/equity-bars", json={"date": "2024-03-28"}, headers=headers).raise_for_status()
        assert read(client, "/sessions").height == 1


def test_unknown_paths_and_methods(untouched: tuple[httpx.Client, Vendor]) -> None:
    """404 and 405 are problem responses."""
    client, _ = untouched
    problem(client.get("/equity-bar"), 404)
    problem(client.delete("/equity-bars"), 405)


def test_one_series_a_security(client: httpx.Client, vendor: Vendor) -> None:
    """A renamed security is one series under its name of the day, a re-used ticker two; prices adjust across names."""
    days = ("2024-03-25", "2024-03-26", "2024-03-27", "2024-03-28")
    tickers = ("FB", "FB", "META", "META")
    for day, ticker in zip(days, tickers, strict=True):
        bar = {"T": ticker, "o": 5, "h": 10, "l": 5, "c": 10 if ticker == "FB" else 5, "v": 1}
        vendor.extra_rows[day] = [bar, {**bar, "T": "RE", "c": 10}]
    vendor.listings = [
        {"ticker": "META", "name": "Meta", "active": True, "share_class_figi": "X", "type": "CS"},
        {"ticker": "FB", "active": False, "share_class_figi": "X", "delisted_utc": "2024-03-27T00:00:00Z"},
        {"ticker": "RE", "active": False, "share_class_figi": "OLD", "delisted_utc": "2024-03-27T00:00:00Z"},
        {"ticker": "RE", "active": True, "share_class_figi": "NEW"},
    ]
    vendor.splits = [{"ticker": "FB", "execution_date": "2024-03-27", "split_from": 1, "split_to": 2}]
    period = {"start_date": days[0], "end_date": days[-1]}
    client.post("/equity-bars", json=period).raise_for_status()
    client.post("/equity-details", json={}).raise_for_status()
    asked = {**period, "columns": "ticker,close,security_id"}
    adjusted = read(client, "/equity-bars", **asked, tickers="META", adjusted_as_of=days[-1])
    assert [("META", 5.0, "X")] * 4 == adjusted.rows()
    assert adjusted.equals(read(client, "/equity-bars", **asked, tickers="FB", adjusted_as_of=days[-1]))
    traded = read(client, "/equity-bars", **asked, tickers="FB,META")
    assert [("FB", 10.0, "X"), ("FB", 10.0, "X"), ("META", 5.0, "X"), ("META", 5.0, "X")] == traded.rows()
    named = read(client, "/equity-bars", **asked, adjusted_as_of=days[-1])
    assert ["RE-20240326", "RE-20240326", "RE", "RE"] == named.filter(
        pl.col("security_id").is_in(["OLD", "NEW"])
    ).get_column("ticker").to_list()
    forecast = PREDICTION | {"date": days[0], "ticker": "FB", "target_date": days[1]}
    client.post("/predictions", json=[forecast]).raise_for_status()
    found = read(client, "/predictions", date=days[0], named_as_of=days[-1], tickers="META", security_ids="true")
    assert [("META", "X")] == found.select("ticker", "security_id").rows()
    assert ["FB"] == read(client, "/predictions", date=days[0]).get_column("ticker").to_list()
    split = read(client, "/corporate-actions", named_as_of=days[-1], security_ids="true")
    assert [("META", "X")] == split.select("ticker", "security_id").rows()
    then = read(client, "/equity-bars", **asked, tickers="FB", adjusted_as_of=days[1])
    assert {("FB", 10.0, "X")} == set(then.rows()[:2])
    assert [("FB", date(2024, 3, 26)), ("META", None)] == read(client, "/securities", tickers="FB,META").select(
        "ticker", "end_date"
    ).rows()
    assert ["META"] == read(client, "/securities", tickers="FB,META", date=days[-1]).get_column("ticker").to_list()


def test_known_at(client: httpx.Client, vendor: Vendor) -> None:
    """Asked again with version and moment, bars are what they were, whatever was corrected since."""
    vendor.splits = [{"ticker": "AAA", "execution_date": "2024-03-28", "split_from": 1, "split_to": 2}]
    period = {"start_date": "2024-03-27", "end_date": "2024-03-28"}
    client.post("/equity-bars", json=period).raise_for_status()
    query = {**period, "adjusted_as_of": "2024-03-28", "columns": "date,ticker,close,security_id"}
    answer = client.get("/equity-bars", params=query)
    then = {"as_of": answer.headers["X-Known-At"], "version": answer.headers["X-Bars-Version"]}
    before = read_frame_response(answer)
    vendor.splits = [{"ticker": "AAA", "execution_date": "2024-03-28", "split_from": 1, "split_to": 4}]
    vendor.extra_rows["2024-03-27"] = [{"T": "LATE", "o": 1, "h": 1, "l": 1, "c": 1, "v": 1}]
    vendor.listings = [{"ticker": "AAA", "active": True, "share_class_figi": "A-CLASS"}]
    client.post("/equity-bars", json=period | {"force": True}).raise_for_status()
    client.post("/equity-details", json={}).raise_for_status()
    now = read(client, "/equity-bars", **query)
    assert now.height == before.height + 1
    assert now.item(0, "close") == before.item(0, "close") / 2
    assert before.equals(read(client, "/equity-bars", **query, **then))
    assert before.equals(read(client, "/equity-bars", **query, as_of=then["as_of"]))
    nothing = read(client, "/equity-bars", **query, as_of="2024-03-28T21:00:00Z")  # collected today, not then
    assert nothing.is_empty()
    assert client.get("/equity-bars", params=query | {"version": 99}).status_code == 404
