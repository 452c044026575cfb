"""Equity details: sync them from the vendor and merge rows of a file, whose sector and industry take precedence.

A profile costs one request a ticker, so profiles are fetched once and committed in small batches; an interrupted sync
continues with the missing ones.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from enum import StrEnum
from itertools import batched

import polars as pl

from datamanager.ports import MarketData, TickerProfile, select_current
from datamanager.sectors import sector_expression
from datamanager.securities import Securities
from internal.lake.store import Lake
from internal.schemas import equity_details

BATCH_TICKERS = 100
CONCURRENT_REQUESTS = 8
FILE_COLUMNS = ("name", "sector", "industry", "primary_exchange")
PROFILE_SCHEMA = pl.Schema(
    {
        "ticker": pl.String,
        "listed_date": pl.Date,
        "standard_industrial_classification": pl.String,
        "industry": pl.String,
    }
)


class Source(StrEnum):
    """Where a ticker's details are from."""

    VENDOR = "polygon"
    FILE = "file"
    FILE_AND_VENDOR = "file+polygon"


class EquityDetails:
    """Writes the table of details; one writer at a time in this process."""

    def __init__(self, lake: Lake, market_data: MarketData, securities: Securities) -> None:
        self._lake = lake
        self._market_data = market_data
        self._securities = securities
        self._one_at_a_time = asyncio.Lock()

    async def sync_from_vendor(self) -> int:
        """Refresh listings and securities and fetch the missing profiles; the number of tickers with details."""
        async with self._one_at_a_time:
            return await asyncio.to_thread(self._sync)

    async def merge_file(self, rows: pl.DataFrame) -> int:
        """Merge a file's rows, as `internal.bar_files.details` reads them; the number of rows merged."""
        async with self._one_at_a_time:
            await asyncio.to_thread(self._merge, rows)
        return rows.height

    def _merge(self, rows: pl.DataFrame) -> None:
        self._write(merge_file_rows(self._read(), rows))

    def _sync(self) -> int:
        listed = self._market_data.listings()
        self._securities.sync(listed)
        listings = select_current(listed)
        known = self._read()
        self._write(merge_listings(known, listings))
        profiled = known.filter(pl.col("source") != Source.FILE.value).get_column("ticker")
        missing = _select_universe(self._lake, listings).filter(~pl.col("ticker").is_in(profiled.implode()))
        for tickers in batched(missing.get_column("ticker"), BATCH_TICKERS):
            profiles = _fetch_profiles(self._market_data, list(tickers))
            self._write(merge_profiles(self._read(), profiles, listings))
        return self._read().height

    def _read(self) -> pl.DataFrame:
        return self._lake.scan("equity_details").collect()

    def _write(self, rows: pl.DataFrame) -> None:
        if rows.height:
            self._lake.upsert("equity_details", equity_details.validate(rows), ["ticker"])


def merge_file_rows(known: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """The rows to write: values of the file take precedence, its blanks leave the known values."""
    from_vendor = pl.col("source").is_in([Source.VENDOR.value, Source.FILE_AND_VENDOR.value]).fill_null(value=False)
    given = rows.select("ticker", *FILE_COLUMNS)
    return given.join(known, on="ticker", how="left", suffix="_known").select(
        "ticker",
        *[pl.coalesce(name, f"{name}_known") for name in FILE_COLUMNS],
        "security_type",
        pl.col("active").fill_null(value=True),
        "listed_date",
        "delisted_date",
        _source(pl.lit(value=True), from_vendor),
    )


def merge_listings(known: pl.DataFrame, listings: pl.DataFrame) -> pl.DataFrame:
    """The known rows whose listing changed: name, type, exchange, active or delisted date."""
    refreshed = known.join(listings, on="ticker", suffix="_listed").with_columns(
        pl.coalesce(f"{name}_listed", name).alias(name)
        for name in ("name", "security_type", "primary_exchange", "active", "delisted_date")
    )
    columns = list(equity_details.COLUMNS)
    return refreshed.select(columns).join(known, on=columns, how="anti", nulls_equal=True)


def merge_profiles(known: pl.DataFrame, profiles: pl.DataFrame, listings: pl.DataFrame) -> pl.DataFrame:
    """The rows to write for fetched profiles (`PROFILE_SCHEMA`); sector and industry of a file stay.

    A ticker that has bars but is not listed by the vendor is stored as not active.
    """
    current = known.select("ticker", pl.col("sector", "industry").name.suffix("_known"), "source")
    from_file = pl.col("source").is_in([Source.FILE.value, Source.FILE_AND_VENDOR.value]).fill_null(value=False)
    sector = sector_expression(pl.col("standard_industrial_classification"))
    return (
        profiles.join(listings, on="ticker", how="left")
        .join(current, on="ticker", how="left")
        .select(
            "ticker",
            "name",
            pl.coalesce("sector_known", sector).alias("sector"),
            pl.coalesce("industry_known", "industry").alias("industry"),
            "security_type",
            "primary_exchange",
            pl.col("active").fill_null(value=False),
            "listed_date",
            "delisted_date",
            _source(from_file, pl.lit(value=True)),
        )
    )


def _source(from_file: pl.Expr, from_vendor: pl.Expr) -> pl.Expr:
    """The column `source` of rows that are from a file, from the vendor, or from both."""
    return (
        pl.when(from_file & from_vendor)
        .then(pl.lit(Source.FILE_AND_VENDOR.value))
        .when(from_file)
        .then(pl.lit(Source.FILE.value))
        .otherwise(pl.lit(Source.VENDOR.value))
        .alias("source")
    )


def _select_universe(lake: Lake, listings: pl.DataFrame) -> pl.DataFrame:
    """The tickers that need a profile: those with bars; while there are no bars, those listed as active."""
    traded = lake.scan("equity_bars").select("ticker").unique().sort("ticker").collect()
    return traded if traded.height else listings.filter(pl.col("active")).select("ticker").sort("ticker")


def _fetch_profiles(market_data: MarketData, tickers: list[str]) -> pl.DataFrame:
    """One row a ticker; nulls for a ticker that the vendor does not have."""
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
