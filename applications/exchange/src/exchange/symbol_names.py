"""The tickers that a security had, as Alpaca's `asof` maps a symbol to them: from the market's name changes. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from internal.action_kinds import ActionKind

ONE_DAY = timedelta(days=1)
NAMES_SCHEMA = pl.Schema({"symbol": pl.String, "ticker": pl.String, "first": pl.Date, "last": pl.Date})


@dataclass(frozen=True)
class NameChange:
    """From `day` on, what was called `old` is called `new`."""

    old: str
    new: str
    day: date


@dataclass(frozen=True)
class Name:
    """One ticker of a security, and the days on which it had it, both included."""

    ticker: str
    first: date = date.min
    last: date = date.max


def name_changes_of(actions: pl.DataFrame) -> list[NameChange]:
    """The name changes among corporate actions, oldest first."""
    renames = actions.filter(pl.col("kind") == ActionKind.NAME_CHANGE.value).sort("effective_date")
    return [NameChange(*row) for row in renames.select("ticker", "new_ticker", "effective_date").iter_rows()]


def find_names(symbol: str, as_of: date, changes: Sequence[NameChange]) -> list[Name]:
    """Every ticker of the security that is called `symbol` on the day `as_of`, oldest first."""
    begun = max((change.day for change in changes if change.new == symbol and change.day <= as_of), default=date.min)
    ended = min((change.day for change in changes if change.old == symbol and change.day > as_of), default=None)
    own = Name(symbol, begun, date.max if ended is None else ended - ONE_DAY)
    return [*reversed(list(_earlier(own, changes))), own, *_later(own, changes)]


def make_names_frame(symbols: Sequence[str], as_of: date | None, changes: Sequence[NameChange]) -> pl.DataFrame:
    """`NAMES_SCHEMA`: each symbol's tickers; without `as_of` a symbol is its own ticker on every day."""
    names = {
        symbol: [Name(symbol)] if as_of is None or not changes else find_names(symbol, as_of, changes)
        for symbol in symbols
    }
    rows = [(symbol, name.ticker, name.first, name.last) for symbol, found in names.items() for name in found]
    return pl.DataFrame(rows, schema=NAMES_SCHEMA, orient="row")


def name_by_symbol(rows: pl.DataFrame, names: pl.DataFrame, day: str) -> pl.DataFrame:
    """The rows of the named tickers on their days, with the column `ticker` holding the symbol that was asked for."""
    return (
        rows.join(names, on="ticker", how="inner", maintain_order="left")
        .filter(pl.col(day).is_between("first", "last"))
        .with_columns(pl.col("symbol").alias("ticker"))
        .drop("symbol", "first", "last")
    )


def _earlier(name: Name, changes: Sequence[NameChange]) -> Iterator[Name]:
    """The names before this one, newest first."""
    while name.first > date.min:
        became = next(change for change in changes if change.new == name.ticker and change.day == name.first)
        begun = max(
            (change.day for change in changes if change.new == became.old and change.day < became.day),
            default=date.min,
        )
        name = Name(became.old, begun, became.day - ONE_DAY)
        yield name


def _later(name: Name, changes: Sequence[NameChange]) -> Iterator[Name]:
    """The names after this one, oldest first."""
    while name.last < date.max:
        day = name.last + ONE_DAY
        became = next(change for change in changes if change.old == name.ticker and change.day == day)
        ended = min((change.day for change in changes if change.old == became.new and change.day > day), default=None)
        name = Name(became.new, day, date.max if ended is None else ended - ONE_DAY)
        yield name
