"""Seconds of one forecast of 8,000 tickers with the model loaded, by part; `python -m benchmarks.full_forecast`.

From 320 sessions of bars in memory to a checked frame of predictions, with the model of `benchmarks.cold_forecast`. The
first two forecasts, which compile and capture the network's kernels, are not counted. `--folder` keeps model and bars
for the next run. The foreign load is the processors that something else kept busy meanwhile.
"""

import argparse
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from rich.console import Console
from rich.table import Table

from benchmarks.forecast_parts import PartClock
from benchmarks.once import END, make_artifact
from benchmarks.tft import busy_seconds
from internal.model_registry import load_forecaster

MUST_SECONDS = 3.0
TICKERS = 8000
NOT_COUNTED = 2


@dataclass(frozen=True)
class Night:
    """Seconds of one forecast: in all and by part by the clock, and of processor time; and the foreign load."""

    whole: float
    parts: dict[str, float]
    processor: float
    foreign: float


def measure(forecast: Callable[[], int], clock: PartClock) -> Night:
    """One forecast, which returns its number of rows."""
    begin, used, busy = time.perf_counter(), time.process_time(), busy_seconds()
    rows = forecast()
    whole, processor = time.perf_counter() - begin, time.process_time() - used
    if rows != TICKERS * 7:
        raise SystemExit(f"{TICKERS} tickers were not all forecast")
    foreign = max(0.0, busy_seconds() - busy - processor) / whole
    return Night(whole, dict(clock.seconds), processor, foreign)


def show(nights: Sequence[Night]) -> None:
    """Print the medians, and of the whole the slowest."""
    table = Table(f"{TICKERS} tickers, {len(nights)} forecasts", "median", "slowest")
    for name in nights[0].parts:
        seconds = [night.parts[name] for night in nights]
        table.add_row(name, f"{statistics.median(seconds):.2f} s", f"{max(seconds):.2f} s")
    processor, foreign = [night.processor for night in nights], [night.foreign for night in nights]
    table.add_row("processor time", f"{statistics.median(processor):.2f} s", f"{max(processor):.2f} s")
    table.add_row("peak of memory", f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB", "")
    table.add_row("foreign load", f"{statistics.median(foreign):.2f} cores", f"{max(foreign):.2f} cores")
    whole = [night.whole for night in nights]
    table.add_row(f"whole, must be under {MUST_SECONDS} s", f"{statistics.median(whole):.2f} s", f"{max(whole):.2f} s")
    Console().print(table)


def main() -> None:
    """Make model and bars, forecast and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=Path, help="where model and bars are kept, and found the next time")
    asked = parser.parse_args()
    with nullcontext(asked.folder) if asked.folder else tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if not (folder / "artifact").exists():
            folder.mkdir(parents=True, exist_ok=True)
            make_artifact(folder)
        bars, details = pl.read_parquet(folder / "bars.parquet"), pl.read_parquet(folder / "details.parquet")
        forecaster, clock = load_forecaster(folder / "artifact"), PartClock()
        clock.time_parts()
        nights = [
            measure(lambda: forecaster.forecast(bars, details, END, bars_version=0).frame.height, clock)
            for _ in range(NOT_COUNTED + asked.rounds)
        ]
    show(nights[NOT_COUNTED:])


if __name__ == "__main__":
    main()
