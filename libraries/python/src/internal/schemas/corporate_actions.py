"""Splits and cash dividends, by the day on which they take effect; `internal.price_adjustment` applies them."""

import polars as pl

from internal.schemas.frame_schema import FrameSchema, empty_frame, validate_frame
from internal.schemas.rules import not_blank, positive

SPLITS_COLUMNS: dict[str, pl.DataType] = {
    "ticker": pl.String(),
    "execution_date": pl.Date(),  # the first session that trades split
    "split_from": pl.Float64(),  # old shares
    "split_to": pl.Float64(),  # new shares: from 1 to 20 is "20 for 1"
}
DIVIDENDS_COLUMNS: dict[str, pl.DataType] = {
    "ticker": pl.String(),
    "ex_dividend_date": pl.Date(),  # the first session that trades without it
    "cash_amount": pl.Float64(),  # dollars a share
    "declaration_date": pl.Date(),
    "record_date": pl.Date(),
    "pay_date": pl.Date(),
}
DIVIDENDS_NULLABLE = ("declaration_date", "record_date", "pay_date")
SPLITS_SCHEMA = FrameSchema(
    "splits",
    SPLITS_COLUMNS,
    (),
    ("ticker", "execution_date"),
    (not_blank("ticker"), positive("split_from"), positive("split_to")),
)
DIVIDENDS_SCHEMA = FrameSchema(
    "dividends",
    DIVIDENDS_COLUMNS,
    DIVIDENDS_NULLABLE,
    ("ticker", "ex_dividend_date"),
    (not_blank("ticker"), positive("cash_amount")),
)


def empty_splits() -> pl.DataFrame:
    """No splits, with every column."""
    return empty_frame(SPLITS_COLUMNS)


def empty_dividends() -> pl.DataFrame:
    """No dividends, with every column."""
    return empty_frame(DIVIDENDS_COLUMNS)


def validate_splits(frame: pl.DataFrame) -> pl.DataFrame:
    """The splits in the schema's column order; SchemaError names rows, columns and checks."""
    return validate_frame(frame, SPLITS_SCHEMA)


def validate_dividends(frame: pl.DataFrame) -> pl.DataFrame:
    """The dividends in the schema's column order; SchemaError names rows, columns and checks."""
    return validate_frame(frame, DIVIDENDS_SCHEMA)
