"""Companies of EDGAR in the lake: which of them are missing, and fetching them batch by batch."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import datetime

import polars as pl

from datamanager.ports import Company, CompanyData
from internal.lake.store import Lake
from internal.schemas import companies

BATCH_COMPANIES = 100  # ten seconds at the SEC's limit
CONCURRENT_REQUESTS = 8


def read_companies(lake: Lake) -> pl.DataFrame:
    """Every company that was asked about."""
    return lake.scan("companies").collect()


def fetch_companies(company_data: CompanyData, keys: Sequence[str]) -> list[Company]:
    """One a key, in order; without name and code where EDGAR has no such company, so that it is not asked again."""

    def fetch(key: str) -> Company:
        found = company_data.filings(key)
        return Company(key, None, None, None) if found is None else found.company

    return fetch_all(fetch, keys)


def store_companies(
    lake: Lake, rows: Sequence[Company], recorded_at: datetime, *, facts_read_at: datetime | None = None
) -> None:
    """Add or update the companies in one commit; `facts_read_at` says that their filings have been read too."""
    moments = {"recorded_at": recorded_at, "facts_read_at": facts_read_at}
    frame = pl.DataFrame(
        [asdict(company) | moments for company in rows],
        schema=companies.COLUMNS,
    )
    lake.upsert("companies", companies.validate(frame), companies.KEY)


def fetch_all[Key, Answer](fetch: Callable[[Key], Answer], keys: Sequence[Key]) -> list[Answer]:
    """The answers in order, some requests at a time; the first error cancels those that are not sent."""
    with ThreadPoolExecutor(CONCURRENT_REQUESTS, thread_name_prefix="edgar") as pool:
        try:
            return list(pool.map(fetch, keys))
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
