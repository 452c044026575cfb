"""Equity details: sync them from the vendor's listing and from EDGAR, and merge rows of a file, which take precedence.

The listing is some pages for all tickers. EDGAR is asked once a company, those that trade first, in batches that are
committed, so that an interrupted sync continues with the missing ones. Every change is a version with its time.
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import batched

import polars as pl

from datamanager.companies import BATCH_COMPANIES, fetch_companies, read_companies, store_companies
from datamanager.detail_rows import describe, merge_file_rows, select_changed, select_listed
from datamanager.ports import CompanyData, MarketData, select_current
from datamanager.progress import CollectionProgress, Phase
from datamanager.securities import Securities
from internal.lake.store import Lake
from internal.schemas import equity_details


class EquityDetails:
    """Writes the table of details and its versions; one writer at a time in this process."""

    def __init__(
        self,
        lake: Lake,
        market_data: MarketData,
        company_data: CompanyData,
        securities: Securities,
        progress: CollectionProgress,
    ) -> None:
        self._lake = lake
        self._market_data = market_data
        self._company_data = company_data
        self._securities = securities
        self._progress = progress
        self._one_at_a_time = asyncio.Lock()

    async def sync_from_vendor(self) -> int:
        """Refresh listings and securities and fetch the missing companies; the number of tickers with details.

        What was committed before an error stays.
        """
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
        listed = self._read_listings()
        self._describe(listed)  # what the vendor lists is stored whatever EDGAR answers
        listed = self._add_keys(listed)
        self._describe(listed)
        self._collect_companies(listed)
        return self._read().height

    def _read_listings(self) -> pl.DataFrame:
        """What the vendor lists of the universe, those that traded last first."""
        self._progress.start(Phase.LISTINGS, 1, "listing")
        try:
            listings = self._market_data.listings()
            self._securities.sync(listings)
            self._progress.advance(Phase.LISTINGS)
        finally:
            self._progress.end(Phase.LISTINGS)
        current = select_current(listings)
        return select_listed(_select_universe(self._lake, current), current, self._market_data.source)

    def _add_keys(self, listed: pl.DataFrame) -> pl.DataFrame:
        """The listed tickers, each with the SEC's key where the vendor, EDGAR or an earlier sync gives one."""
        if not listed.get_column("central_index_key").has_nulls():
            return listed
        keys = self._company_data.central_index_keys()
        from_edgar = pl.col("ticker").replace_strict(keys, default=None, return_dtype=pl.String())
        known = self._read().select("ticker", known="central_index_key")
        with_known = listed.join(known, on="ticker", how="left", maintain_order="left")
        return with_known.with_columns(pl.coalesce("central_index_key", from_edgar, "known")).drop("known")

    def _collect_companies(self, listed: pl.DataFrame) -> None:
        known = read_companies(self._lake).get_column("central_index_key")
        keys = listed.get_column("central_index_key").drop_nulls().unique(maintain_order=True)
        missing = keys.filter(~keys.is_in(known.implode())).to_list()
        self._progress.start(Phase.COMPANIES, len(missing), "companies", self._company_data.seconds_between_requests)
        try:
            for batch in batched(missing, BATCH_COMPANIES):
                self._collect_batch(listed, batch)
        finally:
            self._progress.end(Phase.COMPANIES)

    def _collect_batch(self, listed: pl.DataFrame, keys: Sequence[str]) -> None:
        store_companies(self._lake, fetch_companies(self._company_data, keys), datetime.now(UTC))
        self._describe(listed.filter(pl.col("central_index_key").is_in(list(keys))))
        self._progress.advance(Phase.COMPANIES, len(keys))

    def _describe(self, listed: pl.DataFrame) -> None:
        self._write(describe(listed, read_companies(self._lake), self._read()))

    def _read(self) -> pl.DataFrame:
        return self._lake.scan("equity_details").collect()

    def _write(self, rows: pl.DataFrame) -> None:
        """Record what changed: first the versions, then the newest of each."""
        now = pl.lit(datetime.now(UTC)).cast(equity_details.COLUMNS["recorded_at"]).alias("recorded_at")
        changed = equity_details.validate(select_changed(rows, self._read()).with_columns(now))
        if changed.height:
            self._lake.append("equity_detail_versions", changed)
            self._lake.upsert("equity_details", changed, ["ticker"])


def _select_universe(lake: Lake, listings: pl.DataFrame) -> pl.DataFrame:
    """The tickers with details: those that have bars, the last traded first; before any bar, those listed as active."""
    traded = (
        lake.scan("equity_bars")
        .group_by("ticker")
        .agg(pl.col("date").max())
        .sort(["date", "ticker"], descending=[True, False])
        .select("ticker")
        .collect()
    )
    return traded if traded.height else listings.filter(pl.col("active")).select("ticker").sort("ticker")
