"""The universe of a session: what traded, its type, sector and liquidity, and which names the liquidity rule admits.

Membership is the trading core's own rule on the bars that a decision of that session reads.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

import polars as pl

from datamanager.bar_queries import BarsQuery, read_bars
from datamanager.bar_stream import SECURITY_ID
from datamanager.detail_queries import read_details
from datamanager.periods import Period
from datamanager.queries import known_version, read_securities
from internal.bar_arrays import make_bar_arrays
from internal.dates import is_session, previous_session, sessions
from internal.errors import InvalidRequestError, NotFoundError
from internal.lake.store import Lake
from internal.schemas import universe
from internal.trading.day_table import BarTable, compute_day_table, window_sessions
from internal.trading.universe import Universe

BAR_COLUMNS = ("date", "ticker", SECURITY_ID, "close", "volume")
KEY = pl.coalesce(SECURITY_ID, "ticker").alias("key")  # a security that is not known is its ticker


@dataclass(frozen=True)
class UniverseQuery:
    """Which universe; None means the last session with bars, and what is known now."""

    day: date | None = None
    known_at: datetime | None = None
    rule: Universe = field(default_factory=Universe)


def read_universe(lake: Lake, query: UniverseQuery) -> pl.DataFrame:
    """The securities with a bar in the rule's lookback, by rank: the frame of `internal.schemas.universe`.

    Raises:
        InvalidRequestError: The day is no session.
        NotFoundError: The lake has no bars of the day, or had none at the moment.
    """
    day = _find_session(lake, query)
    days = _count_back(day, window_sessions(query.rule))
    bars, found = read_bars(lake, BarsQuery(Period(days[0], day), None, BAR_COLUMNS, day, query.known_at))
    if bars.filter(pl.col("date") == day).is_empty():
        raise NotFoundError(f'no bars of {day} are known: collect them with POST /equity-bars {{"date": "{day}"}}')
    lookback = Period(days[-query.rule.lookback_sessions], day)
    traded, _ = read_bars(lake, BarsQuery(lookback, None, BAR_COLUMNS, None, found.known_at, found.version))
    rows = (
        _find_members(bars, days, query.rule)
        .join(_measure_dollars(traded), on="key")
        .join(_describe(lake, query.known_at), on="key", how="left")
        .sort("median_dollar_volume", "ticker", descending=[True, False])
        .with_row_index("rank", offset=1)
        .with_columns(pl.lit(day).alias("date"))
    )
    return rows.select(pl.col(name).cast(kind) for name, kind in universe.COLUMNS.items())


def _find_session(lake: Lake, query: UniverseQuery) -> date:
    if query.day is not None:
        if not is_session(query.day):
            raise InvalidRequestError(f"{query.day} is not a session of XNYS: the exchange was closed")
        return query.day
    bars = lake.scan("equity_bars", known_version(lake, "equity_bars", query.known_at))
    last = bars.select(pl.col("date").max()).collect().item()
    if not isinstance(last, date):
        raise NotFoundError("no bars were known then: collect them with POST /equity-bars, or ask for a later as_of")
    return last


def _count_back(day: date, count: int) -> list[date]:
    """So many sessions up to the day, the day included."""
    return sessions(previous_session(day, count - 1), day)


def _find_members(bars: pl.DataFrame, days: Sequence[date], rule: Universe) -> pl.DataFrame:
    """ticker, security_id, key and member of every name in the bars, which are in terms of the last day."""
    names = bars.sort("date").unique("ticker", keep="last").select("ticker", SECURITY_ID, KEY).sort("ticker")
    tickers = names.get_column("ticker")
    arrays = make_bar_arrays(bars, days, tickers, ("close", "volume"))
    table = BarTable(days, tuple(tickers), arrays["close"], arrays["volume"])
    liquid = compute_day_table(table, len(days) - 1, len(days) - 1, rule).liquid[0]
    return names.with_columns(pl.Series("member", liquid))


def _measure_dollars(bars: pl.DataFrame) -> pl.DataFrame:
    """Key and median_dollar_volume of bars as traded."""
    dollars = (pl.col("close") * pl.col("volume")).median().alias("median_dollar_volume")
    return bars.group_by(KEY).agg(dollars)


def _describe(lake: Lake, known_at: datetime | None) -> pl.DataFrame:
    """key, security_type and sector by what had been recorded, of the last ticker of a security that had several.

    A security whose ticker went to another one has the type of its listing, and no sector.
    """
    details = read_details(lake, None, known_at).sort("ticker_since", nulls_last=False)
    listed = read_securities(lake, None, None, known_at).select(SECURITY_ID, "ticker", "security_type")
    return (
        pl.concat([listed, details], how="diagonal")
        .with_columns(KEY)
        .group_by("key")
        .agg(pl.col("security_type", "sector").drop_nulls().last())
    )
