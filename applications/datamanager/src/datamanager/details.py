"""Equity details: what the vendor knows of each ticker, and what a file knows better.

Knows how the two merge: a file's sector and industry win. Profiles cost one request a ticker, so they are fetched once
and committed in small batches; an interrupted sync goes on where it was. Knows no HTTP and no vendor by name.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from itertools import batched

import polars as pl

from datamanager.ports import MarketData, TickerProfile
from datamanager.sectors import sector_expression
from internal.errors import InvalidRequestError
from internal.lake.store import Lake
from internal.schemas import equity_details

VENDOR, FILE, FILE_AND_VENDOR = "polygon", "file", "file+polygon"
BATCH_TICKERS = 100
CONCURRENT_REQUESTS = 8
FILE_SCHEMA = pl.Schema(dict.fromkeys(("ticker", "sector", "industry"), pl.String()))
PROFILE_SCHEMA = pl.Schema(
    {
        "ticker": pl.String,
        "listed_date": pl.Date,
        "standard_industrial_classification": pl.String,
        "industry": pl.String,
    }
)


class EquityDetails:
    """Keeps the details table; one writer at a time in this process."""

    def __init__(self, lake: Lake, market_data: MarketData) -> None:
        self._lake = lake
        self._market_data = market_data
        self._one_at_a_time = asyncio.Lock()

    async def synchronise(self) -> int:
        """Refresh every listing and fetch the profiles that are missing; the number of rows then known."""
        async with self._one_at_a_time:
            return await asyncio.to_thread(self._synchronise)

    async def merge(self, rows: pl.DataFrame) -> int:
        """Merge a file's rows (`FILE_SCHEMA`) in; the number of rows merged. InvalidRequestError on bad rows."""
        checked = checked_file_rows(rows)
        async with self._one_at_a_time:
            await asyncio.to_thread(self._merge, checked)
        return checked.height

    def _merge(self, rows: pl.DataFrame) -> None:
        self._write(with_file_rows(self._read(), rows))

    def _synchronise(self) -> int:
        listings = self._market_data.listings()
        known = self._read()
        self._write(with_listings(known, listings))
        profiled = known.filter(pl.col("source") != FILE).get_column("ticker")
        missing = _universe(self._lake, listings).filter(~pl.col("ticker").is_in(profiled.implode()))
        for tickers in batched(missing.get_column("ticker"), BATCH_TICKERS):
            profiles = _profiles(self._market_data, list(tickers))
            self._write(with_profiles(self._read(), profiles, listings))
        return self._read().height

    def _read(self) -> pl.DataFrame:
        return self._lake.scan("equity_details").collect()

    def _write(self, rows: pl.DataFrame) -> None:
        if rows.height:
            self._lake.upsert("equity_details", equity_details.validate(rows), ["ticker"])


def checked_file_rows(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with blanks as null; InvalidRequestError names the first rows without ticker or with one twice."""
    blank_as_null = pl.col(FILE_SCHEMA.names()).str.strip_chars().replace("", None)
    numbered = rows.select(blank_as_null).with_row_index("row", offset=1)
    unnamed = numbered.filter(pl.col("ticker").is_null()).get_column("row").to_list()
    twice = numbered.filter(pl.col("ticker").is_duplicated()).get_column("ticker").unique().sort().to_list()
    if unnamed:
        raise InvalidRequestError(f"{len(unnamed)} rows have no ticker, first: {unnamed[:3]}; nothing was merged")
    if twice:
        raise InvalidRequestError(f"tickers that come twice: {', '.join(twice[:5])}; nothing was merged")
    return numbered.drop("row")


def with_file_rows(known: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """The rows to write: what the file says wins, what it leaves blank stays as it was."""
    from_vendor = pl.col("source").is_in([VENDOR, FILE_AND_VENDOR]).fill_null(value=False)
    return rows.join(known, on="ticker", how="left", suffix="_known").select(
        "ticker",
        "name",
        pl.coalesce("sector", "sector_known"),
        pl.coalesce("industry", "industry_known"),
        "primary_exchange",
        pl.col("active").fill_null(value=True),
        "listed_date",
        "delisted_date",
        pl.when(from_vendor).then(pl.lit(FILE_AND_VENDOR)).otherwise(pl.lit(FILE)).alias("source"),
    )


def with_listings(known: pl.DataFrame, listings: pl.DataFrame) -> pl.DataFrame:
    """The known rows whose listing changed since: name, exchange, active and delisted date."""
    refreshed = known.join(listings, on="ticker", suffix="_listed").with_columns(
        pl.coalesce("name_listed", "name").alias("name"),
        pl.coalesce("primary_exchange_listed", "primary_exchange").alias("primary_exchange"),
        pl.coalesce("active_listed", "active").alias("active"),
        pl.coalesce("delisted_date_listed", "delisted_date").alias("delisted_date"),
    )
    columns = list(equity_details.COLUMNS)
    return refreshed.select(columns).join(known, on=columns, how="anti", nulls_equal=True)


def with_profiles(known: pl.DataFrame, profiles: pl.DataFrame, listings: pl.DataFrame) -> pl.DataFrame:
    """The rows to write for freshly fetched profiles (`PROFILE_SCHEMA`); a file's sector and industry stay.

    A ticker that trades and that the vendor does not list is kept as one that is not active.
    """
    held = known.select("ticker", pl.col("sector", "industry").name.suffix("_known"), "source")
    from_file = pl.col("source").is_in([FILE, FILE_AND_VENDOR]).fill_null(value=False)
    sector = sector_expression(pl.col("standard_industrial_classification"))
    return (
        profiles.join(listings, on="ticker", how="left")
        .join(held, on="ticker", how="left")
        .select(
            "ticker",
            "name",
            pl.coalesce("sector_known", sector).alias("sector"),
            pl.coalesce("industry_known", "industry").alias("industry"),
            "primary_exchange",
            pl.col("active").fill_null(value=False),
            "listed_date",
            "delisted_date",
            pl.when(from_file).then(pl.lit(FILE_AND_VENDOR)).otherwise(pl.lit(VENDOR)).alias("source"),
        )
    )


def _universe(lake: Lake, listings: pl.DataFrame) -> pl.DataFrame:
    """The tickers worth a request: those with bars; before there are any, those listed as active."""
    traded = lake.scan("equity_bars").select("ticker").unique().sort("ticker").collect()
    return traded if traded.height else listings.filter(pl.col("active")).select("ticker").sort("ticker")


def _profiles(market_data: MarketData, tickers: list[str]) -> pl.DataFrame:
    """One row a ticker; one that the vendor does not know has nulls."""
    with ThreadPoolExecutor(CONCURRENT_REQUESTS, thread_name_prefix="vendor") as pool:
        try:
            answers = list(pool.map(market_data.profile, tickers))
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    profiles = [
        answer or TickerProfile(ticker, None, None, None) for ticker, answer in zip(tickers, answers, strict=True)
    ]
    return pl.DataFrame([asdict(profile) for profile in profiles], schema=PROFILE_SCHEMA)
