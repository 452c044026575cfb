"""Fixtures of the tests of `models`: a dataset of random bars, and a datamanager with a simulated exchange."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Generator
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
from libraries.python.tests.free_ports import free_port
from models.__main__ import main
from models.dataset import Dataset

SHARED_DATA = Path(os.environ.get("SHARED_DATA", Path(__file__).parents[3].parent / "shared" / "data"))
TOKEN = "a-token-of-the-tests-and-no-other"  # noqa: S105 - not a secret


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect the `real_data` tests, with a message, where the folder does not exist."""
    selected = [
        item for item in items if item.get_closest_marker("real_data") and Path(__file__).parent in item.path.parents
    ]
    if selected and not SHARED_DATA.is_dir():
        config.hook.pytest_deselected(items=selected)
        items[:] = [item for item in items if item not in selected]
        sys.stderr.write(f"{len(selected)} real_data tests of models deselected: there is no folder {SHARED_DATA}\n")


def _make_random_walk(name: str, calendar: pl.DataFrame, seed: int) -> pl.DataFrame:
    """A random walk whose volatility changes slowly, so that it can be forecast."""
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
    """`make_dataset(ticker_count, start, end)`: equal arguments give equal datasets."""

    def make(ticker_count: int, start: date, end: date) -> Dataset:
        names = [f"T{place:02}" for place in range(ticker_count)]
        calendar = sessions_frame(start, end)
        bars = pl.concat(_make_random_walk(name, calendar, place) for place, name in enumerate(names))
        details = pl.DataFrame(
            {"ticker": names, "sector": ["Energy"] * ticker_count, "industry": ["Oil"] * ticker_count}
        )
        report = asdict(build_panel(bars, details, end=end).report)
        return Dataset(bars, details, start, end, end, 4, report)

    return make


@contextmanager
def _run_service(module: str, folder: Path, **settings: str) -> Generator[str]:
    """Run a service as a process on a free port and end it with the block."""
    port = free_port()
    folder.mkdir()
    words = [sys.executable, "-m", "internal.http.run", f"{module}.server:create_application", "--port", str(port)]
    variables = os.environ | {"STATE_DIRECTORY": str(folder), "FUND_API_TOKEN": TOKEN} | settings
    with (folder / "log").open("wb") as log, subprocess.Popen(words, env=variables, stdout=log, stderr=log) as process:  # noqa: S603 - fixed words
        try:
            _wait_until_ready(f"http://127.0.0.1:{port}", process, folder / "log")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def _wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    with httpx.Client(trust_env=False) as client:  # `httpx.get` reads every certificate authority each time
        for _ in range(600):
            assert process.poll() is None, log.read_text()
            try:
                if client.get(f"{url}/ready").is_success:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.1)
    raise TimeoutError(log.read_text())


@contextmanager
def _run_datamanager(folder: Path, **settings: str) -> Generator[str]:
    """Run an exchange with these settings, and the datamanager that asks it; the datamanager's address."""
    keys = {"EXCHANGE_API_KEY_ID": "PK-TESTS", "EXCHANGE_API_SECRET": "tests"}
    with _run_service("exchange", folder / "exchange", **keys, **settings) as exchange:
        vendor = {
            "POLYGON_API_KEY": "PK-TESTS",
            "POLYGON_BASE_URL": exchange,
            "POLYGON_REQUESTS_PER_MINUTE": "0",
            "EDGAR_USER_AGENT": "A fund of the tests admin@example.com",
            "EDGAR_BASE_URL": exchange,
            "EDGAR_DATA_BASE_URL": exchange,
            "EDGAR_REQUESTS_PER_SECOND": "0",
        }
        with _run_service("datamanager", folder / "datamanager", DATA_BUCKET=str(folder / "lake"), **vendor) as url:
            yield url


@pytest.fixture(scope="session")
def datamanager_url(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    """A datamanager with a simulated exchange of twelve tickers, at the close of 2024-12-31."""
    with _run_datamanager(tmp_path_factory.mktemp("services"), EXCHANGE_TICKER_COUNT="12") as url:
        yield url


@pytest.fixture
def replaying_url(tmp_path: Path, make_dataset: Callable[[int, date, date], Dataset]) -> Generator[str]:
    """A datamanager with an exchange that replays two tickers of 2024, whose details file has sectors alone."""
    bars, details = tmp_path / "bars.parquet", tmp_path / "details.csv"
    data = make_dataset(2, date(2024, 1, 2), date(2024, 12, 31))
    data.bars.drop("volume_weighted_average_price").write_parquet(bars)
    data.details.select("ticker", "sector").write_csv(details)
    files = {"EXCHANGE_BARS_FILE": str(bars), "EXCHANGE_DETAILS_FILE": str(details)}
    with _run_datamanager(tmp_path, **files) as url:
        yield url


@pytest.fixture
def token() -> str:
    """The bearer token of the services."""
    return TOKEN


@pytest.fixture(scope="session")
def run_models() -> Callable[..., subprocess.CompletedProcess[str]]:
    """`run_models("train", ..., NAME=value)`: run the command with these settings."""

    def run(*words: str, **settings: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "models.entry", *words]
        variables = os.environ | {"COLUMNS": "200"} | settings
        return subprocess.run(command, env=variables, capture_output=True, text=True, check=False)  # noqa: S603 - fixed words

    return run


@pytest.fixture
def refuse_models(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    """`refuse_models("train", ..., NAME=value)`: the command in this process; its exit status and standard error."""

    def refuse(*words: str, **settings: str) -> tuple[int, str]:
        for name, value in ({"COLUMNS": "200"} | settings).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "argv", ["models", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0), capsys.readouterr().err

    return refuse


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real bars."""
    return SHARED_DATA
