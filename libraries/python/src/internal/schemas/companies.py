"""Companies that file with the SEC: one row a company, as its submissions describe it."""

import polars as pl

from internal.schemas.frame_schema import FrameSchema, validate_frame
from internal.schemas.rules import not_blank

COLUMNS: dict[str, pl.DataType] = {
    "central_index_key": pl.String(),  # the SEC's, ten digits
    "name": pl.String(),
    "standard_industrial_classification": pl.String(),  # four digits
    "industry": pl.String(),  # what the code means, in the SEC's words
    "recorded_at": pl.Datetime("ms", "UTC"),  # when this row was recorded
    "facts_read_at": pl.Datetime("ms", "UTC"),  # when its filings were last read, by the vendor's clock; null before
}
NULLABLE = ("name", "standard_industrial_classification", "industry", "facts_read_at")
KEY = ("central_index_key",)
COMPANIES_SCHEMA = FrameSchema("companies", COLUMNS, NULLABLE, KEY, (not_blank("central_index_key"),))


def validate(frame: pl.DataFrame) -> pl.DataFrame:
    """The companies in the schema's column order; SchemaError names rows, columns and checks."""
    return validate_frame(frame, COMPANIES_SCHEMA)
