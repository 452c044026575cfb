"""The rows of a file of bars: their types, which of them are impossible, and which cannot be used."""

from dataclasses import dataclass

import polars as pl

from internal.bar_files.checks import Rule, refuse_broken
from internal.bar_files.columns import ADJUSTED_CLOSE, AVERAGE
from internal.bar_files.errors import TableFileError
from internal.bar_files.known_table import KnownTable
from internal.bar_files.numbers_in_text import NumberStyle, clean_cells, find_style, parse_numbers
from internal.bar_files.session_dates import SessionDates, parse_dates
from internal.dates import FIRST_DAY, LAST_DAY, sessions_frame
from internal.schemas import equity_bars

PRICES = ("open", "high", "low", "close")
NUMBERS = (*PRICES, "volume", AVERAGE, "transactions")
PRICE_DECIMALS = 4  # the finest tick of US equities; takes away what single precision left behind (112.599998)


@dataclass(frozen=True)
class TypedBars:
    """Every row in its types, with `row` and `file`; how dates are written, and numbers where they are not plain."""

    frame: pl.DataFrame
    dates: SessionDates
    numbers: str | None


def type_bars(table: KnownTable) -> TypedBars:
    """The rows in their types; an empty cell is null. TableFileError for a cell that does not fit its type."""
    raw, source = table.frame, table.source.name
    present = [name for name in NUMBERS if name in raw.columns]
    _require_numbers(table, present)
    style = find_style(raw, [name for name in present if raw.schema[name] == pl.String], source)
    dates = parse_dates(raw.get_column("date"), source)
    numbers = [_numbers(raw.get_column(name), style) for name in present]
    ticker = pl.col("ticker").cast(pl.String).str.strip_chars().replace("", None)
    typed = raw.select("row", "file", ticker).with_columns(dates.days.alias("date"), *numbers)
    expected = dict.fromkeys(present, "a number") | {"date": "a date such as 2015-01-12"}
    rules = [Rule(name, what, pl.lit(_misfits(raw, typed, name))) for name, what in expected.items()]
    refuse_broken(typed, rules, table, raw)
    absent = [pl.lit(None, pl.Float64).alias(name) for name in (AVERAGE, "transactions") if name not in raw.columns]
    adjusted = [_adjusted_close(raw, style)] if ADJUSTED_CLOSE in raw.columns else []
    return TypedBars(typed.with_columns(*absent, *adjusted), dates, _describe(style))


def _require_numbers(table: KnownTable, names: list[str]) -> None:
    for name in names:
        kind = table.frame.schema[name]
        if not (kind.is_numeric() or kind == pl.String):
            column = table.name_in_file(name)
            raise TableFileError(f"{table.source.name}: column {column} holds {kind}; expected numbers")


def _describe(style: NumberStyle) -> str | None:
    return None if style is NumberStyle.PLAIN else f"written as {style.value}"


def _numbers(column: pl.Series, style: NumberStyle) -> pl.Series:
    numbers = parse_numbers(column, style) if column.dtype == pl.String else column.cast(pl.Float64).fill_nan(None)
    return numbers.round() if column.name == "transactions" else numbers


def _adjusted_close(raw: pl.DataFrame, style: NumberStyle) -> pl.Series:
    """The adjusted closes; they are only compared, so a cell that is no number is null."""
    column = raw.get_column(ADJUSTED_CLOSE)
    kind = column.dtype
    return (
        _numbers(column, style)
        if kind.is_numeric() or kind == pl.String
        else pl.Series(ADJUSTED_CLOSE, [None], dtype=pl.Float64)
    )


def _misfits(raw: pl.DataFrame, typed: pl.DataFrame, name: str) -> pl.Series:
    """The cells that held something, and hold nothing once they are read as their type."""
    cells, unread = raw.get_column(name), typed.get_column(name).is_null()
    if not unread.any():
        return unread
    if cells.dtype == pl.String:
        return unread & clean_cells(cells).is_not_null()
    return unread & (cells.is_not_nan() & cells.is_not_null() if cells.dtype.is_float() else cells.is_not_null())


def mark_unusable(typed: pl.DataFrame) -> pl.DataFrame:
    """The rows with `reason`: why a row is left out, null where it is used."""
    values = ["ticker", "date", *NUMBERS]
    is_repeated = pl.lit(value=False)
    if typed.select(pl.struct("ticker", "date").is_duplicated().any()).item():  # cheaper than to compare whole rows
        is_repeated = ~pl.struct(values).is_first_distinct()
    is_blank = pl.all_horizontal(pl.col(values).is_null())
    reason = pl.coalesce(
        pl.when(is_blank).then(pl.lit("blank")),
        pl.when(pl.any_horizontal(pl.col(*PRICES).is_null())).then(pl.lit("missing price")),
        pl.when(pl.any_horizontal(pl.col(*PRICES).round(PRICE_DECIMALS) == 0)).then(pl.lit("zero price")),
        pl.when(pl.col("volume").is_null()).then(pl.lit("missing volume")),
        pl.when(pl.col("volume") == 0).then(pl.lit("zero volume")),
        pl.when(is_repeated).then(pl.lit("the same row again")),
    )
    return typed.with_columns(reason.alias("reason"))


def refuse_impossible(rows: pl.DataFrame, table: KnownTable, *, has_time_of_day: bool) -> None:
    """Raise TableFileError for what no market has ever printed, or for two rows of one ticker and session."""
    closes = sessions_frame(FIRST_DAY, LAST_DAY).get_column("date")
    hint = "; bars of less than a day are not read" if has_time_of_day else ""
    rules = [
        Rule("ticker", "a ticker", pl.col("ticker").is_null()),
        Rule("ticker", "a ticker without control characters", pl.col("ticker").str.contains(r"[[:cntrl:]]")),
        Rule("date", "a date", pl.col("date").is_null()),
        Rule("date", "a session of XNYS", ~pl.col("date").is_in(closes.implode())),
        *[
            Rule(name, "a finite number, 0 or more", ~pl.col(name).is_finite() | (pl.col(name) < 0))
            for name in (*PRICES, "volume", AVERAGE)
        ],
        Rule("transactions", "a count, 0 or more", pl.col("transactions") < 0),
        Rule("ticker", f"one row a ticker and date{hint}", pl.struct("ticker", "date").is_duplicated()),
    ]
    refuse_broken(rows, rules, table, rows)


def finish_bars(rows: pl.DataFrame) -> pl.DataFrame:
    """Rounded, with the session's close, in the columns of `equity_bars`; an average price of 0 is an unknown one.

    The rows stay in their order.
    """
    closes = sessions_frame(FIRST_DAY, LAST_DAY)
    return (
        rows.join(closes, on="date", how="left", maintain_order="left")
        .with_columns(pl.col(*PRICES, AVERAGE).round(PRICE_DECIMALS))
        .with_columns(pl.when(pl.col(AVERAGE) > 0).then(pl.col(AVERAGE)).alias(AVERAGE))
        .select(pl.col(name).cast(kind) for name, kind in equity_bars.COLUMNS.items())
    )
