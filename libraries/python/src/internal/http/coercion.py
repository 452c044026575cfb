"""Converts texts and numbers of a body to a schema's types; a value that does not fit is an error, never null."""

from collections.abc import Mapping

import polars as pl

from internal.errors import InvalidRequestError
from internal.schemas.frame_schema import add_default_columns

TRUTHS = {"true": True, "false": False}


def _parsed_text(column: str, target: pl.DataType) -> pl.Expr:
    text = pl.col(column).str.strip_chars()
    text = pl.when(text != "").then(text)  # an empty CSV cell is a missing value
    if isinstance(target, pl.Date):
        return text.str.to_date("%Y-%m-%d", strict=False)
    if isinstance(target, pl.Datetime):
        return text.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%#z", strict=False, time_unit="ms").cast(target)
    if isinstance(target, pl.Boolean):
        return text.str.to_lowercase().replace_strict(TRUTHS, default=None, return_dtype=pl.Boolean)
    return text.cast(target, strict=False)


def _converted(column: str, source: pl.DataType, target: pl.DataType) -> pl.Expr:
    """The column in the target's type, null where a value does not fit."""
    if source == target or isinstance(source, pl.Null):
        return pl.col(column).cast(target)
    if isinstance(source, pl.String):
        return _parsed_text(column, target)
    return pl.col(column).cast(target, strict=False)


def _loses(column: str, source: pl.DataType, target: pl.DataType) -> pl.Expr:
    """Where the conversion would lose something: a value that does not fit, or the fraction of a number."""
    converted = _converted(column, source, target)
    given = pl.col(column).str.strip_chars() != "" if isinstance(source, pl.String) else pl.col(column).is_not_null()
    unread = given & converted.is_null()
    return unread | (converted != pl.col(column)) if source.is_float() and target.is_integer() else unread


def _require_same_kind(column: str, source: pl.DataType, target: pl.DataType) -> None:
    """Refuse to convert between kinds: number and text, naive and zoned moment, date and number."""
    numbers = source.is_numeric() and target.is_numeric()
    moments = isinstance(source, pl.Datetime) and isinstance(target, pl.Datetime) and source.time_zone is not None
    if not (source == target or isinstance(source, pl.Null | pl.String) or numbers or moments):
        raise InvalidRequestError(f"column {column} is {source}; {target} was expected")


def _require_columns(frame: pl.DataFrame, schema: Mapping[str, pl.DataType]) -> None:
    missing = [name for name in schema if name not in frame.columns]
    unknown = [name for name in frame.columns if name not in schema]
    complaints = [f"missing columns: {', '.join(missing)}"] * bool(missing)
    complaints += [f"unknown columns: {', '.join(unknown)}"] * bool(unknown)
    if complaints:
        raise InvalidRequestError("; ".join(complaints))


def coerce(
    frame: pl.DataFrame, schema: Mapping[str, pl.DataType], defaults: Mapping[str, str | bool | float] | None = None
) -> pl.DataFrame:
    """Exactly the schema's columns, in its order and types; a column with a default may be left out.

    Raises InvalidRequestError that names missing or unknown columns, or the first row, column and value that does not
    fit. A frame without columns and rows (an empty JSON list) becomes an empty frame of the schema.
    """
    if frame.width == 0:
        return pl.DataFrame(schema=dict(schema))
    frame = add_default_columns(frame, defaults or {})
    _require_columns(frame, schema)
    for column, target in schema.items():
        _require_same_kind(column, frame.schema[column], target)
        misfits = frame.with_row_index("row").filter(_loses(column, frame.schema[column], target))
        if misfits.height:
            row, value = misfits.item(0, "row"), misfits.item(0, column)
            raise InvalidRequestError(
                f"row {row}, column {column}: {value!r} is not {target} ({misfits.height} such rows)"
            )
    return frame.select(_converted(name, frame.schema[name], target).alias(name) for name, target in schema.items())
