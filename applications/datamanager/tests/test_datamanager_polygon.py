"""The vendor's adapter over real HTTP: reading its answers, and the error of every invalid one."""

import time
from datetime import UTC, date, datetime

import polars as pl
import pytest
from fastapi import Response
from fastapi.responses import HTMLResponse, JSONResponse

from applications.datamanager.tests.datamanager_vendor import Vendor
from datamanager.adapters.polygon import Polygon
from datamanager.adapters.vendor_limits import Timeouts
from internal.errors import UnavailableError, UpstreamError
from internal.retries import RetryPolicy

SESSION = date(2024, 3, 28)
GROUPED = "/v2/aggs/grouped"


def grouped_body(**changes: object) -> Response:
    """An answer with one daily bar of the session, with changes."""
    row = {"T": "AAA", "o": 1, "h": 2, "l": 1, "c": 2, "v": 10, "t": 1711656000000}
    return JSONResponse({"status": "OK", "adjusted": False, "resultsCount": 1, "results": [row]} | changes)


def fetch_bars(polygon: Polygon) -> pl.DataFrame:
    """The session's bars; UpstreamError where the vendor has none that are final."""
    (answer,) = polygon.daily_bars([SESSION], lambda: None)
    if answer.rows is None:
        raise UpstreamError(answer.missing or "")
    return answer.rows


def test_reads_bars(vendor: Vendor, polygon: Polygon) -> None:
    """Bars are text under the port's names; missing vw and n are null, t becomes its day in New York."""
    vendor.extra_rows["2024-03-28"] = [{"T": "DDD", "o": 0.1, "h": 0.30000000000000004, "l": 0.1, "c": 0.2, "v": 7}]
    bars = fetch_bars(polygon)
    assert bars.get_column("ticker").to_list() == ["AAA", "BBB", "CCC", "DDD"]
    assert {"2024-03-28"} == set(bars.get_column("date"))
    last = bars.row(3, named=True)
    assert (last["high"], last["volume_weighted_average_price"], last["transactions"]) == (
        "0.30000000000000004",
        None,
        None,
    )


def test_requests_are_unadjusted_with_the_key_in_a_header(vendor: Vendor, polygon: Polygon) -> None:
    """Unadjusted bars are requested; the key is in no URL."""
    fetch_bars(polygon)
    (headers,) = vendor.headers
    assert "adjusted=false" in headers["query"]
    assert "a-vendor-key" not in headers["query"]
    assert headers["authorization"] == "Bearer a-vendor-key-that-must-not-leak"


def test_clock(vendor: Vendor, polygon: Polygon) -> None:
    """The vendor's clock, sent with New York's offset, is converted to UTC."""
    vendor.now = datetime.fromisoformat("2024-07-03T13:00:00-04:00")
    assert datetime(2024, 7, 3, 17, tzinfo=UTC) == polygon.now()


INVALID = {
    "truncated": (
        lambda: Response('{"status":"OK","results":[{"T":"AA', media_type="application/json"),
        "no complete JSON",
    ),
    "page": (lambda: HTMLResponse("<html>Sign in to the Wi-Fi</html>"), "Sign in to the Wi-Fi"),
    "list": (lambda: JSONResponse([1]), "list instead of an object"),
    "delayed": (lambda: grouped_body(status="DELAYED"), "not final before 20:15 UTC"),
    "not authorized": (lambda: grouped_body(status="NOT_AUTHORIZED"), "NOT_AUTHORIZED"),
    "null": (lambda: grouped_body(results=None), "without results"),
    "counted": (lambda: grouped_body(resultsCount=2), "counts 2 bars"),
    "empty": (lambda: grouped_body(resultsCount=0, results=[]), "sent no bar"),
    "without": (lambda: JSONResponse({"status": "OK", "resultsCount": 0}), "sent no bar"),
    "scalars": (lambda: grouped_body(results=[1]), "not a list of objects"),
    "adjusted": (lambda: grouped_body(adjusted=True), "split-adjusted"),
    "other day": (
        lambda: grouped_body(results=[{"T": "A", "o": 1, "h": 1, "l": 1, "c": 1, "v": 1, "t": 1602705600000}]),
        "sent those of ['2020-10-14']",
    ),
    "refused": (
        lambda: JSONResponse({"status": "ERROR", "error": "Unknown API Key a-vendor-key-that-must-not-leak"}, 401),
        "Check POLYGON_API_KEY",
    ),
    "server error": (lambda: Response("oops", 500), "3 attempts"),
    "too many": (
        lambda: JSONResponse({"error": "slow down"}, 429, {"Retry-After": "0"}),
        "POLYGON_REQUESTS_PER_MINUTE",
    ),
}


@pytest.mark.parametrize("name", INVALID)
def test_invalid_answers(name: str, vendor: Vendor, polygon: Polygon) -> None:
    """Each invalid answer is an UpstreamError that quotes request and answer, without the key."""
    answer, expected = INVALID[name]
    vendor.fault(GROUPED, answer, count=3)
    with pytest.raises(UpstreamError) as raised:
        fetch_bars(polygon)
    assert expected in raised.value.detail
    assert "2024-03-28" in raised.value.detail
    assert "a-vendor-key" not in raised.value.detail


@pytest.mark.parametrize("name", ["truncated", "page", "server error", "too many"])
def test_transient_errors_are_retried(name: str, vendor: Vendor, polygon: Polygon) -> None:
    """A transient error is retried; the third answer is valid."""
    vendor.fault(GROUPED, INVALID[name][0], count=2)
    assert fetch_bars(polygon).height == 3
    assert len(vendor.requests_of(GROUPED)) == 3


def test_refusals_are_not_retried(vendor: Vendor, polygon: Polygon) -> None:
    """A refused key is not sent again: that could lock it."""
    vendor.fault(GROUPED, INVALID["refused"][0], count=3)
    with pytest.raises(UpstreamError):
        fetch_bars(polygon)
    assert len(vendor.requests_of(GROUPED)) == 1


def test_retry_after_is_honoured(vendor: Vendor, polygon: Polygon) -> None:
    """A 429 with Retry-After 1 is retried after one second, not after the first wait of 10 ms."""
    vendor.fault(GROUPED, lambda: JSONResponse({}, 429, {"Retry-After": "1"}))
    started = time.monotonic()
    fetch_bars(polygon)
    assert time.monotonic() - started >= 1.0


def test_timeouts(vendor: Vendor, polygon: Polygon) -> None:
    """A vendor that does not answer raises UnavailableError after the read timeout of each attempt."""
    vendor.delay_seconds = 0.7
    with pytest.raises(UnavailableError, match="3 attempts"):
        fetch_bars(polygon)


def test_unreachable_vendor() -> None:
    """An unreachable vendor is an UnavailableError that says what to check."""
    adapter = Polygon("key", "http://127.0.0.1:9", 0, RetryPolicy(attempts=1), Timeouts(connect=0.5))
    with pytest.raises(UnavailableError, match="check POLYGON_BASE_URL"):
        adapter.now()


def test_requests_per_minute(vendor: Vendor) -> None:
    """The limiter lets the allowed requests through at once and blocks the next one."""
    adapter = Polygon("key", vendor.url, 3)
    started = time.monotonic()
    for _ in range(3):
        adapter.now()
    assert time.monotonic() - started < 15.0  # three a minute would take twenty seconds each
    limiter = adapter.transport.limiter
    assert limiter is not None
    assert limiter.try_acquire("vendor", blocking=False) is False


def test_pages(vendor: Vendor, polygon: Polygon) -> None:
    """Every page of splits is read."""
    vendor.page_rows = 2
    vendor.splits = [
        {"ticker": f"T{day}", "execution_date": f"2024-03-{day:02}", "split_from": 1, "split_to": 20}
        for day in range(4, 9)
    ]
    actions = polygon.corporate_actions(date(2024, 3, 5), date(2024, 3, 7))
    assert [
        ("T5", date(2024, 3, 5), 1.0, 20.0),
        ("T6", date(2024, 3, 6), 1.0, 20.0),
        ("T7", date(2024, 3, 7), 1.0, 20.0),
    ] == actions.select("ticker", "effective_date", "old_shares", "new_shares").rows()
    assert len(vendor.requests_of("/v3/reference/splits")) == 2


def test_delayed_plan(vendor: Vendor, polygon: Polygon) -> None:
    """DELAYED is the complete answer of a delayed plan once its delay has passed since the close."""
    vendor.now = datetime(2024, 3, 28, 20, 15, tzinfo=UTC)
    vendor.fault(GROUPED, lambda: grouped_body(status="DELAYED"))
    assert fetch_bars(polygon).height == 1
    vendor.fault(GROUPED, lambda: grouped_body(status="DELAYED", resultsCount=2))
    with pytest.raises(UpstreamError, match="counts 2 bars"):
        fetch_bars(polygon)


def test_new_endpoints_first(vendor: Vendor, polygon: Polygon) -> None:
    """Splits and dividends are asked at /stocks/v1; a vendor without these is asked there once, then at /v3."""
    vendor.stocks_v1 = {
        "splits": [
            {"id": "s1", "ticker": "A", "execution_date": "2024-03-05", "split_from": 100, "split_to": 105}
            | {"adjustment_type": "stock_dividend", "historical_adjustment_factor": 0.95}
        ],
        "dividends": [
            {"id": f"d{place}", "ticker": "A", "ex_dividend_date": "2024-03-05", "cash_amount": 0.5, "currency": "USD"}
            | {"distribution_type": kind}
            for place, kind in enumerate(("recurring", "special"))
        ],
    }
    actions = polygon.corporate_actions(date(2024, 3, 5), date(2024, 3, 7))
    assert [
        ("s1", "stock_dividend", 100.0, 5.0, None, None),
        ("d0", "cash_dividend", None, None, 0.5, False),
        ("d1", "cash_dividend", None, None, 0.5, True),
    ] == actions.select("action_id", "kind", "old_shares", "new_shares", "cash_amount", "special").rows()
    assert not vendor.requests_of("/v3/reference")
    query = vendor.headers[0]["query"]
    assert "execution_date.gte=2024-03-05" in query
    assert "limit=5000&sort=execution_date.asc" in query
    vendor.stocks_v1 = None
    for _ in range(2):
        polygon.corporate_actions(date(2024, 3, 5), date(2024, 3, 7))
    assert 3 == len(vendor.requests_of("/stocks/v1"))
    assert 4 == len(vendor.requests_of("/v3/reference"))


def test_an_invalid_page_fails_the_list(vendor: Vendor, polygon: Polygon) -> None:
    """A truncated page is an error; the vendor's client alone would end the list early."""
    vendor.fault("/v3/reference/dividends", INVALID["truncated"][0], count=3)
    with pytest.raises(UpstreamError, match="no complete JSON"):
        polygon.corporate_actions(date(2024, 3, 5), date(2024, 3, 7))


def test_listings(polygon: Polygon) -> None:
    """Active and delisted tickers in one frame."""
    listings = polygon.listings()
    assert listings.get_column("ticker").to_list() == ["AAA", "BBB", "CCC", "GONE"]
    assert listings.get_column("security_type").to_list() == ["CS", "CS", "CS", None]
    assert ("GONE", "Gone Inc.", None, None, False, None, date(2020, 5, 6), None, None, None) == listings.row(3)


@pytest.mark.parametrize("server_time", [None, "yesterday", "2024-03-28T16:00:00"])
def test_unreadable_clock(server_time: str | None, vendor: Vendor, polygon: Polygon) -> None:
    """A clock without a readable time and offset is an error."""
    vendor.fault("/v1/marketstatus", lambda: JSONResponse({"market": "open", "serverTime": server_time}))
    with pytest.raises(UpstreamError, match="serverTime"):
        polygon.now()
