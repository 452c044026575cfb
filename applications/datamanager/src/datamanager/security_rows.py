"""Securities as rows of the lake and of a vendor's listing, read and written."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import fields
from datetime import date, datetime, timedelta

import polars as pl

from datamanager.ports import TickerChange
from datamanager.security_aliases import Alias, ListedSecurity
from internal.action_kinds import ActionKind
from internal.lake.store import Lake
from internal.lake.tables import TICKER_CHANGE_REQUESTS_COLUMNS
from internal.schemas import securities
from internal.schemas.corporate_actions import actions_in_force

LISTED = ("name", "security_type", "primary_exchange", "composite_figi", "share_class_figi", "central_index_key")


def to_listed(listings: pl.DataFrame) -> list[ListedSecurity]:
    """A vendor's listing (`datamanager.ports.LISTING_SCHEMA`) as typed rows."""
    names = [field.name for field in fields(ListedSecurity)]
    return [ListedSecurity(*row) for row in listings.select(names).iter_rows()]


def read_aliases(lake: Lake) -> list[Alias]:
    """The aliases in the lake."""
    frame = lake.scan("securities").select("security_id", "ticker", "start_date", "end_date", *LISTED).collect()
    return [
        Alias(security_id, ticker, start, end, ListedSecurity(ticker, **dict(zip(LISTED, listed, strict=True))))
        for security_id, ticker, start, end, *listed in frame.iter_rows()
    ]


def read_changes(lake: Lake) -> list[TickerChange]:
    """The changes of ticker among the corporate actions in force."""
    renames = actions_in_force(lake.scan("corporate_actions")).filter(pl.col("kind") == ActionKind.NAME_CHANGE.value)
    frame = renames.select("ticker", "new_ticker", "effective_date").sort("effective_date", "ticker").collect()
    return [TickerChange(*row) for row in frame.iter_rows()]


def read_traded(
    lake: Lake, tickers: Collection[str] | None = None, period: tuple[date, date] | None = None
) -> dict[str, tuple[date, date]]:
    """By ticker, the first and the last day with a bar; None means all tickers, all days."""
    bars = lake.scan("equity_bars")
    if tickers is not None:
        bars = bars.filter(pl.col("ticker").is_in(sorted(tickers)))
    if period is not None:
        bars = bars.filter(pl.col("date").is_between(*period))
    days = bars.group_by("ticker").agg(pl.min("date").alias("first"), pl.max("date").alias("last")).sort("ticker")
    return {ticker: (first, last) for ticker, first, last in days.collect().iter_rows()}


def read_pauses(lake: Lake, longer_than: timedelta) -> set[date]:
    """The last day before each pause in a ticker's bars: the ticker may have gone to another security.

    A year is read at a time, beside the last day of each ticker before it, so that memory does not grow with the lake.
    """
    bars, day, paused = lake.scan("equity_bars").select("ticker", "date"), pl.col("date"), set[date]()
    begin, end = bars.select(pl.min("date").alias("first"), pl.max("date").alias("last")).collect().row(0)
    before = pl.DataFrame(schema={"ticker": pl.String, "date": pl.Date})
    for year in range(begin.year, end.year + 1) if begin else ():
        of_year = bars.filter(day.is_between(date(year, 1, 1), date(year, 12, 31))).collect()
        by_ticker = pl.concat([before, of_year]).group_by("ticker").agg(day.sort())
        gaps = by_ticker.select(pl.col("date"), gap=pl.col("date").list.diff().list.shift(-1)).explode("date", "gap")
        paused |= set(gaps.filter(pl.col("gap") > longer_than).get_column("date"))
        before = by_ticker.select("ticker", pl.col("date").list.last())
    return paused


def read_asked(lake: Lake, since: datetime) -> set[str]:
    """The tickers whose changes the vendor was asked for since a moment."""
    asked = lake.scan("ticker_change_requests").filter(pl.col("asked_at") >= since)
    return set(asked.select("ticker").collect().get_column("ticker"))


def store_asked(lake: Lake, tickers: Collection[str], asked_at: datetime) -> None:
    """Remember that the vendor answered for these tickers."""
    if tickers:
        rows = [(ticker, asked_at) for ticker in sorted(tickers)]
        frame = pl.DataFrame(rows, schema=TICKER_CHANGE_REQUESTS_COLUMNS, orient="row")
        lake.upsert("ticker_change_requests", frame, ["ticker"])


def store_aliases(lake: Lake, aliases: Sequence[Alias], source: str, recorded_at: datetime) -> None:
    """Replace the table in one commit where something changed; unchanged rows keep the moment they were recorded."""
    known = lake.scan("securities").collect()
    content = [name for name in securities.COLUMNS if name not in {"source", "recorded_at"}]
    rows = (
        _to_frame(aliases)
        .join(known, on=content, how="left", nulls_equal=True)
        .with_columns(
            pl.col("source").fill_null(source),
            pl.col("recorded_at").fill_null(pl.lit(recorded_at).cast(securities.COLUMNS["recorded_at"])),
        )
    )
    changed = securities.validate(rows.select(list(securities.COLUMNS))).sort("ticker", "start_date")
    if not changed.equals(known.sort("ticker", "start_date")):
        lake.overwrite("securities", changed)


def _to_frame(aliases: Iterable[Alias]) -> pl.DataFrame:
    """The aliases; what is not known of an earlier ticker is what is known of the security."""
    columns = {name: securities.COLUMNS[name] for name in ("security_id", "ticker", "start_date", "end_date", *LISTED)}
    rows = [
        (alias.security_id, alias.ticker, alias.start, alias.end, *(getattr(alias.listed, name) for name in LISTED))
        for alias in aliases
    ]
    frame = pl.DataFrame(rows, schema=columns, orient="row").sort("security_id", "start_date")
    return frame.with_columns(pl.col(LISTED).backward_fill().forward_fill().over("security_id"))
