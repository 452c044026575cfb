"""The adapter of EDGAR against the SEC's bodies and refusals on loopback, and against the exchange's own EDGAR."""

import asyncio
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any

import httpx
import polars as pl
import pytest
from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse
from hypothesis import given
from hypothesis import strategies as st

from applications.datamanager.tests.datamanager_vendor import QUICK, serve
from applications.datamanager.tests.edgar_bodies import (
    APPLE,
    FILINGS,
    TICKERS_BODY,
    facts_body,
    older_body,
    submissions_body,
)
from applications.exchange.tests.polygon_exchange import Clock
from datamanager.adapters.alpaca_frames import make_listings_frame
from datamanager.adapters.edgar import Edgar, EdgarAddresses
from datamanager.adapters.edgar_bodies import NEW_YORK, read_acceptance
from datamanager.adapters.files import FilesOnly
from datamanager.adapters.polygon import Polygon
from datamanager.details import EquityDetails
from datamanager.fundamental_measures import CONCEPTS
from datamanager.fundamentals import Fundamentals, read_fundamentals
from datamanager.ports import LISTING_SCHEMA, Company
from datamanager.progress import CollectionProgress
from datamanager.securities import Securities
from exchange.company_index import CompanyIndex
from exchange.configuration import Configuration
from exchange.routes import edgar as exchange_edgar
from exchange.routes import polygon, reference
from exchange.routes.edgar_access import RequestRate
from internal.errors import ConfigurationError, FundError, UnavailableError, UpstreamError
from internal.lake.store import Lake
from internal.schemas.fundamentals import Measure
from internal.venue.market.simulated import SimulatedMarket

NAME = "A fund of the tests admin@example.com"
TOO_FAST = "<html><title>SEC.gov | Request Rate Threshold Exceeded</title></html>"
UNDECLARED = "<html><h1>Your Request Originates from an Undeclared Automated Tool</h1></html>"
SUBMISSIONS, FACTS = f"/submissions/CIK{APPLE}.json", f"/api/xbrl/companyfacts/CIK{APPLE}.json"
BODIES: dict[str, Callable[[], dict[str, Any]]] = {
    "/files/company_tickers.json": lambda: TICKERS_BODY,
    SUBMISSIONS: submissions_body,
    f"/submissions/CIK{APPLE}-submissions-001.json": older_body,
    FACTS: facts_body,
}


@dataclass
class Sec:
    """The SEC's server: what it was asked, and what it answers first."""

    url: str = ""
    asked: list[tuple[str, str, float]] = field(default_factory=list)
    first: list[Response] = field(default_factory=list)

    def edgar(self, user_agent: str | None = NAME, requests_per_second: float = 0) -> Edgar:
        """The adapter, with short pauses."""
        timeout = httpx.Timeout(2.0)
        return Edgar(user_agent, EdgarAddresses(self.url, self.url), requests_per_second, QUICK, timeout)

    def paths(self) -> list[str]:
        """The paths that were asked."""
        return [path for path, _, _ in self.asked]


@pytest.fixture(scope="module")
def server() -> Generator[Sec]:
    """The SEC on loopback."""
    sec, application = Sec(), FastAPI()

    @application.get("/{path:path}")
    def answer(path: str, request: Request) -> Response:
        sec.asked.append((f"/{path}", request.headers.get("User-Agent", ""), time.monotonic()))
        if sec.first:
            return sec.first.pop(0)
        body = BODIES.get(f"/{path}")
        return Response("<Error><Code>NoSuchKey</Code></Error>", 404) if body is None else JSONResponse(body())

    with serve(application) as url:
        sec.url = url
        yield sec


@pytest.fixture
def sec(server: Sec) -> Sec:
    """The SEC, asked nothing yet."""
    server.asked.clear()
    server.first.clear()
    return server


def test_reads_what_the_sec_serves(sec: Sec) -> None:
    """Tickers with a class behind a dot, the company, and its filings in UTC; older files only where needed."""
    edgar = sec.edgar()
    assert edgar.central_index_keys() == {"AAPL": APPLE, "BRK.B": "0001067983"}
    recent = edgar.filings(APPLE)
    assert recent is not None
    assert recent.company == Company(APPLE, "Apple Inc.", "3571", "Electronic Computers")
    assert len(recent.filings) == len(FILINGS) - 1
    assert (recent.filings[0].form, recent.filings[0].accepted) == (
        "10-K",
        datetime(2024, 11, 1, 10, 1, 36, tzinfo=UTC),
    )
    assert edgar.filings(APPLE, date(2024, 1, 1)) == recent
    whole = edgar.filings(APPLE, date(2023, 11, 3))
    assert whole is not None
    assert [filing.accession_number for filing in whole.filings] == [one[0] for one in reversed(FILINGS)]
    assert {user_agent for _, user_agent, _ in sec.asked} == {NAME}
    assert edgar.filings("0000000001") is None
    assert edgar.facts("0000000001", CONCEPTS) == []


def test_facts(sec: Sec) -> None:
    """The facts of the concepts that are asked for, each with its filing."""
    facts = sec.edgar().facts(APPLE, ["dei:EntityCommonStockSharesOutstanding", "us-gaap:NoSuchConcept"])
    assert (facts[0].end, facts[0].value, facts[0].start) == (date(2023, 10, 20), 15_552_752_000, None)
    assert {fact.unit for fact in facts} == {"shares"}
    assert len(facts) == 6


def test_refusals_are_tried_again(sec: Sec) -> None:
    """A page about the rate, a server error and half a body are asked again; the third answer counts."""
    sec.first[:] = [HTMLResponse(TOO_FAST, 403), Response('{"cik": "0000', 200, media_type="application/json")]
    assert sec.edgar().filings(APPLE) is not None
    sec.first[:] = [JSONResponse({}, 503), HTMLResponse(TOO_FAST, 200)]
    assert sec.edgar().filings(APPLE) is not None
    assert sec.paths() == [SUBMISSIONS] * 6


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([HTMLResponse(UNDECLARED, 403)], "403.*Undeclared Automated Tool.*set EDGAR_USER_AGENT"),
        ([HTMLResponse(UNDECLARED, 200)], "200.*Undeclared.*set EDGAR_USER_AGENT"),
        ([HTMLResponse(TOO_FAST, 429)] * 3, "429.*lower EDGAR_REQUESTS_PER_SECOND"),
        ([JSONResponse([1])], "a JSON list, not an object"),
        ([JSONResponse(submissions_body() | {"cik": "0000000007"})], "sent '0000000007'"),
        (
            [JSONResponse(submissions_body() | {"filings": {"recent": {}, "files": []}})],
            "another form.*accessionNumber",
        ),
    ],
)
def test_final_refusals(sec: Sec, answers: list[Response], expected: str) -> None:
    """What another attempt cannot cure is an error that says what to do; each answer was asked for once."""
    sec.first[:] = answers
    with pytest.raises(UpstreamError, match=f"(?s){expected}"):
        sec.edgar().filings(APPLE)
    assert len(sec.asked) == len(answers)


def test_undeclared_and_unreachable(sec: Sec) -> None:
    """Without a user agent no request is sent; a server that is not there is unavailable."""
    with pytest.raises(ConfigurationError, match=r"EDGAR_USER_AGENT='Jane Doe jane@example\.com'"):
        sec.edgar(None).central_index_keys()
    assert sec.asked == []
    with pytest.raises(UnavailableError, match="check the network and EDGAR_BASE_URL"):
        Edgar(NAME, EdgarAddresses("http://127.0.0.1:9", "http://127.0.0.1:9"), 0, QUICK).central_index_keys()


def test_rate_limit_spaces_requests(sec: Sec) -> None:
    """At 50 requests a second the fifth comes 80 ms after the first, however fast they are asked for."""
    edgar = sec.edgar(requests_per_second=50)
    for _ in range(5):
        edgar.filings(APPLE)
    assert sec.asked[-1][2] - sec.asked[0][2] >= 0.075
    assert edgar.seconds_between_requests == 0.02


def test_acceptance_on_new_yorks_clock() -> None:
    """U.S. Steel's 16:21:59 in New York is served as 16:21:59Z; Hess' 7:30:32 as 07:30:32Z, 3:30 if it were UTC."""
    served = [datetime(2025, 5, 1, 16, 21, 59, tzinfo=UTC), datetime(2025, 4, 30, 7, 30, 32, tzinfo=UTC)]
    assert read_acceptance(served) == [
        datetime(2025, 5, 1, 20, 21, 59, tzinfo=UTC),
        datetime(2025, 4, 30, 11, 30, 32, tzinfo=UTC),
    ]


@given(st.lists(st.datetimes(datetime(2010, 1, 1), datetime(2025, 12, 31)), min_size=1), st.booleans())  # noqa: DTZ001 - hours below are New York's
def test_acceptance_is_never_read_too_early(days: list[datetime], in_utc: bool) -> None:  # noqa: FBT001 - drawn
    """Whichever clock a filer's moments are served on, none is read as earlier than it was."""
    true = [day.replace(hour=6 + day.hour % 16, tzinfo=NEW_YORK, fold=0) for day in days]
    served = [(one.astimezone(UTC) if in_utc else one).replace(tzinfo=UTC) for one in true]
    assert all(read >= one for read, one in zip(read_acceptance(served), true, strict=True))


def serve_exchange(market: SimulatedMarket, clock: Clock) -> AbstractContextManager[str]:
    """The exchange's market data and EDGAR on loopback; the URL."""
    application = FastAPI()
    for routes in (polygon, reference, exchange_edgar):
        application.include_router(routes.router)
    application.state.exchange = SimpleNamespace(market=market, clock=clock)
    application.state.edgar_rate, application.state.company_index = RequestRate(), CompanyIndex(market)
    application.state.configuration = Configuration.model_construct(exchange_edgar_requests_per_second=0)
    return serve(application)


@dataclass
class WithoutTypes(FilesOnly):
    """A vendor that lists a market's securities as Alpaca does: without their types."""

    rows: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=LISTING_SCHEMA))

    def listings(self, tickers: Sequence[str] | None = None) -> pl.DataFrame:
        """Ticker, name and whether it is active."""
        return self.rows if tickers is None else self.rows.filter(pl.col("ticker").is_in(list(tickers)))


def test_types_that_no_vendor_names(lake: Lake) -> None:
    """In a market with funds, warrants and receipts: every common stock is found, and nothing else is taken for one."""
    day = date(2024, 12, 31)
    market = SimulatedMarket(ticker_count=40, events="realistic")
    kinds = {one.ticker: one.security_type for one in market.listings(day) if one.is_active(day)}
    assets = [
        {"symbol": one.ticker, "name": one.name, "exchange": "NYSE", "status": "active" if one.is_active(day) else ""}
        for one in market.listings(day)
    ]
    vendor = WithoutTypes(rows=make_listings_frame(assets))
    with serve_exchange(market, Clock(datetime(2024, 12, 31, 21, tzinfo=UTC))) as url:
        edgar = Edgar(NAME, EdgarAddresses(url, url), 0, QUICK)
        details = EquityDetails(lake, vendor, edgar, Securities(lake, vendor), CollectionProgress())
        asyncio.run(details.sync_from_vendor())
        edgar.close()
    found = dict(lake.scan("equity_details").select("ticker", "security_type").collect().iter_rows())
    assert {"CS", "ETF", "FUND", "WARRANT", "ADRC"} <= set(kinds.values())
    expected = {ticker: kind if kind in {"CS", "ADRC"} else "UNKNOWN" for ticker, kind in kinds.items()}
    assert {ticker: kind for ticker, kind in found.items() if ticker in kinds} == expected


def test_the_exchanges_edgar(lake: Lake) -> None:
    """Details and fundamentals from the exchange: its companies, their figures, and only what its clock has seen."""
    market, clock, progress = (
        SimulatedMarket(ticker_count=4),
        Clock(datetime(2024, 12, 31, 21, tzinfo=UTC)),
        CollectionProgress(),
    )
    first = clock.moment
    with serve_exchange(market, clock) as url:
        vendor, edgar = Polygon("key", url, 0, QUICK), Edgar(NAME, EdgarAddresses(url, url), 0, QUICK)
        asyncio.run(EquityDetails(lake, vendor, edgar, Securities(lake, vendor), progress).sync_from_vendor())
        fundamentals = Fundamentals(lake, vendor, edgar, progress)
        added = asyncio.run(fundamentals.sync())
        known = read_fundamentals(lake, None, first)
        assert asyncio.run(fundamentals.sync()) == 0
        clock.moment = datetime(2025, 6, 30, 20, tzinfo=UTC)
        assert 0 < asyncio.run(fundamentals.sync()) < added
        vendor.close()
        edgar.close()
    listed = [one for one in market.listings(first.date()) if one.is_active(first.date())]
    details = lake.scan("equity_details").sort("ticker").collect()
    assert details.select("ticker", "sector").rows() == [(one.ticker, one.sector) for one in listed]
    assert set(known["measure"]) == set(Measure)
    assert known["ticker"].n_unique() == len(listed)
    assert read_fundamentals(lake, None, first).equals(known)
    assert (lake.scan("fundamentals").select("filed").max().collect().item()) <= clock.moment
    stored = lake.scan("fundamentals").filter(pl.col("filed") <= first).collect()
    for (key,), rows in stored.group_by("central_index_key"):
        require_years_of_quarters(str(key), rows)
    assert [(row.phase, row.done == row.total, row.seconds_left) for row in progress.phases()] == [
        ("listings", True, 0.0),
        ("companies", True, 0.0),
        ("fundamentals", True, 0.0),
    ]


def require_years_of_quarters(key: str, rows: pl.DataFrame) -> None:
    """The four quarters of each reported year sum to it, as they were stated by then."""
    years = rows.filter(measure="net_income_twelve_months", form="10-K").sort("period_end").to_dicts()
    for year in years:
        inside = rows.filter(
            pl.col("measure") == "net_income_quarter",
            pl.col("period_end").is_between(year["period_start"], year["period_end"]),
            pl.col("filed") <= year["filed"],
        )
        quarters = inside.sort("filed").unique("period_end", keep="last")
        if quarters.height == 4:
            assert quarters["value"].sum() == year["value"], (key, year["period_end"])


def test_errors_are_the_funds(sec: Sec) -> None:
    """Facts in another form are an error of the fund's own tree, never a KeyError."""
    sec.first[:] = [JSONResponse({"cik": 320193, "facts": []})]
    with pytest.raises(FundError, match="no object of facts"):
        sec.edgar().facts(APPLE, CONCEPTS)
