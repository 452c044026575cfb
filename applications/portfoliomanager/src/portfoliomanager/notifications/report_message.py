"""The daily report as a message: text for a terminal of 80 columns or a chat, and HTML for mail."""

from collections.abc import Sequence
from datetime import datetime
from html import escape
from zoneinfo import ZoneInfo

from internal.dates import NEW_YORK, is_early_close, next_session, session_close, session_open
from internal.trading.enums import OrderSide
from internal.trading.orders import Order
from internal.trading.slippage import measure_slippage
from portfoliomanager.notifications.daily_report import DailyReport, DataHealth
from portfoliomanager.notifications.message import REPORT_KEYS, Notification, NotificationKind
from portfoliomanager.notifications.report_figures import ReportFigures

SHOWN = 15  # names and orders of a table
STYLE = "border-collapse:collapse;font:14px sans-serif"
CELL = "text-align:right;padding:2px 8px;border-bottom:1px solid #ddd"

type Table = tuple[str, tuple[str, ...], list[tuple[str, ...]]]


def describe_report(report: DailyReport) -> Notification:
    """The report as text and HTML, with its figures."""
    value, gain = report.snapshot.net_asset_value, report.gain
    title = f"{report.day}: {value:,.2f} dollars, {gain:+,.2f} ({report.gain_rate:+.2%})"
    sentences, tables = _sentences(report), _tables(report)
    return Notification(
        NotificationKind.DAILY_REPORT,
        f"{REPORT_KEYS}{report.day}:{'problem' if report.problem else 'decided'}",
        title,
        "\n\n".join([title, "\n".join(sentences), *map(_text, tables)]),
        "".join([f"<h2>{escape(title)}</h2>", *(f"<p>{escape(one)}</p>" for one in sentences), *map(_html, tables)]),
        ReportFigures.of(report).model_dump(mode="json"),
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
        _describe_data(report.data),
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
    sides = ", ".join(f"{side} {dollars:+,.2f}" for side, dollars in report.gains_by_side.items())
    return f"Gained by side: {sides or 'nothing'}"


def _describe_flows(report: DailyReport) -> list[str]:
    if not report.flows:
        return []
    return [f"Paid {'in' if report.flows > 0 else 'out'}: {abs(report.flows):,.2f}, which is no gain or loss."]


def _describe_fills(report: DailyReport) -> list[str]:
    """The fund's own, beside the closes that they were decided at, and what was traded by hand."""
    found: list[str] = []
    fills, impact = report.fills, report.impact
    if fills.slippage_rate is not None:
        found.append(
            f"{_count(report.filled, 'fill')} of {fills.traded_dollars:,.2f} dollars; slippage {fills.slippage:+,.2f} "
            f"({1e4 * fills.slippage_rate:+.1f} basis points): {'worse' if fills.slippage > 0 else 'better'} than the "
            "closes they were decided at."
        )
        if impact is not None:
            found.append(
                f"Of it spread and impact, against the opens: {impact:+,.2f} "
                f"({1e4 * impact / fills.decided_dollars:+.1f} basis points); the rest is the overnight move."
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
    early = f" That session closes early, at {_clock(session_close(following))}." if is_early_close(following) else ""
    return (
        f"The open of {following}, {_clock(session_open(following))} in New York: "
        f"{_count(report.next_orders, 'order')}, "
        f"{report.opened_dollars:,.2f} dollars opened and {report.closed_dollars:,.2f} closed.{early}"
    )


def _describe_data(data: DataHealth) -> str:
    """One sentence; a data service that does not answer is said too."""
    if data.problem:
        return f"The state of the data is not known: {data.problem}"
    to_do = f" To do: {'; '.join(data.to_do)}" if data.to_do else ""
    return f"Data: {data.present} of {data.expected} sessions are there.{to_do}"


def _count(orders: Sequence[Order], noun: str) -> str:
    return f"{len(orders)} {noun}{'' if len(orders) == 1 else 's'}"


def _clock(moment: datetime) -> str:
    return f"{moment.astimezone(ZoneInfo(NEW_YORK)):%H:%M}"


def _more(count: int) -> str:
    """What a list of SHOWN leaves out."""
    return f" and {count - SHOWN} more" if count > SHOWN else ""


def _tables(report: DailyReport) -> list[Table]:
    named = [(one.ticker, one.side, f"{one.dollars:+,.2f}") for one in report.gains_by_name]
    fills = [
        (
            order.ticker,
            order.side.value,
            f"{order.filled_quantity:g}",
            f"{order.filled_average_price or 0:,.2f}",
            f"{measure_slippage(order):+,.2f}",
            "-" if (impact := report.find_impact(order)) is None else f"{impact:+,.2f}",
        )
        for order in report.filled
    ]
    refused = [(order.ticker, order.side.value, f"{order.quantity:g}", order.reason) for order in report.refused]
    tables: list[Table] = [
        ("Gains by name", ("name", "side", "dollars"), named),
        ("Fills", ("name", "order", "shares", "price", "slippage", "impact"), fills),
        ("Orders for the next open", ("name", "order", "shares", "dollars"), _list_values(report.next_orders)),
        ("Refused orders", ("name", "order", "shares", "reason"), refused),
        ("Dropped orders, never sent", ("name", "order", "shares", "dollars"), _list_values(report.dropped)),
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
