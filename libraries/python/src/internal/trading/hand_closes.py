"""Positions of the fund that somebody sold by hand, written to the journal as closed.

Without such a row the fund would take shares of the same name that somebody buys later for its own, and sell them.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from internal.dates import exchange_day, last_closed_session, next_session
from internal.trading.action_holdings import count_own_shares
from internal.trading.entries import ROUNDING
from internal.trading.enums import Leg, OrderSide, OrderState
from internal.trading.hand_trades import is_by_hand
from internal.trading.order_adoption import ID_PATTERN
from internal.trading.order_planning import client_order_id
from internal.trading.ports import TradingPorts
from internal.trading.position_attribution import SHARE
from internal.trading.rows import BrokerOrder, Order

RECORDS = "hand-trades"
"""The portfolio id of the rows."""


def record_hand_closes(ports: TradingPorts, account: str, recent: Mapping[str, BrokerOrder], moment: datetime) -> None:
    """Write a close for each position that is gone, and that others traded away; asked again, nothing changes.

    Only where the account has nothing left of the name, no order of the fund in it is open, and orders by hand have
    filled for as many shares as the fund had: what is left of a position is shared as before.

    recent: the broker's orders since the last decision, by id. Raises StandbyError when the lease was lost.
    """
    by_ticker: dict[str, list[BrokerOrder]] = {}
    for identity, order in recent.items():
        by_hand = order.filled_quantity > 0 and not ID_PATTERN.match(identity)
        if by_hand and is_by_hand(order, ports.broker, ports.journal):
            by_ticker.setdefault(order.ticker, []).append(order)
    if not by_ticker:
        return
    busy = {order.ticker for order in ports.journal.unfinished()}
    gone = by_ticker.keys() - busy - {position.ticker for position in ports.broker.positions()}
    rows = [_close(ticker, by_ticker[ticker], ports, account, moment) for ticker in sorted(gone)]
    if closed := [row for row in rows if row is not None]:
        ports.lease.require()
        ports.journal.save_orders(closed)


def _close(
    ticker: str, orders: Sequence[BrokerOrder], ports: TradingPorts, account: str, moment: datetime
) -> Order | None:
    """The row; None where the fund held nothing, or less was traded away."""
    last = max(orders, key=lambda order: order.submitted_at)
    fills, security = ports.journal.fills(ticker, last.asset_id), ports.journal.security_of(ticker, last.asset_id)
    if not fills or security is None:
        return None
    own = count_own_shares(ticker, security, fills, exchange_day(moment), ports)
    traded = sum(order.signed_filled_quantity for order in orders)
    if abs(own) < ROUNDING or own * traded >= 0 or abs(traded) < abs(own) - SHARE:
        return None
    day = last_closed_session(last.submitted_at)
    price = last.filled_average_price or fills[-1].reference_price
    return Order(
        portfolio_id=RECORDS,
        date=max(day, next_session(fills[0].date)),  # a close of the session of the opening would not count
        client_order_id=client_order_id(account, f"{RECORDS}|{last.client_order_id}", ticker, Leg.CLOSE, 0),
        ticker=ticker,
        side=OrderSide.SELL if own > 0 else OrderSide.BUY,
        leg=Leg.CLOSE,
        quantity=abs(own),
        reference_price=price,
        reason="closed by hand at the broker",
        updated_at=moment,
        state=OrderState.FILLED,
        filled_quantity=abs(own),
        filled_average_price=price,
        security_id=security,
    )
