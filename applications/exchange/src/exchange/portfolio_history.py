"""The account's equity over time, as Alpaca's portfolio history tells it: windows of a day, or of minutes.

Equity is known at every open and close that the exchange played; a window has the last value before its end.
https://docs.alpaca.markets/reference/getaccountportfoliohistory
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum

from exchange.responses.alpaca_account import PortfolioHistoryBody
from internal.dates import previous_session, session_close, session_open, sessions
from internal.venue import rejections
from internal.venue.clock import NEW_YORK
from internal.venue.history import HistoryRow
from internal.venue.money import ZERO
from internal.venue.state import EquityPoint

PERIOD = re.compile(r"([1-9]\d{0,3})([DWMAY])")
DAYS = {"D": 1, "W": 7, "M": 30, "A": 365, "Y": 365}
DAY_END = time(20)  # New York: the end of extended hours, at which a day's point is labelled
EXTENDED = (time(4), time(20))
SHORT, MEDIUM = timedelta(days=7), timedelta(days=30)
RATIO_DIGITS = 4


class Timeframe(StrEnum):
    """How long a window is."""

    MINUTE = "1Min"
    FIVE_MINUTES = "5Min"
    QUARTER_HOUR = "15Min"
    HOUR = "1H"
    DAY = "1D"

    @property
    def length(self) -> timedelta:
        """The window's length."""
        return LENGTHS[self]


LENGTHS = {
    Timeframe.MINUTE: timedelta(minutes=1),
    Timeframe.FIVE_MINUTES: timedelta(minutes=5),
    Timeframe.QUARTER_HOUR: timedelta(minutes=15),
    Timeframe.HOUR: timedelta(hours=1),
    Timeframe.DAY: timedelta(days=1),
}


class Reporting(StrEnum):
    """Which part of the day windows shorter than a day are shown of."""

    MARKET_HOURS = "market_hours"
    EXTENDED_HOURS = "extended_hours"
    CONTINUOUS = "continuous"


@dataclass(frozen=True, slots=True)
class Span:
    """What is asked for: from `start` to `end` in windows of the timeframe."""

    start: datetime
    end: datetime
    timeframe: Timeframe
    reporting: Reporting
    resets_daily: bool


@dataclass(frozen=True, slots=True)
class Account:
    """What is known of the account: its equity so far, oldest first, and what moved its cash."""

    points: Sequence[EquityPoint]
    history: Sequence[HistoryRow]


def choose_timeframe(given: Timeframe | None, length: timedelta) -> Timeframe:
    """The timeframe, by default one that suits the length. Raises RequestRefusedError for too many windows."""
    if given is None:
        return Timeframe.MINUTE if length < SHORT else Timeframe.QUARTER_HOUR if length < MEDIUM else Timeframe.DAY
    if given is not Timeframe.DAY and length > MEDIUM + timedelta(days=1):
        raise rejections.invalid_field("timeframe must be 1D for periods longer than 30 days")
    return given


def read_period(text: str) -> timedelta:
    """A period such as `1M`. Raises RequestRefusedError for anything else."""
    match = PERIOD.fullmatch(text.upper())
    if match is None:
        raise rejections.invalid_field(f"invalid period: {text}")
    return timedelta(days=int(match[1]) * DAYS[match[2]])


def make_history(account: Account, span: Span, cashflow_types: frozenset[str] | None) -> PortfolioHistoryBody:
    """The body; `cashflow_types` are those to report, None is all that occurred."""
    labels = find_labels(span)
    moments = [point.moment for point in account.points]
    known = [(label, equity) for label in labels if (equity := _equity_at(account.points, moments, label)) is not None]
    base, as_of = find_base(account, known)
    bases = [_day_base(account, label, base, span) for label, _ in known]
    return PortfolioHistoryBody(
        timestamp=[int(label.timestamp()) for label, _ in known],
        equity=[float(equity) for _, equity in known],
        profit_loss=[float(equity - own) for (_, equity), own in zip(known, bases, strict=True)],
        profit_loss_pct=[
            round(float(equity / own - 1), RATIO_DIGITS) if own else None
            for (_, equity), own in zip(known, bases, strict=True)
        ],
        base_value=float(base),
        base_value_asof=None if as_of is None else as_of.isoformat(),
        timeframe=str(span.timeframe),
        cashflow=_sum_cashflows(account.history, [label for label, _ in known], cashflow_types),
    )


def find_labels(span: Span) -> list[datetime]:
    """The moment that each window is labelled with."""
    first, last = span.start.astimezone(NEW_YORK), span.end.astimezone(NEW_YORK)
    if span.timeframe is Timeframe.DAY:
        days = sessions(first.date(), last.date())
        return [_local(day, DAY_END) for day in days if session_close(day) <= span.end]
    if span.reporting is Reporting.CONTINUOUS:
        return _steps(_local(first.date(), first.time().replace(minute=0, second=0, microsecond=0)), last, span)
    return [label for day in sessions(first.date(), last.date()) for label in _steps(*_hours(day, span), span)]


def _hours(day: date, span: Span) -> tuple[datetime, datetime]:
    if span.reporting is Reporting.EXTENDED_HOURS:
        return _local(day, EXTENDED[0]), _local(day, EXTENDED[1])
    return session_open(day).astimezone(NEW_YORK), session_close(day).astimezone(NEW_YORK)


def _steps(start: datetime, end: datetime, span: Span) -> list[datetime]:
    count = int((end - start) / span.timeframe.length) + 1
    labels = (start + number * span.timeframe.length for number in range(max(count, 0)))
    return [label for label in labels if span.start <= label <= span.end]


def _local(day: date, moment: time) -> datetime:
    return datetime.combine(day, moment, NEW_YORK)


def _equity_at(points: Sequence[EquityPoint], moments: Sequence[datetime], label: datetime) -> Decimal | None:
    position = bisect_right(moments, label)
    return points[position - 1].equity if position else None


def find_base(account: Account, known: Sequence[tuple[datetime, Decimal]]) -> tuple[Decimal, date | None]:
    """What profit is measured from: the close before the first window, else the first window itself."""
    if not known:
        return account.points[-1].equity if account.points else ZERO, None
    first = known[0][0].astimezone(NEW_YORK).date()
    before = previous_session(first)
    moments = [point.moment for point in account.points]
    equity = _equity_at(account.points, moments, session_close(before))
    return (known[0][1], None) if equity is None else (equity, before)


def _day_base(account: Account, label: datetime, base: Decimal, span: Span) -> Decimal:
    """Windows shorter than a day are measured from the close before their own day, unless asked otherwise."""
    if span.timeframe is Timeframe.DAY or not span.resets_daily:
        return base
    before = session_close(previous_session(label.astimezone(NEW_YORK).date()))
    equity = _equity_at(account.points, [point.moment for point in account.points], before)
    return base if equity is None else equity


def _sum_cashflows(
    history: Sequence[HistoryRow], labels: Sequence[datetime], types: frozenset[str] | None
) -> dict[str, list[float]]:
    """Dollars that came in or went out in each window, by type of activity; fills are no cash flow."""
    sums: dict[str, list[Decimal]] = {}
    for row in history:
        name, position = str(row.activity_type), bisect_left(labels, row.moment)
        if name == "FILL" or (types is not None and name not in types) or position == len(labels) or not row.net_amount:
            continue
        sums.setdefault(name, [ZERO] * len(labels))[position] += row.net_amount
    return {name: [float(value) for value in values] for name, values in sums.items()}
