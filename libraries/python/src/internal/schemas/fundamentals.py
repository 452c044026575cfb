"""Fundamentals: what companies filed, one row a measure and filing, never changed afterwards.

An amendment is a filing of its own, so that an older row still says what was known before it.
"""

from enum import StrEnum

import polars as pl

from internal.schemas.frame_schema import FrameSchema, Rule, empty_frame, validate_frame
from internal.schemas.rules import not_blank, one_of


class Measure(StrEnum):
    """What a row states: as reported, else the sum and difference of reported periods."""

    NET_INCOME_QUARTER = "net_income_quarter"
    NET_INCOME_TWELVE_MONTHS = "net_income_twelve_months"
    BOOK_EQUITY = "book_equity"
    SHARES_OUTSTANDING = "shares_outstanding"


COLUMNS: dict[str, pl.DataType] = {
    "central_index_key": pl.String(),  # the SEC's, ten digits
    "measure": pl.String(),
    "value": pl.Float64(),
    "unit": pl.String(),  # USD, or shares (of their own day: later splits do not change them)
    "period_start": pl.Date(),  # null for what is stated at one day
    "period_end": pl.Date(),  # for shares the day on the report's cover
    "fiscal_year": pl.Int32(),
    "fiscal_period": pl.String(),  # Q1, Q2, Q3, Q4, FY
    "form": pl.String(),  # 10-Q, 10-K, or either with /A for an amendment
    "accession_number": pl.String(),  # the filing that completed the value
    "filed": pl.Datetime("ms", "UTC"),  # when the SEC accepted that filing
}
NULLABLE = ("period_start", "fiscal_year", "fiscal_period")
KEY = ("central_index_key", "measure", "accession_number")
RULES = (
    not_blank("central_index_key"),
    not_blank("accession_number"),
    one_of("measure", list(Measure)),
    Rule("value_finite", "value", lambda: pl.col("value").is_finite()),
    Rule("filed_after_period", "filed", lambda: pl.col("filed").dt.date() >= pl.col("period_end")),
)
FUNDAMENTALS_SCHEMA = FrameSchema("fundamentals", COLUMNS, NULLABLE, KEY, RULES)
TICKER_COLUMNS: dict[str, pl.DataType] = {"ticker": pl.String(), "security_id": pl.String(), **COLUMNS}
TICKER_FUNDAMENTALS_SCHEMA = FrameSchema(
    "fundamentals", TICKER_COLUMNS, ("security_id", *NULLABLE), ("ticker", "measure"), (not_blank("ticker"), *RULES)
)


def empty() -> pl.DataFrame:
    """No fundamentals, with every column."""
    return empty_frame(COLUMNS)


def validate(frame: pl.DataFrame) -> pl.DataFrame:
    """Stored fundamentals in the schema's column order; SchemaError names rows, columns and checks."""
    return validate_frame(frame, FUNDAMENTALS_SCHEMA)


def validate_of_tickers(frame: pl.DataFrame) -> pl.DataFrame:
    """Fundamentals as of a moment, one row a ticker and measure, in the schema's column order."""
    return validate_frame(frame, TICKER_FUNDAMENTALS_SCHEMA)
