"""A vendor with Polygon's HTTP interface on loopback, and EDGAR beside it.

Its figures are functions of ticker and session, so that a test can compute what the lake must contain. It records the
requests and answers with the faults that a test sets.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from starlette.middleware.base import RequestResponseEndpoint

from datamanager.adapters.vendor_limits import Timeouts
from internal.dates import session_close
from internal.retries import RetryPolicy

BARS = "/v2/aggs/grouped/"
KEY = "a-vendor-key-that-must-not-leak"
TICKERS = ("AAA", "BBB", "CCC")
QUICK = RetryPolicy(attempts=3, first_pause=0.01)
QUICK_TIMEOUTS = Timeouts(connect=1.0, read=0.5)


@dataclass
class Vendor:
    """The vendor's data, the requests it received, and the faults it answers with next.

    Each of `faults` is answered once, before the right answer, to a path that starts with the prefix.
    """

    now: datetime = datetime(2024, 3, 28, 20, tzinfo=UTC)  # the close
    splits: list[dict[str, Any]] = field(default_factory=list)
    dividends: list[dict[str, Any]] = field(default_factory=list)
    stocks_v1: dict[str, list[dict[str, Any]]] | None = None  # None: a server without these endpoints
    listings: list[dict[str, Any]] = field(default_factory=list)  # beside TICKERS and GONE
    events: dict[str, list[tuple[str, str]]] = field(default_factory=dict)  # by ticker: days and tickers
    extra_rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    factors: dict[tuple[str, str], float] = field(default_factory=dict)  # of the prices, by ticker and day
    requests: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    faults: list[tuple[str, Callable[[], Response]]] = field(default_factory=list)
    delay_seconds: float = 0.0
    may_answer: threading.Event = field(default_factory=threading.Event)  # while `held_from` is set
    held_from: int | None = None  # requests of bars after so many wait for `may_answer`
    page_rows: int = 1000
    url: str = ""

    def grouped(self, day: str) -> list[dict[str, Any]]:
        """The session's rows in the vendor's format."""
        session = date.fromisoformat(day)
        moment = int(session_close(session).timestamp() * 1000)
        factors = [self.factors.get((ticker, day), 1.0) for ticker in TICKERS]
        bars = [_bar(ticker, number, session, moment) for number, ticker in enumerate(TICKERS)]
        prices = {"o", "h", "l", "c", "vw"}
        return [
            {name: value * factor if name in prices else value for name, value in bar.items()}
            for bar, factor in zip(bars, factors, strict=True)
        ] + [{"t": moment, **row} for row in self.extra_rows.get(day, [])]

    def requests_of(self, prefix: str) -> list[str]:
        """The requests, without the query, whose path starts with the prefix."""
        return [path for path in self.requests if path.startswith(prefix)]

    def holds_back(self) -> bool:
        """Whether the request of bars that came last has to wait."""
        return self.held_from is not None and len(self.requests_of(BARS)) > self.held_from

    def fault(self, prefix: str, answer: Callable[[], Response], count: int = 1) -> None:
        """Answer such a path with the fault `count` times."""
        self.faults += [(prefix, answer)] * count

    def next_fault(self, path: str) -> Callable[[], Response] | None:
        """Remove and return the first fault for this path."""
        for position, (prefix, answer) in enumerate(self.faults):
            if path.startswith(prefix):
                del self.faults[position]
                return answer
        return None


def _bar(ticker: str, number: int, session: date, moment: int) -> dict[str, Any]:
    close = 100.0 * (number + 1) + session.toordinal() % 1000 / 100
    return {
        "T": ticker,
        "o": close - 0.5,
        "h": close + 1.0,
        "l": close - 1.0,
        "c": close,
        "v": 1_000_000 + number + 0.5,
        "vw": close - 0.25,
        "n": 1234 + number,
        "t": moment,
    }


def vendor_application(vendor: Vendor) -> FastAPI:
    """Polygon's paths, answered from a vendor's data."""
    application = FastAPI()

    @application.middleware("http")
    async def answer_faults(request: Request, call_next: RequestResponseEndpoint) -> Response:
        vendor.requests.append(request.url.path)
        vendor.headers.append(dict(request.headers) | {"query": request.url.query})
        if vendor.delay_seconds:
            await asyncio.sleep(vendor.delay_seconds)
        if request.url.path.startswith(BARS) and vendor.holds_back():
            await asyncio.to_thread(vendor.may_answer.wait, 60)
        fault = vendor.next_fault(request.url.path)
        return fault() if fault else await call_next(request)

    @application.get("/v1/marketstatus/now")
    def status() -> dict[str, Any]:
        return {"market": "closed", "serverTime": vendor.now.isoformat(), "exchanges": {"nyse": "closed"}}

    @application.get("/v2/aggs/grouped/locale/us/market/stocks/{day}")
    def grouped(day: str, adjusted: bool = True) -> dict[str, Any]:  # noqa: FBT001, FBT002 - the vendor's query parameter
        rows = vendor.grouped(day)
        return {
            "status": "OK",
            "adjusted": adjusted,
            "queryCount": len(rows),
            "resultsCount": len(rows),
            "results": rows,
        }

    @application.get("/v3/reference/{kind}")
    def reference(kind: str, request: Request) -> dict[str, Any]:
        rows = _selected(vendor, kind, dict(request.query_params))
        start = int(request.query_params.get("cursor", "0"))
        body: dict[str, Any] = {"status": "OK", "request_id": "r", "results": rows[start : start + vendor.page_rows]}
        if start + vendor.page_rows < len(rows):
            body["next_url"] = str(request.url.include_query_params(cursor=start + vendor.page_rows))
        return body

    @application.get("/vX/reference/tickers/{ticker}/events")
    def events(ticker: str) -> Response:
        return _events(vendor, ticker)

    @application.get("/stocks/v1/{kind}")
    def stocks_v1(kind: str) -> Response:
        return _stocks_v1(vendor, kind)

    _add_edgar(application)
    return application


def _add_edgar(application: FastAPI) -> None:
    """EDGAR's paths: the tickers' companies, all of one industry and without filings."""

    @application.get("/files/company_tickers.json")
    def company_tickers() -> dict[str, Any]:
        return {
            str(number): {"cik_str": number + 1, "ticker": ticker, "title": f"{ticker} Inc."}
            for number, ticker in enumerate(TICKERS)
        }

    @application.get("/submissions/CIK{key}.json")
    def submissions(key: str) -> Response:
        if int(key) not in range(1, len(TICKERS) + 1):
            return Response("<Error><Code>NoSuchKey</Code></Error>", 404, media_type="application/xml")
        columns = ("accessionNumber", "filingDate", "reportDate", "acceptanceDateTime", "form")
        body = {"cik": key, "name": "An Inc.", "sic": "3571", "sicDescription": "Electronic Computers"}
        return JSONResponse(body | {"filings": {"recent": {name: [] for name in columns}, "files": []}})


def _events(vendor: Vendor, ticker: str) -> Response:
    changes = vendor.events.get(ticker)
    if changes is None:
        return JSONResponse({"status": "NOT_FOUND", "message": "Ticker not found."}, 404)
    events = [{"type": "ticker_change", "date": day, "ticker_change": {"ticker": name}} for day, name in changes]
    return JSONResponse({"status": "OK", "results": {"name": ticker, "events": events}})


def _stocks_v1(vendor: Vendor, kind: str) -> Response:
    if vendor.stocks_v1 is None:
        return JSONResponse({"status": "NOT_FOUND", "message": "Not found."}, 404)
    return JSONResponse({"status": "OK", "request_id": "r", "results": vendor.stocks_v1[kind]})


def _selected(vendor: Vendor, kind: str, query: dict[str, str]) -> list[dict[str, Any]]:
    if kind == "tickers":
        active = [
            {"ticker": ticker, "name": f"{ticker} Inc.", "primary_exchange": "XNYS", "active": True, "type": "CS"}
            for ticker in TICKERS
        ]
        gone = [{"ticker": "GONE", "name": "Gone Inc.", "active": False, "delisted_utc": "2020-05-06T00:00:00Z"}]
        is_active = query.get("active") == "true"
        rows = [*(active if is_active else gone), *(row for row in vendor.listings if row["active"] == is_active)]
        return [row for row in rows if row["ticker"] == query.get("ticker", row["ticker"])]
    day = {"splits": "execution_date", "dividends": "ex_dividend_date"}[kind]
    rows = vendor.splits if kind == "splits" else vendor.dividends
    return [row for row in rows if query[f"{day}.gte"] <= row[day] <= query[f"{day}.lte"]]


@contextmanager
def serve(application: FastAPI) -> Generator[str]:
    """Serve the application on a free loopback port; the URL."""
    server = uvicorn.Server(uvicorn.Config(application, port=0, log_config=None, timeout_graceful_shutdown=5))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        deadline = time.monotonic() + 120
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            assert time.monotonic() < deadline, "the server was not ready in two minutes"
            time.sleep(0.01)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=20)
