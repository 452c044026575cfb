"""The measures of a company from what it filed: each row uses facts alone that were public when its filing was. Pure.

A fourth quarter is the year less its first nine months; twelve months are the year to date and the year before, less
the same part of that year. Amounts of earlier filings are taken as they were last stated by then.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import polars as pl

from datamanager.ports import Fact, Filing
from internal.schemas import fundamentals
from internal.schemas.fundamentals import Measure

NEW_YORK = ZoneInfo("America/New_York")
LAST_HOUR = time(22)  # New York: what is filed on a day is public by then
FORMS = frozenset({"10-Q", "10-K", "10-Q/A", "10-K/A", "10-KT", "10-KT/A"})
NET_INCOME = ("us-gaap:NetIncomeLoss", "us-gaap:ProfitLoss")
BOOK_EQUITY = (
    "us-gaap:StockholdersEquity",
    "us-gaap:StockholdersEquityIncludingPortionAttributableToNoncontrollingInterest",
)
SHARES_OUTSTANDING = ("dei:EntityCommonStockSharesOutstanding", "us-gaap:CommonStockSharesOutstanding")
CONCEPTS = (*NET_INCOME, *BOOK_EQUITY, *SHARES_OUTSTANDING)
QUARTER_DAYS, YEAR_DAYS = range(80, 102), range(350, 381)  # quarters have 12 to 14 weeks, years 52 or 53
QUARTER, YEAR = timedelta(days=91), timedelta(days=365)
TOLERANCE = timedelta(days=10)  # a period's ends move by some days from year to year
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Flow:
    """Net income of the days from `start` to `end`, both included; dollars."""

    start: date
    end: date
    value: float

    @property
    def days(self) -> int:
        """How many days the period has."""
        return (self.end - self.start).days + 1


@dataclass(frozen=True)
class Report:
    """One filing: its own facts, and the net income that was public by then, as last stated last, its own included."""

    accepted: datetime
    own: Sequence[Fact]
    known: Sequence[Flow]

    @property
    def is_annual(self) -> bool:
        """Whether it is about a year."""
        return self.own[0].form.startswith("10-K")


@dataclass(frozen=True)
class Amount:
    """A measure's value for a period, or at one day where `start` is None."""

    measure: Measure
    value: float
    unit: str
    start: date | None
    end: date


def compute_measures(central_index_key: str, facts: Sequence[Fact], filings: Sequence[Filing]) -> pl.DataFrame:
    """The company's fundamentals (`internal.schemas.fundamentals`), a row for each measure of each report.

    Facts about days after their filing was public are left out: their dates are errors of the filer.
    """
    accepted = {filing.accession_number: filing.accepted for filing in filings}
    stated = [(public_moment(fact, accepted), fact) for fact in facts if fact.form in FORMS]
    public = sorted([row for row in stated if row[1].end <= row[0].date()], key=lambda row: row[0])
    rows = [_make_row(central_index_key, amount, report) for report in _reports(public) for amount in _measure(report)]
    return fundamentals.validate(pl.DataFrame(rows, schema=fundamentals.COLUMNS))


def public_moment(fact: Fact, accepted: Mapping[str, datetime]) -> datetime:
    """When the fact's filing was accepted; the last hour of its day where the list of filings does not hold it."""
    latest = datetime.combine(fact.filed_date, LAST_HOUR, NEW_YORK).astimezone(UTC)
    return accepted.get(fact.accession_number, latest)


def _reports(public: Sequence[tuple[datetime, Fact]]) -> Iterator[Report]:
    """The filings in order of acceptance."""
    by_accession: dict[str, tuple[datetime, list[Fact]]] = {}
    for moment, fact in public:
        by_accession.setdefault(fact.accession_number, (moment, []))[1].append(fact)
    known: list[Flow] = []
    for moment, own in by_accession.values():
        known = [*known, *_flows(own)]
        yield Report(moment, own, known)


def _measure(report: Report) -> Iterator[Amount]:
    """The measures that a report states or completes."""
    yield from _latest(report, Measure.SHARES_OUTSTANDING, SHARES_OUTSTANDING, "shares")
    yield from _latest(report, Measure.BOOK_EQUITY, BOOK_EQUITY, "USD")
    flows = [flow for flow in _flows(report.own) if flow.days <= YEAR_DAYS.stop]  # not since a company's inception
    if flows:
        to_date = max(flows, key=lambda flow: (flow.end, flow.days))
        for measure, found in (
            (Measure.NET_INCOME_QUARTER, _quarter(flows, to_date, report.known)),
            (Measure.NET_INCOME_TWELVE_MONTHS, _twelve_months(to_date, report.known)),
        ):
            if found is not None:
                yield Amount(measure, found.value, "USD", found.start, found.end)


def _latest(report: Report, measure: Measure, concepts: Sequence[str], unit: str) -> Iterator[Amount]:
    """What the report states at its latest day, under the first of the concepts that it uses."""
    stated = _first_used(report.own, concepts, unit)
    if stated:
        latest = max(stated, key=lambda fact: fact.end)
        yield Amount(measure, latest.value, unit, None, latest.end)


def _first_used(facts: Sequence[Fact], concepts: Sequence[str], unit: str) -> list[Fact]:
    for concept in concepts:
        found = [fact for fact in facts if (fact.concept, fact.unit) == (concept, unit)]
        if found:
            return found
    return []


def _flows(facts: Sequence[Fact]) -> list[Flow]:
    """The net income that a filing states, by period."""
    stated = _first_used(facts, NET_INCOME, "USD")
    return [Flow(fact.start, fact.end, fact.value) for fact in stated if fact.start is not None]


def _quarter(flows: Sequence[Flow], to_date: Flow, known: Sequence[Flow]) -> Flow | None:
    """The report's last quarter: as stated, else the year to date less what came before; None where that is unknown."""
    stated = [flow for flow in flows if flow.end == to_date.end and flow.days in QUARTER_DAYS]
    if stated:
        return stated[-1]
    before = _find(known, to_date.start, to_date.end - QUARTER)
    return before and Flow(before.end + DAY, to_date.end, to_date.value - before.value)


def _twelve_months(to_date: Flow, known: Sequence[Flow]) -> Flow | None:
    """The twelve months up to the report's end; None where the year before is unknown."""
    if to_date.days in YEAR_DAYS:
        return to_date
    year = _find(known, to_date.start - YEAR, to_date.start - DAY)
    part = _find(known, to_date.start - YEAR, to_date.end - YEAR)
    if year is None or part is None:
        return None
    return Flow(part.end + DAY, to_date.end, to_date.value + year.value - part.value)


def _find(known: Sequence[Flow], start: date, end: date) -> Flow | None:
    """The period near these days, as it was last stated; None where it is not known."""
    near = (
        flow for flow in reversed(known) if abs(flow.start - start) <= TOLERANCE and abs(flow.end - end) <= TOLERANCE
    )
    return next(near, None)


def _make_row(central_index_key: str, amount: Amount, report: Report) -> dict[str, object]:
    fact = report.own[0]
    is_fourth = report.is_annual and amount.measure is Measure.NET_INCOME_QUARTER
    return {
        "central_index_key": central_index_key,
        "measure": amount.measure.value,
        "value": amount.value,
        "unit": amount.unit,
        "period_start": amount.start,
        "period_end": amount.end,
        "fiscal_year": fact.fiscal_year,
        "fiscal_period": "Q4" if is_fourth else fact.fiscal_period,
        "form": fact.form,
        "accession_number": fact.accession_number,
        "filed": report.accepted,
    }
