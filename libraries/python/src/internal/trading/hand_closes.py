"""Shares of the fund's positions that somebody sold by hand, written to the journal as closed.

Without such a row the fund would take shares of the same name that somebody buys later for its own, and sell them.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from math import copysign

from internal.dates import exchange_day, last_closed_session, next_session, previous_session
from internal.trading.broker_reports import BrokerOrder
from internal.trading.entries import ROUNDING, EntryMemory, split_ratio
from internal.trading.enums import Leg, OrderState
from internal.trading.hand_trade_replay import Trade, count_taken
from internal.trading.hand_trades import RECORDS, is_by_hand
from internal.trading.held_securities import HeldSecurities, HeldSecurity
from internal.trading.late_hand_orders import EARLIER, find_late_orders
from internal.trading.order_planning import client_order_id
from internal.trading.orders import Order
from internal.trading.ports import Journal, TradingPorts
from internal.trading.settled_splits import find_settled_splits
from internal.trading.splits import Split

LOST = "the broker no longer has the trade by hand, and its owner accepted that"


@dataclass(frozen=True, slots=True)
class _TradedName:
    """A name of the fund that somebody traded by hand.

    Attributes:
        security: The fund's security.
        orders: The orders of the name with a fill, the fund's too, in the order of their fills.
        splits: Those since the fund opened it.
        held: The account's signed shares now.
    """

    security: HeldSecurity
    orders: Sequence[BrokerOrder]
    splits: Sequence[Split]
    held: float


def record_hand_closes(
    ports: TradingPorts, account: str, recent: Mapping[str, BrokerOrder], moment: datetime, memory: EntryMemory
) -> None:
    """Write a close for the fund's shares that each order by hand sold; asked again, nothing changes.

    Others sell what is theirs first. The orders are counted one after the other, so that shares that somebody bought
    again after selling the fund's are not the fund's. A name waits for the next reconciliation while an order of the
    fund in it may still fill, or while the broker and the data service do not agree on its splits.

    recent: the broker's orders since the last decision, by id; older ones are asked for where the account differs from
    the journal. Raises StandbyError when the lease was lost.
    """
    busy = {order.ticker for order in ports.journal.unfinished()}
    late = find_late_orders(ports, busy, moment, memory)
    orders_by_id = {**late.orders, **recent}
    filled = [order for order in orders_by_id.values() if order.filled_quantity > 0]
    by_hand = {order.client_order_id for order in filled if is_by_hand(order, ports.broker, ports.journal)}
    named = {order.ticker for order in filled if order.client_order_id in by_hand}
    orders_of = _group_orders(filled, named - busy)
    traded = _find_traded(orders_of, ports.journal)
    splits = find_settled_splits(ports, traded, moment, memory)
    held = {position.ticker: position.quantity for position in ports.broker.positions()} if traded else {}
    rows: list[Order] = []
    for ticker in sorted(traded.keys() - splits.waiting):
        name = _TradedName(traded[ticker], orders_of[ticker], splits.by_ticker.get(ticker, ()), held.get(ticker, 0.0))
        rows += _list_closes(name, by_hand, ports.journal, account, moment)
    if changed := [
        row for row in rows if _count_recorded(row.client_order_id, ports.journal) < row.quantity - ROUNDING
    ]:
        ports.lease.require()
        ports.journal.save_orders(changed)
    memory.waiting = splits.waiting | (busy & (late.waiting | named))
    memory.differing = {ticker: one for ticker, one in late.differing.items() if ticker not in splits.waiting}


def list_lost_closes(ports: TradingPorts, account: str, since: datetime | None, moment: datetime) -> list[Order]:
    """The rows of trades by hand that a restored broker no longer has, dropped.

    since: Only rows written after it; None for all.
    """
    rows = [
        row for row in ports.journal.of(RECORDS) if row.filled_quantity and (since is None or row.updated_at > since)
    ]
    if not rows:
        return []
    first = min(min(row.updated_at, moment) for row in rows) - EARLIER
    kept = {_row_id(account, order) for order in ports.broker.orders_since(first) if order.filled_quantity > 0}
    state = OrderState.DROPPED
    return [
        replace(row, state=state, reason=LOST, filled_quantity=0.0, filled_average_price=None, updated_at=moment)
        for row in rows
        if row.client_order_id not in kept
    ]


def _group_orders(filled: Iterable[BrokerOrder], tickers: Collection[str]) -> dict[str, list[BrokerOrder]]:
    """The orders of the tickers, each in the order of their fills."""
    grouped: dict[str, list[BrokerOrder]] = {}
    for order in sorted(filled, key=_filled_at):
        if order.ticker in tickers:
            grouped.setdefault(order.ticker, []).append(order)
    return grouped


def _find_traded(orders_of: Mapping[str, Sequence[BrokerOrder]], journal: Journal) -> HeldSecurities:
    """The fund's securities among the tickers, the account may have none of them left; none that it never had."""
    found: dict[str, HeldSecurity] = {}
    for ticker, orders in orders_of.items():
        asset_id = orders[-1].asset_id
        fills, security = journal.fills(ticker, asset_id), journal.security_of(ticker, asset_id)
        if fills and security is not None:
            found[ticker] = HeldSecurity(security, tuple(fills), journal.names(security))
    return HeldSecurities(found)


def _list_closes(
    name: _TradedName, by_hand: Collection[str], journal: Journal, account: str, moment: datetime
) -> list[Order]:
    """The row of each order by hand that sold shares of the fund's."""
    fills, splits = name.security.fills, name.splits
    trades = [_read_trade(one, one.client_order_id not in by_hand, splits, account, journal) for one in name.orders]
    recorded = sum(copysign(trade.recorded, trade.shares) for trade in trades)
    own = (
        EntryMemory().sum_shares(fills, tuple(splits))
        - recorded
        - sum(trade.shares for trade in trades if trade.is_own)
    )
    others = name.held - own - sum(trade.shares for trade in trades)
    taken = count_taken(own, others, trades)
    return [
        _close(order, shares / _ratio(order, splits), account, name.security.security_id, moment)
        for order, shares in zip(name.orders, taken, strict=True)
        if shares > ROUNDING
    ]


def _filled_at(order: BrokerOrder) -> tuple[datetime, str]:
    """When its last share filled; for one that was canceled before that, when it was sent."""
    return order.filled_at or order.submitted_at, order.client_order_id


def _day(order: BrokerOrder) -> date:
    """The session before that of its fill: journal rows bear the session that was decided.

    A fill at the close or after it is of that day; what was sent after a close fills on a later day.
    """
    if order.filled_at is None:
        return last_closed_session(order.submitted_at)
    return previous_session(exchange_day(order.filled_at))


def _ratio(order: BrokerOrder, splits: Sequence[Split]) -> float:
    return split_ratio(splits, next_session(_day(order)))


def _read_trade(order: BrokerOrder, is_own: bool, splits: Sequence[Split], account: str, journal: Journal) -> Trade:  # noqa: FBT001 - of an order that is the fund's
    """The order's fill, in today's shares."""
    recorded = 0.0 if is_own else _count_recorded(_row_id(account, order), journal)
    ratio = _ratio(order, splits)
    return Trade(order.signed_filled_quantity * ratio, is_own, recorded * ratio)


def _count_recorded(row_id: str, journal: Journal) -> float:
    row = journal.order(row_id)
    return 0.0 if row is None else row.filled_quantity


def _row_id(account: str, order: BrokerOrder) -> str:
    return client_order_id(account, f"{RECORDS}|{order.client_order_id}", order.ticker, Leg.CLOSE, 0)


def _close(order: BrokerOrder, shares: float, account: str, security: str, moment: datetime) -> Order:
    """The row of an order by hand that closed so many shares of the fund's."""
    price = order.filled_average_price or 0.0
    return Order(
        portfolio_id=RECORDS,
        date=_day(order),
        client_order_id=_row_id(account, order),
        ticker=order.ticker,
        side=order.side,
        leg=Leg.CLOSE,
        quantity=shares,
        reference_price=price,
        reason="closed by hand at the broker",
        updated_at=moment,
        state=OrderState.FILLED,
        filled_quantity=shares,
        filled_average_price=price,
        security_id=security,
    )
