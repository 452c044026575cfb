"""The exchange's EDGAR: the bodies that the SEC documents, what is filed by the clock, and its refusals."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st

from applications.datamanager.tests.datamanager_vendor import serve
from applications.exchange.tests.exchange_kit import HTTP
from exchange.bodies.edgar_facts import company_facts
from exchange.bodies.edgar_reports import Company, draw_reports
from exchange.company_index import CompanyIndex
from exchange.configuration import Configuration
from exchange.routes import edgar
from exchange.routes.edgar_access import RequestRate
from internal.venue.clock import NEW_YORK
from internal.venue.market.simulated import SimulatedMarket

DECLARED = {"User-Agent": "A Fund of Tests admin@example.com"}
LATER = datetime(2026, 6, 30, 20, tzinfo=UTC)


@dataclass
class Clock:
    """A clock that a test sets."""

    moment: datetime = datetime(2024, 12, 31, 21, tzinfo=UTC)

    def now(self) -> datetime:
        """The moment, UTC."""
        return self.moment


@dataclass
class Edgar:
    """EDGAR's routes on loopback, with the clock and the settings that they read."""

    url: str
    application: FastAPI
    clock: Clock

    def get(self, path: str, headers: dict[str, str] = DECLARED) -> httpx.Response:
        """One answer, whatever its status."""
        return HTTP.get(self.url + path, headers=headers)

    def body(self, path: str) -> dict[str, Any]:
        """The body of an answer that is not refused."""
        return cast("dict[str, Any]", self.get(path).raise_for_status().json())


@pytest.fixture(scope="module")
def market() -> SimulatedMarket:
    """A simulated market of 20 companies."""
    return SimulatedMarket(ticker_count=20)


@contextmanager
def serve_edgar(market: SimulatedMarket, clock: Clock) -> Generator[tuple[str, FastAPI]]:
    """EDGAR's routes on loopback: their URL and application."""
    application = FastAPI()
    application.include_router(edgar.router)
    application.state.exchange = SimpleNamespace(market=market, clock=clock)
    application.state.edgar_rate, application.state.company_index = RequestRate(), CompanyIndex(market)
    application.state.configuration = Configuration.model_construct(
        exchange_edgar_requests_per_second=0, exchange_edgar_refusal_status=403
    )
    with serve(application) as url:
        yield url, application


@pytest.fixture
def sec(market: SimulatedMarket) -> Iterator[Edgar]:
    """EDGAR on that market."""
    clock = Clock()
    with serve_edgar(market, clock) as (url, application):
        yield Edgar(url, application, clock)


def test_tickers(sec: Edgar, market: SimulatedMarket) -> None:
    """Both files list the companies that trade on the clock's day, as the SEC lists them."""
    traded = [one for one in market.listings(date(2024, 12, 31)) if one.is_active(date(2024, 12, 31))]
    first = traded[0]
    assert sec.body("/files/company_tickers.json")["0"] == {
        "cik_str": int(first.central_index_key or ""),
        "ticker": first.ticker,
        "title": first.name,
    }
    table = sec.body("/files/company_tickers_exchange.json")
    assert table["fields"] == ["cik", "name", "ticker", "exchange"]
    assert [row[2] for row in table["data"]] == [one.ticker for one in traded]


def test_submissions_and_older_files(sec: Edgar, market: SimulatedMarket) -> None:
    """The company's SIC code, parallel lists of filings, newest first, and the rest in the file that is named."""
    sec.clock.moment = LATER
    listing = next(one for one in market.listings(LATER.date()) if one.is_active(LATER.date()))
    body = sec.body(f"/submissions/CIK{listing.central_index_key}.json")
    assert (body["sic"], body["sicDescription"], body["tickers"]) == (
        listing.sic_code,
        listing.sic_description,
        [listing.ticker],
    )
    recent, (older,) = body["filings"]["recent"], body["filings"]["files"]
    rest = sec.body(f"/submissions/{older['name']}")
    assert len({len(column) for column in recent.values()}) == 1
    accepted = recent["acceptanceDateTime"] + rest["acceptanceDateTime"]
    assert accepted == sorted(accepted, reverse=True)
    assert (older["filingCount"], older["filingTo"]) == (len(rest["form"]), rest["filingDate"][0])
    assert {"10-K", "10-Q", "8-K"} <= set(recent["form"] + rest["form"])


def test_facts_name_their_filings(sec: Edgar, market: SimulatedMarket) -> None:
    """Every fact names a filing of the list, and nothing is accepted after the clock's moment."""
    key = market.listings(date(2022, 6, 1))[0].central_index_key
    filings = sec.body(f"/submissions/CIK{key}.json")["filings"]
    lists = [filings["recent"], *(sec.body(f"/submissions/{file['name']}") for file in filings["files"])]
    known = {accession for columns in lists for accession in columns["accessionNumber"]}
    accepted = [moment for columns in lists for moment in columns["acceptanceDateTime"]]
    facts = sec.body(f"/api/xbrl/companyfacts/CIK{key}.json")["facts"]
    rows = [
        row
        for concepts in facts.values()
        for one in concepts.values()
        for unit in one["units"].values()
        for row in unit
    ]
    assert {row["accn"] for row in rows} <= known
    assert max(accepted) <= "2024-12-31T21:00:00.000Z"
    assert set(facts["us-gaap"]) == {"EarningsPerShareDiluted", "NetIncomeLoss", "StockholdersEquity"}


def test_funds_file_no_earnings() -> None:
    """A fund has a key and submissions without an industry, and no facts."""
    market, clock = SimulatedMarket(ticker_count=40, events="frequent"), Clock(LATER)
    fund = next(one for one in market.listings(LATER.date()) if one.security_type == "ETF")
    with serve_edgar(market, clock) as (url, _):
        body = HTTP.get(f"{url}/submissions/CIK{fund.central_index_key}.json", headers=DECLARED).json()
        facts = HTTP.get(f"{url}/api/xbrl/companyfacts/CIK{fund.central_index_key}.json", headers=DECLARED)
    assert (body["sic"], body["filings"]["recent"]["form"]) == ("", [])
    assert facts.status_code == 404


@given(st.integers(1, 10**9), st.integers(0, 1500))
def test_later_moments_change_no_report(key: int, days: int) -> None:
    """What was filed by a moment is the beginning of what is filed later; reports come after their period ended."""
    company = Company(f"{key:010d}", 7, date(2021, 6, 1), None, 10_000_000, [])
    early = draw_reports(company, datetime(2021, 6, 1, tzinfo=UTC) + timedelta(days=days))
    late = draw_reports(company, datetime(2025, 12, 31, tzinfo=UTC))
    assert late[: len(early)] == early
    assert all(one.accepted.astimezone(NEW_YORK).date() > one.quarter.end for one in late)
    assert len({one.accession_number for one in late}) == len(late)


def test_year_is_the_sum_of_its_quarters() -> None:
    """The annual report's net income is the nine months of the third quarter and the fourth quarter's income."""
    company = Company("0000000004", 7, date(2021, 1, 1), None, 10_000_000, [(date(2023, 2, 1), 2.0)])
    reports = draw_reports(company, datetime(2024, 12, 31, tzinfo=UTC))
    facts = company_facts("0000000004", "Example", reports).facts["us-gaap"]["NetIncomeLoss"].units["USD"]
    annual = next(one for one in reports if one.form == "10-K" and one.quarter.fiscal_year == 2023)
    [year] = [one for one in facts if one.accn == annual.accession_number and one.end == annual.quarter.end]
    months = [one for one in facts if one.start == year.start and one.end < year.end]
    nine_months = max(months, key=lambda one: (one.end, one.filed))
    assert year.val == nine_months.val + annual.quarter.net_income


def test_refusals(sec: Edgar) -> None:
    """403 without a declared user agent, the rate's refusal by setting, and the store's 404 for an unknown file."""
    paths = "/files/company_tickers.json", "/submissions/CIK0000000001.json"
    refused = sec.get(paths[0], {"User-Agent": "python-httpx/0.28"})
    assert (refused.status_code, "Undeclared Automated Tool" in refused.text) == (403, True)
    missing = sec.get(paths[1])
    assert (missing.status_code, "NoSuchKey" in missing.text) == (404, True)
    settings: Configuration = sec.application.state.configuration
    sec.application.state.configuration = settings.model_copy(
        update={"exchange_edgar_requests_per_second": 10, "exchange_edgar_refusal_status": 429}
    )
    sec.application.state.edgar_rate = RequestRate()
    answers = [sec.get(paths[1]) for _ in range(11)]
    assert [answer.status_code for answer in answers] == [404] * 10 + [429]
    assert "Request Rate Threshold Exceeded" in answers[-1].text
