"""Orders, one row each, by the id that the fund gave it: what was planned, sent and filled."""

import polars as pl

from internal.schemas.frame_schema import FrameSchema, Rule, add_default_columns, empty_frame, validate_frame
from internal.schemas.rules import not_blank, not_negative, one_of, positive

SIDES = ("buy", "sell")
LEGS = ("open", "add", "close")  # from flat, to a position, of a position
ORDER_TYPES = ("market",)
TIMES_IN_FORCE = ("day", "opg", "cls")
STATES = (
    "planned",
    "submitted",
    "partially_filled",
    "filled",
    "canceled",
    "rejected",
    "unresolved",
    "dropped",
)
ADJUSTMENTS = ("none", "cut", "replaced", "trim")  # how an order came to differ from the decision
CLIENT_ORDER_ID_PATTERN = "^[A-Za-z0-9-]{1,48}$"  # what the broker takes

COLUMNS: dict[str, pl.DataType] = {
    "portfolio_id": pl.String(),
    "date": pl.Date(),  # the session at whose close it was decided
    "client_order_id": pl.String(),
    "ticker": pl.String(),
    "side": pl.String(),
    "leg": pl.String(),
    "quantity": pl.Float64(),  # shares
    "reference_price": pl.Float64(),  # the close of date, dollars
    "order_type": pl.String(),
    "time_in_force": pl.String(),
    "state": pl.String(),
    "broker_order_id": pl.String(),
    "filled_quantity": pl.Float64(),  # shares
    "filled_average_price": pl.Float64(),  # dollars
    "reason": pl.String(),  # for people: no rule reads it
    "updated_at": pl.Datetime("ms", "UTC"),
    "adjustment": pl.String(),
    "security_id": pl.String(),  # permanent; null in older rows
    "asset_id": pl.String(),  # the broker's own id of the security
}
DEFAULTS: dict[str, str | bool | float] = {"adjustment": "none"}  # columns that older tables and producers lack
NULLABLE = ("broker_order_id", "filled_average_price", "security_id", "asset_id")
KEY = ("client_order_id",)
RULES = (
    not_blank("portfolio_id"),
    not_blank("ticker"),
    Rule(
        "client_order_id_fits",
        "client_order_id",
        lambda: pl.col("client_order_id").str.contains(CLIENT_ORDER_ID_PATTERN),
    ),
    one_of("side", SIDES),
    one_of("leg", LEGS),
    one_of("order_type", ORDER_TYPES),
    one_of("time_in_force", TIMES_IN_FORCE),
    one_of("state", STATES),
    one_of("adjustment", ADJUSTMENTS),
    not_negative("quantity"),
    positive("reference_price"),
    not_negative("filled_quantity"),
    Rule("filled_at_most_quantity", "filled_quantity", lambda: pl.col("filled_quantity") <= pl.col("quantity") + 1e-9),
    positive("filled_average_price"),
    Rule(
        "fill_has_price",
        "filled_average_price",
        lambda: (pl.col("filled_quantity") == 0).or_(pl.col("filled_average_price").is_not_null()),
    ),
)
ORDERS_SCHEMA = FrameSchema("orders", COLUMNS, NULLABLE, KEY, RULES)


def empty() -> pl.DataFrame:
    """No order, with every column."""
    return empty_frame(COLUMNS)


def validate(frame: pl.DataFrame) -> pl.DataFrame:
    """The orders in the schema's column order, defaults filled in; SchemaError names rows, columns and checks."""
    return validate_frame(add_default_columns(frame, DEFAULTS), ORDERS_SCHEMA)
