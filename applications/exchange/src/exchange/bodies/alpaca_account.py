"""Alpaca's account and its configurations, with all keys and types of the real answers.

Keys follow recorded answers of the paper API after 2026-07-06, when the pattern-day-trader fields were removed.
"""

from dataclasses import asdict
from decimal import Decimal

from exchange.bodies.alpaca_moments import wire_moment
from exchange.responses.alpaca_account import AccountBody, AccountConfigurationsBody
from internal.venue.account_settings import AccountSettings
from internal.venue.charges import regulatory_fees
from internal.venue.clock import read_clock
from internal.venue.margin_account import buying_power, margin_multiplier, reserved_amount
from internal.venue.money import ZERO, cents, plain
from internal.venue.state import VenueState


def account_body(state: VenueState, as_of: str) -> AccountBody:
    """The account at its last marks; `as_of` is the last closed session."""
    identity, account, settings = state.identity, state.account, state.settings
    orders = state.open_orders.values()
    leverage = margin_multiplier(account, settings.margin_multiplier)
    power = buying_power(account, orders, settings.margin_multiplier)
    initial_margin = cents((account.gross_market_value + reserved_amount(orders)) / leverage)
    unlevered = plain(cents(power / leverage))
    return AccountBody(
        id=identity.account_id,
        admin_configurations={},
        user_configurations=None,
        account_number="PA" + identity.account_id.replace("-", "").upper()[:10],
        status="ACTIVE",
        crypto_status="INACTIVE",
        options_approved_level=0,
        options_trading_level=0,
        currency="USD",
        buying_power=plain(power),
        regt_buying_power=plain(power),
        effective_buying_power=plain(power),
        non_marginable_buying_power=unlevered,
        options_buying_power=unlevered,
        bod_dtbp="0",
        cash=plain(account.cash),
        accrued_fees="0",
        portfolio_value=plain(account.equity),
        trading_blocked=False,
        transfers_blocked=False,
        account_blocked=False,
        created_at=wire_moment(identity.created_at),
        trade_suspended_by_user=settings.suspend_trade,
        multiplier=str(leverage),
        shorting_enabled=leverage > 1 and not settings.no_shorting,
        equity=plain(account.equity),
        last_equity=plain(account.last_equity),
        long_market_value=plain(account.long_market_value),
        short_market_value=plain(account.short_market_value),
        position_market_value=plain(account.gross_market_value),
        initial_margin=plain(initial_margin),
        maintenance_margin=plain(account.maintenance_margin),
        last_maintenance_margin=plain(account.last_maintenance_margin),
        sma=plain(max(account.equity - initial_margin, ZERO)),
        balance_asof=as_of,
        crypto_tier=0,
        intraday_adjustments="0",
        pending_reg_taf_fees=plain(_pending_fees(state)),
    )


def _pending_fees(state: VenueState) -> Decimal:
    """The regulators' fees that the session's close will charge."""
    return regulatory_fees(state.session_trades, read_clock(state.moment).session).total


def configurations_body(settings: AccountSettings) -> AccountConfigurationsBody:
    """The account's settings as Alpaca writes them."""
    return AccountConfigurationsBody(**asdict(settings))
