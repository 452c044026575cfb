"""How much memory and processor time `models train` takes on a simulated market: 8,000 tickers over five years.

Claim: HAR, with earnings features, adaptive intervals or boosted trees, and the combination of the last two are
trained, evaluated and registered in under 4 GB and 5 minutes by the clock, and `full`, networks of two seeds, in under
6 GB and 30 minutes. At first HAR took 830 s and 14.6 GB for two years.
Run: `python -m benchmarks.training_memory [--tickers N] [--years N] [--model KIND] [--folder DATASET]`; prints JSON.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import polars as pl

from internal.price_adjustment import adjust_bars
from internal.venue.market.simulated import FIRST_DAY, SimulatedMarket
from models.dataset import BARS, MANIFEST, Dataset, save_dataset
from models.sizes import SIZES

LAST = date(2024, 12, 31)
MUST = 4000, 300  # megabytes, seconds of processor time
MUST_OF_NETWORKS = 6000, 2 * 1800  # of both cores
SPARE = 1.1  # a twentieth of the companies is not listed within the years


@dataclass(frozen=True)
class Training:
    """What one run of the command took.

    Attributes:
        model: The size or the baseline's kind.
        bars: Rows of the dataset.
        processor_seconds: Of all threads, user and system.
        wall_seconds: From start to end, on a machine that may be busy.
        peak_megabytes: The largest resident memory of the process, in units of 10^6 bytes.
        memory_ratio: The peak, in units of what it must not exceed at 8,000 tickers and five years.
        time_ratio: Seconds of processor time, in units of the same.
    """

    model: str
    bars: int
    processor_seconds: float
    wall_seconds: float
    peak_megabytes: float
    memory_ratio: float
    time_ratio: float


def make_dataset(folder: Path, tickers: int, years: int) -> None:
    """Write a dataset of simulated tickers, listed throughout or in part, with prices adjusted as of the last day."""
    first = date(LAST.year - years + 1, 1, 1)
    market = SimulatedMarket(ticker_count=round(tickers * SPARE), first_day=min(FIRST_DAY, first))
    everything = pl.concat(market.bars(day) for day in market.sessions() if first <= day <= LAST).lazy()
    names = everything.select(pl.col("ticker").unique().sort().head(tickers))
    bars = everything.join(names, on="ticker", how="semi")
    splits, dividends = market.splits(first, LAST).lazy(), market.dividends(first, LAST).lazy()
    adjusted = adjust_bars(bars, bars.select("ticker", "date", "close"), splits, dividends, LAST).collect()
    columns = ("ticker", "date", "open", "high", "low", "close", "volume", "volume_weighted_average_price")
    listings = [(one.ticker, one.sector, one.industry) for one in market.listings(LAST)]
    details = pl.DataFrame(listings, schema=["ticker", "sector", "industry"], orient="row")
    save_dataset(folder, Dataset(adjusted.select(columns), details, first, LAST, LAST, 0, {}))


def measure_training(dataset: Path, state: Path, model: str) -> Training:
    """Run `models train` as a process with a registry and a state folder of its own."""
    words = [sys.executable, "-m", "models", "train", "--dataset", str(dataset), "--model", model]
    variables = os.environ | {"STATE_DIRECTORY": str(state), "REGISTRY_DIRECTORY": str(state / "registry")}
    begin = time.perf_counter()
    with subprocess.Popen(words, env=variables, stdout=subprocess.DEVNULL) as process:  # noqa: S603 - fixed words
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"`models train` ended with status {process.returncode}; its message is above")
    seconds, peak = usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / 1e6
    bars = pl.scan_parquet(dataset / BARS).select(pl.len()).collect().item()
    megabytes, limit = MUST_OF_NETWORKS if model in SIZES else MUST
    times = round(seconds, 1), round(time.perf_counter() - begin, 1)
    return Training(model, bars, *times, round(peak), round(peak / megabytes, 2), round(seconds / limit, 2))


def main() -> None:
    """Read the options, make the dataset where there is none, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tickers", type=int, default=8000)
    parser.add_argument("--years", type=int, default=5)
    parser.add_argument("--model", default="heterogeneous_volatility")
    parser.add_argument("--folder", type=Path, help="where the dataset is, or is made")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        dataset = given.folder or Path(temporary) / "dataset"
        if not (dataset / MANIFEST).exists():
            make_dataset(dataset, given.tickers, given.years)
        print(json.dumps(asdict(measure_training(dataset, Path(temporary), given.model))))


if __name__ == "__main__":
    main()
