"""Forecasts: for each ticker and each of the next seven sessions, three quantiles of the cumulative simple return."""

import polars as pl

from internal.schemas.frame_schema import FrameSchema, Rule, empty_frame, validate_frame
from internal.schemas.rules import after, not_blank, quantile_band

HORIZON = 7  # sessions

COLUMNS: dict[str, pl.DataType] = {
    "date": pl.Date(),  # the origin: the last session whose close was known
    "ticker": pl.String(),
    "target_date": pl.Date(),
    "horizon": pl.Int8(),  # sessions from date to target_date, 1..7
    "quantile_10": pl.Float64(),  # simple return from the close of date to the close of target_date
    "quantile_50": pl.Float64(),
    "quantile_90": pl.Float64(),
    "model_version": pl.String(),
    "bars_version": pl.Int64(),  # the Delta version of equity_bars that the forecast saw
}
REFORECASTS_COLUMNS: dict[str, pl.DataType] = {
    **COLUMNS,
    "trained_through": pl.Date(),  # the last session of the model's training; null where nobody said
    "hindsight": pl.Boolean(),  # whether that is after `date`: the model knew what came; null where it is not known
}
KEY = ("date", "ticker", "horizon")
RULES = (
    not_blank("ticker"),
    not_blank("model_version"),
    Rule("horizon_in_range", "horizon", lambda: pl.col("horizon").is_between(1, HORIZON)),
    after("target_date", "date"),
    *quantile_band(),
)
PREDICTIONS_SCHEMA = FrameSchema("predictions", COLUMNS, (), KEY, RULES)


def empty() -> pl.DataFrame:
    """No predictions, with every column."""
    return empty_frame(COLUMNS)


def validate(frame: pl.DataFrame) -> pl.DataFrame:
    """The predictions in the schema's column order; SchemaError names rows, columns and checks."""
    return validate_frame(frame, PREDICTIONS_SCHEMA)
