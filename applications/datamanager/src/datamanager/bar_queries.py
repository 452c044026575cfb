"""Queries of bars: by range, tickers and columns, adjusted and named as of a day, as known at a moment."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import lru_cache

import polars as pl

from datamanager.bar_range import BarRange
from datamanager.bar_stream import SECURITY_ID, stream_frames
from datamanager.periods import Period
from datamanager.queries import known_version, require_known_tickers
from internal.errors import InvalidRequestError
from internal.lake.store import Lake
from internal.schemas import equity_bars
from internal.security_names import SecurityNames, name_securities

KEPT_NAMES = 8  # about a megabyte each
COLUMNS = (*equity_bars.COLUMNS, SECURITY_ID)  # the last one only where it is asked for


@dataclass(frozen=True)
class BarsQuery:
    """Which bars; None means all tickers, the columns of `equity_bars`, prices and tickers as traded, what is known.

    `version` is that of the table of bars, also where `known_at` says what else was known.
    """

    period: Period
    tickers: Sequence[str] | None = None
    columns: Sequence[str] | None = None
    adjusted_as_of: date | None = None
    known_at: datetime | None = None
    version: int | None = None


def read_bars(lake: Lake, query: BarsQuery) -> tuple[pl.DataFrame, BarRange]:
    """The bars ordered by date and ticker, and what they were read from.

    Raises:
        InvalidRequestError: A column does not exist.
        NotFoundError: A ticker was never in the lake, or there is no such version.
    """
    wanted = plan_bars(lake, query)
    with_ticker = replace(wanted, columns=list(dict.fromkeys([*wanted.columns, "ticker"])))
    frame = pl.concat(stream_frames(lake, wanted if query.tickers is None else with_ticker))
    if query.tickers is not None:
        names = set[str]() if wanted.names is None else set(wanted.names.aliases.get_column("name"))
        require_known_tickers(lake, query.tickers, names.union(frame.get_column("ticker")))
    return frame.select(wanted.columns), wanted


def plan_bars(lake: Lake, query: BarsQuery) -> BarRange:
    """What is read, each table at its version; InvalidRequestError for a column that does not exist."""
    version = known_version(lake, "equity_bars", query.known_at) if query.version is None else query.version
    names = _read_names(lake, query)
    named = None if query.tickers is None or names is None else names.find_names(query.tickers)
    is_named = query.adjusted_as_of is not None
    return BarRange(
        query.period.start,
        query.period.end,
        _check_columns(query.columns),
        query.tickers if named is None or names is None or not is_named else names.find_tickers(named),
        lake.version("equity_bars") if version is None else version,
        query.adjusted_as_of,
        query.known_at or datetime.now(UTC),
        names,
        named if is_named else None,
    )


def _read_names(lake: Lake, query: BarsQuery) -> SecurityNames | None:
    """The names as of the query's day; None where neither names nor ids are wanted."""
    if query.adjusted_as_of is None and SECURITY_ID not in (query.columns or ()):
        return None
    version = known_version(lake, "securities", query.known_at)
    newest = lake.version("securities") if version is None else version
    return _name_securities(lake, newest, query.adjusted_as_of or date.max)


@lru_cache(KEPT_NAMES)
def _name_securities(lake: Lake, version: int, day: date) -> SecurityNames:
    return name_securities(lake.scan("securities", version).collect(), day)


def _check_columns(columns: Sequence[str] | None) -> list[str]:
    if columns is None:
        return list(equity_bars.COLUMNS)
    unknown = [name for name in columns if name not in COLUMNS]
    if unknown:
        raise InvalidRequestError(f"no such columns: {', '.join(unknown)}; there are {', '.join(COLUMNS)}")
    return list(dict.fromkeys(columns))
