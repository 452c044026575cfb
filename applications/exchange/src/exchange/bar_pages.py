"""Daily bars of many symbols in pages: by symbol, then by time, adjusted as asked for. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

import polars as pl

from exchange.symbol_names import name_by_symbol
from internal.action_kinds import ActionKind
from internal.dates import sessions
from internal.price_adjustment import adjust_bars, find_payments
from internal.schemas import equity_bars
from internal.schemas.corporate_actions import dividends_of, empty_dividends, splits_of
from internal.venue.market.protocol import MarketData

WHOLE_SESSIONS = 40  # so many sessions are read at once for all tickers; longer ranges ticker by ticker


class Adjustment(StrEnum):
    """For what prices are adjusted; none of them is raw."""

    SPLIT = "split"
    DIVIDEND = "dividend"
    SPIN_OFF = "spin-off"


@dataclass(frozen=True)
class Position:
    """The last row of the page before: the next one continues after it."""

    symbol: str
    day: date


@dataclass(frozen=True)
class Selection:
    """Which bars, and in what order.

    Attributes:
        names: `symbol_names.NAMES_SCHEMA`, ordered by symbol.
        first: The first session, as in `last` included.
        after: Where the page before ended; None for the first page.
    """

    names: pl.DataFrame
    first: date
    last: date
    descending: bool
    after: Position | None


def read_rows(market: MarketData, selection: Selection, count: int) -> pl.DataFrame:
    """The first `count` rows after the page before, `ticker` holding the symbol; fewer where there are no more."""
    if selection.first > selection.last:
        return equity_bars.empty()
    after = selection.after
    names = selection.names if after is None else selection.names.filter(pl.col("symbol") >= after.symbol)
    found: list[pl.DataFrame] = [equity_bars.empty()]
    for rows in _read_in_order(market, selection, names):
        ahead = rows if after is None else rows.filter(_is_after(after, descending=selection.descending))
        found.append(ahead)
        if sum(frame.height for frame in found) >= count:
            break
    return pl.concat(found).head(count)


def adjust_rows(
    market: MarketData, rows: pl.DataFrame, actions: pl.DataFrame, names: pl.DataFrame, wanted: frozenset[Adjustment]
) -> pl.DataFrame:
    """The rows in shares and dollars of after the last of the actions, which are those known on the clock's day."""
    if rows.is_empty() or not wanted:
        return rows
    known = name_by_symbol(actions, names, "effective_date")
    splits = splits_of(known.lazy()).collect()
    adjusted = _adjust(market, rows, splits, _payments(market, known, wanted), names)
    if Adjustment.SPLIT not in wanted:  # the payments are measured in shares of their day; take the splits out again
        undone = splits.rename({"split_from": "split_to", "split_to": "split_from"})
        adjusted = _adjust(market, adjusted, undone, empty_dividends(), names)
    order = rows.select("ticker", "date")
    return order.join(adjusted, on=["ticker", "date"], how="left", maintain_order="left").select(rows.columns)


def _read_in_order(market: MarketData, selection: Selection, names: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """The rows of all names at once for a short range, else those of one symbol after the other."""
    first, last, backward = selection.first, selection.last, selection.descending
    if len(sessions(first, last)) <= WHOLE_SESSIONS:
        rows = name_by_symbol(market.bars_between(first, last), names, "date")
        yield rows.sort("ticker", "date", descending=[False, backward])
        return
    for _, of_symbol in names.group_by("symbol", maintain_order=True):
        parts = [market.history(ticker, first, last) for ticker in of_symbol.get_column("ticker")]
        yield name_by_symbol(pl.concat(parts), of_symbol, "date").sort("date", descending=backward)


def _is_after(after: Position, *, descending: bool) -> pl.Expr:
    later = pl.col("date") < after.day if descending else pl.col("date") > after.day
    return (pl.col("ticker") > after.symbol) | ((pl.col("ticker") == after.symbol) & later)


def _adjust(
    market: MarketData, rows: pl.DataFrame, splits: pl.DataFrame, payments: pl.DataFrame, names: pl.DataFrame
) -> pl.DataFrame:
    days = [date.min, *splits.get_column("execution_date"), *payments.get_column("ex_dividend_date")]
    return adjust_bars(
        rows.lazy(), _closes(market, payments, names).lazy(), splits.lazy(), payments.lazy(), as_of=max(days)
    ).collect()


def _closes(market: MarketData, payments: pl.DataFrame, names: pl.DataFrame) -> pl.DataFrame:
    """The bars of the symbols that pay, from which the close before each payment is found."""
    paying = names.join(payments.select(pl.col("ticker").alias("symbol")), on="symbol", how="semi")
    if paying.is_empty():
        return equity_bars.empty()
    days = market.sessions()
    parts = [market.history(ticker, days[0], days[-1]) for ticker in paying.get_column("ticker").unique()]
    return name_by_symbol(pl.concat(parts), paying, "date")


def _payments(market: MarketData, known: pl.DataFrame, wanted: frozenset[Adjustment]) -> pl.DataFrame:
    """Cash dividends, and what spin-offs gave in dollars a share, as dividends."""
    if Adjustment.SPIN_OFF not in wanted:
        return dividends_of(known.lazy()).collect() if Adjustment.DIVIDEND in wanted else empty_dividends()
    given = pl.col("kind") == ActionKind.SPIN_OFF.value
    paid = pl.col("kind") == ActionKind.CASH_DIVIDEND.value
    chosen = known.filter(given | paid if Adjustment.DIVIDEND in wanted else given)
    new_tickers = known.filter(given).get_column("new_ticker").drop_nulls().unique()
    days = market.sessions()
    opens = pl.concat([equity_bars.empty(), *(market.history(ticker, days[0], days[-1]) for ticker in new_tickers)])
    return find_payments(chosen.lazy(), opens.lazy()).collect()
