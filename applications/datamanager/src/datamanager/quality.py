"""Checks of the vendor's rows: valid rows are typed, the others go to quarantine with a reason. Pure.

The rules of a valid bar are in `internal.schemas`.
"""

from dataclasses import dataclass
from datetime import date

import polars as pl

from internal.dates import session_close
from internal.lake.tables import QUARANTINE_COLUMNS
from internal.schemas import equity_bars

NUMBERS = ("open", "high", "low", "close", "volume", "volume_weighted_average_price", "transactions")


@dataclass(frozen=True)
class CheckedRows:
    """The valid rows, and the others as text with a `reason` each (the columns of the quarantine table)."""

    valid: pl.DataFrame
    quarantined: pl.DataFrame


def check_bars(raw: pl.DataFrame, session: date) -> CheckedRows:
    """Type and check one session's bars.

    Args:
        raw: `datamanager.ports.RAW_BAR_SCHEMA`.
        session: The requested session; a row of another day is quarantined.
    """
    unreadable = [
        pl.when(pl.col(name).is_not_null() & _parse_number(name).is_null()).then(pl.lit(f"{name}_unreadable"))
        for name in NUMBERS
    ]
    other_day = pl.when(pl.col("date").ne_missing(session.isoformat())).then(pl.lit("date_is_not_the_session"))
    rows = raw.with_columns(pl.coalesce(other_day, *unreadable).alias("reason"))
    checked = check_typed_bars(type_bars(rows.filter(pl.col("reason").is_null()), session))
    unparsed = rows.filter(pl.col("reason").is_not_null())
    return CheckedRows(checked.valid, pl.concat([to_quarantine(unparsed), checked.quarantined]))


def check_typed_bars(bars: pl.DataFrame) -> CheckedRows:
    """Check bars by their schema. Equal bars of a ticker and session are one; all that differ are quarantined."""
    valid, invalid = equity_bars.split_valid(bars.unique(maintain_order=True))
    return CheckedRows(valid, to_quarantine(invalid))


def type_bars(rows: pl.DataFrame, session: date) -> pl.DataFrame:
    """Rows of text as bars of the session; a value that is no number is null."""
    return rows.select(
        "ticker",
        pl.lit(session).alias("date"),
        pl.lit(session_close(session)).cast(equity_bars.COLUMNS["timestamp"]).alias("timestamp"),
        *map(_parse_number, NUMBERS),
    )


def _parse_number(name: str) -> pl.Expr:
    """The text as a number of the column's type; null where it is not one. 12.0 is read as the integer 12."""
    number = pl.col(name).cast(pl.Float64, strict=False)
    integer = pl.when(number == number.floor()).then(number)
    return (integer if name == "transactions" else number).cast(equity_bars.COLUMNS[name], strict=False)


def to_quarantine(rows: pl.DataFrame) -> pl.DataFrame:
    """Bars as text in the quarantine's columns, missing columns as null; the writer sets `collected_date`."""
    return rows.select(
        (pl.col(name) if name in rows.columns else pl.lit(None)).cast(kind).alias(name)
        for name, kind in QUARANTINE_COLUMNS.items()
    )
