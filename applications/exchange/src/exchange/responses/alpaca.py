"""Alpaca's answers, with all keys and types of the real ones; amounts, prices and quantities are written as text.

Keys follow recorded answers of the paper API after 2026-07-06, when the pattern-day-trader fields were removed.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class OrderBody(BaseModel):
    """One order; quantities in shares and prices in dollars, written as text."""

    id: str
    client_order_id: str
    created_at: str
    updated_at: str
    submitted_at: str
    filled_at: str | None
    expired_at: str | None
    canceled_at: str | None
    failed_at: None = None
    replaced_at: str | None
    replaced_by: str | None
    replaces: str | None
    asset_id: str
    symbol: str
    asset_class: str = "us_equity"
    notional: str | None
    qty: str | None
    filled_qty: str
    filled_avg_price: str | None
    order_class: str = ""
    order_type: str
    type: str
    side: str
    position_intent: str
    time_in_force: str
    limit_price: str | None
    stop_price: None = None
    status: str
    extended_hours: bool = False
    legs: None = None
    trail_percent: None = None
    trail_price: None = None
    hwm: None = None
    subtag: None = None
    source: None = None
    expires_at: str


class CanceledOrderBody(BaseModel):
    """One entry of the answer to canceling every order."""

    id: str
    status: int


class AccountBody(BaseModel):
    """`GET /v2/account`; amounts are dollars, written as text."""

    id: str
    admin_configurations: dict[str, str]
    user_configurations: None
    account_number: str
    status: str
    crypto_status: str
    options_approved_level: int
    options_trading_level: int
    currency: str
    buying_power: str
    regt_buying_power: str
    effective_buying_power: str
    non_marginable_buying_power: str
    options_buying_power: str
    bod_dtbp: str
    cash: str
    accrued_fees: str
    portfolio_value: str
    trading_blocked: bool
    transfers_blocked: bool
    account_blocked: bool
    created_at: str
    trade_suspended_by_user: bool
    multiplier: str
    shorting_enabled: bool
    equity: str
    last_equity: str
    long_market_value: str
    short_market_value: str
    position_market_value: str
    initial_margin: str
    maintenance_margin: str
    last_maintenance_margin: str
    sma: str
    balance_asof: str
    crypto_tier: int
    intraday_adjustments: str
    pending_reg_taf_fees: str


class AccountConfigurationsBody(BaseModel):
    """`/v2/account/configurations`; what a PATCH leaves out stays."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    disable_overnight_trading: bool
    fractional_trading: bool
    max_margin_multiplier: Literal["1", "2", "4"]
    max_options_trading_level: int | None
    no_shorting: bool
    ptp_no_exception_entry: bool
    suspend_trade: bool
    trade_confirm_email: Literal["all", "none"]


class PositionBody(BaseModel):
    """One position; quantity, market value and cost basis of a short are negative."""

    asset_id: str
    symbol: str
    exchange: str
    asset_class: str
    asset_marginable: bool
    qty: str
    avg_entry_price: str
    side: str
    market_value: str
    cost_basis: str
    unrealized_pl: str
    unrealized_plpc: str
    unrealized_intraday_pl: str
    unrealized_intraday_plpc: str
    current_price: str
    lastday_price: str
    change_today: str
    qty_available: str


class ClosedPositionBody(BaseModel):
    """What became of closing one position: the order, or its refusal."""

    symbol: str
    status: int
    body: OrderBody | dict[str, str | int]


class AssetBody(BaseModel):
    """One asset."""

    id: str
    asset_class: str = Field(serialization_alias="class")
    exchange: str
    symbol: str
    name: str
    status: str
    tradable: bool
    marginable: bool
    maintenance_margin_requirement: int
    margin_requirement_long: str
    margin_requirement_short: str
    shortable: bool
    easy_to_borrow: bool
    fractionable: bool
    attributes: list[str]


class ClockBody(BaseModel):
    """`GET /v2/clock`, in New York time."""

    timestamp: str
    is_open: bool
    next_open: str
    next_close: str


class CalendarDayBody(BaseModel):
    """One session of `GET /v2/calendar`; times are New York's."""

    date: str
    open: str
    close: str
    session_open: str
    session_close: str
    settlement_date: str


class FillBody(BaseModel):
    """One fill."""

    activity_type: str
    cum_qty: str
    id: str
    leaves_qty: str
    order_id: str
    order_status: str
    price: str
    qty: str
    side: str
    symbol: str
    transaction_time: str
    type: str


class MovementBody(BaseModel):
    """A dividend, fee, split or other movement; fields that the type does not have are left out."""

    activity_type: str
    date: str
    description: str
    id: str
    net_amount: str
    status: str = "executed"
    symbol: str | None
    qty: str | None
    per_share_amount: str | None
    price: str | None
