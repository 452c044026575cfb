"""What is let through and what waits in quarantine, with the reason.

Knows how to type the vendor's text and which row is to blame; what a sound bar is stands in `internal.schemas`. Pure:
frames in, frames out.
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
class Judged:
    """Rows that passed, and the others as text with a `reason` each (columns of the quarantine table)."""

    sound: pl.DataFrame
    quarantined: pl.DataFrame


def judge_bars(raw: pl.DataFrame, session: date) -> Judged:
    """One session's bars, typed and checked.

    Args:
        raw: `datamanager.ports.RAW_BAR_SCHEMA`.
        session: the session that was asked for; a row of another day is not let through.
    """
    unreadable = [
        pl.when(pl.col(name).is_not_null() & _number(name).is_null()).then(pl.lit(f"{name}_unreadable"))
        for name in NUMBERS
    ]
    elsewhere = pl.when(pl.col("date").ne_missing(session.isoformat())).then(pl.lit("date_is_not_the_session"))
    read = raw.with_columns(pl.coalesce(elsewhere, *unreadable).alias("reason"))
    typed = read.filter(pl.col("reason").is_null()).select(
        "ticker",
        pl.lit(session).alias("date"),
        pl.lit(session_close(session)).cast(equity_bars.COLUMNS["timestamp"]).alias("timestamp"),
        *map(_number, NUMBERS),
    )
    sound, unsound = equity_bars.split_valid(typed)
    return Judged(sound, pl.concat([_quarantine(read.filter(pl.col("reason").is_not_null())), _quarantine(unsound)]))


def judge_splits(splits: pl.DataFrame) -> Judged:
    """Splits with a ticker, a day and positive shares; two that contradict each other are both held back."""
    reason = pl.coalesce(
        _incomplete("split", "execution_date", ["split_from", "split_to"]),
        pl.when(pl.struct("ticker", "execution_date").is_duplicated()).then(pl.lit("split_contradicts_another")),
    )
    judged = splits.unique(maintain_order=True).with_columns(reason.alias("reason"))
    return Judged(_sound(judged, corporate_actions.SPLITS_COLUMNS), _quarantine_actions(judged, "execution_date"))


def judge_dividends(dividends: pl.DataFrame) -> Judged:
    """Dividends in US dollars with a ticker, a day and a positive amount, one row a ticker and day.

    A regular and a special dividend of one day add up; the same record sent twice counts once.
    """
    foreign = pl.col("currency").is_not_null() & (pl.col("currency") != US_DOLLAR)
    reason = pl.coalesce(
        _incomplete("dividend", "ex_dividend_date", ["cash_amount"]),
        pl.when(foreign).then(pl.format("dividend_in_{}", "currency")),
    )
    judged = dividends.unique(maintain_order=True).with_columns(reason.alias("reason"))
    sound = (
        _sound(judged, corporate_actions.DIVIDENDS_COLUMNS)
        .group_by("ticker", "ex_dividend_date", maintain_order=True)
        .agg(pl.col("cash_amount").sum(), pl.col(corporate_actions.DIVIDENDS_NULLABLE).drop_nulls().first())
        .select(list(corporate_actions.DIVIDENDS_COLUMNS))
    )
    return Judged(sound, _quarantine_actions(judged, "ex_dividend_date"))


def _number(name: str) -> pl.Expr:
    """The text as a number of the bar's type; null where it is none, 12.0 counts as the whole number 12."""
    number = pl.col(name).cast(pl.Float64, strict=False)
    whole = pl.when(number == number.floor()).then(number)
    return (whole if name == "transactions" else number).cast(equity_bars.COLUMNS[name], strict=False)


def _incomplete(kind: str, day: str, amounts: list[str]) -> pl.Expr:
    amount_ok = pl.all_horizontal(pl.col(name).is_finite() & (pl.col(name) > 0) for name in amounts)
    return pl.coalesce(
        pl.when((pl.col("ticker").str.strip_chars().str.len_chars() > 0).ne_missing(other=True)).then(
            pl.lit(f"{kind}_without_ticker")
        ),
        pl.when(pl.col(day).is_null()).then(pl.lit(f"{kind}_without_date")),
        pl.when(amount_ok.ne_missing(other=True)).then(pl.lit(f"{kind}_amount_not_positive")),
    )


def _sound(judged: pl.DataFrame, columns: dict[str, pl.DataType]) -> pl.DataFrame:
    return judged.filter(pl.col("reason").is_null()).select(list(columns))


def _quarantine(rows: pl.DataFrame) -> pl.DataFrame:
    """Bars as text in the quarantine's columns, whatever they lack null; `collected_date` is the writer's to set."""
    return rows.select(
        (pl.col(name) if name in rows.columns else pl.lit(None)).cast(kind).alias(name)
        for name, kind in QUARANTINE_COLUMNS.items()
    )


def _quarantine_actions(judged: pl.DataFrame, day: str) -> pl.DataFrame:
    """Corporate actions in the bars' quarantine: ticker and day in their columns, the record inside the reason."""
    record = pl.struct(pl.all().exclude("reason")).struct.json_encode()
    return _quarantine(
        judged.filter(pl.col("reason").is_not_null()).select(
            "ticker", pl.col(day).alias("date"), pl.format("{}: {}", "reason", record).alias("reason")
        )
    )
