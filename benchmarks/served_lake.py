"""A lake of random bars as the collection writes it, and datamanager on it: what benchmarks of reads share."""

import os
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime
from pathlib import Path

import httpx
import numpy as np
import polars as pl
import psutil

from internal.action_kinds import ActionKind
from internal.dates import session_close
from internal.lake.store import Lake
from internal.schemas import equity_bars, securities
from internal.schemas.corporate_actions import CORPORATE_ACTIONS_COLUMNS

COMMIT_SESSIONS = 25


def make_tickers(count: int) -> pl.Series:
    """So many tickers, in order."""
    return pl.Series("ticker", [f"T{number:05d}" for number in range(count)])


def write_bars(lake: Lake, tickers: pl.Series, days: list[date]) -> int:
    """Random walks, committed as a collection commits them; the number of rows."""
    generator, count = np.random.default_rng(7), tickers.len()
    price = generator.lognormal(3.5, 1.0, count)
    for first in range(0, len(days), COMMIT_SESSIONS):
        batch: list[pl.DataFrame] = []
        for day in days[first : first + COMMIT_SESSIONS]:
            price = price * np.exp(generator.normal(0, 0.02, count))
            close = np.round(price, 2) + 0.01
            first_price = np.round(close * np.exp(generator.normal(0, 0.005, count)), 2) + 0.01
            above, below = np.maximum(close, first_price), np.minimum(close, first_price)
            batch.append(
                pl.DataFrame(
                    {
                        "ticker": tickers,
                        "date": [day] * count,
                        "timestamp": [session_close(day)] * count,
                        "open": first_price,
                        "high": np.round(above * (1 + generator.random(count) / 100), 2),
                        "low": np.round(below * (1 - generator.random(count) / 100), 2),
                        "close": close,
                        "volume": generator.integers(100, 10**7, count).astype(np.float64),
                        "volume_weighted_average_price": np.round((close + first_price) / 2, 4),
                        "transactions": generator.integers(1, 10**5, count),
                    },
                    schema=equity_bars.COLUMNS,
                )
            )
        lake.replace_days("equity_bars", pl.concat(batch), days[first], days[min(first + 24, len(days) - 1)])
    lake.compact("equity_bars")
    return count * len(days)


def write_actions(lake: Lake, tickers: pl.Series, days: list[date]) -> None:
    """Quarterly dividends of four tickers in ten, and a split of one in fifty."""
    paying, splitting = tickers.gather_every(5).append(tickers.gather_every(5, 1)), tickers.gather_every(50)
    rows = [
        {"ticker": ticker, "kind": ActionKind.CASH_DIVIDEND.value, "effective_date": day, "cash_amount": 0.05}
        for number, ticker in enumerate(paying)
        for day in days[1 + number % 60 :: 63]
    ]
    rows += [
        {
            "ticker": ticker,
            "kind": ActionKind.FORWARD_SPLIT.value,
            "effective_date": days[len(days) // 2],
            "old_shares": 1.0,
            "new_shares": 2.0,
        }
        for ticker in splitting
    ]
    known = {"version": 1, "recorded_at": datetime(2024, 1, 1, tzinfo=UTC), "withdrawn": False, "source": "benchmark"}
    complete = [row | known | {"action_id": str(number)} for number, row in enumerate(rows)]
    lake.append("corporate_actions", pl.DataFrame(complete, schema=CORPORATE_ACTIONS_COLUMNS))


def write_renames(lake: Lake, tickers: pl.Series, days: list[date], count: int) -> None:
    """So many securities, spread over the alphabet, that have another ticker since the last day: theirs backwards."""
    known: dict[str, object] = {"source": "benchmark", "recorded_at": datetime(2024, 1, 1, tzinfo=UTC)}
    rows: list[dict[str, object]] = []
    for ticker in tickers.gather_every(tickers.len() // max(count, 1))[:count]:
        security = known | {"security_id": f"security {ticker}"}
        rows += [
            security | {"ticker": ticker, "start_date": days[0], "end_date": days[-2]},
            security | {"ticker": str(ticker)[::-1], "start_date": days[-1]},
        ]
    if rows:
        lake.append("securities", pl.DataFrame(rows, schema=securities.COLUMNS))


@contextmanager
def serve(folder: Path) -> Generator[tuple[str, psutil.Process]]:
    """Datamanager on the lake in the folder: its address and its process."""
    environment = {
        **os.environ,
        "DATA_BUCKET": str(folder / "lake"),
        "STATE_DIRECTORY": str(folder / "state"),
        "MARKET_DATA_VENDOR": "files",
    }
    command = [sys.executable, "-m", "internal.http.run", "datamanager.server:create_application", "--port", "0"]
    with (folder / "log").open("w") as log:
        process = psutil.Popen(command, env=environment, stdout=log, stderr=log)
        try:
            yield wait_for_service(process, folder / "log"), process
        finally:
            if process.is_running():
                process.terminate()
            process.wait()


def wait_for_service(process: psutil.Popen, log: Path) -> str:
    """The address that a service answers on: it asked the system for a port, so that no other program takes it.

    Raises RuntimeError with the service's log when it ends before it answers.
    """
    while process.poll() is None:
        for port in find_listening_ports(process):
            url = f"http://127.0.0.1:{port}"
            with suppress(httpx.HTTPError):
                httpx.get(f"{url}/health", trust_env=False).raise_for_status()
                return url
        time.sleep(0.1)
    raise RuntimeError(f"datamanager ended before it answered:\n{log.read_text()}")


def find_listening_ports(process: psutil.Process) -> list[int]:
    """The ports that the process listens on; none when it has ended."""
    try:
        connections = process.net_connections("tcp")
    except psutil.NoSuchProcess:
        return []
    return [one.laddr.port for one in connections if one.status == psutil.CONN_LISTEN]
