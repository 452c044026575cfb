"""Writes of predictions and portfolios into the lake, each in one commit."""

import polars as pl

from internal.errors import InvalidRequestError
from internal.lake.store import Lake
from internal.schemas import portfolios, predictions


def store_predictions(lake: Lake, frame: pl.DataFrame) -> int:
    """Replace the predictions of the frame's dates in one commit; the number of rows stored.

    Raises:
        SchemaError: The frame violates its schema.
        InvalidRequestError: The frame is empty.
    """
    checked = predictions.validate(frame)
    _require_rows(checked, "date")
    days = checked.get_column("date").unique().sort()
    start, end = days[0], days[-1]
    other_days = lake.scan("predictions").filter(
        pl.col("date").is_between(start, end) & ~pl.col("date").is_in(days.implode())
    )
    lake.replace_days("predictions", pl.concat([other_days.collect(), checked]), start, end)
    return checked.height


def store_portfolio(lake: Lake, frame: pl.DataFrame) -> int:
    """Replace one portfolio's rows in one commit; the number of rows stored.

    Raises:
        SchemaError: The frame violates its schema.
        InvalidRequestError: The frame is empty or has several portfolios.
    """
    checked = portfolios.validate(frame)
    _require_rows(checked, "portfolio_id")
    identifiers = checked.get_column("portfolio_id").unique().sort().to_list()
    if len(identifiers) > 1:
        raise InvalidRequestError(f"one portfolio a request, not {len(identifiers)}: {', '.join(identifiers[:3])}")
    lake.replace_where("portfolios", checked, portfolio_id=identifiers[0])
    return checked.height


def _require_rows(frame: pl.DataFrame, key: str) -> None:
    if frame.is_empty():
        raise InvalidRequestError(f"the frame has no rows, so no {key} says which rows to replace")
