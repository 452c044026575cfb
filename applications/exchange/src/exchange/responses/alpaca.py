"""Alpaca's answers about orders, positions, assets and activities, with all keys and types of the real ones.

Amounts, prices and quantities are written as text.
"""

from pydantic import BaseModel, Field

from exchange.responses.sparse import SparseBody


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
    failed_at: str | None
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
    order_class: str
    order_type: str
    type: str
    side: str
    position_intent: str
    time_in_force: str
    limit_price: str | None
    stop_price: str | None
    status: str
    extended_hours: bool
    legs: list["OrderBody"] | None
    trail_percent: str | None
    trail_price: str | None
    hwm: str | None
    subtag: None = None
    source: None = None
    expires_at: str


class CanceledOrderBody(BaseModel):
    """One entry of the answer to canceling every order."""

    id: str
    status: int


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
    borrow_status: str
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


class MovementBody(SparseBody):
    """A dividend, fee, split or other movement; fields that the type does not have are left out."""

    activity_type: str
    activity_sub_type: str | None
    created_at: str
    currency: str = "USD"
    date: str
    description: str
    id: str
    net_amount: str
    status: str = "executed"
    symbol: str | None
    qty: str | None
    per_share_amount: str | None
    price: str | None
