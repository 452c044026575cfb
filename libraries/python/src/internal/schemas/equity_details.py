"""Details of each listed equity, one row a ticker: name, sector, industry, type, exchange, listing dates."""

import polars as pl

from internal.schemas.frame_schema import FrameSchema, empty_frame, validate_frame
from internal.schemas.rules import not_blank

COLUMNS: dict[str, pl.DataType] = {
    "ticker": pl.String(),
    "name": pl.String(),
    "sector": pl.String(),
    "industry": pl.String(),
    "security_type": pl.String(),  # the vendor's code: CS is common stock, ETF a fund, ADRC a depositary receipt, ...
    "primary_exchange": pl.String(),
    "active": pl.Boolean(),
    "listed_date": pl.Date(),
    "delisted_date": pl.Date(),
    "central_index_key": pl.String(),  # the SEC's of its company, ten digits
    "source": pl.String(),  # where the row comes from: file, the vendor, edgar; several are joined by +
    "recorded_at": pl.Datetime("ms", "UTC"),  # when this version was recorded; null before versions were kept
}
ANSWER_COLUMNS: dict[str, pl.DataType] = {
    **COLUMNS,
    "security_id": pl.String(),  # the security that has the ticker, or had it last; null where none is known
    "ticker_since": pl.Date(),  # the first session of that security under the ticker
}
NULLABLE = (
    "name",
    "sector",
    "industry",
    "security_type",
    "primary_exchange",
    "listed_date",
    "delisted_date",
    "central_index_key",
    "recorded_at",
)
KEY = ("ticker",)
RULES = (not_blank("ticker"), not_blank("source"))
EQUITY_DETAILS_SCHEMA = FrameSchema("equity_details", COLUMNS, NULLABLE, KEY, RULES)


def empty() -> pl.DataFrame:
    """No details, with every column."""
    return empty_frame(COLUMNS)


def validate(frame: pl.DataFrame) -> pl.DataFrame:
    """The details in the schema's column order; SchemaError names rows, columns and checks."""
    return validate_frame(frame, EQUITY_DETAILS_SCHEMA)
