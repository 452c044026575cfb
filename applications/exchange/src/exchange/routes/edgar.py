"""A small EDGAR: tickers, submissions and company facts of simulated companies, filed by the exchange's clock.

The SEC's pages: https://www.sec.gov/search-filings/edgar-application-programming-interfaces.
"""

from datetime import date

import polars as pl
from fastapi import APIRouter, Depends, Request, Response

from exchange.bodies.edgar_facts import company_facts
from exchange.bodies.edgar_reports import Company, Report, draw_reports, fiscal_year_end_month
from exchange.bodies.edgar_submissions import (
    columns,
    edgar_ticker,
    exchange_name,
    list_filings,
    split_filings,
    submissions,
)
from exchange.company_index import CompanyIndex
from exchange.responses import refusals
from exchange.responses.edgar import CompanyFacts, CompanyTicker, FilingColumns, Submissions, TickersByExchange
from exchange.routes.edgar_access import EdgarRoute, missing_file, require_access
from exchange.routes.polygon_answers import exchange_of, today, write_body
from internal.venue.market.listing import Listing
from internal.venue.market.protocol import MarketData

router = APIRouter(
    route_class=EdgarRoute, responses=refusals.EDGAR, dependencies=[Depends(require_access)], tags=["edgar"]
)
OLDER_HISTORY_YEARS = 2  # what a company that is older than the market has filed before it


@router.get("/files/company_tickers.json")
async def get_company_tickers(request: Request) -> dict[str, CompanyTicker]:
    """The tickers that trade today, each with its company's key."""
    return {
        str(number): CompanyTicker(cik_str=int(key), ticker=edgar_ticker(listing.ticker), title=listing.name)
        for number, (key, listing) in enumerate(_traded_companies(request))
    }


@router.get("/files/company_tickers_exchange.json")
async def get_company_tickers_exchange(request: Request) -> TickersByExchange:
    """The tickers that trade today, with company and exchange."""
    rows: list[tuple[int, str, str, str | None]] = [
        (int(key), listing.name, edgar_ticker(listing.ticker), exchange_name(listing))
        for key, listing in _traded_companies(request)
    ]
    return TickersByExchange(fields=["cik", "name", "ticker", "exchange"], data=rows)


@router.get("/submissions/CIK{key}-submissions-001.json")
async def get_older_filings(request: Request, key: str) -> FilingColumns:
    """The filings that the company's own body has no place for."""
    company, _ = _find_company(request, key)
    _, older = split_filings(list_filings(_filed(request, company)), today(request))
    if not older:
        raise missing_file()
    return columns(older)


@router.get("/submissions/CIK{key}.json")
async def get_submissions(request: Request, key: str) -> Submissions:
    """A company and its filings."""
    company, listing = _find_company(request, key)
    month = fiscal_year_end_month(company)
    year_end = f"{month:02d}{30 if month in {6, 9} else 31}"
    return submissions(listing, year_end, list_filings(_filed(request, company)), today(request))


@router.get("/api/xbrl/companyfacts/CIK{key}.json", response_model=CompanyFacts)
async def get_company_facts(request: Request, key: str) -> Response:
    """Every amount that the company has filed; 404 for one that has filed none, as funds."""
    company, listing = _find_company(request, key)
    reports = _filed(request, company)
    if not reports:
        raise missing_file()
    return write_body(company_facts(company.central_index_key, listing.name, reports))


def _traded_companies(request: Request) -> list[tuple[str, Listing]]:
    day = today(request)
    listings = exchange_of(request).market.listings(day)
    return [(one.central_index_key, one) for one in listings if one.central_index_key and one.is_active(day)]


def _find_company(request: Request, key: str) -> tuple[Company, Listing]:
    """The company of a key of ten digits; 404 for a key of nobody."""
    index = request.app.state.company_index
    assert isinstance(index, CompanyIndex)  # noqa: S101 - tells the type checker what the server wired
    listing = index.find(key, today(request))
    if listing is None:
        raise missing_file()
    return _make_company(exchange_of(request).market, listing, today(request)), listing


def _make_company(market: MarketData, listing: Listing, day: date) -> Company:
    first = market.sessions()[0]
    tickers = [listing.ticker, *(period.ticker for period in listing.tickers)]
    splits = market.splits(first, day).filter(pl.col("ticker").is_in(tickers))
    earlier = first.replace(year=first.year - OLDER_HISTORY_YEARS)
    return Company(
        central_index_key=listing.central_index_key or "",
        reports=listing.sic_code is not None,
        seed=market.seed or 0,
        first_day=earlier if listing.listed_date <= first else listing.listed_date,
        last_day=listing.delisted_date,
        shares_outstanding=listing.shares_outstanding or 1,
        splits=[(row["execution_date"], row["split_to"] / row["split_from"]) for row in splits.to_dicts()],
    )


def _filed(request: Request, company: Company) -> list[Report]:
    """The company's reports that were accepted by the exchange's clock."""
    return draw_reports(company, exchange_of(request).clock.now())
