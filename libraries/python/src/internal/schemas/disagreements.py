"""Figures on which two market data vendors disagree, one row a ticker, day and field, with both values."""

from enum import StrEnum

import polars as pl

from internal.schemas.frame_schema import empty_frame


class ComparedField(StrEnum):
    """What is compared: the figures of a bar, a split's ratio, a day's cash dividends, or whether there is a bar."""

    BAR = "bar"
    OPEN = "open"
    HIGH = "high"
    LOW = "low"
    CLOSE = "close"
    VOLUME = "volume"
    VOLUME_WEIGHTED_AVERAGE_PRICE = "volume_weighted_average_price"
    SPLIT = "split"
    DIVIDEND = "dividend"


COLUMNS: dict[str, pl.DataType] = {
    "date": pl.Date(),  # the session, or the action's effective date
    "ticker": pl.String(),
    "field": pl.String(),  # a ComparedField
    "vendor": pl.String(),  # whose figure the lake holds
    "value": pl.Float64(),  # dollars, shares, new shares for one old; of BAR the close; null where it has none
    "second_vendor": pl.String(),
    "second_value": pl.Float64(),  # null where it has none
    "difference": pl.Float64(),  # relative to the first vendor's; null where one has none
    "compared_at": pl.Datetime("ms", "UTC"),
}


def empty() -> pl.DataFrame:
    """No disagreement, with every column."""
    return empty_frame(COLUMNS)
