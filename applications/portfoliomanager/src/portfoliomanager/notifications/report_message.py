"""The daily report as a message: text for a terminal of 80 columns or a chat, and HTML for mail."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from html import escape
from zoneinfo import ZoneInfo

from internal.dates import NEW_YORK, is_early_close, next_session, session_close, session_open
from internal.trading.enums import OrderSide, OrderState
from internal.trading.orders import Order
from internal.trading.slippage import FillSummary, measure_slippage
from portfoliomanager.notifications.daily_report import DailyReport
from portfoliomanager.notifications.message import REPORT_KEYS, Notification, NotificationKind

SHOWN = 15  # names and orders of a table
STYLE = "border-collapse:collapse;font:14px sans-serif"
CELL = "text-align:right;padding:2px 8px;border-bottom:1px solid #ddd"

type Table = tuple[str, tuple[str, ...], list[tuple[str, ...]]]


def describe_report(report: DailyReport) -> Notification:
    """The report as text and HTML."""
    snapshot, gain = report.snapshot, report.gain
    before = snapshot.net_asset_value - gain
    title = (
        f"{report.day}: {snapshot.net_asset_value:,.2f} dollars, {gain:+,.2f} ({gain / before if before else 0:+.2%})"
    )
    sentences, tables = _sentences(report), _tables(report)
    return Notification(
        NotificationKind.DAILY_REPORT,
        f"{REPORT_KEYS}{report.day}:{'problem' if report.problem else 'decided'}",
        title,
        "\n\n".join([title, "\n".join(sentences), *map(_text, tables)]),
        "".join([f"<h2>{escape(title)}</h2>", *(f"<p>{escape(one)}</p>" for one in sentences), *map(_html, tables)]),
    )


def _sentences(report: DailyReport) -> list[str]:
    snapshot = report.snapshot
    account = (
        f"Cash {snapshot.cash:,.2f}, long {snapshot.long_market_value:,.2f}, short {snapshot.short_market_value:,.2f}."
    )
    return [
        account,
        *_describe_time(report),
        _describe_gains(report),
        *_describe_flows(report),
        *_describe_fills(report),
        report.problem or _describe_next_open(report),
        report.data,
        *report.notes,
    ]


def _describe_time(report: DailyReport) -> list[str]:
    """What is unusual about when the session closed, or about the sessions before it."""
    found: list[str] = []
    if is_early_close(report.day):
        found.append(f"The session closed early, at {_clock(session_close(report.day))} in New York.")
    if report.missed:
        days = ", ".join(map(str, report.missed[:SHOWN])) + _more(len(report.missed))
        found.append(f"Not decided, because the fund did not run or had no data: {days}.")
    return found


def _describe_gains(report: DailyReport) -> str:
    sides: dict[str, Decimal] = {}
    for gain in report.gains:
        sides[gain.side] = sides.get(gain.side, Decimal(0)) + gain.dollars
    return "Gained by side: " + (
        ", ".join(f"{side} {dollars:+,.2f}" for side, dollars in sorted(sides.items())) or "nothing"
    )


def _describe_flows(report: DailyReport) -> list[str]:
    if not report.flows:
        return []
    return [f"Paid {'in' if report.flows > 0 else 'out'}: {abs(report.flows):,.2f}, which is no gain or loss."]


def _describe_fills(report: DailyReport) -> list[str]:
    """The fund's own, beside the closes that they were decided at, and what was traded by hand."""
    found: list[str] = []
    fills = FillSummary.of(report.filled)
    if fills.slippage_rate is not None:
        found.append(
            f"{len(report.filled)} fills of {fills.traded_dollars:,.2f} dollars; slippage {fills.slippage:+,.2f} "
            f"({1e4 * fills.slippage_rate:+.1f} basis points): {'worse' if fills.slippage > 0 else 'better'} than the "
            "closes they were decided at."
        )
    trades = [
        f"{'sold' if order.side is OrderSide.SELL else 'bought'} {order.filled_quantity:,g} {order.ticker} "
        f"at {order.filled_average_price or 0:,.2f}"
        for order in report.by_hand
    ]
    if trades:
        found.append(f"By hand, in positions of the fund: {', '.join(trades[:SHOWN])}{_more(len(trades))}.")
    return found


def _describe_next_open(report: DailyReport) -> str:
    following = next_session(report.day)
    opened = sum(order.quantity * order.reference_price for order in report.next_orders if order.leg.opens)
    closed = sum(order.quantity * order.reference_price for order in report.next_orders if not order.leg.opens)
    early = f" That session closes early, at {_clock(session_close(following))}." if is_early_close(following) else ""
    return (
        f"The open of {following}, {_clock(session_open(following))} in New York: {len(report.next_orders)} orders, "
        f"{opened:,.2f} dollars opened and {closed:,.2f} closed.{early}"
    )


def _clock(moment: datetime) -> str:
    return f"{moment.astimezone(ZoneInfo(NEW_YORK)):%H:%M}"


def _more(count: int) -> str:
    """What a list of SHOWN leaves out."""
    return f" and {count - SHOWN} more" if count > SHOWN else ""


def _tables(report: DailyReport) -> list[Table]:
    gains = sorted(report.gains, key=lambda gain: (-abs(gain.dollars), gain.ticker))
    named = [(one.ticker, one.side, f"{one.dollars:+,.2f}") for one in gains]
    fills = [
        (
            order.ticker,
            order.side.value,
            f"{order.filled_quantity:g}",
            f"{order.filled_average_price or 0:,.2f}",
            f"{measure_slippage(order):+,.2f}",
        )
        for order in report.filled
    ]
    own = [order for order in report.orders if order.date == report.day]
    refused = [
        (order.ticker, order.side.value, f"{order.quantity:g}", order.reason)
        for order in own
        if order.state is OrderState.REJECTED
    ]
    dropped = [order for order in own if order.state is OrderState.DROPPED]
    tables: list[Table] = [
        ("Gains by name", ("name", "side", "dollars"), named),
        ("Fills", ("name", "order", "shares", "price", "cost"), fills),
        ("Orders for the next open", ("name", "order", "shares", "dollars"), _list_values(report.next_orders)),
        ("Refused orders", ("name", "order", "shares", "reason"), refused),
        ("Dropped orders, never sent", ("name", "order", "shares", "dollars"), _list_values(dropped)),
    ]
    return [table for table in tables if table[2]]


def _list_values(orders: Sequence[Order]) -> list[tuple[str, ...]]:
    """Orders with what they were worth when they were decided."""
    return [
        (order.ticker, order.side.value, f"{order.quantity:g}", f"{order.quantity * order.reference_price:,.2f}")
        for order in orders
    ]


def _text(table: Table) -> str:
    title, names, all_rows = table
    rows = all_rows[:SHOWN]
    widths = [max(len(row[place]) for row in (names, *rows)) for place in range(len(names))]
    lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in (names, *rows)]
    more = _more(len(all_rows)).strip()
    return "\n".join([f"{title}:", *lines, *([more] if more else [])])


def _html(table: Table) -> str:
    title, names, rows = table
    more = f"<p>{_more(len(rows)).strip()}</p>" if len(rows) > SHOWN else ""
    head = "".join(f'<th style="{CELL}">{escape(name)}</th>' for name in names)
    body = "".join(
        "<tr>" + "".join(f'<td style="{CELL}">{escape(cell)}</td>' for cell in row) + "</tr>" for row in rows[:SHOWN]
    )
    return f'<h3>{escape(title)}</h3><table style="{STYLE}"><tr>{head}</tr>{body}</table>{more}'
