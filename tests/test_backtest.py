"""A backtest as a user runs it: real services, a refit in the middle, killed and started again."""

import json
import os
import signal
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import polars as pl
import pytest
from deltalake import DeltaTable
from fund_command import FundCommand

from internal.forecasting.artifact import load_artifact
from internal.forecasting.registry import LEAK_GATE, Registry
from internal.lake.store import Lake

pytestmark = pytest.mark.timeout(600)

WORDS = ("--first-day", "2023-03-11", "--last-day", "2023-03-15", "--tickers", "40", "--seed", "3")
MODEL = ("--model", "rolling_history", "--refit-every", "2")
SESSIONS = ["2023-03-10", "2023-03-13", "2023-03-14", "2023-03-15"]


@dataclass(frozen=True)
class Done:
    """A backtest that was killed, given again, and ended."""

    home: Path
    killed_after: int
    code: int
    printed: str

    @property
    def report(self) -> dict[str, Any]:
        """What it measured."""
        found: dict[str, Any] = json.loads((self.home / "backtest_report.json").read_text())
        return found

    def table(self, name: str) -> pl.DataFrame:
        """A table of its lake."""
        return Lake(str(self.home / "lake")).scan(name).collect()

    def exchange(self, statement: str) -> list[tuple[Any, ...]]:
        """What the exchange itself has stored."""
        with sqlite3.connect(self.home / "exchange" / "exchange.sqlite3") as connection:
            return connection.execute(statement).fetchall()


def orders_so_far(fund: FundCommand) -> int:
    """How many orders the exchange says that it has taken; none while it is not up."""
    try:
        return len(fund.exchange_orders())
    except httpx.TransportError:
        return 0


@pytest.fixture(scope="module")
def done(make_fund: Callable[[], FundCommand]) -> Done:
    """Killed, with its services, as the first orders are sent; then the same command to its end."""
    fund = make_fund()
    words = ("backtest", "--through-services", *WORDS, *MODEL, "--folder", str(fund.home))
    process, deadline = fund.start(*words), time.monotonic() + 300
    while not (sent := orders_so_far(fund)):
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.2)
    for name in ("fund", "portfoliomanager", "datamanager", "exchange"):
        os.kill(fund.process(name), signal.SIGKILL)
    process.communicate()
    code, printed = fund.run(*words)
    return Done(fund.home, sent, code, printed)


def test_it_goes_on_to_its_end(done: Done) -> None:
    """The second run fits no first model again, and says where the report is."""
    assert done.code == 0, done.printed
    assert done.killed_after > 0
    assert done.printed.count("$ models train") == 1  # the refit; the first fit was done before the kill
    assert "backtest_report.html" in done.printed


def test_every_order_is_sent_once(done: Done) -> None:
    """The exchange's own table and the journal hold the same orders; none is doubled or lost."""
    stored = [row[0] for row in done.exchange("SELECT client_order_id FROM orders")]
    journal = done.table("orders").filter(pl.col("broker_order_id").is_not_null())
    assert len(stored) >= 2
    assert sorted(stored) == sorted(journal["client_order_id"])
    leg = pl.col("client_order_id").str.replace("-[0-9a-f]+$", "")
    assert journal.select("portfolio_id", leg, "side").is_unique().all()


def test_no_model_has_seen_a_bar_after_its_session(done: Done) -> None:
    """By the lake's own history: the version of the bars that each model was fitted on ends with its session."""
    refits, table = done.report["refits"], DeltaTable(str(done.home / "lake" / "equity_bars"))
    assert [row["session"] for row in refits] == ["2023-03-10", "2023-03-14"]
    for row in refits:
        artifact = load_artifact(Registry(done.home / "registry").path(row["version"]))
        table.load_as_version(artifact.bars_version)
        newest = pl.scan_delta(table).select(pl.col("date").max()).collect().item()
        assert newest == date.fromisoformat(row["session"])
        assert LEAK_GATE in artifact.metrics


def test_forecasts_come_from_the_newest_model_that_was_there(done: Done) -> None:
    """Sessions before the refit by the first, the ones after it by the second where it became champion."""
    first, second = done.report["refits"]
    used = dict(done.table("predictions").select("date", "model_version").unique().sort("date").iter_rows())
    later = second["version"] if second["champion"] else first["version"]
    expected = [first["version"]] * 3 + [later]
    assert [used[date.fromisoformat(day)] for day in SESSIONS] == expected


def test_the_figures_are_those_of_the_account(done: Done) -> None:
    """The last value is the broker's equity; the return is last over first; cost and exposures are the services'."""
    report, snapshots = done.report, done.table("account_snapshots").sort("timestamp")
    series = report["series"]
    assert [row["date"] for row in series] == SESSIONS
    assert series[-1]["net_asset_value"] == snapshots["net_asset_value"][-1]
    assert series[0]["net_asset_value"] == series[0]["buy_and_hold"] == 100_000
    assert report["fund"]["total_return"] == pytest.approx(series[-1]["net_asset_value"] / 100_000 - 1)
    assert report["cost"]["fees"] == snapshots["fees"][-1]
    assert report["orders"] == done.table("orders").height
    assert report["fund"]["sharpe"] is None  # three returns tell nothing of a year


def test_the_page_shows_them(done: Done) -> None:
    """Settings, the caution about short periods, the picture inside the page, and each refit."""
    page = (done.home / "backtest_report.html").read_text()
    assert "Too short to say anything of skill" in page
    assert page.count("<svg") == 1
    assert 'name="viewport"' in page
    assert all(row["version"] in page for row in done.report["refits"])


def test_another_backtest_in_the_folder_is_refused(done: Done, make_fund: Callable[[], FundCommand]) -> None:
    """With one sentence, before anything is started."""
    words = (
        "backtest",
        "--through-services",
        *WORDS,
        "--model",
        "rolling_history",
        "--refit-every",
        "3",
        "--folder",
        str(done.home),
    )
    code, printed = make_fund().run(*words)
    assert code == 1
    assert "holds another backtest" in printed


def test_a_period_outside_the_market_is_refused(make_fund: Callable[[], FundCommand]) -> None:
    """The exchange's own words come through, with the days that it can play."""
    fund = make_fund()
    days = ("--first-day", "1999-01-04", "--last-day", "1999-01-08", "--tickers", "40")
    code, printed = fund.run("backtest", "--through-services", *days, *MODEL, "--folder", str(fund.home))
    assert code == 1
    assert "choose a day from" in printed
