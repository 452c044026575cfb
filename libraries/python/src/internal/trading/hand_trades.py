"""Names of the fund that a person has traded by hand: they are not opened again for some sessions."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from types import MappingProxyType

from internal.dates import last_closed_session, next_session, previous_session, session_open
from internal.trading.assets import Refusals
from internal.trading.broker_reports import BrokerOrder
from internal.trading.ports import Broker, Journal
from internal.trading.replacements import find_original

RECORDS = "hand-trades"
"""The portfolio id of the journal's rows about shares of the fund's that somebody closed."""


def find_hand_trades(broker: Broker, journal: Journal, day: date, count: int) -> Mapping[str, date]:
    """By ticker the last day in the `count` sessions up to `day` on which somebody else traded a name of the fund.

    An order of the fund that somebody replaced at the broker is still the fund's. An order that was sent earlier and
    filled in these sessions counts by the row that the journal has of it.
    """
    if count == 0:
        return {}
    before = previous_session(day, count)
    rows = ((row.ticker, next_session(row.date)) for row in journal.of(RECORDS) if row.filled_quantity)
    found = {ticker: traded for ticker, traded in sorted(rows, key=lambda one: one[1]) if traded > before}
    for order in broker.orders_since(session_open(before)):
        filled = order.filled_at or order.submitted_at  # sent after a close it fills at the next open
        traded = next_session(last_closed_session(filled))
        if order.filled_quantity > 0 and traded > before and is_by_hand(order, broker, journal):
            found[order.ticker] = max(traded, found.get(order.ticker, date.min))
    return found


def refuse_hand_trades(refused: Refusals, trades: Mapping[str, date], count: int) -> Refusals:
    """The refusals with those of the names that were traded by hand."""
    if not trades:
        return refused
    reasons = {
        ticker: f"somebody traded it by hand on {day}: it may be opened from the close of {_until(day, count)} on"
        for ticker, day in trades.items()
    }
    known = MappingProxyType({**reasons, **refused.reasons})
    return replace(refused, reasons=known, names=frozenset(known))


def is_by_hand(order: BrokerOrder, broker: Broker, journal: Journal) -> bool:
    """Whether somebody else sent the order, in a name that the fund has traded."""
    own = journal.order(order.client_order_id)
    if own is not None or journal.security_of(order.ticker, order.asset_id) is None:
        return False
    return order.replaces is None or journal.order(find_original(order, broker).client_order_id) is None


def _until(day: date, count: int) -> date:
    return next_session(day, count)
