"""Queries of the lake by range and tickers; `datamanager.bar_queries` reads bars. Filters are lazy."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import polars as pl

from datamanager.data_check import DataTables
from datamanager.missing_sessions import read_missing
from datamanager.periods import Period
from datamanager.row_names import AS_STORED, Naming, name_rows
from internal.action_kinds import ActionKind
from internal.errors import NotFoundError
from internal.lake.store import Lake
from internal.schemas.corporate_actions import actions_in_force, dividends_of, splits_of


@dataclass(frozen=True)
class ActionsQuery:
    """Which corporate actions; None means all effective dates, tickers or kinds, and what is known now."""

    period: Period | None = None
    tickers: Sequence[str] | None = None
    kinds: Sequence[ActionKind] | None = None
    known_at: datetime | None = None
    naming: Naming = AS_STORED


def read_actions(lake: Lake, query: ActionsQuery) -> pl.DataFrame:
    """The actions in force with every column, ordered by effective date, ticker and id."""
    return _select_actions(lake, query).sort("effective_date", "ticker", "action_id").collect()


def read_splits(lake: Lake, query: ActionsQuery) -> pl.DataFrame:
    """Splits ordered by execution date and ticker."""
    return splits_of(_select_actions(lake, query)).sort("execution_date", "ticker").collect()


def read_dividends(lake: Lake, query: ActionsQuery) -> pl.DataFrame:
    """Dividends ordered by ex-date, ticker and amount."""
    return dividends_of(_select_actions(lake, query)).sort("ex_dividend_date", "ticker", "cash_amount").collect()


def read_securities(
    lake: Lake, day: date | None, tickers: Sequence[str] | None, known_at: datetime | None
) -> pl.DataFrame:
    """Securities under each of their tickers, ordered by ticker and first day; with a day, those that had it then."""
    wanted = select_tickers(lake.scan("securities", known_version(lake, "securities", known_at)), tickers)
    if day is not None:
        wanted = wanted.filter(pl.lit(day).is_between("start_date", pl.col("end_date").fill_null(date.max)))
    return wanted.sort("ticker", "start_date").collect()


def known_version(lake: Lake, table: str, known_at: datetime | None) -> int | None:
    """The newest version of a table that was committed by a moment, -1 before the first; None for no moment."""
    return None if known_at is None else lake.version_at(table, known_at)


def read_sessions(lake: Lake, period: Period | None) -> pl.DataFrame:
    """The ingestion log, ordered by date."""
    return _select_period(lake.scan("ingestion_sessions"), "date", period).sort("date").collect()


def read_disagreements(lake: Lake, period: Period | None, tickers: Sequence[str] | None) -> pl.DataFrame:
    """What the second vendor says differently, ordered by date, ticker and field."""
    wanted = select_tickers(_select_period(lake.scan("disagreements"), "date", period), tickers)
    return wanted.sort("date", "ticker", "field").collect()


def read_quarantine(lake: Lake, period: Period | None) -> pl.DataFrame:
    """Quarantined rows, as received, ordered by date and ticker."""
    return _read_texts(lake, "equity_bars_quarantine", period)


def read_releases(lake: Lake, period: Period | None) -> pl.DataFrame:
    """The audit of what left the quarantine, ordered by date and ticker."""
    return _read_texts(lake, "quarantine_releases", period)


def read_data_tables(lake: Lake, period: Period) -> DataTables:
    """The tables that a check of the data reads."""
    actions = _select_period(lake.scan("corporate_actions"), "effective_date", period)
    return DataTables(
        log=read_sessions(lake, None),
        asked=read_missing(lake),
        quarantine=read_quarantine(lake, period),
        releases=read_releases(lake, period).height,
        actions=actions.select("action_id", "version", "withdrawn").collect(),
        disagreements=read_disagreements(lake, period, None),
    )


def _read_texts(lake: Lake, table: str, period: Period | None) -> pl.DataFrame:
    """A table whose days are texts, because a vendor's row may have none."""
    rows = lake.scan(table)
    if period is not None:
        rows = rows.filter(pl.col("date").is_between(pl.lit(str(period.start)), pl.lit(str(period.end))))
    return rows.sort("date", "ticker").collect()


def read_predictions(
    lake: Lake, period: Period, tickers: Sequence[str] | None, naming: Naming = AS_STORED
) -> pl.DataFrame:
    """Predictions made at the sessions of the period, ordered by date, ticker and horizon; tickers are as named."""
    named = name_rows(lake, _select_period(lake.scan("predictions"), "date", period), pl.col("date"), naming)
    return select_tickers(named, tickers).sort("date", "ticker", "horizon").collect()


def read_reforecasts(lake: Lake, period: Period, tickers: Sequence[str] | None) -> pl.DataFrame:
    """Later forecasts of the period's sessions, ordered by date, model, ticker and horizon."""
    wanted = select_tickers(_select_period(lake.scan("reforecasts"), "date", period), tickers)
    return wanted.sort("date", "model_version", "ticker", "horizon").collect()


def read_portfolios(lake: Lake, period: Period | None, portfolio_id: str | None) -> pl.DataFrame:
    """Portfolio rows of the period, of one portfolio, or both, ordered by date, portfolio and ticker."""
    wanted = _select_period(lake.scan("portfolios"), "date", period)
    if portfolio_id is not None:
        wanted = wanted.filter(pl.col("portfolio_id") == portfolio_id)
    return wanted.sort("date", "portfolio_id", "ticker").collect()


def _select_actions(lake: Lake, query: ActionsQuery) -> pl.LazyFrame:
    in_force = actions_in_force(lake.scan("corporate_actions"), query.known_at)
    day_before = pl.col("effective_date") - pl.duration(days=1)  # whose ticker an action states
    named = name_rows(lake, _select_period(in_force, "effective_date", query.period), day_before, query.naming)
    wanted = select_tickers(named, query.tickers)
    return wanted if query.kinds is None else wanted.filter(pl.col("kind").is_in(list(query.kinds)))


def _select_period(frame: pl.LazyFrame, day: str, period: Period | None) -> pl.LazyFrame:
    return frame if period is None else frame.filter(pl.col(day).is_between(period.start, period.end))


def select_tickers(frame: pl.LazyFrame, tickers: Sequence[str] | None) -> pl.LazyFrame:
    """The rows of the tickers; None means all."""
    return frame if tickers is None else frame.filter(pl.col("ticker").is_in(list(tickers)))


def require_known_tickers(lake: Lake, tickers: Sequence[str] | None, answered: Iterable[str] = ()) -> None:
    """Raise NotFoundError when a ticker is neither answered nor, on any day, in the bars or details."""
    absent = set(tickers or ()) - set(answered)
    for table in ("equity_details", "equity_bars"):
        if absent:
            found = select_tickers(lake.scan(table), sorted(absent)).select(pl.col("ticker").unique()).collect()
            absent -= set(found.get_column("ticker"))
    if absent:
        raise NotFoundError(f"unknown tickers: {', '.join(sorted(absent))}; GET /equity-details lists the known ones")
