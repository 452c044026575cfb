"""Seconds from the start of a process to the forecasts of 480 tickers, by part; `python -m benchmarks.cold_forecast`.

The model is a network of the published size with random weights, 8,000 tickers in its vocabulary and HAR's scale; bars
(320 sessions) and details are read from files, and the forecasts end as a checked frame. Each round is a new process,
from bytecode and with compiled kernels, which the first, that is not counted, leaves behind. `--folder` keeps model and
bars for the next run. The foreign load is the processors that something else kept busy meanwhile.
"""

import json
import os
import resource
import subprocess
import sys
import time
from dataclasses import asdict, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.forecast_rounds import Round, open_inputs, show

MUST_SECONDS = 2.5
TICKERS = 480


def process_start() -> float:
    """The start of this process, in seconds of the wall clock (Linux)."""
    ticks = int(Path("/proc/self/stat").read_text().rsplit(")", 1)[1].split()[19])
    uptime = float(Path("/proc/uptime").read_text().split()[0])
    return time.time() - uptime + ticks / 100


def measure() -> Round:
    """Forecast in this process, which has done nothing else; the folder is the last word of the command line."""
    folder, marks = Path(sys.argv[-1]), {"start": time.time()}
    import polars as pl  # noqa: PLC0415 (its import is a part)

    from internal.model_registry import load_forecaster  # noqa: PLC0415 (as above)

    marks["interpreter, Polars and the library imported"] = time.time()
    details = pl.read_parquet(folder / "details.parquet")
    bars = pl.scan_parquet(folder / "bars.parquet").filter(pl.col("ticker") < f"T{TICKERS:04}").collect()
    marks["bars and details read"] = time.time()
    forecaster = load_forecaster(folder / "artifact")
    marks["model loaded, tinygrad imported"] = time.time()

    from benchmarks.forecast_parts import PartClock  # noqa: PLC0415 (it imports what is timed)
    from benchmarks.once import END  # noqa: PLC0415 (as above)

    marks["start"], clock = process_start(), PartClock()
    clock.time_parts()
    answer = forecaster.forecast(bars, details, END, bars_version=0).frame
    marks["forecast"] = time.time()
    if answer.height != TICKERS * 7:
        raise SystemExit(f"{TICKERS} tickers were not all forecast")
    used = resource.getrusage(resource.RUSAGE_SELF)
    times = list(marks.items())
    own = {name: end - begin for (_, begin), (name, end) in pairwise(times)}
    parts = own | {f"  {name}": seconds for name, seconds in clock.seconds.items()}
    return Round(times[-1][1] - marks["start"], parts, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def run_process(folder: Path) -> Round:
    """A round in a new process."""
    from benchmarks.tft import busy_seconds  # noqa: PLC0415 (the measured process needs none of it)

    command = [sys.executable, "-m", "benchmarks.cold_forecast", "--measure", str(folder)]
    begin, before = time.perf_counter(), busy_seconds()
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 (our own module)
    elapsed, busy = time.perf_counter() - begin, busy_seconds() - before
    if done.returncode:
        raise SystemExit(f"the forecast failed:\n{done.stderr[-3000:]}")
    stored: dict[str, Any] = json.loads(done.stdout)
    found = Round(**stored)
    return replace(found, foreign=max(0.0, busy - found.processor) / elapsed)


def main() -> None:
    """Make model and bars, start the processes and print the table."""
    with open_inputs(__doc__) as (folder, count):
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        run_process(folder)
        rounds = [run_process(folder) for _ in range(count)]
    show(f"{TICKERS} tickers, {count} processes", rounds, MUST_SECONDS)


if __name__ == "__main__":
    if "--measure" in sys.argv:
        print(json.dumps(asdict(measure())))
    else:
        main()
