"""Says before a training which tickers have no known sector: models and reports use it."""

from typing import Final

import polars as pl

from models.dataset import Dataset

NO_SECTORS: Final = (
    "No ticker has a known sector, so no forecast can use them. Store a file with the columns ticker and sector: "
    "`./fund data import BARS --details FILE` in a fund's folder, or `POST /equity-details` of datamanager with the "
    "file as text/csv; then assemble again. An exchange that replays EXCHANGE_DETAILS_FILE answers its SIC codes (the "
    "column sic_code) and never its sectors, as a vendor does."
)


def describe_missing_sectors(dataset: Dataset) -> str | None:
    """One sentence, and what to do where no sector is known at all; None where each ticker has one."""
    tickers = dataset.bars.select("ticker").unique()
    known = dataset.details.filter(pl.col("sector").is_not_null()).select("ticker")
    missing = tickers.join(known, on="ticker", how="anti").sort("ticker").to_series()
    if missing.is_empty():
        return None
    if len(missing) == tickers.height:
        return NO_SECTORS
    return f"{len(missing):,} of {tickers.height:,} tickers have no known sector, the first is {missing[0]}."
