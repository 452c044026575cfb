"""EDGAR's bodies as typed rows; its names, hyphens and time zones end here. Pure."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import cast
from zoneinfo import ZoneInfo

from pydantic import BaseModel, TypeAdapter, ValidationError

from datamanager.ports import Company, Fact, Filing
from internal.errors import UpstreamError

NEW_YORK = ZoneInfo("America/New_York")
OPENS, CLOSES = 6, 22  # hours in New York at which EDGAR accepts filings


class FilingColumns(BaseModel):
    """Filings as parallel lists, as far as they are read."""

    accessionNumber: list[str]  # noqa: N815 - the SEC's name, as those below
    reportDate: list[str]  # noqa: N815
    acceptanceDateTime: list[datetime]  # noqa: N815
    form: list[str]


class OlderFile(BaseModel):
    """A file with older filings."""

    name: str
    filingTo: date  # noqa: N815 - the SEC's name


class Filings(BaseModel):
    """The recent filings, and the files with the older ones."""

    recent: FilingColumns
    files: list[OlderFile]


class Submissions(BaseModel):
    """A company and its filings."""

    name: str | None = None
    sic: str | None = None
    sicDescription: str | None = None  # noqa: N815 - the SEC's name
    filings: Filings


class CompanyTicker(BaseModel):
    """A row of the list of tickers."""

    cik_str: int
    ticker: str


class FactRow(BaseModel):
    """One amount of one filing."""

    start: date | None = None
    end: date
    val: float
    accn: str
    fy: int | None = None
    fp: str | None = None
    form: str
    filed: date


TICKERS = TypeAdapter(dict[str, CompanyTicker])
FACT_ROWS = TypeAdapter(list[FactRow])


def read_tickers(body: Mapping[str, object]) -> dict[str, str]:
    """The key of each ticker, its class behind a dot (BRK.B) as vendors of market data write it."""
    rows = _parse(TICKERS, body, "company_tickers.json").values()
    return {row.ticker.replace("-", "."): f"{row.cik_str:010d}" for row in rows}


def read_submissions(body: Mapping[str, object], central_index_key: str) -> Submissions:
    """The body of a company; UpstreamError where it is another's or lacks a column."""
    found = _parse(TypeAdapter(Submissions), body, f"the submissions of {central_index_key}")
    if str(body.get("cik", "")).zfill(10) != central_index_key:
        raise UpstreamError(f"EDGAR was asked for company {central_index_key} and sent {body.get('cik')!r}")
    return found


def read_older_filings(body: Mapping[str, object], name: str) -> FilingColumns:
    """The body of a file with older filings."""
    return _parse(TypeAdapter(FilingColumns), body, name)


def make_company(central_index_key: str, body: Submissions) -> Company:
    """The company; a field that the SEC leaves empty is None."""
    return Company(central_index_key, body.name or None, body.sic or None, body.sicDescription or None)


def make_filings(lists: Sequence[FilingColumns]) -> list[Filing]:
    """The filings of some lists, newest first.

    EDGAR marks every moment of acceptance as UTC, and for some filers it is New York's clock; see `read_acceptance`.
    """
    moments = read_acceptance([moment for columns in lists for moment in columns.acceptanceDateTime])
    rows = [
        row for columns in lists for row in zip(columns.accessionNumber, columns.form, columns.reportDate, strict=True)
    ]
    filings = [
        Filing(accession, form, accepted, date.fromisoformat(day) if day else None)
        for (accession, form, day), accepted in zip(rows, moments, strict=True)
    ]
    return sorted(filings, key=lambda filing: filing.accepted, reverse=True)


def read_acceptance(stated: Sequence[datetime]) -> list[datetime]:
    """One filer's moments of acceptance in UTC.

    EDGAR ends every moment with Z. For about three of four filers that is right, for the others the digits are New
    York's clock, and a filer has one or the other throughout. EDGAR accepts filings from 6:00 to 22:00 in New York: the
    reading that puts fewer moments outside these hours is taken, and where both are possible New York's, the later one,
    so that nothing is known too early.
    """
    as_new_york = [moment.replace(tzinfo=NEW_YORK) for moment in stated]
    as_utc = [moment.replace(tzinfo=UTC) for moment in stated]
    chosen = as_utc if _count_outside_hours(as_utc) < _count_outside_hours(as_new_york) else as_new_york
    return [moment.astimezone(UTC) for moment in chosen]


def _count_outside_hours(moments: Sequence[datetime]) -> int:
    return sum(not OPENS <= moment.astimezone(NEW_YORK).hour < CLOSES for moment in moments)


def read_facts(body: Mapping[str, object], concepts: Collection[str]) -> list[Fact]:
    """The facts of the concepts that the company files."""
    taxonomies = body.get("facts")
    if not isinstance(taxonomies, dict):
        raise UpstreamError(f"EDGAR's company facts have no object of facts, but {type(taxonomies).__name__}")
    return [fact for concept in concepts for fact in _facts_of(cast("dict[str, object]", taxonomies), concept)]


def _facts_of(taxonomies: Mapping[str, object], concept: str) -> Iterator[Fact]:
    taxonomy, _, name = concept.partition(":")
    units = _object_at(_object_at(_object_at(taxonomies, taxonomy), name), "units")
    for unit, rows in units.items():
        for row in _parse(FACT_ROWS, rows, f"the company facts of {concept}"):
            yield Fact(concept, unit, row.start, row.end, row.val, row.accn, row.form, row.filed, row.fy, row.fp)


def _object_at(parent: Mapping[str, object], name: str) -> Mapping[str, object]:
    """The object under a name; an empty one where there is none."""
    found = parent.get(name)
    return cast("dict[str, object]", found) if isinstance(found, dict) else {}


def _parse[Body](adapter: TypeAdapter[Body], value: object, what: str) -> Body:
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise UpstreamError(
            f"EDGAR sent {what} in another form than it documents: {place}: {first['msg']}. Nothing of it was stored"
        ) from error
