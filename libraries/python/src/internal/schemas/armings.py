"""Armings of a live account, one row each; rows are added and never changed."""

import polars as pl

from internal.schemas.frame_schema import FrameSchema, empty_frame, validate_frame
from internal.schemas.rules import not_blank, positive

COLUMNS: dict[str, pl.DataType] = {
    "number": pl.Int64(),  # the highest is in force
    "account_number": pl.String(),
    "digest": pl.String(),  # SHA-256 of strategy, parameters, capital and limits
    "armed_at": pl.Datetime("ms", "UTC"),  # the market's clock
    "armed_by": pl.String(),
    "expires_at": pl.Datetime("ms", "UTC"),  # armed_at where it was taken back
    "dry_run_through": pl.Date(),  # the last session whose orders are only shown
    "evidence_waived": pl.String(),  # the model or strategy without evidence; empty where none had to be named
}
RULES = (positive("number"), not_blank("account_number"), not_blank("digest"), not_blank("armed_by"))
ARMINGS_SCHEMA = FrameSchema("armings", COLUMNS, (), ("number",), RULES)


def empty() -> pl.DataFrame:
    """No arming, with every column."""
    return empty_frame(COLUMNS)


def validate(frame: pl.DataFrame) -> pl.DataFrame:
    """The armings in the schema's column order; SchemaError names rows, columns and checks."""
    return validate_frame(frame, ARMINGS_SCHEMA)
