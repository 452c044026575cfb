"""Seconds of one forecast of 8,000 tickers with the model loaded, by part; `python -m benchmarks.full_forecast`.

From 320 sessions of bars in memory to a checked frame of predictions, with the model of `benchmarks.cold_forecast`. The
first two forecasts, which compile and capture the network's kernels, are not counted. `--folder` keeps model and bars
for the next run. The foreign load is the processors that something else kept busy meanwhile.
"""

import resource
import time
from collections.abc import Callable

import polars as pl

from benchmarks.forecast_parts import PartClock
from benchmarks.forecast_rounds import Round, open_inputs, show
from benchmarks.once import END
from benchmarks.tft import busy_seconds
from internal.model_registry import load_forecaster

MUST_SECONDS = 3.0
TICKERS = 8000
NOT_COUNTED = 2


def measure(forecast: Callable[[], int], clock: PartClock) -> Round:
    """One forecast, which returns its number of rows."""
    begin, used, busy = time.perf_counter(), time.process_time(), busy_seconds()
    rows = forecast()
    whole, processor = time.perf_counter() - begin, time.process_time() - used
    if rows != TICKERS * 7:
        raise SystemExit(f"{TICKERS} tickers were not all forecast")
    foreign = max(0.0, busy_seconds() - busy - processor) / whole
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Round(whole, dict(clock.seconds), processor, megabytes, foreign)


def main() -> None:
    """Make model and bars, forecast and print the table."""
    with open_inputs(__doc__) as (folder, count):
        bars, details = pl.read_parquet(folder / "bars.parquet"), pl.read_parquet(folder / "details.parquet")
        forecaster, clock = load_forecaster(folder / "artifact"), PartClock()
        clock.time_parts()
        rounds = [
            measure(lambda: forecaster.forecast(bars, details, END, bars_version=0).frame.height, clock)
            for _ in range(NOT_COUNTED + count)
        ]
    show(f"{TICKERS} tickers, {count} forecasts", rounds[NOT_COUNTED:], MUST_SECONDS)


if __name__ == "__main__":
    main()
