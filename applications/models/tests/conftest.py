"""What the tests of `models` share: a dataset of made-up bars, and the real datamanager in front of a real exchange."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date
from pathlib import Path

import httpx
import numpy as np
import polars as pl
import pytest

from internal.dates import sessions_frame
from internal.features.panel import build_panel
from models.dataset import Dataset

SHARED_DATA = Path(os.environ.get("SHARED_DATA", Path(__file__).parents[3].parent / "shared" / "data"))
TOKEN = "a-token-of-the-tests"  # noqa: S105 - no secret


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the `real_data` tests where the folder is absent, and say so."""
    mine = [
        item for item in items if item.get_closest_marker("real_data") and Path(__file__).parent in item.path.parents
    ]
    if mine and not SHARED_DATA.is_dir():
        config.hook.pytest_deselected(items=mine)
        items[:] = [item for item in items if item not in mine]
        sys.stderr.write(f"{len(mine)} real_data tests of models left out: there is no folder {SHARED_DATA}\n")


def _walk(name: str, calendar: pl.DataFrame, seed: int) -> pl.DataFrame:
    """A random walk whose volatility swings slowly, so that a forecast of the spread can be right."""
    random, count = np.random.default_rng(seed), calendar.height
    close = 50 * np.exp(np.cumsum(random.normal(0, 0.012 * (1 + 0.5 * np.sin(np.arange(count) / 15 + seed)))))
    opened = close * np.exp(random.normal(0, 0.003, count))
    return calendar.select("date").with_columns(
        ticker=pl.lit(name),
        open=pl.Series(opened),
        high=pl.Series(np.maximum(close, opened) * 1.004),
        low=pl.Series(np.minimum(close, opened) * 0.996),
        close=pl.Series(close),
        volume=pl.Series(np.round(random.lognormal(14, 0.3, count))),
        volume_weighted_average_price=pl.lit(None, pl.Float64),
    )


@pytest.fixture(scope="session")
def make_dataset() -> Callable[[int, date, date], Dataset]:
    """`make_dataset(ticker_count, start, end)`: the same for the same arguments."""

    def make(ticker_count: int, start: date, end: date) -> Dataset:
        names = [f"T{place:02}" for place in range(ticker_count)]
        calendar = sessions_frame(start, end)
        bars = pl.concat(_walk(name, calendar, place) for place, name in enumerate(names))
        details = pl.DataFrame(
            {"ticker": names, "sector": ["Energy"] * ticker_count, "industry": ["Oil"] * ticker_count}
        )
        report = asdict(build_panel(bars, details, end=end).report)
        return Dataset(bars, details, start, end, end, 4, report)

    return make


@contextmanager
def _service(module: str, folder: Path, **settings: str) -> Iterator[str]:
    """One of the fund's services as a process on a free port, ended with the block."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder.mkdir()
    words = [sys.executable, "-m", "internal.http.run", f"{module}.server:create_application", "--port", str(port)]
    variables = os.environ | {"STATE_DIRECTORY": str(folder), "FUND_API_TOKEN": TOKEN} | settings
    with (folder / "log").open("wb") as log, subprocess.Popen(words, env=variables, stdout=log, stderr=log) as process:  # noqa: S603 - our own
        try:
            _wait(f"http://127.0.0.1:{port}", process, folder / "log")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(600):
        assert process.poll() is None, log.read_text()
        try:
            if httpx.get(f"{url}/ready").is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise TimeoutError(log.read_text())


@pytest.fixture(scope="session")
def datamanager_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The real datamanager, fed by a real exchange of twelve tickers whose clock stands at the close of 2024-12-31."""
    folder = tmp_path_factory.mktemp("services")
    keys = {"EXCHANGE_API_KEY_ID": "PK-TESTS", "EXCHANGE_API_SECRET": "tests"}
    with _service("exchange", folder / "exchange", EXCHANGE_TICKER_COUNT="12", **keys) as exchange:
        settings = {"POLYGON_API_KEY": "PK-TESTS", "POLYGON_BASE_URL": exchange, "POLYGON_REQUESTS_PER_MINUTE": "0"}
        with _service("datamanager", folder / "datamanager", DATA_BUCKET=str(folder / "lake"), **settings) as url:
            yield url


@pytest.fixture
def token() -> str:
    """The bearer token that the services want."""
    return TOKEN


@pytest.fixture
def run_models() -> Callable[..., subprocess.CompletedProcess[str]]:
    """`run_models("train", ..., NAME=value)`: the command as a user runs it, with these settings."""

    def run(*words: str, **settings: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "models", *words]
        variables = os.environ | {"COLUMNS": "200"} | settings
        return subprocess.run(command, env=variables, capture_output=True, text=True, check=False)  # noqa: S603 - our own

    return run


@pytest.fixture
def shared_data() -> Path:
    """The folder of real bars."""
    return SHARED_DATA
