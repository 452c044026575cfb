"""Measures a nightly sync of 8,000 rows besides the vendor: check, judge and commit a session, and follow its tickers.

Run: uv run python -m benchmarks.daily_sync. The vendor's answers lie ready in memory, so its time is not counted.
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta

import numpy as np
import polars as pl

from benchmarks.no_arguments import refuse_arguments
from datamanager.ingestion import Ingestion
from datamanager.periods import Period
from datamanager.ports import ACTION_SCHEMA, LISTING_SCHEMA, RAW_BAR_SCHEMA, TickerChange, VendorSession
from datamanager.securities import Securities
from internal import dates
from internal.lake.store import Lake

TICKERS = 8_000
HISTORY = timedelta(days=120)  # as long as the checks look back, and some more
FIRST_DAY, ROUNDS = date(2024, 7, 1), 7


class InMemoryVendor:
    """A vendor whose bars are a function of the session: lognormal moves of 1 %, volumes of a fifth."""

    source = "memory"

    def __init__(self) -> None:
        self.session = FIRST_DAY
        self.ready: dict[date, pl.DataFrame] = {}

    def now(self) -> datetime:
        """The close of the session that was set."""
        return dates.session_close(self.session)

    def has_answered_within(self, seconds: float) -> bool:
        """Always."""
        return seconds > 0

    def daily_bars(self, sessions: Sequence[date], on_session: Callable[[], object]) -> Sequence[VendorSession]:
        """Every ticker's bars of the sessions."""
        for _ in sessions:
            on_session()
        return [VendorSession(day, self.ready.pop(day) if day in self.ready else _make_rows(day)) for day in sessions]

    def corporate_actions(self, start: date, end: date) -> pl.DataFrame:
        """No corporate action."""
        del start, end
        return pl.DataFrame(schema=ACTION_SCHEMA)

    def listings(self, tickers: Sequence[str] | None = None) -> pl.DataFrame:
        """No listing."""
        del tickers
        return pl.DataFrame(schema=LISTING_SCHEMA)

    def ticker_changes(self, ticker: str) -> Sequence[TickerChange]:
        """No change of ticker."""
        del ticker
        return ()

    def close(self) -> None:
        """Nothing to close."""


def _make_rows(day: date) -> pl.DataFrame:
    random = np.random.default_rng(day.toordinal())
    base = np.linspace(5, 500, TICKERS)
    opened, closed = (base * np.exp(0.01 * random.standard_normal(TICKERS)) for _ in range(2))
    bars = {
        "ticker": [f"T{number:04}" for number in range(TICKERS)],
        "date": [day.isoformat()] * TICKERS,
        "open": opened,
        "high": np.maximum(opened, closed) * 1.004,
        "low": np.minimum(opened, closed) * 0.996,
        "close": closed,
        "volume": np.round(1e6 * np.exp(0.2 * random.standard_normal(TICKERS))),
        "volume_weighted_average_price": (opened + closed) / 2,
        "transactions": np.full(TICKERS, 5_000),
    }
    return pl.DataFrame(bars).select(pl.col(RAW_BAR_SCHEMA.names()).cast(pl.String))


def main() -> None:
    """Fill a lake, then sync one session after another."""
    refuse_arguments(__doc__)
    vendor = InMemoryVendor()
    days = dates.sessions(FIRST_DAY - HISTORY, FIRST_DAY + timedelta(days=30))
    history, nights = [day for day in days if day < FIRST_DAY], [day for day in days if day >= FIRST_DAY][:ROUNDS]
    with tempfile.TemporaryDirectory() as folder:
        lake = Lake(folder)
        ingestion = Ingestion(lake, vendor, Securities(lake, vendor))
        asyncio.run(ingestion.ingest_period(Period(history[0], history[-1])))
        times = [_time_sync(ingestion, vendor, day) for day in nights]
    processor, wall = (statistics.median(values) for values in zip(*times, strict=True))
    print(f"one session of {TICKERS:,} rows into a lake of {len(history)} sessions, medians of {len(nights)}:")
    print(f"{processor:.2f} s of processor time, {wall:.2f} s by the clock")


def _time_sync(ingestion: Ingestion, vendor: InMemoryVendor, day: date) -> tuple[float, float]:
    """Seconds of the processor and of the clock for one session, whose rows are made before."""
    vendor.session, vendor.ready = day, {day: _make_rows(day)}
    processor, wall = time.process_time(), time.perf_counter()
    asyncio.run(ingestion.ingest_session(day))
    return time.process_time() - processor, time.perf_counter() - wall


if __name__ == "__main__":
    main()
