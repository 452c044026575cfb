"""Submissions as EDGAR serves them: who a company is, its latest filings, and files with the older ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from exchange.bodies.edgar_reports import Report
from exchange.responses.edgar import FilingColumns, Filings, OlderFile, Submissions
from internal.venue.market.listing import Listing

RECENT_FILINGS = 12  # the SEC keeps at least 1,000, or a year's if those are more
EXCHANGES = {"XNYS": "NYSE", "XNAS": "Nasdaq", "ARCX": "NYSE", "XASE": "NYSE", "BATS": "CBOE"}


@dataclass(frozen=True)
class Filing:
    """One line of the list of filings."""

    accession_number: str
    form: str
    accepted: datetime
    filed: date
    report_date: date
    items: str = ""


def list_filings(reports: Sequence[Report]) -> list[Filing]:
    """The reports, and before each regular one the announcement of its results (8-K); newest first."""
    filings = [Filing(one.accession_number, one.form, one.accepted, one.filed_date, one.quarter.end) for one in reports]
    announced = [_announcement(one) for one in reports if not one.form.endswith("/A")]
    return sorted([*filings, *announced], key=lambda filing: filing.accepted, reverse=True)


def _announcement(report: Report) -> Filing:
    filer, year, number = report.accession_number.split("-")
    accession = f"{filer}-{year}-{int(number) + 500_000:06d}"
    accepted, day = report.accepted - timedelta(days=7), report.filed_date - timedelta(days=7)
    return Filing(accession, "8-K", accepted, day, day, "2.02,9.01")


def submissions(listing: Listing, fiscal_year_end: str, filings: Sequence[Filing], day: date) -> Submissions:
    """The company's body; filings beyond the recent ones are in a file of their own."""
    recent, older = split_filings(filings, day)
    return Submissions(
        cik=listing.central_index_key or "",
        entityType="operating",
        sic=listing.sic_code or "",
        sicDescription=listing.sic_description or "",
        name=listing.name,
        tickers=[edgar_ticker(listing.ticker)] if listing.is_active(day) else [],
        exchanges=[exchange_name(listing)] if listing.is_active(day) else [],
        fiscalYearEnd=fiscal_year_end,
        filings=Filings(recent=columns(recent), files=_files(listing, older)),
    )


def split_filings(filings: Sequence[Filing], day: date) -> tuple[list[Filing], list[Filing]]:
    """The recent filings, those of a year at least, and the older ones."""
    year = sum(filing.filed > day - timedelta(days=365) for filing in filings)
    count = max(RECENT_FILINGS, year)
    return list(filings[:count]), list(filings[count:])


def _files(listing: Listing, older: Sequence[Filing]) -> list[OlderFile]:
    if not older:
        return []
    return [
        OlderFile(
            name=f"CIK{listing.central_index_key}-submissions-001.json",
            filingCount=len(older),
            filingFrom=older[-1].filed,
            filingTo=older[0].filed,
        )
    ]


def columns(filings: Sequence[Filing]) -> FilingColumns:
    """The filings as parallel lists."""
    return FilingColumns(
        accessionNumber=[one.accession_number for one in filings],
        filingDate=[one.filed for one in filings],
        reportDate=[one.report_date for one in filings],
        acceptanceDateTime=[f"{one.accepted:%Y-%m-%dT%H:%M:%S}.000Z" for one in filings],
        form=[one.form for one in filings],
        items=[one.items for one in filings],
        isXBRL=[int(one.form != "8-K") for one in filings],
        primaryDocument=[f"{one.form.lower().replace('/', '')}-{one.report_date:%Y%m%d}.htm" for one in filings],
    )


def exchange_name(listing: Listing) -> str:
    """The exchange as EDGAR calls it."""
    return EXCHANGES.get(listing.primary_exchange, "OTC")


def edgar_ticker(ticker: str) -> str:
    """The ticker as EDGAR writes it: classes behind a hyphen, BRK-B for BRK.B."""
    return ticker.replace(".", "-").replace("/", "-")
