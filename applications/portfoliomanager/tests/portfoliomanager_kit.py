"""A whole fund on loopback for the tests: exchange and datamanager as their own processes, on free ports."""

import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from shutil import copytree
from typing import Any, cast

import httpx
import polars as pl
from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from loaded_strategies import TEN_BY_TEN, ten_by_ten

from internal.dates import next_session, previous_session
from internal.http.client import raise_for_problem, read_frame_response
from internal.http.datamanager_client import DatamanagerClient
from internal.http.frames import ARROW
from internal.lake.lease import Lease
from internal.schemas import predictions as predictions_schema
from internal.trading.ports import Broker, TradingPorts
from internal.trading.rebalancing import Rebalancer
from libraries.python.tests.free_ports import free_port
from libraries.python.tests.killed_processes import without_coverage
from libraries.python.tests.loopback import serving
from portfoliomanager.adapters.lake_journal import LakeJournal
from portfoliomanager.adapters.market_data import DatamanagerMarketData
from portfoliomanager.adapters.stored_portfolios import StoredPortfolios

FAST = ten_by_ten(names_per_side=3, same_day_lock=False)
type Make = Callable[..., Rebalancer]
KEY, SECRET, TOKEN = "PKTESTKEY", "a-secret-of-the-tests", "a-token-of-the-tests-and-no-other"
START_SECONDS = 90.0
HTTP = httpx.Client(trust_env=False, limits=httpx.Limits(max_keepalive_connections=0))
"""For all requests: `httpx.get` reads every certificate authority each time, for 20 ms of processor time."""


@dataclass
class Service:
    """One application under uvicorn, in a process of its own."""

    module: str
    variables: dict[str, str]
    log: Path
    port: int = 0
    process: subprocess.Popen[bytes] | None = None
    measured: bool = True  # by coverage, which needs an orderly end

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> "Service":
        """Start it and wait until it is alive."""
        self.launch()
        return self.await_alive()

    def launch(self) -> None:
        """Start its process."""
        if self.port == 0:
            self.port = free_port()
        command = [sys.executable, "-m", "internal.http.run", f"{self.module}.server:create_application"]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603 - our own applications
                [*command, "--port", str(self.port)],
                env=(os.environ if self.measured else without_coverage(os.environ)) | self.variables,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def await_alive(self) -> "Service":
        """Wait until it is alive."""
        assert self.process is not None
        deadline = time.monotonic() + START_SECONDS
        while not self._alive():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.05)
        return self

    def _alive(self) -> bool:
        try:
            return HTTP.get(f"{self.url}/health", timeout=2).is_success
        except httpx.TransportError:
            return False

    def kill(self) -> None:
        """`kill -9`, and wait until it is gone."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """SIGTERM, and wait until it is gone."""
        assert self.process is not None
        self.process.terminate()
        self.process.wait(timeout=20)

    def request(
        self,
        method: str,
        path: str,
        *,
        json: object = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """One request with the fund's token."""
        sent = {"Authorization": f"Bearer {TOKEN}", **(headers or {})}
        return HTTP.request(method, f"{self.url}{path}", headers=sent, timeout=120, json=json, content=content)

    def json(self, method: str, path: str, *, json: object = None, headers: Mapping[str, str] | None = None) -> Any:  # noqa: ANN401 - any JSON
        """The JSON of a request that must succeed."""
        response = self.request(method, path, json=json, headers=headers)
        assert response.is_success, response.text
        return response.json()


@dataclass
class World:
    """An exchange with a simulated market and a datamanager that has collected its past."""

    folder: Path
    exchange: Service
    datamanager: Service

    def state(self) -> dict[str, Any]:
        """The exchange's clock."""
        state: dict[str, Any] = self.exchange.json("GET", "/control/state")
        return state

    def session(self) -> date:
        """The last closed session."""
        state = self.state()
        day = date.fromisoformat(state["session"])
        return day if state["phase"] == "closed" else previous_session(day)

    def move(self, to: str) -> None:
        """Move the clock to `next_open` or `next_close`; after a close the session's bars are collected."""
        self.exchange.json("POST", "/control/clock", json={"to": to})
        if to == "next_close":
            self.datamanager.json("POST", "/equity-bars", json={"date": str(self.session())})

    def play_session(self) -> None:
        """Open and close one session."""
        self.move("next_open")
        self.move("next_close")

    def fault(self, kind: str, **fields: Any) -> None:  # noqa: ANN401 - the fault's own fields
        """Let the exchange go wrong."""
        self.exchange.json("POST", "/control/faults", json={"kind": kind, **fields})

    def clear_faults(self) -> None:
        """Let the exchange work again."""
        assert self.exchange.request("DELETE", "/control/faults").is_success

    def orders(self) -> list[dict[str, Any]]:
        """The exchange's own list of every order ever accepted."""
        return cast("list[dict[str, Any]]", self.exchange.json("GET", "/control/orders")["orders"])

    def bars(self, day: date) -> pl.DataFrame:
        """The bars of a session."""
        path = f"/equity-bars?start_date={day}&end_date={day}"
        return read_frame_response(self.datamanager.request("GET", path, headers={"Accept": ARROW}))

    def store_predictions(self, day: date, *, width: float = 0.2) -> pl.DataFrame:
        """Predictions for every ticker of the day, ranked by a digest of its name, stored at datamanager."""
        tickers = self.bars(day).get_column("ticker").sort()
        medians = (tickers.hash(seed=day.toordinal()) % 1000).cast(pl.Float64) / 1000 * 0.04 - 0.02
        frame = (
            pl.DataFrame({"ticker": tickers, "median": medians})
            .join(pl.DataFrame({"horizon": range(1, 8)}, schema={"horizon": pl.Int8}), how="cross")
            .with_columns(
                date=pl.lit(day),
                target_date=pl.col("horizon").replace_strict(
                    {step: next_session(day, step) for step in range(1, 8)}, return_dtype=pl.Date
                ),
                quantile_10=pl.col("median") * pl.col("horizon") / 7 - width / 2,
                quantile_50=pl.col("median") * pl.col("horizon") / 7,
                quantile_90=pl.col("median") * pl.col("horizon") / 7 + width / 2,
                model_version=pl.lit("made-by-a-test"),
                bars_version=pl.lit(1, pl.Int64),
            )
            .select(list(predictions_schema.COLUMNS))
        )
        body = frame.write_ipc_stream(None, compat_level=pl.CompatLevel.oldest()).getvalue()
        raise_for_problem(
            self.datamanager.request("POST", "/predictions", content=body, headers={"Content-Type": ARROW})
        )
        return frame

    def ranking(self, day: date) -> list[str]:
        """The tickers from the best to the worst of fresh predictions of the day, which are stored."""
        frame = self.store_predictions(day).filter(horizon=7).sort("quantile_50", descending=True)
        return frame.get_column("ticker").to_list()

    def variables(self, name: str) -> dict[str, str]:
        """The environment of a portfoliomanager with a journal and state of its own."""
        return {
            "STATE_DIRECTORY": str(self.folder / name / "state"),
            "DATA_BUCKET": str(self.folder / name / "lake"),
            "REGISTRY_DIRECTORY": str(self.folder / "registry"),
            "DATAMANAGER_URL": self.datamanager.url,
            "SCHEDULER_URL": "http://127.0.0.1:1",  # where nobody listens
            "ALPACA_API_KEY_ID": KEY,
            "ALPACA_API_SECRET": SECRET,
            "ALPACA_BASE_URL": self.exchange.url,
            "FUND_API_TOKEN": TOKEN,
            "EVENT_SUBSCRIBERS": "",
            "STRATEGY": TEN_BY_TEN,
        }


@contextmanager
def open_world(
    folder: Path, *, seed: int, tickers: int, history: int, collected: Path | None = None
) -> Generator[World]:
    """Start both services and collect `history` sessions, which a copy of a `collected` world holds already."""
    if collected is not None:
        copytree(collected, folder, dirs_exist_ok=True)
    folder.mkdir(exist_ok=True)
    world = describe_world(folder, seed, tickers)
    try:
        for service in (world.exchange, world.datamanager):
            service.measured = collected is None
            service.launch()
        for service in (world.exchange, world.datamanager):
            service.await_alive()
        if collected is None:
            end = world.session()
            period = {"start_date": str(previous_session(end, history)), "end_date": str(end)}
            world.datamanager.json("POST", "/equity-bars", json=period)
        yield world
    finally:
        for service in (world.datamanager, world.exchange):
            if service.process is not None:
                service.kill()


def describe_world(folder: Path, seed: int, tickers: int) -> World:
    """Both services in the folder, not started."""
    shared = {"FUND_API_TOKEN": TOKEN, "EVENT_SUBSCRIBERS": ""}
    exchange = Service(
        "exchange",
        shared
        | {
            "STATE_DIRECTORY": str(folder / "exchange"),
            "EXCHANGE_API_KEY_ID": KEY,
            "EXCHANGE_API_SECRET": SECRET,
            "EXCHANGE_SEED": str(seed),
            "EXCHANGE_TICKER_COUNT": str(tickers),
            "EXCHANGE_CASH": "1000000",
        },
        folder / "exchange.log",
        free_port(),
    )
    collecting = {
        "STATE_DIRECTORY": str(folder / "datamanager"),
        "DATA_BUCKET": str(folder / "lake"),
        "POLYGON_API_KEY": "any",
        "POLYGON_BASE_URL": exchange.url,
        "POLYGON_REQUESTS_PER_MINUTE": "0",
        "EDGAR_USER_AGENT": "A fund of the tests admin@example.com",
        "EDGAR_BASE_URL": exchange.url,
        "EDGAR_DATA_BASE_URL": exchange.url,
        "EDGAR_REQUESTS_PER_SECOND": "0",
    }
    return World(folder, exchange, Service("datamanager", shared | collecting, folder / "datamanager.log"))


def collect_world(folder: Path, *, seed: int, tickers: int, history: int) -> Path:
    """The folder of a world whose past is collected, to be copied; the workers of a test run share one of each kind."""
    found = folder / f"collected-{seed}-{tickers}-{history}"
    with (folder / f"{found.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not found.exists():
            new = found.with_suffix(".new")
            with open_world(new, seed=seed, tickers=tickers, history=history) as world:
                for service in (world.datamanager, world.exchange):
                    service.stop()
            new.rename(found)
    return found


@contextmanager
def rewriting(url: str, rewrite: Callable[[str, str], str]) -> Generator[str]:
    """A broker at another address that passes requests on and rewrites the text of each answer by its path; its URL."""
    proxy = FastAPI()

    @proxy.api_route("/{path:path}", methods=["GET", "POST", "PATCH", "DELETE"])
    async def pass_on(path: str, request: Request) -> Response:
        body, query = await request.body(), request.url.query
        headers = {name: value for name, value in request.headers.items() if name.startswith(("apca", "content-type"))}
        answer = await run_in_threadpool(
            HTTP.request, request.method, f"{url}/{path}?{query}", content=body, headers=headers, timeout=30
        )
        return Response(rewrite(path, answer.text), answer.status_code, media_type="application/json")

    with serving(proxy) as address:
        yield address


def wire(broker: Broker, store: DatamanagerClient, journal: LakeJournal, lease: Lease) -> TradingPorts:
    """The ports as the service wires them."""
    return TradingPorts(broker, DatamanagerMarketData(store), StoredPortfolios(store), journal, lease, time.sleep)
