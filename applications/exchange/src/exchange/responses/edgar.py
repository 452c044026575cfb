"""EDGAR's bodies (https://www.sec.gov/search-filings/edgar-application-programming-interfaces), in the SEC's names."""

from datetime import date

from pydantic import BaseModel


class CompanyTicker(BaseModel):
    """A row of `company_tickers.json`."""

    cik_str: int
    ticker: str
    title: str


class TickersByExchange(BaseModel):
    """The body of `company_tickers_exchange.json`: rows of cik, name, ticker and exchange."""

    fields: list[str]
    data: list[tuple[int, str, str, str | None]]


class FilingColumns(BaseModel):
    """Filings as parallel lists, newest first; the moments of acceptance are in UTC."""

    accessionNumber: list[str]  # noqa: N815 - the SEC's name, as those below
    filingDate: list[date]  # noqa: N815
    reportDate: list[date]  # noqa: N815
    acceptanceDateTime: list[str]  # noqa: N815
    form: list[str]
    items: list[str]
    isXBRL: list[int]  # noqa: N815
    primaryDocument: list[str]  # noqa: N815


class OlderFile(BaseModel):
    """A file with older filings, served beside the company's."""

    name: str
    filingCount: int  # noqa: N815 - the SEC's name, as those below
    filingFrom: date  # noqa: N815
    filingTo: date  # noqa: N815


class Filings(BaseModel):
    """The latest filings, and where the older ones are."""

    recent: FilingColumns
    files: list[OlderFile]


class Submissions(BaseModel):
    """A company and its filings."""

    cik: str
    entityType: str  # noqa: N815 - the SEC's name, as those below
    sic: str
    sicDescription: str  # noqa: N815
    name: str
    tickers: list[str]
    exchanges: list[str]
    fiscalYearEnd: str  # noqa: N815
    formerNames: list[dict[str, str]] = []  # noqa: N815
    filings: Filings


class Fact(BaseModel):
    """One amount of one filing: an instant without `start`, a period with it."""

    start: date | None = None
    end: date
    val: float | int
    accn: str
    fy: int
    fp: str
    form: str
    filed: date
    frame: str | None = None


class Concept(BaseModel):
    """The facts of one concept by unit."""

    label: str
    description: str
    units: dict[str, list[Fact]]


class CompanyFacts(BaseModel):
    """All facts of one company by taxonomy and concept."""

    cik: int
    entityName: str  # noqa: N815 - the SEC's name
    facts: dict[str, dict[str, Concept]]
