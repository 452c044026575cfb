"""Bars of a file over HTTP: understood, stored beside the vendor's, and refused."""

from datetime import date

import httpx
import pytest

from applications.datamanager.tests.datamanager_service import problem, read
from applications.datamanager.tests.datamanager_vendor import Vendor
from internal.http.frames import ARROW, CSV, JSON, PARQUET
from internal.schemas import equity_bars

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
