"""Reads the details of each ticker, with the security that has it."""

from collections.abc import Sequence
from datetime import datetime

import polars as pl

from datamanager.detail_rows import select_known
from datamanager.queries import known_version, require_known_tickers, select_tickers
from internal.lake.store import Lake
from internal.schemas import equity_details


def read_details(lake: Lake, tickers: Sequence[str] | None, known_at: datetime | None = None) -> pl.DataFrame:
    """Equity details ordered by ticker, the newest or as recorded by a moment: `ANSWER_COLUMNS` of their schema.

    Raises NotFoundError, which names the tickers that were never in the lake.
    """
    newest = lake.scan("equity_details")
    details = newest if known_at is None else select_known(lake.scan("equity_detail_versions"), known_at)
    wanted = select_tickers(details, tickers).join(_find_last_holders(lake, known_at), on="ticker", how="left")
    frame = wanted.select(list(equity_details.ANSWER_COLUMNS)).sort("ticker").collect()
    require_known_tickers(lake, tickers, frame.get_column("ticker"))
    return frame


def _find_last_holders(lake: Lake, known_at: datetime | None) -> pl.LazyFrame:
    """The security that had each ticker last, which is the one that details are about, and since when it has it."""
    aliases = lake.scan("securities", known_version(lake, "securities", known_at)).sort("ticker", "start_date")
    last = aliases.unique("ticker", keep="last", maintain_order=True)
    return last.select("ticker", "security_id", pl.col("start_date").alias("ticker_since"))
