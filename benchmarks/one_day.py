"""Milliseconds until a day of 8,000 tickers is read over HTTP, 50 requests a second; `python -m benchmarks.one_day`.

Requests arrive by a Poisson process, whether or not earlier ones are answered, and are sent over a few connections that
stay open. A request's time runs from its arrival, so that waiting for a connection counts, until the Arrow stream is a
frame. Each asks for a day of its own among two years, all columns, as traded. Client and service share the machine.
"""

import argparse
import asyncio
import tempfile
import time
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import httpx
import numpy as np
import polars as pl

from benchmarks.served_lake import make_tickers, serve, write_bars
from internal.dates import sessions
from internal.http.frames import ARROW
from internal.lake.store import Lake

TICKERS = 8_000
LAST_DAY, TWO_YEARS = date(2024, 11, 6), timedelta(days=730)
MUST_MILLISECONDS = 150.0
WARM_UP = 50  # requests that are not counted


@dataclass(frozen=True)
class Arrival:
    """A request: when it arrives, in seconds from the start, and the day that it asks for."""

    second: float
    day: date


def plan_arrivals(days: list[date], rate: float, seconds: float) -> list[Arrival]:
    """Arrivals of a Poisson process, the same in every run."""
    generator = np.random.default_rng(7)
    times = np.cumsum(generator.exponential(1 / rate, int(rate * seconds))).tolist()
    places = (int(generator.integers(len(days))) for _ in times)
    return [Arrival(second, days[place]) for second, place in zip(times, places, strict=True)]


async def read_days(url: str, arrivals: list[Arrival], connections: int) -> list[float]:
    """Seconds from each arrival to its frame."""
    limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
    async with httpx.AsyncClient(trust_env=False, limits=limits, timeout=60, headers={"Accept": ARROW}) as client:
        started = time.perf_counter()

        async def read(arrival: Arrival) -> float:
            await asyncio.sleep(started + arrival.second - time.perf_counter())
            asked = {"start_date": str(arrival.day), "end_date": str(arrival.day)}
            response = await client.get(f"{url}/equity-bars", params=asked)
            if pl.read_ipc_stream(response.raise_for_status().content).height != TICKERS:
                raise SystemExit(f"the answer for {arrival.day} lacks rows")
            return time.perf_counter() - started - arrival.second

        return await asyncio.gather(*map(read, arrivals))


def main() -> None:
    """Write two years of bars, serve them, read days of them and print the figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=50, help="requests a second")
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--connections", type=int, default=8)
    asked = parser.parse_args()
    days = sessions(LAST_DAY - TWO_YEARS, LAST_DAY)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_bars(Lake(f"{name}/lake"), make_tickers(TICKERS), days)
        with serve(folder) as (url, _):
            arrivals = plan_arrivals(days, asked.rate, asked.seconds + WARM_UP / asked.rate)
            taken = asyncio.run(read_days(url, arrivals, asked.connections))
    middle, late = np.percentile(np.array(taken[WARM_UP:]) * 1_000, [50, 99])
    load = f"{asked.rate:g} a second, {asked.connections} connections"
    print(f"{len(taken) - WARM_UP:,} days of {TICKERS:,} tickers, {load}:")
    print(
        f"p99 {late:.0f} ms, must be under {MUST_MILLISECONDS:.0f} ms ({late / MUST_MILLISECONDS:.2f} of it); "
        f"p50 {middle:.0f} ms"
    )


if __name__ == "__main__":
    main()
