"""The whole way from bars to fills, as a user walks it: one command, real processes, real HTTP, real clients.

One fund serves the whole module, in the order of the tests: opened, looked at, killed, resumed, ended.
"""

# beancount is partly typed
# pyright: reportUnknownMemberType=false

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from decimal import Decimal
from getpass import getuser
from pathlib import Path
from typing import Any

import httpx
import polars as pl
import psutil
import pytest
from beancount import loader
from chaos.invariants import find_broken
from chaos.sight import look
from fund_command import FundCommand, read_until
from mcp.client.client import Client as McpClient
from mcp.client.stdio import StdioServerParameters, stdio_client

from fund.addresses import Addresses
from fund.clients import connect
from fund.folder import FundFolder
from fund.services import OFFLINE_SERVICES, Service
from infrastructure.tests.monitoring_panels import ask_until_counted, find_empty_panels
from infrastructure.tests.monitoring_processes import Watchers, can_watch, watch
from internal.errors import InvalidRequestError
from internal.lake.store import Lake
from pocketsizefund import Client

TICKERS = "40"
pytestmark = pytest.mark.timeout(900)


@dataclass
class Story:
    """The fund of this module, what its commands printed, and what watches it."""

    fund: FundCommand
    up: subprocess.Popen[str] | None = None
    printed: str = ""
    watchers: Watchers | None = None
    watching: ExitStack = field(default_factory=ExitStack)

    def table(self, name: str) -> pl.DataFrame:
        """A table of the lake, read beside the running services."""
        return Lake(str(self.fund.home / "lake")).scan(name).collect()

    def start(self, sessions: int) -> None:
        """`fund up`, until it stays up."""
        self.up = self.fund.start("up", "--sessions", str(sessions))
        self.printed = read_until(self.up, "The fund stays up")

    def stop(self) -> int:
        """Ctrl-C; the exit code."""
        assert self.up is not None
        self.up.send_signal(signal.SIGINT)
        code = self.up.wait(60)
        assert self.up.stdout is not None
        self.printed += self.up.stdout.read()
        return code


@pytest.fixture(scope="module")
def story(make_fund: Callable[[], FundCommand], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """A fund opened on 40 simulated tickers that has walked two sessions while Prometheus watched, and stays up."""
    story = Story(make_fund())
    services: dict[str, int] = dict(
        zip(("exchange", "datamanager", "portfoliomanager"), story.fund.ports[:3], strict=True)
    )
    with story.watching as watching:
        if can_watch():
            story.watchers = watching.enter_context(watch(tmp_path_factory.mktemp("watched"), services))
        story.up = story.fund.start("up", "--tickers", TICKERS, "--sessions", "2")
        try:
            story.printed = read_until(story.up, "The fund stays up")
            yield story
        finally:  # also a fund that never came up: it would take the processors from all other tests
            if story.up.poll() is None:
                story.stop()


@pytest.fixture(scope="class")
def watchers(story: Story) -> Iterator[Watchers]:
    """The real Prometheus and the programs around it, which watched the fund; they end after the tests of a class."""
    if story.watchers is None:
        pytest.skip("Prometheus, Alertmanager, node-exporter or Traefik is not on this machine")
    yield story.watchers
    story.watching.close()


def sold_and_bought(orders: list[dict[str, Any]]) -> dict[str, Decimal]:
    """Shares by ticker, summed over the exchange's own fills: bought positive, sold negative."""
    held: defaultdict[str, Decimal] = defaultdict(Decimal)
    for order in orders:
        sign = 1 if order["side"] == "buy" else -1
        for fill in order["fills"]:
            held[order["symbol"]] += sign * Decimal(str(fill["quantity"]))
    return {ticker: quantity for ticker, quantity in held.items() if quantity}


def assert_nothing_doubled_or_lost(story: Story) -> None:
    """What must hold after any kill: each order once; journal, books and broker agree; no file is damaged."""
    fund = story.fund
    addresses = Addresses(dict(zip(Service, fund.ports, strict=True)))
    folder = FundFolder(fund.home)
    clients = replace(connect(folder, addresses), scheduler=None)

    deadline = time.monotonic() + 60
    while (broken := find_broken(look(clients, folder))) and time.monotonic() < deadline:
        time.sleep(0.5)  # a service may still handle the last event
    assert broken == []


def test_walk_reaches_fills(story: Story) -> None:
    """Two sessions: every step was shown, and there are fills on both sides of the book."""
    for step in range(1, 7):
        assert f"{step}/6" in story.printed
    sides = {order["side"] for order in story.fund.exchange_orders() if order["fills"]}
    assert {"buy", "sell"} == sides


class TestMonitoring:
    """The dashboards and rules, on the series of the fund that has walked."""

    def test_every_panel_returns_data(self, watchers: Watchers) -> None:
        """Each query of each dashboard's panels has at least one finite value; `pytest -s` prints it."""
        ask_until_counted(watchers)
        assert [] == find_empty_panels(watchers)

    def test_every_service_is_a_target(self, watchers: Watchers) -> None:
        """All services answer Prometheus at the paths of prometheus.yaml."""
        up = {row["metric"]["job"] for row in watchers.query("max_over_time(up[1m]) == 1")}
        fund = {"datamanager", "portfoliomanager", "exchange"}
        assert up >= fund | {"traefik", "node-exporter", "alertmanager", "prometheus"}

    def test_monitoring_rules_evaluate(self, watchers: Watchers) -> None:
        """No rule fails on the real series, and Prometheus reaches Alertmanager."""
        groups = httpx.get(f"{watchers.prometheus}/api/v1/rules", timeout=10).json()["data"]["groups"]
        rules = [rule for group in groups for rule in group["rules"]]
        assert {"ok"} == {rule["health"] for rule in rules}
        alertmanagers = httpx.get(f"{watchers.prometheus}/api/v1/alertmanagers", timeout=10).json()["data"]
        assert 1 == len(alertmanagers["activeAlertmanagers"])


def test_positions_are_the_sum_of_the_fills(story: Story) -> None:
    """The book's positions are what the exchange's fills add up to; nothing is booked twice."""
    book = story.fund.get(2, "/portfolios/current")
    signs = {"long": 1, "short": -1}

    assert sold_and_bought(story.fund.exchange_orders()) == {
        row["ticker"]: signs[row["side"]] * Decimal(str(row["quantity"])) for row in book["positions"]
    }


def test_net_asset_value_adds_up(story: Story) -> None:
    """Net asset value is cash plus the market value of every position, and exposures follow from them."""
    book = story.fund.get(2, "/portfolios/current")
    values = [row["market_value"] for row in book["positions"]]

    assert book["net_asset_value"] == pytest.approx(book["cash"] + sum(values), abs=0.05)
    assert book["gross_exposure"] == pytest.approx(sum(map(abs, values)) / book["net_asset_value"], abs=1e-6)
    assert book["net_exposure"] == pytest.approx(sum(values) / book["net_asset_value"], abs=1e-6)


def test_book_is_balanced_when_decided(story: Story) -> None:
    """As decided, at most ten names a side, the sides within 5 % in dollars, the gross inside its target."""
    latest = story.table("portfolios").filter(pl.col("date") == pl.col("date").max(), pl.col("action") != "close")
    sides = dict(latest.group_by("side").agg(pl.col("dollar_amount").sum()).iter_rows())

    assert max(latest.group_by("side").len()["len"].to_list()) <= 10
    assert abs(sides["long"] - sides["short"]) <= 0.05 * max(sides.values())
    assert sum(sides.values()) <= 1.06 * story.fund.get(2, "/portfolios/current")["net_asset_value"]


def test_lake_holds_what_was_collected(story: Story) -> None:
    """Two years and two sessions of bars, each once; predictions and portfolios for each decided session."""
    bars, ledger = story.table("equity_bars"), story.table("ingestion_sessions")

    assert bars.height == bars.select("ticker", "date").n_unique()
    assert ledger["date"].n_unique() == ledger.height == bars["date"].n_unique()
    assert ledger.height > 500
    assert 3 == story.table("predictions")["date"].n_unique() == story.table("portfolios")["date"].n_unique()


def test_journal_is_the_exchanges_list(story: Story) -> None:
    """Nothing was doubled and nothing lost on the way."""
    assert_nothing_doubled_or_lost(story)


def test_portfolio_is_traceable(story: Story) -> None:
    """A portfolio names its model and its bars; its orders name the portfolio."""
    portfolios, orders = story.table("portfolios"), story.table("orders")

    assert set(orders["portfolio_id"]) <= set(portfolios["portfolio_id"])
    assert set(portfolios["model_version"]) == {path.name for path in model_folders(story.fund.home)}
    assert max(portfolios["bars_version"].to_list()) <= Lake(str(story.fund.home / "lake")).version("equity_bars")


def model_folders(home: Path) -> list[Path]:
    """The registered artifacts."""
    return [path.parent for path in (home / "registry").rglob("weights.safetensors")]


def test_the_public_client_reads_the_fund(story: Story) -> None:
    """Bars, forecasts, portfolios, orders, performance and SQL are what the lake holds, as frames."""
    datamanager, portfoliomanager = (f"http://127.0.0.1:{port}" for port in story.fund.ports[1:3])
    bars, orders = story.table("equity_bars"), story.table("orders")
    with Client(datamanager, portfoliomanager) as client:
        first, last = bars.select(pl.col("date").min(), last=pl.col("date").max()).row(0)
        assert client.bars(last, last).height == bars.filter(pl.col("date") == last).height
        one = client.bars(
            first, last, tickers=bars["ticker"].unique().sort()[:1].to_list(), columns=["ticker", "close"]
        )
        assert one.columns == ["ticker", "close"]
        assert client.details().height == story.table("equity_details").height
        assert client.forecasts(first, last).height == story.table("predictions").height
        assert client.portfolios(first, last)["ticker"].n_unique() == story.table("portfolios")["ticker"].n_unique()
        assert sorted(client.orders()["client_order_id"]) == sorted(orders["client_order_id"])
        (day,) = orders.select(pl.col("date").min()).row(0)
        assert client.orders(day)["date"].unique().to_list() == [day]
        points = client.performance()
        assert (
            points["net_asset_value"].to_list()
            == story.table("account_snapshots").sort("timestamp")["net_asset_value"].to_list()
        )
        assert client.sql("SELECT count(*) AS bars FROM equity_bars").item() == bars.height
        with pytest.raises(InvalidRequestError):
            client.sql("DROP TABLE equity_bars")


def test_status_and_doctor(story: Story) -> None:
    """`fund status` shows all that runs, a halt with its reason too; `fund doctor` finds no fault."""
    code, printed = story.fund.run("halt", "--reason", "the [data] look wrong")
    assert code == 0, printed
    assert "SIMULATED: trading is halted: nothing is sent" in printed
    code, printed = story.fund.run("status")
    assert code == 0, printed
    for words in ("exchange", "datamanager", "portfoliomanager", "alive", "champion", "net asset value"):
        assert words in printed
    assert f"by {getuser()} (owner): the [data] look wrong" in printed
    code, resumed = story.fund.run_json("resume")
    assert code == 0, resumed
    assert resumed["state"] == "active"
    code, printed = story.fund.run("doctor")
    assert code == 0, printed
    assert "model: champion" in printed


def test_a_language_model_asks(story: Story) -> None:
    """Over standard input and output, `fund mcp` answers what the services answer, and no token is in an answer."""
    answers = asyncio.run(ask_over_stdio(story.fund, ("get_positions", "get_decision", "check_data", "check_services")))
    positions, decision, data, services = answers
    current = story.fund.get(2, "/portfolios/current")
    assert positions["net_asset_value"] == current["net_asset_value"]
    assert [one["ticker"] for one in positions["positions"]] == [one["ticker"] for one in current["positions"]]
    stored = story.fund.get(1, "/portfolios", date=decision["date"])
    reasons = {one["ticker"]: one["reason"] for one in decision["positions"]}
    assert reasons.items() >= {one["ticker"]: one["reason"] for one in stored}.items()
    assert data["to_do"] == story.fund.get(1, "/data-checks")["to_do"]
    assert [one["ready"] for one in services["services"]] == [True, True, True]
    assert FundFolder(story.fund.home).credentials().fund_api_token not in json.dumps(answers)


async def ask_over_stdio(fund: FundCommand, questions: Sequence[str]) -> list[dict[str, Any]]:
    """The answers of `fund mcp` in a process of its own to a client of the SDK."""
    server = StdioServerParameters(command=sys.executable, args=["-m", "fund", "mcp"], env=fund.variables)
    async with McpClient(stdio_client(server)) as client:
        found = [await client.call_tool(question) for question in questions]
    return [one.structured_content or {} for one in found]


def test_books_of_the_running_fund(story: Story) -> None:
    """`fund books` finds no difference from the broker, and beancount no error in what it exports."""
    code, printed = story.fund.run("books", "show")
    assert code == 0, printed
    assert "0 differences from the broker" in printed
    ledger = story.fund.home / "books.beancount"
    code, printed = story.fund.run("books", "export", "--format", "beancount", "--output", str(ledger))
    assert code == 0, printed
    entries, errors, _ = loader.load_file(str(ledger))
    assert errors == []
    assert len(entries) > len(story.fund.exchange_orders())


def test_second_fund_is_refused(story: Story) -> None:
    """The same folder cannot be taken twice; the running fund is not disturbed."""
    code, printed = story.fund.run("up", "--once")

    assert code == 1
    assert "is up already" in printed
    assert story.up is not None
    assert story.up.poll() is None


def list_work(story: Story) -> dict[str, Any]:
    """What a second run must not do again: the exchange's orders, the registered models, the rows of three tables."""
    tables = ("ingestion_sessions", "portfolios", "predictions")
    return {
        "orders": story.fund.exchange_orders(),
        "models": {path: path.stat().st_mtime_ns for path in model_folders(story.fund.home)},
        **{name: sorted(story.table(name).rows(), key=str) for name in tables},
    }


def test_supervisor_killed(story: Story) -> None:
    """`kill -9` of `fund up` leaves the services behind; the next run ends them and does nothing twice."""
    before = list_work(story)
    left = [psutil.Process(story.fund.process(name)) for name in OFFLINE_SERVICES]
    assert story.up is not None
    story.up.kill()
    story.up.wait()
    assert all(one.is_running() for one in left)

    story.start(sessions=2)

    assert not any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in left)
    assert before == list_work(story)
    assert_nothing_doubled_or_lost(story)


@pytest.mark.parametrize(
    "service",
    [
        pytest.param("exchange", marks=pytest.mark.long),
        pytest.param("datamanager", marks=pytest.mark.long),
        "portfoliomanager",
    ],
)
def test_killed_in_the_middle(story: Story, service: str) -> None:
    """`kill -9` of a service while a session is played: reported, stopped, and a second `fund up` finishes it."""
    sessions = story.table("portfolios")["date"].n_unique()  # the opening has one too: one more than are traded
    clock, models = story.fund.get(0, "/control/state")["timestamp"], list_work(story)["models"]
    assert story.stop() == 0
    with story.fund.start("up", "--sessions", str(sessions)) as killed:
        read_until(killed, "Trade session by session")
        while story.fund.get(0, "/control/state")["timestamp"] == clock:
            assert killed.poll() is None
            time.sleep(0.02)
        os.kill(story.fund.process(service), signal.SIGKILL)
        printed, _ = killed.communicate(timeout=120)
    assert killed.returncode == 1, printed
    assert f"{service} was ended by signal 9" in printed

    story.start(sessions=sessions)

    assert_nothing_doubled_or_lost(story)
    assert sessions + 1 == story.table("portfolios")["date"].n_unique()
    assert models == list_work(story)["models"]
    test_positions_are_the_sum_of_the_fills(story)


def test_flatten_while_the_market_is_closed(story: Story) -> None:
    """One close for each position is at the broker, and the answer says when it fills; nothing else is left open."""
    code, report = story.fund.run_json("flatten", "--reason", "away")
    assert code == 0, report
    assert (report["flat"], report["mode"], report["trading_state"]["cause"]) == (False, "simulated", "flatten")
    assert report["fills_from"] > report["as_of"]
    open_orders = [order for order in story.fund.exchange_orders() if order["status"] in {"accepted", "new"}]
    assert {order["symbol"]: order["client_order_id"] for order in open_orders} == {
        order["ticker"]: order["client_order_id"] for order in report["orders"]
    }
    assert open_orders


def test_down(story: Story) -> None:
    """`fund down` from another terminal ends everything; nothing listens any more."""
    code, printed = story.fund.run("down")

    assert code == 0, printed
    assert story.up is not None
    assert story.up.wait(60) == 0
    code, printed = story.fund.run("status")
    assert code == 1
    assert "down" in printed
