"""What readers ask of the lake: ranges, tickers, columns, and bars as they looked on a day.

Knows filters and how they reach the files (lazy, pushed down). Knows no HTTP; the reader's errors are FundErrors.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from datamanager.adjustment import adjusted
from datamanager.periods import Period
from internal.errors import InvalidRequestError, NotFoundError
from internal.lake.store import Lake
from internal.schemas import equity_bars


@dataclass(frozen=True)
class BarsQuery:
    """Which bars: None means all tickers, all columns, prices as traded."""

    period: Period
    tickers: Sequence[str] | None = None
    columns: Sequence[str] | None = None
    adjusted_as_of: date | None = None


def bars(lake: Lake, query: BarsQuery) -> tuple[pl.DataFrame, int]:
    """The bars ordered by date and ticker, and the version of the bars table that they were read from.

    Raises InvalidRequestError (a column that is none) and NotFoundError (tickers that the lake has never seen).
    """
    columns = _checked_columns(query.columns)
    version = lake.version("equity_bars")
    every = lake.scan("equity_bars", version=version if version >= 0 else None)
    wanted = _of_tickers(every.filter(pl.col("date").is_between(query.period.start, query.period.end)), query.tickers)
    if query.adjusted_as_of is not None:
        wanted = _adjusted(lake, every, wanted, query, query.adjusted_as_of)
    frame = wanted.select(list(dict.fromkeys([*columns, "date", "ticker"]))).sort("date", "ticker").collect()
    _require_known(lake, query.tickers, frame)
    return frame.select(columns), version


def _adjusted(lake: Lake, every: pl.LazyFrame, wanted: pl.LazyFrame, query: BarsQuery, as_of: date) -> pl.LazyFrame:
    closes = every.filter(pl.col("date").is_between(query.period.start, max(as_of, query.period.start)))
    return adjusted(
        wanted,
        closes=_of_tickers(closes, query.tickers),
        splits=_of_tickers(lake.scan("splits").filter(pl.col("execution_date") > query.period.start), query.tickers),
        dividends=_of_tickers(
            lake.scan("dividends").filter(pl.col("ex_dividend_date") > query.period.start), query.tickers
        ),
        as_of=as_of,
    )


def corporate_actions(
    lake: Lake, table: str, day: str, period: Period | None, tickers: Sequence[str] | None
) -> pl.DataFrame:
    """Splits or dividends (`table`) by their day's column, ordered by day and ticker."""
    wanted = _of_tickers(_of_period(lake.scan(table), day, period), tickers)
    return wanted.sort(day, "ticker").collect()


def details(lake: Lake, tickers: Sequence[str] | None) -> pl.DataFrame:
    """Equity details ordered by ticker. NotFoundError names tickers that the lake has never seen."""
    frame = _of_tickers(lake.scan("equity_details"), tickers).sort("ticker").collect()
    _require_known(lake, tickers, frame)
    return frame


def sessions(lake: Lake, period: Period | None) -> pl.DataFrame:
    """The ledger of collected sessions, ordered by date."""
    return _of_period(lake.scan("ingestion_sessions"), "date", period).sort("date").collect()


def predictions(lake: Lake, period: Period, tickers: Sequence[str] | None) -> pl.DataFrame:
    """Predictions made at the sessions of the period, ordered by date, ticker and horizon."""
    wanted = _of_tickers(_of_period(lake.scan("predictions"), "date", period), tickers)
    return wanted.sort("date", "ticker", "horizon").collect()


def portfolios(lake: Lake, period: Period | None, portfolio_id: str | None) -> pl.DataFrame:
    """Portfolio rows of the period, of one portfolio, or both, ordered by date, portfolio and ticker."""
    wanted = _of_period(lake.scan("portfolios"), "date", period)
    if portfolio_id is not None:
        wanted = wanted.filter(pl.col("portfolio_id") == portfolio_id)
    return wanted.sort("date", "portfolio_id", "ticker").collect()


def _of_period(frame: pl.LazyFrame, day: str, period: Period | None) -> pl.LazyFrame:
    return frame if period is None else frame.filter(pl.col(day).is_between(period.start, period.end))


def _of_tickers(frame: pl.LazyFrame, tickers: Sequence[str] | None) -> pl.LazyFrame:
    return frame if tickers is None else frame.filter(pl.col("ticker").is_in(list(tickers)))


def _checked_columns(columns: Sequence[str] | None) -> list[str]:
    if columns is None:
        return list(equity_bars.COLUMNS)
    unknown = [name for name in columns if name not in equity_bars.COLUMNS]
    if unknown:
        raise InvalidRequestError(f"no such columns: {', '.join(unknown)}; there are {', '.join(equity_bars.COLUMNS)}")
    return list(dict.fromkeys(columns))


def _require_known(lake: Lake, tickers: Sequence[str] | None, answer: pl.DataFrame) -> None:
    """NotFoundError when a ticker is in neither the answer nor, on any day, the bars or details."""
    absent = set(tickers or ()) - set(answer.get_column("ticker"))
    for table in ("equity_details", "equity_bars"):
        if absent:
            seen = _of_tickers(lake.scan(table), sorted(absent)).select(pl.col("ticker").unique()).collect()
            absent -= set(seen.get_column("ticker"))
    if absent:
        raise NotFoundError(
            f"unknown tickers: {', '.join(sorted(absent))}; GET /equity-details lists those that are known"
        )
