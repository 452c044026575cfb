"""Details and fundamentals over HTTP: from the vendor and EDGAR, from a file, as of a moment, and invalid ones."""

import io
from datetime import UTC, datetime
from pathlib import Path

import httpx
import polars as pl
import pytest
from fastapi.responses import HTMLResponse

from applications.datamanager.tests.datamanager_service import (
    SESSION,
    problem,
    read,
    run_datamanager,
)
from applications.datamanager.tests.datamanager_vendor import Vendor
from internal.http.frames import CSV, JSON, PARQUET
from internal.schemas import equity_details, fundamentals


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
