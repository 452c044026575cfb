"""Fundamentals: collects from EDGAR what companies filed, and answers what was known of a ticker at a moment."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import polars as pl

from datamanager.companies import fetch_all, read_companies, store_companies
from datamanager.fundamental_measures import CONCEPTS, FORMS, NEW_YORK, compute_measures
from datamanager.ports import Company, CompanyData, MarketData
from datamanager.progress import CollectionProgress, Phase
from internal.lake.store import Lake
from internal.schemas import companies, fundamentals

BATCH_COMPANIES = 50  # ten seconds at the SEC's limit
REQUESTS_A_COMPANY = 2
QUARTER = timedelta(days=91)  # no new report can be about a quarter that has not ended
WITHOUT_REPORTS = timedelta(days=30)  # how often a company without any is asked again
PROCESSING = timedelta(days=1)  # from a filing's acceptance until its facts are served
HISTORY_BEFORE_BARS = timedelta(days=2 * 365)


class Fundamentals:
    """Writes the table of fundamentals; one writer at a time in this process."""

    def __init__(
        self, lake: Lake, market_data: MarketData, company_data: CompanyData, progress: CollectionProgress
    ) -> None:
        self._lake = lake
        self._market_data = market_data
        self._company_data = company_data
        self._progress = progress
        self._one_at_a_time = asyncio.Lock()

    async def sync(self) -> int:
        """Collect the reports of every company that may have a new one; the number of rows added.

        What was committed before an error stays, and the next sync continues with the other companies.
        """
        async with self._one_at_a_time:
            return await asyncio.to_thread(self._sync)

    def _sync(self) -> int:
        now = self._market_data.now()
        due = find_due(read_companies(self._lake), self._lake.scan("fundamentals").collect(), now)
        since = _first_bar(self._lake, now.date()) - HISTORY_BEFORE_BARS
        pause = REQUESTS_A_COMPANY * self._company_data.seconds_between_requests
        self._progress.start(Phase.FUNDAMENTALS, due.height, "companies", pause)
        try:
            return sum(self._collect_batch(batch, since, now) for batch in due.iter_slices(BATCH_COMPANIES))
        finally:
            self._progress.end(Phase.FUNDAMENTALS)

    def _collect_batch(self, batch: pl.DataFrame, since: date, now: datetime) -> int:
        """Fetch and store the reports of some companies, and what they state about themselves; the rows added."""
        asked = list(batch.select("central_index_key", "facts_read_at").iter_rows())
        answers = fetch_all(lambda row: self._fetch(row[0], since, row[1]), asked)
        known = self._lake.scan("fundamentals").select(fundamentals.KEY).collect()
        added = pl.concat(rows for _, rows in answers).join(known, on=fundamentals.KEY, how="anti")
        if added.height:
            self._lake.append("fundamentals", added)
        store_companies(self._lake, [company for company, _ in answers], datetime.now(UTC), facts_read_at=now)
        self._progress.advance(Phase.FUNDAMENTALS, batch.height)
        return added.height

    def _fetch(self, key: str, since: date, read_at: datetime | None) -> tuple[Company, pl.DataFrame]:
        """The company and its fundamentals; none of these where it filed no report since its facts were read."""
        found = self._company_data.filings(key, since)
        if found is None:
            return Company(key, None, None, None), fundamentals.empty()
        reports = [filing.accepted for filing in found.filings if filing.form in FORMS]
        if not reports or (read_at and max(reports) < read_at - PROCESSING):
            return found.company, fundamentals.empty()
        return found.company, compute_measures(key, self._company_data.facts(key, CONCEPTS), found.filings)


def find_due(known: pl.DataFrame, stored: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """The companies that may have filed a report that is not stored; those that were never read come first.

    Funds have no industry and file no such reports, and are not asked.
    """
    last = stored.group_by("central_index_key").agg(pl.col("period_end").filter(measure="book_equity").max())
    return (
        known.filter(pl.col("standard_industrial_classification").is_not_null())
        .join(last, on="central_index_key", how="left")
        .filter(
            pl.col("facts_read_at").is_null()
            | (pl.col("period_end") <= now.date() - QUARTER)
            | (pl.col("period_end").is_null() & (pl.col("facts_read_at") <= now - WITHOUT_REPORTS))
        )
        .sort("facts_read_at", nulls_last=False, maintain_order=True)
        .select(list(companies.COLUMNS))
    )


def read_fundamentals(lake: Lake, tickers: Sequence[str] | None, known_at: datetime) -> pl.DataFrame:
    """What had been filed of each ticker's company by the moment: one row a ticker and measure, ordered by both.

    Of each measure the latest period, as it was last stated by then. Companies with several classes of shares have the
    same rows under each ticker.
    """
    keys = find_companies(lake, known_at.astimezone(NEW_YORK).date())
    wanted = keys if tickers is None else keys.filter(pl.col("ticker").is_in(list(tickers)))
    filed = lake.scan("fundamentals").filter(pl.col("filed") <= known_at).sort("period_end", "filed")
    latest = filed.unique(["central_index_key", "measure"], keep="last", maintain_order=True)
    frame = wanted.join(latest, on="central_index_key").sort("ticker", "measure").collect()
    return fundamentals.validate_of_tickers(frame.select(list(fundamentals.TICKER_COLUMNS)))


def find_companies(lake: Lake, day: date) -> pl.LazyFrame:
    """The tickers of that day, each with its security and the SEC's key of its company.

    A security whose listing has no key has that of its ticker's details, unless the ticker went to another one since.
    Tickers of which no security is known have the key of their details.
    """
    details = lake.scan("equity_details").select("ticker", detail_key="central_index_key")
    securities = lake.scan("securities")
    held = (pl.col("start_date") <= day) & (pl.col("end_date").is_null() | (pl.col("end_date") >= day))
    own_key = pl.coalesce("central_index_key", pl.when(pl.col("end_date").is_null()).then("detail_key"))
    aliases = securities.filter(held).join(details, on="ticker", how="left")
    others = details.join(securities, on="ticker", how="anti")
    no_security = pl.lit(None, pl.String).alias("security_id")
    return pl.concat(
        [
            aliases.select("ticker", "security_id", own_key.alias("central_index_key")),
            others.select("ticker", no_security, pl.col("detail_key").alias("central_index_key")),
        ]
    ).filter(pl.col("central_index_key").is_not_null())


def _first_bar(lake: Lake, otherwise: date) -> date:
    first = lake.scan("equity_bars").select(pl.col("date").min()).collect().item()
    return first if isinstance(first, date) else otherwise
