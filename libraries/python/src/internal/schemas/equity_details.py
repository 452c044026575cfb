"""Details of each listed equity, one row a ticker: name, sector, industry, exchange, listing dates."""

import polars as pl

from internal.schemas.frame_schema import build_schema, empty_frame, validate_frame
from internal.schemas.rules import not_blank

COLUMNS: dict[str, pl.DataType] = {
    "ticker": pl.String(),
    "name": pl.String(),
    "sector": pl.String(),
    "industry": pl.String(),
    "primary_exchange": pl.String(),
    "active": pl.Boolean(),
    "listed_date": pl.Date(),
    "delisted_date": pl.Date(),
    "source": pl.String(),  # where the row comes from: polygon, file, ...
}
NULLABLE = ("name", "sector", "industry", "primary_exchange", "listed_date", "delisted_date")
KEY = ("ticker",)
RULES = (not_blank("ticker"), not_blank("source"))
EQUITY_DETAILS_SCHEMA = build_schema("equity_details", COLUMNS, NULLABLE, KEY, RULES)


def empty() -> pl.DataFrame:
    """No details, with every column."""
    return empty_frame(COLUMNS)


def validate(frame: pl.DataFrame) -> pl.DataFrame:
    """The details in the schema's column order; SchemaError names rows, columns and checks."""
    return validate_frame(frame, EQUITY_DETAILS_SCHEMA)
