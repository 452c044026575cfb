"""What of a step the owner is to hear: refusals, unresolved orders, limits, foreign holdings, names that have ended."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date

from internal.dates import next_session, previous_session, sessions
from internal.trading.action_rows import is_end, is_record
from internal.trading.enums import ForeignKind, OrderState
from internal.trading.foreign_items import ForeignItem
from internal.trading.limit_kinds import LimitCut
from internal.trading.orders import Order
from internal.trading.rebalancing import Outcome
from internal.trading.runs import RebalanceRun
from internal.trading.trading_state import TradingStateChange
from portfoliomanager.notifications.message import Notification, NotificationKind

SHOWN = 20  # names or orders of one message


def alerts_of_run(outcome: Outcome, cuts: Sequence[LimitCut], without_bars: Iterable[str]) -> list[Notification]:
    """The messages about a decision and its orders."""
    day = outcome.run.date
    return [
        *_not_sent(outcome.run, outcome.orders),
        *_cut(day, cuts),
        *alerts_of_unresolved(outcome.orders),
        *alerts_of_foreign(outcome.foreign),
        *(_without_bars(ticker, day) for ticker in without_bars),
    ]


def alerts_of_foreign(foreign: Sequence[ForeignItem]) -> list[Notification]:
    """Positions and orders of the account that are not the fund's: once for each quantity of a name."""
    return [_foreign(item) for item in foreign]


def alerts_of_ended(rows: Iterable[Order]) -> list[Notification]:
    """Held names that were acquired, redeemed or removed as worthless, by the journal's rows of corporate actions."""
    return [
        Notification(
            NotificationKind.NAME_ENDED,
            f"ended:{row.client_order_id}",
            f"{row.ticker} has ended: {row.reason}",
            f"The broker has carried it out: {row.filled_quantity:g} shares of {row.ticker} are no longer held, at "
            f"{row.filled_average_price or 0:,.2f} dollars a share. Shares that came for them are the fund's; the next "
            "decision says so in its notes.",
        )
        for row in rows
        if is_record(row) and is_end(row)
    ]


def alerts_of_unresolved(orders: Iterable[Order]) -> list[Notification]:
    """Orders that may or may not be at the broker."""
    return [
        Notification(
            NotificationKind.ORDER_UNRESOLVED,
            f"unresolved:{order.client_order_id}:{order.updated_at.isoformat()}",
            f"It is not known whether an order of {order.ticker} is at the broker",
            f"{_describe(order)}: {order.reason}",
        )
        for order in orders
        if order.state is OrderState.UNRESOLVED
    ]


def alert_of_missed_sessions(day: date, last_decided: date) -> Notification | None:
    """The sessions before the day that were never decided; None where none is missing."""
    missed = sessions(next_session(last_decided), previous_session(day))
    if not missed:
        return None
    days = ", ".join(str(one) for one in missed[-SHOWN:])
    return Notification(
        NotificationKind.MISSED_SESSION,
        f"missed:{missed[0]}:{missed[-1]}",
        f"{len(missed)} {'session was' if len(missed) == 1 else 'sessions were'} not decided",
        f"The fund was not running, or had no data, at the close of {days}. Nothing is made up: positions stayed as "
        f"they were, and {day} is decided now.",
    )


def alert_of_state(change: TradingStateChange) -> Notification:
    """The trading state that is in force now."""
    return Notification(
        NotificationKind.TRADING_STATE,
        f"state:{change.number}:{change.changed_at.isoformat()}",
        f"Trading is {change.state.words}",
        f"{change.describe()}\n{change.state.meaning.capitalize()}.",
    )


def alert_of_failure(day: date, error: str, kind: str) -> Notification:
    """A decision that was not taken, or not carried out: once a day for each kind of failure."""
    return Notification(
        NotificationKind.RUN_FAILED, f"failed:{day}:{kind}", f"The decision of {day} was not carried out", error
    )


def _not_sent(run: RebalanceRun, orders: Sequence[Order]) -> list[Notification]:
    lost = [order for order in orders if order.state is OrderState.REJECTED]
    if not lost:
        return []
    lines = [f"{_describe(order)}: {order.reason}" for order in lost[:SHOWN]]
    if len(lost) > SHOWN:
        lines.append(f"and {len(lost) - SHOWN} more: GET /orders?portfolio_id={run.portfolio_id}")
    return [
        Notification(
            NotificationKind.ORDERS_NOT_SENT,
            f"refused:{run.portfolio_id}:{len(lost)}",
            f"The broker refused {len(lost)} of {len(orders)} orders of {run.date}",
            "\n".join(lines),
        )
    ]


def _cut(day: date, cuts: Sequence[LimitCut]) -> list[Notification]:
    if not cuts:
        return []
    by_limit: defaultdict[str, set[str]] = defaultdict(set)
    for cut in cuts:
        by_limit[cut.limit].add(cut.ticker)
    lines = [f"{limit}: {', '.join(sorted(names)[:SHOWN])}" for limit, names in sorted(by_limit.items())]
    title = f"Risk limits cut the decision of {day}"
    return [Notification(NotificationKind.LIMIT, f"limits:{day}", title, "\n".join(lines))]


def _foreign(item: ForeignItem) -> Notification:
    what = "A position" if item.kind is ForeignKind.POSITION else "An order"
    return Notification(
        NotificationKind.FOREIGN,
        f"foreign:{item.kind}:{item.ticker}:{item.client_order_id or item.quantity}",
        f"{what} in {item.ticker} is not the fund's",
        f"{what} of {item.quantity:g} {item.ticker} in the account does not come from the fund. It is left alone, and "
        f"the fund trades nothing of {item.ticker} unless it holds shares of its own.",
    )


def _without_bars(ticker: str, day: date) -> Notification:
    year, week, _ = day.isocalendar()
    return Notification(
        NotificationKind.NAME_ENDED,
        f"without-bars:{ticker}:{year}-{week}",
        f"{ticker} is held and has no bars any more",
        f"{ticker} is halted, delisted or renamed, or its data is late. It is closed as soon as the broker trades it; "
        "until then the book does not grow. docs/decisions/held_names.md says what to do.",
    )


def _describe(order: Order) -> str:
    return f"{order.side} {order.quantity:g} {order.ticker} ({order.leg})"
