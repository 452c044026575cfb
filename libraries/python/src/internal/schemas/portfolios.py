"""Portfolios, one row a portfolio and ticker: what is held in each name after a decision, and why."""

import polars as pl

from internal.schemas.frame_schema import FrameSchema, Rule, add_default_columns, empty_frame, validate_frame
from internal.schemas.rules import QUANTILES, not_blank, not_negative, one_of, positive, quantile_band

SIDES = ("long", "short")
ACTIONS = ("open", "hold", "close")
CENT = 0.01  # dollars

COLUMNS: dict[str, pl.DataType] = {
    "portfolio_id": pl.String(),
    "date": pl.Date(),  # the session at whose close it was decided
    "ticker": pl.String(),
    "side": pl.String(),
    "action": pl.String(),
    "quantity": pl.Float64(),  # shares after the action; 0 for close
    "dollar_amount": pl.Float64(),  # quantity x reference_price
    "reference_price": pl.Float64(),  # the close of date, dollars
    "opened_date": pl.Date(),
    "entry_price": pl.Float64(),  # dollars
    "quantile_10": pl.Float64(),  # the band that holds: cumulative simple return from entry
    "quantile_50": pl.Float64(),
    "quantile_90": pl.Float64(),
    "reason": pl.String(),  # for people: no rule reads it
    "model_version": pl.String(),
    "bars_version": pl.Int64(),
    "frozen": pl.Boolean(),  # the position must not be touched
    "held": pl.Float64(),  # shares before the action
    "security_id": pl.String(),  # permanent; empty in older rows
}
DEFAULTS: dict[str, str | bool | float] = {
    "frozen": False,
    "held": 0.0,
    "security_id": "",
}  # columns that older tables and producers lack
KEY = ("portfolio_id", "ticker")


def _amount_agrees() -> pl.Expr:
    """dollar_amount is quantity x reference_price, to a cent or one part in a million."""
    exact = pl.col("quantity") * pl.col("reference_price")
    return (pl.col("dollar_amount") - exact).abs() <= pl.max_horizontal(pl.lit(CENT), exact.abs() * 1e-6)


RULES = (
    not_blank("portfolio_id"),
    not_blank("ticker"),
    one_of("side", SIDES),
    one_of("action", ACTIONS),
    not_negative("held"),
    not_negative("quantity"),
    Rule("closed_holds_nothing", "quantity", lambda: (pl.col("action") != "close").or_(pl.col("quantity") == 0)),
    not_negative("dollar_amount"),
    positive("reference_price"),
    positive("entry_price"),
    Rule("dollar_amount_is_quantity_times_price", "dollar_amount", _amount_agrees),
    *quantile_band(),
)
NULLABLE = (*QUANTILES, "security_id")
PORTFOLIOS_SCHEMA = FrameSchema("portfolios", COLUMNS, NULLABLE, KEY, RULES)


def empty() -> pl.DataFrame:
    """No portfolio, with every column."""
    return empty_frame(COLUMNS)


def validate(frame: pl.DataFrame) -> pl.DataFrame:
    """The portfolios in the schema's column order, defaults filled in; SchemaError names rows, columns and checks."""
    return validate_frame(add_default_columns(frame, DEFAULTS), PORTFOLIOS_SCHEMA)
