"""The universe of one session: each security's type, sector and liquidity, and whether the liquidity rule admits it."""

import polars as pl

from internal.schemas.frame_schema import FrameSchema, Rule, empty_frame, validate_frame
from internal.schemas.rules import not_blank

COLUMNS: dict[str, pl.DataType] = {
    "date": pl.Date(),
    "security_id": pl.String(),  # permanent; null for a ticker of which no security is known
    "ticker": pl.String(),  # the security's name as of the date
    "security_type": pl.String(),  # the vendor's code: CS is common stock
    "sector": pl.String(),
    "median_dollar_volume": pl.Float64(),  # of the sessions of the lookback with a bar, close times volume as traded
    "rank": pl.Int64(),  # by median dollar volume, the largest is 1
    "member": pl.Boolean(),  # whether the liquidity rule admits it on the date
}
NULLABLE = ("security_id", "security_type", "sector")
KEY = ("date", "ticker")
RULES = (
    not_blank("ticker"),
    Rule("not_negative", "median_dollar_volume", lambda: pl.col("median_dollar_volume") >= 0),
    Rule("starts_at_one", "rank", lambda: pl.col("rank") >= 1),
)
UNIVERSE_SCHEMA = FrameSchema("universe", COLUMNS, NULLABLE, KEY, RULES)


def empty() -> pl.DataFrame:
    """No security, with every column."""
    return empty_frame(COLUMNS)


def validate(frame: pl.DataFrame) -> pl.DataFrame:
    """The universe in the schema's column order; SchemaError names rows, columns and checks."""
    return validate_frame(frame, UNIVERSE_SCHEMA)
