"""The week as an owner reads it: seven reports, whose figures come from the exchange and from the calendar by hand."""

from datetime import date
from decimal import Decimal
from itertools import pairwise

import pytest

from chaos.invariants import check_account, check_events, check_sessions, check_state
from chaos.sight import Sight
from chaos.week import (
    BEFORE_HOLIDAY,
    DEPOSIT,
    DEPOSITED,
    EARLY_CLOSE,
    HAND_TRADE,
    OPENING,
    REPORTED,
    SLEPT,
    WOKEN,
    Week,
    play_week,
)

pytestmark = [pytest.mark.long, pytest.mark.timeout(1800)]
SESSIONS = [OPENING, date(2024, 11, 22), DEPOSIT, HAND_TRADE, BEFORE_HOLIDAY, EARLY_CLOSE, *SLEPT, WOKEN]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Week, Sight]:
    """The week, played once."""
    return play_week(tmp_path_factory.mktemp("week") / "fund")


def test_seven_reports(played: tuple[Week, Sight]) -> None:
    """One of each decided session, with the value that the exchange has and the gain that follows from it."""
    days = played[0].days
    assert tuple(days) == REPORTED
    for day, seen in days.items():
        assert seen.report.startswith(f"{day}: {seen.equity:,.2f} dollars"), seen.report
    for (_, before), (day, after) in pairwise(days.items()):
        flow = DEPOSITED if day == DEPOSIT else Decimal(0)
        assert f"dollars, {after.equity - before.equity - flow:+,.2f} (" in after.report.splitlines()[0]
        assert ("Paid in: 50,000.00, which is no gain or loss." in after.report) == (day == DEPOSIT)


def test_outage(played: tuple[Week, Sight]) -> None:
    """The scheduler said why the session was not collected; it was, and was decided the same evening."""
    week, _ = played
    assert "500" in week.outage_reason or "answer" in week.outage_reason
    assert week.outcome("collection", date(2024, 11, 22)) in {"done", "late"}


def test_hand_trade(played: tuple[Week, Sight]) -> None:
    """The report names what was sold by hand, and that it is not bought back; the next one does not repeat it."""
    week, _ = played
    ticker, shares = week.sold
    report = " ".join(week.days[HAND_TRADE].report.split())
    assert f"By hand, in positions of the fund: sold {shares:,} {ticker} at " in report
    assert f"traded by hand on {HAND_TRADE}: {ticker}" in report
    assert "By hand" not in week.days[BEFORE_HOLIDAY].report


def test_holiday_and_early_close(played: tuple[Week, Sight]) -> None:
    """Thanksgiving is no session; the day after closes at 13:00 in New York, 18:00 UTC, and its runs are due then."""
    week, _ = played
    assert "The open of 2024-11-29, 09:30 in New York" in week.days[BEFORE_HOLIDAY].report
    assert "That session closes early, at 13:00." in week.days[BEFORE_HOLIDAY].report
    assert "The session closed early, at 13:00 in New York." in week.days[EARLY_CLOSE].report
    assert week.days[EARLY_CLOSE].clock.startswith("2024-11-29T18:31")
    assert {run.session for run in week.runs} == set(SESSIONS)


def test_sleep(played: tuple[Week, Sight]) -> None:
    """All three sessions are collected and the last alone is decided; its report has the fills of the orders before."""
    week, seen = played
    assert [week.outcome("collection", day) for day in (*SLEPT, WOKEN)] == ["late", "late", "done"]
    assert [week.outcome("decision", day) for day in (*SLEPT, WOKEN)] == ["missed", "missed", "done"]
    assert sorted(one.date for one in seen.decisions) == list(REPORTED)
    report = week.days[WOKEN].report
    assert "Not decided, because the fund did not run or had no data: 2024-12-02, 2024-12-03." in report
    filled = [order for order in seen.journal if order.date == EARLY_CLOSE and order.filled_quantity]
    assert f"{len(filled)} fills of " in report


def test_whole_afterwards(played: tuple[Week, Sight]) -> None:
    """Journal, books and broker agree, each session has an outcome, and no event or file is left half done."""
    seen = played[1]
    broken = [one for check in (check_account, check_sessions, check_events, check_state) for one in check(seen)]
    assert broken == []
