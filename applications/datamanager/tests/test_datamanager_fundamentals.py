"""Fundamentals: the measures of recorded reports against hand calculations, and nothing is known before it is filed."""

from datetime import UTC, date, datetime, time, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from applications.datamanager.tests.edgar_bodies import (
    APPLE,
    FILINGS,
    MILLION,
    facts_body,
    older_body,
    submissions_body,
)
from datamanager.adapters.edgar_bodies import NEW_YORK, make_filings, read_facts, read_older_filings, read_submissions
from datamanager.fundamental_measures import CONCEPTS, compute_measures
from datamanager.fundamentals import find_due, read_fundamentals
from datamanager.ports import Fact, Filing
from internal.lake.store import Lake
from internal.schemas import companies, equity_details, fundamentals, securities

RECENT = read_submissions(submissions_body(), APPLE).filings.recent
OLDER = read_older_filings(older_body(), "older")
MEASURES = compute_measures(APPLE, read_facts(facts_body(), CONCEPTS), make_filings([RECENT, OLDER]))
INCOME, YEAR = "net_income_quarter", "net_income_twelve_months"

# What was known at each moment, in millions; the fourth quarter is 93,736 - 79,000, and twelve months are
# 33,916 + 96,995 - 29,998; 57,552 + 96,995 - 54,158 (100 less amended); 79,000 + 96,995 - 74,039.
KNOWN: list[tuple[str, dict[str, float]]] = [
    ("2023-11-02T22:08:26Z", {}),
    ("2023-11-02T22:08:27Z", {YEAR: 96_995, "book_equity": 62_146, "shares_outstanding": 15_552.752}),
    ("2024-02-01T23:03:38Z", {INCOME: 33_916, YEAR: 100_913, "book_equity": 74_100, "shares_outstanding": 15_441.881}),
    ("2024-05-31T20:00:00Z", {INCOME: 23_636, YEAR: 100_389, "book_equity": 74_194, "shares_outstanding": 15_334.082}),
    ("2024-06-03T20:30:00Z", {INCOME: 23_536, YEAR: 100_289, "book_equity": 74_094, "shares_outstanding": 15_334.082}),
    ("2024-08-01T22:03:35Z", {INCOME: 21_448, YEAR: 101_956, "book_equity": 66_708, "shares_outstanding": 15_204.137}),
    ("2025-01-01T00:00:00Z", {INCOME: 14_736, YEAR: 93_736, "book_equity": 56_950, "shares_outstanding": 15_115.823}),
]


@pytest.fixture
def filed(lake: Lake) -> Lake:
    """A lake with the recorded company under its ticker."""
    row = dict.fromkeys(equity_details.COLUMNS) | {
        "ticker": "AAPL",
        "active": True,
        "central_index_key": APPLE,
        "source": "polygon",
    }
    lake.append("equity_details", pl.DataFrame([row], schema=equity_details.COLUMNS))
    lake.append("fundamentals", MEASURES)
    return lake


def test_known_at_each_moment(filed: Lake) -> None:
    """Values, periods and filings are those of the reports by then; an amendment counts from its own acceptance."""
    for moment, values in KNOWN:
        found = read_fundamentals(filed, None, datetime.fromisoformat(moment))
        assert dict(zip(found["measure"], (found["value"] / MILLION).round(3), strict=True)) == values, moment
    rows = {
        row["measure"]: row for row in read_fundamentals(filed, ["AAPL"], datetime(2025, 1, 1, tzinfo=UTC)).to_dicts()
    }
    quarter = rows[INCOME]
    assert (quarter["period_start"], quarter["period_end"]) == (date(2024, 6, 30), date(2024, 9, 28))
    assert (quarter["fiscal_year"], quarter["fiscal_period"], quarter["form"]) == (2024, "Q4", "10-K")
    assert (quarter["accession_number"], quarter["filed"]) == (
        FILINGS[-1][0],
        datetime(2024, 11, 1, 10, 1, 36, tzinfo=UTC),
    )
    assert (rows["shares_outstanding"]["period_end"], rows["shares_outstanding"]["unit"]) == (
        date(2024, 10, 18),
        "shares",
    )


def test_ticker_of_the_day(filed: Lake) -> None:
    """A ticker means the security that had it on the day: the renamed company before, another one afterwards."""
    change, recorded = date(2024, 7, 1), datetime(2024, 1, 1, tzinfo=UTC)
    rows = [
        ("A", "OLD", date(2020, 1, 2), change - timedelta(days=1), APPLE),
        ("A", "AAPL", change, None, None),
        ("B", "OLD", change, None, "0000000009"),
    ]
    filed.append(
        "securities",
        pl.DataFrame(
            [
                dict.fromkeys(securities.COLUMNS)
                | {"security_id": one, "ticker": ticker, "start_date": start, "end_date": end, "central_index_key": key}
                | {"source": "polygon", "recorded_at": recorded}
                for one, ticker, start, end, key in rows
            ],
            schema=securities.COLUMNS,
        ),
    )
    before = read_fundamentals(filed, None, datetime(2024, 6, 28, 20, tzinfo=UTC))
    after = read_fundamentals(filed, None, datetime(2024, 7, 1, 20, tzinfo=UTC))
    assert before.select("ticker", "security_id").unique().rows() == [("OLD", "A")]
    assert after.select("ticker", "security_id").unique().rows() == [("AAPL", "A")]
    assert before.select("measure", "value", "filed").equals(after.select("measure", "value", "filed"))


def test_unknown_filing_is_public_at_the_end_of_its_day() -> None:
    """A fact whose filing is in no list counts from the last hour in which EDGAR accepts filings on that day."""
    measures = compute_measures(APPLE, read_facts(facts_body(), CONCEPTS), make_filings([RECENT]))
    annual = measures.filter(accession_number="0000320193-23-000106")
    assert annual["filed"].unique().to_list() == [datetime(2023, 11, 3, 2, tzinfo=UTC)]  # 22:00 in New York


def test_quarters_of_a_company_that_reports_the_year_to_date_alone() -> None:
    """Its second quarter is the half year less the first quarter, and an error in a date is no fact."""
    facts = [
        _fact("a", date(2024, 1, 1), date(2024, 3, 31), 10.0, date(2024, 5, 1)),
        _fact("b", date(2024, 1, 1), date(2024, 6, 30), 25.0, date(2024, 8, 1)),
        _fact("b", date(2024, 1, 1), date(2042, 6, 30), 99.0, date(2024, 8, 1)),
    ]
    measures = compute_measures("0000000001", facts, [])
    assert measures.select("accession_number", "value").rows() == [("a", 10.0), ("b", 15.0)]


def _fact(accession: str, start: date, end: date, value: float, filed: date) -> Fact:
    return Fact("us-gaap:NetIncomeLoss", "USD", start, end, value, accession, "10-Q", filed, 2024, "Q1")


@st.composite
def reported(draw: st.DrawFn) -> tuple[list[Fact], list[Filing]]:
    """Quarterly reports with random values, lags and amendments; some filings are in no list."""
    facts: list[Fact] = []
    filings: list[Filing] = []
    for number in range(draw(st.integers(1, 9))):
        year, quarter = divmod(number, 4)
        start = date(2020 + year, 1, 1)
        end = date(2020 + year + (quarter == 3), (3 * quarter + 3) % 12 + 1, 1) - timedelta(days=1)
        for suffix in ("", "/A")[: draw(st.integers(1, 2))]:
            accession = f"{number}{suffix}"
            moment = datetime(end.year, end.month, end.day, tzinfo=UTC) + timedelta(hours=draw(st.integers(24, 4000)))
            form = ("10-K" if quarter == 3 else "10-Q") + suffix
            value = float(draw(st.integers(-99, 99)))
            facts.append(
                Fact("us-gaap:NetIncomeLoss", "USD", start, end, value, accession, form, moment.date(), None, None)
            )
            if draw(st.booleans()):
                filings.append(Filing(accession, form, moment, end))
    return facts, filings


@settings(deadline=None, max_examples=60)  # the first validation imports pandera
@given(reported(), st.datetimes(datetime(2020, 1, 1), datetime(2023, 12, 31), timezones=st.just(UTC)))  # noqa: DTZ001 - hypothesis adds the zone
def test_nothing_is_known_before_it_is_filed(drawn: tuple[list[Fact], list[Filing]], moment: datetime) -> None:
    """What was known at a moment follows from the facts that were public then: later ones change no row of it."""
    facts, filings = drawn
    accepted = {filing.accession_number: filing.accepted for filing in filings}
    last_hour = {fact.accession_number: datetime.combine(fact.filed_date, time(22), NEW_YORK) for fact in facts}
    public = {accession for accession, latest in last_hour.items() if accepted.get(accession, latest) <= moment}
    known = compute_measures("0000000001", facts, filings).filter(pl.col("filed") <= moment)
    early = compute_measures("0000000001", [fact for fact in facts if fact.accession_number in public], filings)
    assert early.equals(known)


def test_who_may_have_a_new_report() -> None:
    """A company that was never read, or whose next quarter has ended; no fund, and none that reported just now."""
    now = datetime(2024, 8, 1, tzinfo=UTC)
    asked = [None, now - timedelta(days=1), now - timedelta(days=1), None, now - timedelta(days=31)]
    known = pl.DataFrame(
        [
            (f"000000000{number}", "A name", None if number == 3 else "3571", "Computers", now, read_at)
            for number, read_at in enumerate(asked)
        ],
        schema=companies.COLUMNS,
        orient="row",
    )
    last = {"0000000001": date(2024, 6, 30), "0000000002": date(2024, 3, 31)}
    stored = pl.concat(
        MEASURES.filter(measure="book_equity")
        .head(1)
        .with_columns(pl.lit(key).alias("central_index_key"), pl.lit(day).alias("period_end"))
        for key, day in last.items()
    )
    assert set(find_due(known, stored, now)["central_index_key"]) == {"0000000000", "0000000002", "0000000004"}


def test_empty_lake(lake: Lake) -> None:
    """Without a collection the answer has no rows and every column."""
    assert read_fundamentals(lake, None, datetime.now(UTC)).schema == pl.Schema(fundamentals.TICKER_COLUMNS)
