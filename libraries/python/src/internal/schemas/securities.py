"""Securities and the tickers that they had: one row a security and the sessions in which it had one ticker.

A ticker is a dated alias; the security's id is permanent (docs/decisions/security_identity.md).
"""

from datetime import date

import polars as pl

from internal.schemas.frame_schema import FrameSchema, Rule, empty_frame, validate_frame
from internal.schemas.rules import not_blank

COLUMNS: dict[str, pl.DataType] = {
    "security_id": pl.String(),  # the share class FIGI, else `security_id_of`
    "ticker": pl.String(),
    "start_date": pl.Date(),  # the first session under this ticker
    "end_date": pl.Date(),  # the last one; null while it still has it
    "name": pl.String(),
    "security_type": pl.String(),  # the vendor's code: CS is common stock, ADRC a depositary receipt, ETF a fund, ...
    "primary_exchange": pl.String(),  # ISO 10383
    "composite_figi": pl.String(),
    "share_class_figi": pl.String(),
    "central_index_key": pl.String(),  # the SEC's, ten digits
    "source": pl.String(),  # the vendor, or file
    "recorded_at": pl.Datetime("ms", "UTC"),  # when this row was recorded
}
NULLABLE = (
    "end_date",
    "name",
    "security_type",
    "primary_exchange",
    "composite_figi",
    "share_class_figi",
    "central_index_key",
)
KEY = ("security_id", "start_date")
RULES = (
    not_blank("security_id"),
    not_blank("ticker"),
    not_blank("source"),
    Rule("ends_after_it_starts", "end_date", lambda: pl.col("end_date") >= pl.col("start_date")),
)
SECURITIES_SCHEMA = FrameSchema("securities", COLUMNS, NULLABLE, KEY, RULES)


def security_id_of(source: str, ticker: str, first_session: date) -> str:
    """The id of a security for which no share class FIGI is known: who listed it, under what ticker, and since when."""
    return f"{source}:{ticker}:{first_session.isoformat()}"


def empty() -> pl.DataFrame:
    """No security, with every column."""
    return empty_frame(COLUMNS)


def validate(frame: pl.DataFrame) -> pl.DataFrame:
    """The securities in the schema's column order; SchemaError names rows, columns and checks."""
    return validate_frame(frame, SECURITIES_SCHEMA)
