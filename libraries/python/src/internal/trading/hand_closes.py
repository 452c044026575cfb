"""Shares of the fund's positions that somebody sold by hand, written to the journal as closed.

Without such a row the fund would take shares of the same name that somebody buys later for its own, and sell them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from math import copysign

from internal.dates import exchange_day, last_closed_session, next_session
from internal.trading.action_holdings import list_own_splits
from internal.trading.entries import ROUNDING, EntryMemory, split_ratio
from internal.trading.enums import Leg, OrderState
from internal.trading.hand_trade_replay import Trade, count_taken
from internal.trading.hand_trades import RECORDS, is_by_hand
from internal.trading.late_hand_orders import EARLIER, find_late_orders
from internal.trading.order_planning import client_order_id
from internal.trading.ports import Journal, TradingPorts
from internal.trading.rows import BrokerOrder, Order, Split

LOST = "the broker no longer has the trade by hand, and its owner accepted that"


def record_hand_closes(
    ports: TradingPorts, account: str, recent: Mapping[str, BrokerOrder], moment: datetime, memory: EntryMemory
) -> None:
    """Write a close for the fund's shares that each order by hand sold; asked again, nothing changes.

    Others sell what is theirs first. The orders are counted one after the other, so that shares that somebody bought
    again after selling the fund's are not the fund's. Names of which an order of the fund may still fill wait for the
    next reconciliation.

    recent: the broker's orders since the last decision, by id; older ones are asked for where the account differs from
    the journal. Raises StandbyError when the lease was lost.
    """
    busy = {order.ticker for order in ports.journal.unfinished()}
    late = find_late_orders(ports, busy, moment, memory)
    orders_by_id = {**late.orders, **recent}
    filled = [order for order in orders_by_id.values() if order.filled_quantity > 0]
    by_hand = {order.client_order_id for order in filled if is_by_hand(order, ports.broker, ports.journal)}
    tickers = sorted({order.ticker for order in filled if order.client_order_id in by_hand} - busy)
    held = {position.ticker: position.quantity for position in ports.broker.positions()} if tickers else {}
    rows: list[Order] = []
    for ticker in tickers:
        orders = sorted((order for order in filled if order.ticker == ticker), key=_filled_at)
        rows += _list_closes(orders, by_hand, held.get(ticker, 0.0), ports, account, moment)
    if changed := [
        row for row in rows if _count_recorded(row.client_order_id, ports.journal) < row.quantity - ROUNDING
    ]:
        ports.lease.require()
        ports.journal.save_orders(changed)
    memory.differing = late.differing


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


def _list_closes(  # noqa: PLR0913, PLR0917 - one name's trades, and whose the rest of it is
    orders: Sequence[BrokerOrder],
    by_hand: Iterable[str],
    held: float,
    ports: TradingPorts,
    account: str,
    moment: datetime,
) -> list[Order]:
    """The row of each order by hand that sold shares of the fund's; none where the fund never had the name.

    orders: Those of one name with a fill, in the order of their fills. held: The account's signed shares now.
    """
    ticker, asset_id, journal = orders[-1].ticker, orders[-1].asset_id, ports.journal
    fills, security = journal.fills(ticker, asset_id), journal.security_of(ticker, asset_id)
    if not fills or security is None:
        return []
    splits = list_own_splits(ticker, security, fills, exchange_day(moment), ports)
    trades = [_read_trade(order, order.client_order_id not in by_hand, splits, account, journal) for order in orders]
    recorded = sum(copysign(trade.recorded, trade.shares) for trade in trades)
    own = (
        EntryMemory().sum_shares(tuple(fills), tuple(splits))
        - recorded
        - sum(trade.shares for trade in trades if trade.is_own)
    )
    others = held - own - sum(trade.shares for trade in trades)
    taken = count_taken(own, others, trades)
    day = next_session(fills[0].date)  # a close of the session of the opening would not count
    return [
        replace(_close(order, shares / _ratio(order, splits), account, security, moment), date=max(day, _day(order)))
        for order, shares in zip(orders, taken, strict=True)
        if shares > ROUNDING
    ]


def _filled_at(order: BrokerOrder) -> tuple[datetime, str]:
    """When its last share filled; for one that was canceled before that, when it was sent."""
    return order.filled_at or order.submitted_at, order.client_order_id


def _day(order: BrokerOrder) -> date:
    """The session before that of its fill: journal rows bear the session that was decided."""
    return last_closed_session(order.filled_at or order.submitted_at)


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
