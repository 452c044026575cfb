"""Alpaca's positions, and its answer to closing all of them."""

from collections.abc import Collection
from decimal import Decimal

from exchange.bodies.alpaca_market import asset_exchange
from exchange.responses.alpaca import PositionBody
from internal.venue.identity import asset_id
from internal.venue.margin_account import Position, shares_held_for_orders
from internal.venue.market.listing import Listing
from internal.venue.money import ZERO, cents, plain, round_shares
from internal.venue.orders import Order

RATIO_STEP = Decimal("0.0000000001")


def position_body(held: Position, listing: Listing, open_orders: Collection[Order]) -> PositionBody:
    """One position at its mark, with what open orders leave available of it."""
    free = abs(held.quantity) - shares_held_for_orders(open_orders, held.ticker)
    profit = held.market_value - held.cost_basis
    intraday = cents(held.quantity * held.mark_price - held.intraday_basis)
    sign = 1 if held.quantity > 0 else -1
    return PositionBody(
        asset_id=asset_id(listing.permanent_id),
        symbol=held.ticker,
        exchange=asset_exchange(listing),
        asset_class="us_equity",
        asset_marginable=True,
        qty=plain(held.quantity),
        avg_entry_price=plain(held.average_entry_price),
        side="long" if held.quantity > 0 else "short",
        market_value=plain(held.market_value),
        cost_basis=plain(held.cost_basis),
        unrealized_pl=plain(profit),
        unrealized_plpc=plain(_ratio(profit, abs(held.cost_basis))),
        unrealized_intraday_pl=plain(intraday),
        unrealized_intraday_plpc=plain(_ratio(intraday, abs(held.intraday_basis))),
        current_price=plain(held.mark_price),
        lastday_price=plain(held.lastday_price),
        change_today=plain(_ratio(held.mark_price - held.lastday_price, held.lastday_price)),
        qty_available=plain(sign * round_shares(max(free, ZERO), whole=False)),
    )


def _ratio(part: Decimal, whole: Decimal) -> Decimal:
    return (part / whole).quantize(RATIO_STEP) if whole else ZERO
