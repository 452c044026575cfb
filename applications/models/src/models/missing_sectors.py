"""Says before a training which part of a dataset's tickers has no known sector: models and reports use it."""

import polars as pl

from models.dataset import Dataset

REMEDY = "`./fund data import BARS --details FILE` stores them; then collect and assemble again"


def describe_missing_sectors(dataset: Dataset) -> str | None:
    """One sentence, with what to do where no sector is known at all; None where each ticker has one."""
    tickers = dataset.bars.select("ticker").unique()
    known = dataset.details.filter(pl.col("sector").is_not_null()).select("ticker")
    missing = tickers.join(known, on="ticker", how="anti").sort("ticker").to_series()
    if missing.is_empty():
        return None
    if len(missing) == tickers.height:
        return f"No ticker has a known sector, so no forecast can use them: {REMEDY}."
    return f"{len(missing):,} of {tickers.height:,} tickers have no known sector, the first is {missing[0]}."
