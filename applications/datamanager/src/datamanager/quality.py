"""Checks of the vendor's rows: valid rows are typed, the others go to quarantine with a reason. Pure.

The rules of a valid bar are in `internal.schemas`.
"""

from dataclasses import dataclass
from datetime import date

import polars as pl

from internal.dates import session_close
from internal.lake.tables import QUARANTINE_COLUMNS
from internal.schemas import corporate_actions, equity_bars

NUMBERS = ("open", "high", "low", "close", "volume", "volume_weighted_average_price", "transactions")
US_DOLLAR = "USD"


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
    typed = rows.filter(pl.col("reason").is_null()).select(
        "ticker",
        pl.lit(session).alias("date"),
        pl.lit(session_close(session)).cast(equity_bars.COLUMNS["timestamp"]).alias("timestamp"),
        *map(_parse_number, NUMBERS),
    )
    valid, invalid = equity_bars.split_valid(typed)
    unparsed = rows.filter(pl.col("reason").is_not_null())
    return CheckedRows(valid, pl.concat([to_quarantine(unparsed), to_quarantine(invalid)]))


def check_splits(splits: pl.DataFrame) -> CheckedRows:
    """Splits with a ticker, a day and positive ratios; two that contradict each other are both quarantined."""
    reason = pl.coalesce(
        _find_incomplete("split", "execution_date", ["split_from", "split_to"]),
        pl.when(pl.struct("ticker", "execution_date").is_duplicated()).then(pl.lit("split_contradicts_another")),
    )
    rows = splits.unique(maintain_order=True).with_columns(reason.alias("reason"))
    return CheckedRows(
        _select_valid(rows, corporate_actions.SPLITS_COLUMNS), _quarantine_actions(rows, "execution_date")
    )


def check_dividends(dividends: pl.DataFrame) -> CheckedRows:
    """Dividends in US dollars with a ticker, a day and a positive amount, one row a ticker and day.

    A regular and a special dividend of one day are added; the same record received twice counts once.
    """
    other_currency = pl.col("currency").is_not_null() & (pl.col("currency") != US_DOLLAR)
    reason = pl.coalesce(
        _find_incomplete("dividend", "ex_dividend_date", ["cash_amount"]),
        pl.when(other_currency).then(pl.format("dividend_in_{}", "currency")),
    )
    rows = dividends.unique(maintain_order=True).with_columns(reason.alias("reason"))
    valid = (
        _select_valid(rows, corporate_actions.DIVIDENDS_COLUMNS)
        .group_by("ticker", "ex_dividend_date", maintain_order=True)
        .agg(pl.col("cash_amount").sum(), pl.col(corporate_actions.DIVIDENDS_NULLABLE).drop_nulls().first())
        .select(list(corporate_actions.DIVIDENDS_COLUMNS))
    )
    return CheckedRows(valid, _quarantine_actions(rows, "ex_dividend_date"))


def _parse_number(name: str) -> pl.Expr:
    """The text as a number of the column's type; null where it is not one. 12.0 is read as the integer 12."""
    number = pl.col(name).cast(pl.Float64, strict=False)
    integer = pl.when(number == number.floor()).then(number)
    return (integer if name == "transactions" else number).cast(equity_bars.COLUMNS[name], strict=False)


def _find_incomplete(kind: str, day: str, amounts: list[str]) -> pl.Expr:
    """The reason why a corporate action is incomplete; null where it is complete."""
    has_ticker = pl.col("ticker").str.strip_chars().str.len_chars() > 0
    has_amounts = pl.all_horizontal(pl.col(name).is_finite() & (pl.col(name) > 0) for name in amounts)
    return pl.coalesce(
        pl.when(has_ticker.ne_missing(other=True)).then(pl.lit(f"{kind}_without_ticker")),
        pl.when(pl.col(day).is_null()).then(pl.lit(f"{kind}_without_date")),
        pl.when(has_amounts.ne_missing(other=True)).then(pl.lit(f"{kind}_amount_not_positive")),
    )


def _select_valid(rows: pl.DataFrame, columns: dict[str, pl.DataType]) -> pl.DataFrame:
    return rows.filter(pl.col("reason").is_null()).select(list(columns))


def to_quarantine(rows: pl.DataFrame) -> pl.DataFrame:
    """Bars as text in the quarantine's columns, missing columns as null; the writer sets `collected_date`."""
    return rows.select(
        (pl.col(name) if name in rows.columns else pl.lit(None)).cast(kind).alias(name)
        for name, kind in QUARANTINE_COLUMNS.items()
    )


def _quarantine_actions(rows: pl.DataFrame, day: str) -> pl.DataFrame:
    """Corporate actions in the bars' quarantine: ticker and day in their columns, the record in the reason."""
    record = pl.struct(pl.all().exclude("reason")).struct.json_encode()
    return to_quarantine(
        rows.filter(pl.col("reason").is_not_null()).select(
            "ticker", pl.col(day).alias("date"), pl.format("{}: {}", "reason", record).alias("reason")
        )
    )
