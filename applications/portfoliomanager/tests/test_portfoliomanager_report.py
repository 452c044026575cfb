"""The daily report as its reader meets it: figures by hand, and what is unusual about a session said in words."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from internal.trading.enums import Leg, OrderSide, OrderState
from internal.trading.orders import Order
from internal.trading.positions import Entry
from internal.trading.snapshots import Snapshot
from portfoliomanager.notifications.daily_report import DailyReport, DataHealth, NamedGain
from portfoliomanager.notifications.report_figures import ReportFigures
from portfoliomanager.notifications.report_message import describe_report

BEFORE_HOLIDAY, EARLY_CLOSE, WOKEN = date(2024, 11, 27), date(2024, 11, 29), date(2024, 12, 4)


def snapshot(day: date, value: float) -> Snapshot:
    """An account without positions after a session."""
    return Snapshot(
        timestamp=datetime(day.year, day.month, day.day, 21, 31, tzinfo=UTC),
        portfolio_id="drawn",
        net_asset_value=value,
        cash=value,
        long_market_value=0.0,
        short_market_value=0.0,
        slippage=0.0,
        fees=0.0,
        borrow=0.0,
    )


def order(ticker: str, day: date, *, filled: bool) -> Order:
    """An order to buy 100 shares decided at 10 dollars; filled a cent above it."""
    return Order(
        portfolio_id="drawn",
        date=day,
        client_order_id=f"{ticker}-open-0",
        ticker=ticker,
        side=OrderSide.BUY,
        leg=Leg.OPEN,
        quantity=100.0,
        reference_price=10.0,
        reason="",
        updated_at=datetime(2024, 11, 29, tzinfo=UTC),
        state=OrderState.FILLED if filled else OrderState.SUBMITTED,
        filled_quantity=100.0 if filled else 0.0,
        filled_average_price=10.01 if filled else None,
    )


REPORT = DailyReport(
    day=EARLY_CLOSE,
    snapshot=snapshot(EARLY_CLOSE, 1_051_000.0),
    before=snapshot(BEFORE_HOLIDAY, 1_000_000.0),
    flows=50_000.0,
    gains=[],
    orders=[],
    by_hand=[],
    missed=[],
    notes=[],
    data=DataHealth(present=79, expected=80, to_do=["collect 2024-11-26"]),
)


def text_of(report: DailyReport) -> str:
    """The message of a report."""
    return describe_report(report).text


def test_early_close_and_holiday() -> None:
    """The report says when the next session opens and that it ends early, and the one after it that it did."""
    next_open = "The open of 2024-11-29, 09:30 in New York: 1 order, 1,000.00 dollars opened and 0.00 closed."
    text = text_of(replace(REPORT, day=BEFORE_HOLIDAY, orders=[order("AAA", BEFORE_HOLIDAY, filled=False)]))

    assert f"{next_open} That session closes early, at 13:00." in text
    assert "The session closed early" not in text
    assert "The session closed early, at 13:00 in New York." in text_of(REPORT)


def test_fills_after_a_sleep() -> None:
    """The orders of the last decision are shown with their fills, however many sessions ago; a cent on 200 shares."""
    orders = [order("AAA", EARLY_CLOSE, filled=True), order("BBB", EARLY_CLOSE, filled=True)]
    text = text_of(replace(REPORT, day=WOKEN, orders=orders, missed=[date(2024, 12, 2), date(2024, 12, 3)]))

    assert "Not decided, because the fund did not run or had no data: 2024-12-02, 2024-12-03." in text
    assert "2 fills of 2,002.00 dollars; slippage +2.00 (+10.0 basis points): worse than the closes they were" in text
    assert "impact, against" not in text


def test_flows_and_hand_trades() -> None:
    """A deposit is no gain: 1,000 of 1,050,000; what was sold by hand is said, and is no fill of the fund's."""
    text = text_of(replace(REPORT, by_hand=[order("NDXN", EARLY_CLOSE, filled=True)]))

    assert text.startswith("2024-11-29: 1,051,000.00 dollars, +1,000.00 (+0.10%)")
    assert "Paid in: 50,000.00, which is no gain or loss." in text
    assert "By hand, in positions of the fund: bought 100 NDXN at 10.01." in text
    assert "fills of" not in text


def test_long_tables_say_what_they_leave_out() -> None:
    """Fifteen names are shown, and how many more there are."""
    gains = [NamedGain(f"T{number:02}", "long", Decimal(100 - number)) for number in range(18)]
    text = text_of(replace(REPORT, gains=gains))

    assert "T14" in text
    assert "T15" not in text
    assert text.endswith("and 3 more")


def test_figures_are_those_of_the_text() -> None:
    """By hand: a cent a share of slippage is 2 dollars; against opens of 10.00 and 10.02 the fills cost 1 less 1."""
    filled = [order(ticker, EARLY_CLOSE, filled=True) for ticker in ("AAA", "BBB")]
    opens = {Entry("AAA", date(2024, 11, 28)): 10.00, Entry("BBB", date(2024, 11, 28)): 10.02}
    gains = [NamedGain("BBB", "long", Decimal(-300)), NamedGain("AAA", "long", Decimal("1300.50"))]
    waits = order("CCC", WOKEN, filled=False)
    report = replace(
        REPORT, day=WOKEN, orders=[*filled, waits], by_hand=filled[:1], opens=opens, gains=gains, missed=[EARLY_CLOSE]
    )
    message = describe_report(report)
    figures = ReportFigures.model_validate_json(json.dumps(message.figures))

    assert "Of it spread and impact, against the opens: +0.00 (+0.0 basis points)" in message.text
    assert (figures.date, figures.value, figures.paid_in, figures.gain) == (WOKEN, 1_051_000, 50_000, 1_000)
    assert figures.gain_rate == pytest.approx(1 / 1_050)
    assert figures.gains_by_side == {"long": 1000.5}
    assert [(one.ticker, one.dollars) for one in figures.gains_by_name] == [("AAA", 1300.5), ("BBB", -300)]
    assert figures.fills.slippage == pytest.approx(2)
    assert figures.fills.slippage_rate == pytest.approx(0.001)
    assert [one.impact for one in figures.fills.orders] == [pytest.approx(1), pytest.approx(-1)]
    assert {one.decided_price for one in figures.fills.orders} == {10}
    assert figures.fills.impact == pytest.approx(0)
    assert [(one.ticker, one.shares, one.price) for one in figures.traded_by_hand] == [("AAA", 100, 10.01)]
    planned = figures.next_open
    assert (planned.date, planned.closes_early, planned.opened, planned.closed) == (date(2024, 12, 5), False, 1000, 0)
    assert planned.opens_at == datetime(2024, 12, 5, 14, 30, tzinfo=UTC)
    assert [(one.ticker, one.dollars) for one in planned.orders] == [("CCC", 1000)]
    data = figures.data
    assert (data.sessions_present, data.sessions_expected, data.to_do) == (79, 80, ["collect 2024-11-26"])
    assert (figures.not_decided, figures.closed_early) == ([EARLY_CLOSE], False)
    assert replace(report, opens={Entry("AAA", date(2024, 11, 28)): 10.0}).impact is None


def test_dry_run() -> None:
    """Orders that were dropped are listed, 100 shares at 10 dollars, with the note that says why; none is to open."""
    note = "dry run: planned and not sent"
    dropped = replace(order("AAA", EARLY_CLOSE, filled=False), state=OrderState.DROPPED)
    text = text_of(replace(REPORT, orders=[dropped], notes=[note]))

    assert "0 orders, 0.00 dollars opened and 0.00 closed." in text
    assert text.endswith(
        f"{note}\n\nDropped orders, never sent:\nname  order  shares   dollars\n AAA    buy     100  1,000.00"
    )
