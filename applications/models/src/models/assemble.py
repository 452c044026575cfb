"""Assembly of a dataset: read adjusted bars and details from datamanager and write them into a folder."""

from dataclasses import asdict
from datetime import date, timedelta
from pathlib import Path

import polars as pl

from internal.errors import ConflictError, InvalidRequestError
from internal.features.panel import build_panel
from internal.http.datamanager_client import DatamanagerClient
from models.dataset import Dataset, save_dataset
from models.progress import OnProgress, Progress, Step, ignore_progress

BAR_COLUMNS = ("ticker", "date", "open", "high", "low", "close", "volume", "volume_weighted_average_price")
PART = timedelta(days=182)


def assemble(
    datamanager: DatamanagerClient, start: date, end: date, folder: Path, *, on_progress: OnProgress = ignore_progress
) -> Dataset:
    """Read the bars of a range, adjusted as of its end, and write the dataset.

    **Guard:** `adjusted_as_of` is the end of the range, so that no later split or dividend is in the prices.

    Raises:
        InvalidRequestError: The range ends before it starts, or has no bar.
        ConflictError: The bars changed while they were read.
        UnavailableError: datamanager cannot be reached.
    """
    if end < start:
        raise InvalidRequestError(f"the range is backwards: {start} to {end}")
    bars, version = _read_bars(datamanager, start, end, on_progress)
    if bars.is_empty():
        raise InvalidRequestError(f"datamanager has no bar from {start} to {end}: run `models collect` first")
    details = datamanager.details()
    last = bars.select(pl.col("date").max()).item()
    report = asdict(build_panel(bars, details, end=last).report)
    dataset = Dataset(bars, details, start, last, end, version, report)
    save_dataset(folder, dataset)
    return dataset


def _read_bars(
    datamanager: DatamanagerClient, start: date, end: date, on_progress: OnProgress
) -> tuple[pl.DataFrame, int]:
    """Read the range in parts of half a year, so that each response of thousands of tickers fits into memory.

    All parts must be of one version of the table.
    """
    starts = [start + PART * place for place in range((end - start) // PART + 1)]
    parts: list[pl.DataFrame] = []
    versions: set[int] = set()
    for place, first in enumerate(starts):
        last = min(first + PART - timedelta(days=1), end)
        part, version = datamanager.bars(first, last, adjusted_as_of=end, columns=BAR_COLUMNS)
        parts.append(part)
        versions.add(version)
        on_progress(Progress(Step.ASSEMBLING, place + 1, len(starts), f"{sum(one.height for one in parts):,} bars"))
    if len(versions) > 1:
        raise ConflictError(f"the bars changed while they were read (versions {sorted(versions)}): assemble again")
    return pl.concat(parts).sort("ticker", "date"), versions.pop()
