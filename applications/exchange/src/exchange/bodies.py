"""Alpaca's bodies: account, position, order, asset, clock, calendar, with all keys and types of the real ones.

Knows field names and how numbers are written (strings). Knows no rule. Keys follow recorded answers of the paper API
after 2026-07-06, when the pattern-day-trader fields were removed.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from exchange.activities import wire_moment
from internal.dates import next_session, session_close, session_open
from internal.venue.account_settings import AccountSettings
from internal.venue.clock import NEW_YORK, Phase, Reading
from internal.venue.identity import asset_id
from internal.venue.margin_account import (
    MarginAccount,
    Position,
    buying_power,
    held_for_orders,
    multiplier,
    reserved_amount,
)
from internal.venue.market.listing import Listing
from internal.venue.money import ZERO, cents, plain, round_shares
from internal.venue.orders import Order, TimeInForce

SETTLEMENT_SESSIONS = 1  # T+1 since 2024-05-28
GOOD_TILL_CANCELED = timedelta(days=90)
RATIO_STEP = Decimal("0.0000000001")
EXCHANGES = {"XNYS": "NYSE", "XNAS": "NASDAQ", "ARCX": "ARCA", "XASE": "AMEX", "BATS": "BATS"}


def account_body(
    facts: dict[str, str],
    book: MarginAccount,
    open_orders: Sequence[Order],
    configurations: AccountSettings,
    pending_fees: Decimal,
) -> dict[str, Any]:
    """`GET /v2/account`. `facts` holds account_id, created_at and as_of (the last closed session)."""
    leverage = multiplier(book, configurations.margin_multiplier)
    power = buying_power(book, open_orders, configurations.margin_multiplier)
    initial_margin = cents((book.gross_market_value + reserved_amount(open_orders)) / leverage)
    unlevered = plain(cents(power / leverage))
    return {
        "id": facts["account_id"],
        "admin_configurations": {},
        "user_configurations": None,
        "account_number": "PA" + facts["account_id"].replace("-", "").upper()[:10],
        "status": "ACTIVE",
        "crypto_status": "INACTIVE",
        "options_approved_level": 0,
        "options_trading_level": 0,
        "currency": "USD",
        "buying_power": plain(power),
        "regt_buying_power": plain(power),
        "effective_buying_power": plain(power),
        "non_marginable_buying_power": unlevered,
        "options_buying_power": unlevered,
        "bod_dtbp": "0",
        "cash": plain(book.cash),
        "accrued_fees": "0",
        "portfolio_value": plain(book.equity),
        "trading_blocked": False,
        "transfers_blocked": False,
        "account_blocked": False,
        "created_at": facts["created_at"],
        "trade_suspended_by_user": configurations.suspend_trade,
        "multiplier": str(leverage),
        "shorting_enabled": leverage > 1 and not configurations.no_shorting,
        "equity": plain(book.equity),
        "last_equity": plain(book.last_equity),
        "long_market_value": plain(book.long_market_value),
        "short_market_value": plain(book.short_market_value),
        "position_market_value": plain(book.gross_market_value),
        "initial_margin": plain(initial_margin),
        "maintenance_margin": plain(book.maintenance_margin),
        "last_maintenance_margin": plain(book.last_maintenance_margin),
        "sma": plain(max(book.equity - initial_margin, ZERO)),
        "balance_asof": facts["as_of"],
        "crypto_tier": 0,
        "intraday_adjustments": "0",
        "pending_reg_taf_fees": plain(pending_fees),
    }


def position_body(held: Position, listing: Listing, open_orders: Sequence[Order]) -> dict[str, Any]:
    """One position; quantity, market value and cost basis of a short are negative."""
    free = abs(held.quantity) - held_for_orders(open_orders, held.ticker)
    profit = held.market_value - held.cost_basis
    intraday = cents(held.quantity * held.mark_price - held.intraday_basis)
    sign = 1 if held.quantity > 0 else -1
    return {
        "asset_id": asset_id(held.ticker),
        "symbol": held.ticker,
        "exchange": asset_exchange(listing),
        "asset_class": "us_equity",
        "asset_marginable": True,
        "qty": plain(held.quantity),
        "avg_entry_price": plain(held.average_entry_price),
        "side": "long" if held.quantity > 0 else "short",
        "market_value": plain(held.market_value),
        "cost_basis": plain(held.cost_basis),
        "unrealized_pl": plain(profit),
        "unrealized_plpc": plain(_ratio(profit, abs(held.cost_basis))),
        "unrealized_intraday_pl": plain(intraday),
        "unrealized_intraday_plpc": plain(_ratio(intraday, abs(held.intraday_basis))),
        "current_price": plain(held.mark_price),
        "lastday_price": plain(held.lastday_price),
        "change_today": plain(_ratio(held.mark_price - held.lastday_price, held.lastday_price)),
        "qty_available": plain(sign * round_shares(max(free, ZERO), whole=False)),
    }


def _ratio(part: Decimal, whole: Decimal) -> Decimal:
    return (part / whole).quantize(RATIO_STEP) if whole else ZERO


def order_body(order: Order, *, status: str | None = None) -> dict[str, Any]:
    """One order; `status` overrides the stored one where Alpaca's answer runs ahead of it (`pending_new`)."""
    return {
        "id": order.id,
        "client_order_id": order.client_order_id,
        "created_at": wire_moment(order.submitted_at),
        "updated_at": wire_moment(order.updated_at),
        "submitted_at": wire_moment(order.submitted_at),
        "filled_at": _optional_moment(order.filled_at),
        "expired_at": _optional_moment(order.expired_at),
        "canceled_at": _optional_moment(order.canceled_at),
        "failed_at": None,
        "replaced_at": _optional_moment(order.replaced_at),
        "replaced_by": order.replaced_by,
        "replaces": order.replaces,
        "asset_id": asset_id(order.ticker),
        "symbol": order.ticker,
        "asset_class": "us_equity",
        "notional": _optional_number(order.notional),
        "qty": _optional_number(order.quantity),
        "filled_qty": plain(order.filled_quantity),
        "filled_avg_price": _optional_number(order.filled_average_price),
        "order_class": "",
        "order_type": str(order.type),
        "type": str(order.type),
        "side": str(order.side),
        "position_intent": str(order.position_intent),
        "time_in_force": str(order.time_in_force),
        "limit_price": _optional_number(order.limit_price),
        "stop_price": None,
        "status": status or str(order.status),
        "extended_hours": False,
        "legs": None,
        "trail_percent": None,
        "trail_price": None,
        "hwm": None,
        "subtag": None,
        "source": None,
        "expires_at": wire_moment(expiry(order)),
    }


def expiry(order: Order) -> datetime:
    """When the order ends by itself: at the close of the session that it works in; good-till-canceled after 90 days."""
    local = order.submitted_at.astimezone(NEW_YORK).date()
    session = next_session(local - timedelta(days=1))
    session = session if order.submitted_at < session_close(session) else next_session(session)
    if order.time_in_force is TimeInForce.GTC:
        return session_close(session) + GOOD_TILL_CANCELED
    return session_open(session) if order.time_in_force is TimeInForce.OPG else session_close(session)


def _optional_moment(moment: datetime | None) -> str | None:
    return None if moment is None else wire_moment(moment)


def _optional_number(value: Decimal | None) -> str | None:
    return None if value is None else plain(value)


def asset_exchange(listing: Listing) -> str:
    """Alpaca's name of the listing's exchange; anything else trades over the counter."""
    return EXCHANGES.get(listing.primary_exchange, "OTC")


def asset_body(listing: Listing, day: date) -> dict[str, Any]:
    """One asset as of a day."""
    active = listing.is_active(day)
    return {
        "id": asset_id(listing.ticker),
        "class": "us_equity",
        "exchange": asset_exchange(listing),
        "symbol": listing.ticker,
        "name": listing.name,
        "status": "active" if active else "inactive",
        "tradable": active,
        "marginable": active,
        "maintenance_margin_requirement": 30,
        "margin_requirement_long": "30",
        "margin_requirement_short": "30",
        "shortable": active and listing.shortable,
        "easy_to_borrow": active and listing.easy_to_borrow,
        "fractionable": active and listing.fractionable,
        "attributes": [],
    }


def clock_body(reading: Reading) -> dict[str, Any]:
    """`GET /v2/clock`, in New York time."""
    following = next_session(reading.session)
    opens = reading.session if reading.phase is Phase.PRE_OPEN else following
    closes = following if reading.phase is Phase.CLOSED else reading.session
    return {
        "timestamp": reading.timestamp.astimezone(NEW_YORK).isoformat(),
        "is_open": reading.phase is Phase.OPEN,
        "next_open": session_open(opens).astimezone(NEW_YORK).isoformat(),
        "next_close": session_close(closes).astimezone(NEW_YORK).isoformat(),
    }


def calendar_body(day: date) -> dict[str, str]:
    """One session of `GET /v2/calendar`; times are New York's."""
    return {
        "date": day.isoformat(),
        "open": f"{session_open(day).astimezone(NEW_YORK):%H:%M}",
        "close": f"{session_close(day).astimezone(NEW_YORK):%H:%M}",
        "session_open": "0400",
        "session_close": "2000",
        "settlement_date": next_session(day, SETTLEMENT_SESSIONS).isoformat(),
    }
