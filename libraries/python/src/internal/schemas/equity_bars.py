"""Daily bars of equities, as traded (unadjusted): one row a ticker and session."""

from functools import cache

import polars as pl

from internal.dates import FIRST_DAY, LAST_DAY, sessions_frame
from internal.schemas.frame_schema import FrameSchema, Rule, empty_frame, split_rows, validate_frame
from internal.schemas.rules import not_blank, not_negative, positive, without_strange_characters

COLUMNS: dict[str, pl.DataType] = {
    "ticker": pl.String(),
    "date": pl.Date(),  # the session
    "timestamp": pl.Datetime("ms", "UTC"),  # the session's close
    "open": pl.Float64(),  # dollars a share, as all prices here
    "high": pl.Float64(),
    "low": pl.Float64(),
    "close": pl.Float64(),
    "volume": pl.Float64(),  # shares
    "volume_weighted_average_price": pl.Float64(),
    "transactions": pl.Int64(),
}
NULLABLE = ("volume_weighted_average_price", "transactions")
KEY = ("ticker", "date")
AVERAGE_TOLERANCE = 0.01  # of the price: the average counts some trades that set neither high nor low


@cache
def _session_closes() -> pl.DataFrame:
    return sessions_frame(FIRST_DAY, LAST_DAY)


def _session_close() -> pl.Expr:
    """The close of the row's session; null where its date is not a session."""
    closes = _session_closes()
    return pl.col("date").replace_strict(
        closes.get_column("date"),
        closes.get_column("timestamp"),
        default=None,
        return_dtype=pl.Datetime("ms", "UTC"),
    )


def _average_is_in_range() -> pl.Expr:
    average = pl.col("volume_weighted_average_price")
    return average.is_between(pl.col("low") * (1 - AVERAGE_TOLERANCE), pl.col("high") * (1 + AVERAGE_TOLERANCE))


RULES = (
    not_blank("ticker"),
    without_strange_characters("ticker"),
    Rule("date_is_session", "date", lambda: _session_close().is_not_null()),
    Rule("timestamp_is_session_close", "timestamp", lambda: pl.col("timestamp") == _session_close()),
    positive("open"),
    positive("high"),
    positive("low"),
    positive("close"),
    Rule("low_at_most_open", "low", lambda: pl.col("low") <= pl.col("open")),
    Rule("low_at_most_close", "low", lambda: pl.col("low") <= pl.col("close")),
    Rule("open_at_most_high", "high", lambda: pl.col("open") <= pl.col("high")),
    Rule("close_at_most_high", "high", lambda: pl.col("close") <= pl.col("high")),
    not_negative("volume"),
    positive("volume_weighted_average_price"),
    Rule("volume_weighted_average_price_in_range", "volume_weighted_average_price", _average_is_in_range),
    Rule("transactions_not_negative", "transactions", lambda: pl.col("transactions") >= 0),
    Rule("no_transactions_without_volume", "volume", lambda: (pl.col("volume") > 0) | (pl.col("transactions") == 0)),
    Rule(
        "no_volume_without_transactions", "transactions", lambda: (pl.col("transactions") > 0) | (pl.col("volume") == 0)
    ),
)
EQUITY_BARS_SCHEMA = FrameSchema("equity_bars", COLUMNS, NULLABLE, KEY, RULES)


def empty() -> pl.DataFrame:
    """No bars, with every column."""
    return empty_frame(COLUMNS)


def validate(frame: pl.DataFrame) -> pl.DataFrame:
    """The bars in the schema's column order; SchemaError names rows, columns and checks."""
    return validate_frame(frame, EQUITY_BARS_SCHEMA)


def split_valid(frame: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Split bars into valid ones and others, each with a `reason`: a missing value, a failed rule, or duplicate_key.

    Raises SchemaError when columns or types are wrong, which no single row causes.
    """
    return split_rows(frame, EQUITY_BARS_SCHEMA)
