"""The daily report: the fund's value, its gains by side and name, its fills, and what the next open will do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from html import escape

from internal.dates import next_session, previous_session
from internal.trading.enums import OrderState
from internal.trading.journal_index import shortfall_cost
from internal.trading.rows import Order, Snapshot
from portfoliomanager.notifications.message import REPORT_KEYS, Notification, NotificationKind

SHOWN = 15  # names and orders of a table
STYLE = "border-collapse:collapse;font:14px sans-serif"
CELL = "text-align:right;padding:2px 8px;border-bottom:1px solid #ddd"


@dataclass(frozen=True, slots=True)
class NamedGain:
    """What one name gained since the report before; dollars. `side` is long, short or closed."""

    ticker: str
    side: str
    dollars: Decimal


@dataclass(frozen=True, slots=True)
class DailyReport:
    """The figures of a session.

    Attributes:
        day: The session.
        snapshot: The account after it.
        before: The last snapshot of an earlier day; None in the first report.
        flows: Dollars that were paid in since, negative when paid out.
        gains: By name; what belongs to no name is under "account".
        orders: All of the run before it, which filled in the session, and of its own, for the next open.
        notes: Of the day's run.
        data: A sentence about the state of the data.
        problem: Why nothing was decided; empty when something was.
    """

    day: date
    snapshot: Snapshot
    before: Snapshot | None
    flows: float
    gains: Sequence[NamedGain]
    orders: Sequence[Order]
    notes: Sequence[str]
    data: str
    problem: str = ""

    @property
    def gain(self) -> float:
        """Dollars gained since the snapshot before."""
        earlier = self.snapshot.net_asset_value if self.before is None else self.before.net_asset_value + self.flows
        return self.snapshot.net_asset_value - earlier

    @property
    def filled(self) -> Sequence[Order]:
        """Orders that were filled in the session, in whole or in part."""
        decided = previous_session(self.day)
        return [order for order in self.orders if order.date == decided and order.filled_quantity > 0]

    @property
    def next_orders(self) -> Sequence[Order]:
        """Orders that wait for the next open."""
        return [order for order in self.orders if order.date == self.day and not order.state.is_final]


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
    sides: dict[str, Decimal] = {}
    for gain in report.gains:
        sides[gain.side] = sides.get(gain.side, Decimal(0)) + gain.dollars
    found = [
        f"Cash {snapshot.cash:,.2f}, long {snapshot.long_market_value:,.2f}, short {snapshot.short_market_value:,.2f}.",
        "Gained by side: "
        + (", ".join(f"{side} {dollars:+,.2f}" for side, dollars in sorted(sides.items())) or "nothing"),
    ]
    if report.flows:
        found.append(f"Paid {'in' if report.flows > 0 else 'out'}: {abs(report.flows):,.2f}, which is no gain or loss.")
    cost = sum(map(shortfall_cost, report.filled))
    value = sum(order.filled_quantity * (order.filled_average_price or 0.0) for order in report.filled)
    if value:
        found.append(
            f"{len(report.filled)} fills of {value:,.2f} dollars cost {cost:,.2f} against the closes they were decided "
            f"at ({1e4 * cost / value:.1f} basis points)."
        )
    opened = sum(order.quantity * order.reference_price for order in report.next_orders if order.leg.opens)
    closed = sum(order.quantity * order.reference_price for order in report.next_orders if not order.leg.opens)
    found.append(
        report.problem
        or f"The open of {next_session(report.day)}: {len(report.next_orders)} orders, {opened:,.2f} dollars opened "
        f"and {closed:,.2f} closed."
    )
    return [*found, report.data, *report.notes]


def _tables(report: DailyReport) -> list[Table]:
    gains = sorted(report.gains, key=lambda gain: (-abs(gain.dollars), gain.ticker))[:SHOWN]
    named = [(one.ticker, one.side, f"{one.dollars:+,.2f}") for one in gains]
    fills = [
        (
            order.ticker,
            order.side.value,
            f"{order.filled_quantity:g}",
            f"{order.filled_average_price or 0:,.2f}",
            f"{shortfall_cost(order):+,.2f}",
        )
        for order in report.filled[:SHOWN]
    ]
    planned = [
        (order.ticker, order.side.value, f"{order.quantity:g}", f"{order.quantity * order.reference_price:,.2f}")
        for order in report.next_orders[:SHOWN]
    ]
    refused = [
        (order.ticker, order.side.value, f"{order.quantity:g}", order.reason)
        for order in report.orders
        if order.date == report.day and order.state is OrderState.REJECTED
    ]
    tables: list[Table] = [
        ("Gains by name", ("name", "side", "dollars"), named),
        ("Fills", ("name", "order", "shares", "price", "cost"), fills),
        ("Orders for the next open", ("name", "order", "shares", "dollars"), planned),
        ("Refused orders", ("name", "order", "shares", "reason"), refused[:SHOWN]),
    ]
    return [table for table in tables if table[2]]


def _text(table: Table) -> str:
    title, names, rows = table
    widths = [max(len(row[place]) for row in (names, *rows)) for place in range(len(names))]
    lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in (names, *rows)]
    return "\n".join([f"{title}:", *lines])


def _html(table: Table) -> str:
    title, names, rows = table
    head = "".join(f'<th style="{CELL}">{escape(name)}</th>' for name in names)
    body = "".join(
        "<tr>" + "".join(f'<td style="{CELL}">{escape(cell)}</td>' for cell in row) + "</tr>" for row in rows
    )
    return f'<h3>{escape(title)}</h3><table style="{STYLE}"><tr>{head}</tr>{body}</table>'


def find_gains(
    now: Mapping[str, Decimal], before: Mapping[str, Decimal], shares: Mapping[str, Decimal]
) -> list[NamedGain]:
    """What each name gained between two totals since the books began; what belongs to no name is "account".

    Args:
        now: Profit and loss since the books began, by ticker, dollars; what belongs to no security under "".
        before: The same at the report before.
        shares: Signed shares that are held.
    """
    changes = {
        ticker: now.get(ticker, Decimal(0)) - before.get(ticker, Decimal(0)) for ticker in sorted({*now, *before})
    }
    return [
        NamedGain(ticker or "account", _side(ticker, shares), change) for ticker, change in changes.items() if change
    ]


def _side(ticker: str, shares: Mapping[str, Decimal]) -> str:
    if not ticker:
        return "account"
    held = shares.get(ticker, Decimal(0))
    return "closed" if not held else "long" if held > 0 else "short"
