# pyarrow ships no types
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
"""Bars of a range over HTTP beside Polars' scan of the same files: as traded, and adjusted as of the last day.

    uv run python -m benchmarks.range_read [--bars 3720000] [--tickers 8000] [--end 2024-11-06] [--repeat 5]
        [--renamed 0]

It writes a lake of random bars in a temporary folder, as the collection writes it, starts datamanager on it, and prints
of each way to read them the least and the median seconds elapsed, the median of processor time of both processes, and
their ratios to the scan above it: `pl.scan_parquet(files).select(columns).collect()` of the same columns, all of
`equity_bars` first and then four, which neither converts, orders nor checks a row. The client's answers are in the
frame's types and ordered by date and ticker.

- `sent` is a client elsewhere, which gets the content of the files; without it the client is on the same machine and
  gets their names.
- `pyarrow` decodes the Arrow stream as it arrives; `httpx` reads it whole, and Polars decodes it then.
- `another day` asks as of a day that was not asked for before, so that the factors are not known yet.
- With `--renamed 200` so many securities changed their ticker in the middle of the range: adjusted bars have the names
  of the last day.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from statistics import median

import httpx
import polars as pl
import psutil
import pyarrow as pa
from pydantic import SecretStr

from benchmarks.served_lake import make_tickers, serve, write_actions, write_bars, write_renames
from internal.dates import sessions
from internal.http.bar_parts import WantedBars, read_bar_parts
from internal.http.datamanager_client import DatamanagerClient
from internal.http.large_responses import open_response
from internal.http.parts import PARTS
from internal.lake.store import Lake
from internal.schemas import equity_bars

TEN_YEARS = timedelta(days=3_650)  # the longest range that datamanager answers
FOUR_COLUMNS = ("date", "ticker", "close", "volume")


@dataclass(frozen=True)
class Seconds:
    """One measurement."""

    least: float
    elapsed: float
    processor: float


def measure(call: Callable[[], object], server: psutil.Process, repeat: int) -> Seconds:
    """The medians of elapsed time and of processor time, the server's included, after one call that is not counted."""
    call()
    elapsed: list[float] = []
    processor: list[float] = []
    for _ in range(repeat):
        started, used = time.perf_counter(), _processor_seconds(server)
        call()
        elapsed.append(time.perf_counter() - started)
        processor.append(_processor_seconds(server) - used)
    return Seconds(min(elapsed), median(elapsed), median(processor))


def _processor_seconds(server: psutil.Process) -> float:
    times = server.cpu_times()
    return time.process_time() + times.user + times.system


def _peak_megabytes(process: psutil.Process) -> float:
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1e3


def read_sent(url: str, wanted: WantedBars, as_of: date | None) -> pl.DataFrame:
    """What a client elsewhere reads: the content of the files."""
    asked = {"start_date": str(wanted.start), "end_date": str(wanted.end)}
    asked |= {} if as_of is None else {"adjusted_as_of": str(as_of)}
    request = httpx.Request("GET", f"{url}/equity-bars", params=asked, headers={"Accept": PARTS})
    with open_response(request, connect=5, read=120) as response:
        return read_bar_parts(response, wanted)


def make_calls(
    url: str, client: DatamanagerClient, files: list[Path], days: list[date]
) -> dict[str, Callable[[], object]]:
    """The ways to read all bars, each after the scan of its columns, and one day."""
    every = WantedBars(days[0], days[-1], tuple(equity_bars.COLUMNS))
    other_days = iter(reversed(days[:-1]))
    arrow = {"Accept": "application/vnd.apache.arrow.stream"}
    whole, day = ({"start_date": str(first), "end_date": str(days[-1])} for first in (days[0], days[-1]))

    def read(as_of: date | None, columns: tuple[str, ...] = ()) -> pl.DataFrame:
        return client.bars(days[0], days[-1], adjusted_as_of=as_of, columns=columns)[0]

    def get(asked: dict[str, str]) -> bytes:
        return httpx.get(f"{url}/equity-bars", params=asked, headers=arrow, trust_env=False, timeout=120).content

    def stream() -> object:
        request = httpx.Request("GET", f"{url}/equity-bars", params=whole, headers=arrow)
        with open_response(request, connect=5, read=120) as response:
            return pa.ipc.open_stream(response).read_all()

    return {
        "scan": lambda: pl.scan_parquet(files).select(every.columns).collect(),
        "as traded": lambda: read(None),
        "as traded, sent": lambda: read_sent(url, every, None),
        "adjusted": lambda: read(days[-1]),
        "adjusted, sent": lambda: read_sent(url, every, days[-1]),
        "adjusted, another day": lambda: read(next(other_days)),
        "as traded, pyarrow": stream,
        "as traded, httpx": lambda: pl.read_ipc_stream(get(whole)),
        "one day, any Arrow client": lambda: get(day),
        "scan, four columns": lambda: pl.scan_parquet(files).select(FOUR_COLUMNS).collect(),
        "as traded, four columns": lambda: read(None, FOUR_COLUMNS),
        "adjusted, four columns": lambda: read(days[-1], FOUR_COLUMNS),
    }


def main() -> None:
    """Write, serve, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bars", type=int, default=3_720_000)
    parser.add_argument("--tickers", type=int, default=8_000)
    parser.add_argument("--end", type=date.fromisoformat, default=date(2024, 11, 6))
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--renamed", type=int, default=0)
    options = parser.parse_args()
    tickers = make_tickers(options.tickers)
    days = sessions(options.end - TEN_YEARS, options.end)[-(options.bars // options.tickers) :]
    with tempfile.TemporaryDirectory() as name:
        folder, lake = Path(name), Lake(f"{name}/lake")
        rows = write_bars(lake, tickers, days)
        write_actions(lake, tickers, days)
        write_renames(lake, tickers, days, options.renamed)
        files = lake.files("equity_bars", days[0], days[-1]) or []
        megabytes = sum(file.stat().st_size for file in files) / 1e6
        print(f"{rows:,} bars of {tickers.len():,} tickers, {len(files)} files of {megabytes:,.0f} MB in all")
        with serve(folder) as (url, server), DatamanagerClient(url, SecretStr("")) as client:
            scan: Seconds | None = None
            for what, call in make_calls(url, client, files, days).items():
                taken = measure(call, server, options.repeat)
                scan = taken if scan is None or what.startswith("scan") else scan
                print(
                    f"{what:30} least {taken.least:7.3f} s ({taken.least / scan.least:5.2f}x)   "
                    f"median {taken.elapsed:7.3f} s ({taken.elapsed / scan.elapsed:5.2f}x)   "
                    f"processor {taken.processor:7.3f} s ({taken.processor / scan.processor:5.2f}x)   "
                    f"datamanager's peak {_peak_megabytes(server):,.0f} MB"
                )
            if client.bars(days[0], days[-1], adjusted_as_of=None)[0].height != rows:
                raise SystemExit("the answer lacks rows")


if __name__ == "__main__":
    main()
