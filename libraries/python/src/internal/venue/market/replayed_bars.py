"""Checks a table of real bars before it is replayed.

Impossible rows are refused with row, column and what was expected; untradable rows are dropped and counted; odd rows
are played and counted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from internal.dates import FIRST_DAY, LAST_DAY, sessions_frame
from internal.errors import ConfigurationError
from internal.schemas import equity_bars

PRICES = ("open", "high", "low", "close")
REQUIRED = ("ticker", "date", *PRICES, "volume")
AVERAGE = "volume_weighted_average_price"
SHOWN_FAULTS, ROWS_A_FAULT = 8, 3
PRICE_DECIMALS = 4  # the finest tick of US equities; takes away what single precision left behind (112.599998)


class UnplayableTableError(ConfigurationError):
    """A table of bars or details that cannot be played; the sentence names file, row, column and what was expected."""


@dataclass(frozen=True, slots=True)
class TableSource:
    """Where a table came from, for error messages: the file's name, and what the file calls a row (`row` or `line`)."""

    name: str
    row_word: str = "row"


@dataclass(frozen=True)
class ReplayReport:
    """What became of a table's rows: `dropped` counts by reason the rows on which nothing could have been traded.

    `outside_range` counts rows that are played although open, close or average price is outside low..high.
    """

    rows_read: int
    rows_played: int
    dropped: dict[str, int]
    outside_range: int


@dataclass(frozen=True)
class _Rule:
    """`broken` marks the rows that make the file unusable; `column` and `expected` go into the message."""

    column: str
    expected: str
    broken: pl.Expr


def prepare_bars(raw: pl.DataFrame, source: TableSource) -> tuple[pl.DataFrame, ReplayReport]:
    """Check and convert bars: columns ticker, date, open, high, low, close, volume; optional vwap and transactions.

    `vwap` may also be called volume_weighted_average_price; other columns are ignored; rows may stand in any order.
    Prices are rounded to 4 decimals. Dropped: rows with a missing or zero price or volume. Played as they are: prices
    outside low..high.

    Args:
        raw: the table as it was read, with a column `row` that numbers its rows as the file does.
        source: the file's name, for error messages.

    Returns:
        The bars in the columns of `equity_bars`, ordered by date and ticker, and the report.

    Raises:
        UnplayableTableError: missing column, text in a number, impossible price or volume, missing or duplicated key, a
            date that is no XNYS session, no row left to play.
    """
    require_columns(raw, REQUIRED, source)
    raw = raw.rename({"vwap": AVERAGE} if AVERAGE not in raw.columns and "vwap" in raw.columns else {})
    typed = _typed(raw, source)
    _refuse(typed, _impossible(), source)
    tradable = typed.with_columns(_untradable().alias("reason"))
    bars = _finished(tradable.filter(pl.col("reason").is_null()))
    if bars.is_empty():
        raise UnplayableTableError(
            f"{source.name}: none of its {raw.height} rows can be traded; expected prices and volumes above 0"
        )
    counts = tradable.drop_nulls("reason").group_by("reason").len().sort("reason")
    outside = bars.filter(
        pl.any_horizontal(~pl.col("open", "close", AVERAGE).is_between(pl.col("low"), pl.col("high")))
    )
    return bars, ReplayReport(raw.height, bars.height, dict(counts.iter_rows()), outside.height)


def require_columns(frame: pl.DataFrame, required: Sequence[str], source: TableSource) -> None:
    """Raise UnplayableTableError unless the table has the columns."""
    missing = [name for name in required if name not in frame.columns]
    if missing:
        found = ", ".join(name for name in frame.columns if name != "row")
        raise UnplayableTableError(f"{source.name}: missing column {', '.join(missing)}; found {found}")


def _typed(raw: pl.DataFrame, source: TableSource) -> pl.DataFrame:
    """The wanted columns in their types; a cell that does not fit its type is refused, an empty one is null."""
    schema = raw.schema
    numbers = [name for name in (*PRICES, "volume", AVERAGE, "transactions") if name in schema]
    strange = [name for name in numbers if not (schema[name].is_numeric() or schema[name] == pl.String)]
    if strange:
        raise UnplayableTableError(f"{source.name}: column {strange[0]} holds {schema[strange[0]]}; expected numbers")
    typed = raw.select(
        "row",
        pl.col("ticker").cast(pl.String).str.strip_chars().replace("", None),
        _date(schema["date"], source).alias("date"),
        *[_number(name, schema).alias(name) for name in numbers],
    )
    rules = [_misfit("date", "a date such as 2015-01-12", raw, typed)]
    rules += [_misfit(name, "a number", raw, typed) for name in numbers]
    _refuse(typed.with_columns(raw.select(pl.exclude("row").name.prefix("raw_"))), rules, source)
    absent = [name for name in (AVERAGE, "transactions") if name not in schema]
    return typed.with_columns(pl.lit(None, equity_bars.COLUMNS[name]).alias(name) for name in absent)


def _number(name: str, schema: Mapping[str, pl.DataType]) -> pl.Expr:
    text = pl.col(name).str.strip_chars().replace("", None) if schema[name] == pl.String else pl.col(name)
    number = text.cast(pl.Float64, strict=False)
    return number.round().cast(pl.Int64, strict=False) if name == "transactions" else number


def _date(data_type: pl.DataType, source: TableSource) -> pl.Expr:
    if data_type == pl.String:
        return pl.col("date").str.strip_chars().str.to_date("%Y-%m-%d", strict=False)
    if data_type == pl.Date or isinstance(data_type, pl.Datetime):
        return pl.col("date").cast(pl.Date)
    raise UnplayableTableError(f"{source.name}: column date holds {data_type}; expected dates such as 2015-01-12")


def _misfit(name: str, expected: str, raw: pl.DataFrame, typed: pl.DataFrame) -> _Rule:
    """A cell that held something, and holds nothing once it is read as its type."""
    held = raw.get_column(name).is_not_null()
    if raw.schema[name] == pl.String:
        held &= raw.get_column(name).str.strip_chars() != ""
    return _Rule(f"raw_{name}", expected, pl.lit(held & typed.get_column(name).is_null()))


def _impossible() -> list[_Rule]:
    """What no market has ever printed."""
    closes = sessions_frame(FIRST_DAY, LAST_DAY).get_column("date")
    key = pl.struct("ticker", "date")
    return [
        _Rule("ticker", "a ticker", pl.col("ticker").is_null()),
        _Rule("date", "a date", pl.col("date").is_null()),
        _Rule("date", "a session of XNYS", ~pl.col("date").is_in(closes.implode())),
        *[
            _Rule(name, "a finite number, 0 or more", ~pl.col(name).is_finite() | (pl.col(name) < 0))
            for name in (*PRICES, "volume", AVERAGE)
        ],
        _Rule("transactions", "a count, 0 or more", pl.col("transactions") < 0),
        _Rule("ticker", "one row a ticker and date", key.is_duplicated()),
    ]


def _refuse(frame: pl.DataFrame, rules: Sequence[_Rule], source: TableSource) -> None:
    """Raise with the first broken cells of every broken rule."""
    faults = [_faults(frame.filter(rule.broken), rule, source) for rule in rules]
    listed = [fault for found in faults for fault in found]
    if listed:
        raise UnplayableTableError(f"{source.name}: " + "; ".join(listed[:SHOWN_FAULTS]))


def _faults(broken: pl.DataFrame, rule: _Rule, source: TableSource) -> list[str]:
    name = rule.column.removeprefix("raw_")
    more = f" (and {broken.height - ROWS_A_FAULT} more such)" if broken.height > ROWS_A_FAULT else ""
    cells = broken.select("row", rule.column).head(ROWS_A_FAULT).rows()
    where = [(f"{source.row_word} {row}, column {name}", _shown(value)) for row, value in cells]
    faults = [f"{place}: {shown}, expected {rule.expected}" for place, shown in where]
    return [*faults[:-1], faults[-1] + more] if faults else []


def _shown(value: object) -> str:
    return "nothing" if value is None else repr(value) if isinstance(value, str) else str(value)


def _untradable() -> pl.Expr:
    """Why nothing can be traded on a row; null where it can."""
    return pl.coalesce(
        pl.when(pl.any_horizontal(pl.col(*PRICES).is_null())).then(pl.lit("missing price")),
        pl.when(pl.any_horizontal(pl.col(*PRICES).round(PRICE_DECIMALS) == 0)).then(pl.lit("zero price")),
        pl.when(pl.col("volume").is_null()).then(pl.lit("missing volume")),
        pl.when(pl.col("volume") == 0).then(pl.lit("zero volume")),
    )


def _finished(rows: pl.DataFrame) -> pl.DataFrame:
    """Rounded, with the session's close, in the contract's columns; an average price of 0 is an unknown one."""
    closes = sessions_frame(FIRST_DAY, LAST_DAY)
    return (
        rows.join(closes, on="date", how="left")
        .with_columns(pl.col(*PRICES, AVERAGE).round(PRICE_DECIMALS))
        .with_columns(pl.when(pl.col(AVERAGE) > 0).then(pl.col(AVERAGE)).alias(AVERAGE))
        .select(list(equity_bars.COLUMNS))
        .sort("date", "ticker")
    )
