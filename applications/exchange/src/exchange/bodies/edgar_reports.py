"""The reports that simulated companies file with the SEC, drawn from the market's seed; no price follows from them.

A quarter's figures are a function of seed, company and quarter alone, so that the clock only decides what is filed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import count, takewhile

import numpy as np

from internal.dates import is_session
from internal.venue.clock import NEW_YORK

FISCAL_YEAR_ENDS = (12, 12, 12, 12, 9, 6, 3)  # months; most companies close their year in December
QUARTERS = 4
BOOK_VALUE = 12.0  # dollars a share, at the median
RETURN_ON_EQUITY = 0.025  # a quarter
PAYOUT = 0.3  # of a positive net income
AMENDED_SHARE = 0.04
QUARTERLY_LAG, ANNUAL_LAG, AMENDMENT_LAG = (26, 40), (45, 60), (30, 55)  # days, first and last
EARLY, LATE = time(6, 30), time(16, 10)  # New York: before the open, and after the close


@dataclass(frozen=True)
class Quarter:
    """One fiscal quarter as the company states it: dollars, and shares on the report's cover.

    `fiscal_period` is Q1, Q2, Q3 or FY: the last quarter of a year is reported in the annual report.
    """

    start: date
    end: date
    year_start: date
    fiscal_year: int
    fiscal_period: str
    net_income: int
    book_equity: int
    shares_outstanding: int


@dataclass(frozen=True)
class Report:
    """One filing: a report on `quarters[-1]`; the quarters before it are as they were stated by then.

    `form` is 10-Q, 10-K or either with /A; `accepted` is the moment of acceptance (UTC).
    """

    accession_number: str
    form: str
    accepted: datetime
    quarters: tuple[Quarter, ...]

    @property
    def quarter(self) -> Quarter:
        """The quarter that the report is about."""
        return self.quarters[-1]

    @property
    def filed_date(self) -> date:
        """The day in New York on which it was accepted."""
        return self.accepted.astimezone(NEW_YORK).date()


@dataclass(frozen=True)
class Company:
    """What a simulated company's reports are a function of; `splits` are (day, new shares for one old).

    `reports` is false for funds, which file no reports of earnings.
    """

    central_index_key: str
    seed: int
    first_day: date
    last_day: date | None
    shares_outstanding: int
    splits: Sequence[tuple[date, float]]
    reports: bool = True


def fiscal_year_end_month(company: Company) -> int:
    """The month in which the company's fiscal year ends."""
    return FISCAL_YEAR_ENDS[int(company.central_index_key) % len(FISCAL_YEAR_ENDS)]


def draw_reports(company: Company, moment: datetime) -> list[Report]:
    """The reports accepted by the moment, oldest first."""
    if not company.reports:
        return []
    drawn = takewhile(lambda report: report.quarter.end < moment.date(), _all_reports(company))
    return sorted((one for one in drawn if one.accepted <= moment), key=lambda report: report.accepted)


def _all_reports(company: Company) -> Iterator[Report]:
    """Every report, by quarter: the regular one, then its amendment where there is one."""
    stated: list[Quarter] = []
    corrections: list[tuple[datetime, int, Quarter]] = []
    for number, (start, end) in enumerate(_quarter_days(company.first_day)):
        if company.last_day is not None and end >= company.last_day:
            return
        random = np.random.default_rng([company.seed, int(company.central_index_key), number])
        stated.append(_draw_quarter(company, random, stated, start, end))
        form, lag = ("10-K", ANNUAL_LAG) if stated[-1].fiscal_period == "FY" else ("10-Q", QUARTERLY_LAG)
        accepted = _acceptance(random, end, lag)
        for known, place, corrected in corrections:
            if known < accepted:
                stated[place] = corrected
        yield Report(_accession(company, number, 0, accepted), form, accepted, tuple(stated))
        if random.random() < AMENDED_SHARE:
            corrected = _correct(stated[-1], random)
            late = _acceptance(random, accepted.date(), AMENDMENT_LAG)
            corrections.append((late, number, corrected))
            amended = (*stated[:-1], corrected)
            yield Report(_accession(company, number, 1, late), f"{form}/A", late, amended)


def _quarter_days(first_day: date) -> Iterator[tuple[date, date]]:
    """First and last day of every calendar quarter from the one that holds the day."""
    first = first_day.year * QUARTERS + (first_day.month - 1) // 3
    for number in count(first):
        yield _quarter_start(number), _quarter_start(number + 1) - timedelta(days=1)


def _quarter_start(number: int) -> date:
    return date(number // QUARTERS, number % QUARTERS * 3 + 1, 1)


def _draw_quarter(
    company: Company, random: np.random.Generator, stated: Sequence[Quarter], start: date, end: date
) -> Quarter:
    traits = np.random.default_rng([company.seed, int(company.central_index_key)])
    book_value, profitability, growth = traits.standard_normal(3)
    before = (
        stated[-1].book_equity
        if stated
        else int(company.shares_outstanding * BOOK_VALUE * float(np.exp(0.6 * book_value)))
    )
    rate = RETURN_ON_EQUITY * (1.0 + 0.8 * profitability) + 0.012 * random.standard_normal()
    net_income = _to_thousands(before * rate)
    closing = fiscal_year_end_month(company)
    place = (end.month - closing) % 12 // 3  # 0 for the last quarter of a fiscal year
    shares = company.shares_outstanding * (1.0 + 0.002 * float(growth)) ** len(stated)
    for day, factor in company.splits:
        shares *= factor if day <= end else 1.0
    return Quarter(
        start=start,
        end=end,
        year_start=_months_before(end, 3 * ((place - 1) % QUARTERS)),
        fiscal_year=end.year + (end.month > closing),
        fiscal_period="FY" if place == 0 else f"Q{place}",
        net_income=net_income,
        book_equity=before + net_income - _to_thousands(PAYOUT * max(net_income, 0)),
        shares_outstanding=round(shares),
    )


def _to_thousands(dollars: float) -> int:
    return round(dollars / 1000) * 1000


def _months_before(end: date, months: int) -> date:
    """The first day of the quarter that ends on `end`, so many months earlier."""
    return _quarter_start(end.year * QUARTERS + (end.month - 1) // 3 - months // 3)


def _correct(quarter: Quarter, random: np.random.Generator) -> Quarter:
    """The quarter as an amendment states it: its net income differs by some per cent, and so does the equity."""
    change = _to_thousands(quarter.net_income * 0.05 * random.standard_normal())
    return replace(quarter, net_income=quarter.net_income + change, book_equity=quarter.book_equity + change)


def _acceptance(random: np.random.Generator, after: date, lag: tuple[int, int]) -> datetime:
    """A moment of acceptance some days later: before the open or after the close of a session."""
    day = after + timedelta(days=int(random.integers(*lag, endpoint=True)))
    while not is_session(day):
        day += timedelta(days=1)
    opening = EARLY if random.random() < 1 / 3 else LATE
    moment = datetime.combine(day, opening, NEW_YORK) + timedelta(seconds=int(random.integers(4200)))
    return moment.astimezone(UTC)


def _accession(company: Company, number: int, amendment: int, accepted: datetime) -> str:
    """The filer's key, the year and a number: as the SEC writes it, and unique."""
    return f"{company.central_index_key}-{accepted:%y}-{2 * number + amendment + 1:06d}"
