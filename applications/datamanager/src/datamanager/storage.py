"""Writes of predictions and portfolios into the lake, each in one commit."""

from dataclasses import dataclass
from datetime import date
from threading import Lock

import polars as pl

from internal.errors import InvalidRequestError
from internal.lake.store import Lake
from internal.schemas import portfolios, predictions

_one_at_a_time = Lock()  # whether a session has forecasts is read before they are added


@dataclass(frozen=True)
class StoredForecasts:
    """How many rows were stored, and how many of them are re-forecasts of sessions that had forecasts."""

    rows: int
    reforecasts: int


def store_predictions(lake: Lake, frame: pl.DataFrame, trained_through: date | None) -> StoredForecasts:
    """Store the first forecasts of a session for good, and later ones as re-forecasts under their model.

    A session's first forecasts are never replaced. Re-forecasts replace those of the same session and model; equal ones
    change nothing.

    Args:
        lake: The lake.
        frame: The forecasts.
        trained_through: The last session of the model's training; None where it is not known.

    Raises:
        SchemaError: The frame violates its schema.
        InvalidRequestError: The frame is empty.
    """
    checked = predictions.validate(frame)
    _require_rows(checked, "date")
    with _one_at_a_time:
        return _store_predictions(lake, checked, trained_through)


def _store_predictions(lake: Lake, checked: pl.DataFrame, trained_through: date | None) -> StoredForecasts:
    days = checked.get_column("date").unique().sort()
    originals = lake.scan("predictions").filter(pl.col("date").is_in(days.implode())).collect()
    known = pl.col("date").is_in(originals.get_column("date").unique().implode())
    first, later = checked.filter(~known), checked.filter(known)
    if not first.is_empty():
        lake.append("predictions", first)
    again = later.join(originals, on=later.columns, how="anti", nulls_equal=True).select("date", "model_version")
    reforecasts = later.join(again.unique(), on=["date", "model_version"], how="semi")
    if not reforecasts.is_empty():
        _replace_reforecasts(lake, reforecasts, trained_through)
    return StoredForecasts(checked.height, reforecasts.height)


def _replace_reforecasts(lake: Lake, frame: pl.DataFrame, trained_through: date | None) -> None:
    """Replace those of the same sessions and models, in one commit."""
    training = pl.lit(trained_through, pl.Date)
    marked = frame.with_columns(trained_through=training, hindsight=training > pl.col("date"))
    start, end = marked.select(pl.col("date").min(), end=pl.col("date").max()).row(0)
    stored = lake.scan("reforecasts").filter(pl.col("date").is_between(start, end)).collect()
    kept = stored.join(marked, on=["date", "model_version"], how="anti")
    lake.replace_days("reforecasts", pl.concat([kept, marked.select(kept.columns)]), start, end)


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
