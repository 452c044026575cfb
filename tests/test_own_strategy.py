"""A user's own strategy through the real services: one file, no model, the same command that runs the fund."""

import hashlib
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from fund_command import FundCommand

from fund.folder import FundFolder
from fund.market_settings import MarketSettings
from internal.backtests.settings import SIMULATED
from internal.dates import next_session
from internal.lake.store import Lake

pytestmark = pytest.mark.timeout(600)
UP = ("up", "--once")
OPENING_DAY = date(2022, 8, 31)
"""Three months after the market's first day: there is little to collect."""
REVERSAL = '''
"""Five-day reversal: long what fell, short what rose."""

import numpy as np
import polars as pl

from pocketsizefund import FloatArray, History, Situation, Strategy, Targets


class Reversal(Strategy):
    """The losers of the last sessions against the winners."""

    sessions: int = 5

    @property
    def history_sessions(self) -> int:
        return self.sessions + 1

    def score(self, history: History) -> pl.Expr:
        {before}return -pl.col("close").pct_change(self.sessions).over("ticker")

    def construct(self, situation: Situation, scores: FloatArray) -> Targets:
        known = np.flatnonzero(np.isfinite(scores) & situation.may_short)
        ranked = [situation.tickers[place] for place in known[np.argsort(scores[known], kind="stable")]]
        weight, count = self.gross_exposure / 2 / self.names_per_side, self.names_per_side
        return Targets.of(dict.fromkeys(ranked[:count], -weight) | dict.fromkeys(ranked[-count:], weight), "reversal")
'''
FAILS_FROM = "if history.frame.get_column('date').max() >= date({day:%Y, %-m, %-d}): return 1 / 0\n        "


@pytest.fixture
def fund(make_fund: Callable[[], FundCommand], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FundCommand:
    """A fund opened on a young market, whose user works elsewhere and names the strategy by a relative path."""
    (tmp_path / "ideas").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STRATEGY", "ideas/reversal.py:Reversal")
    monkeypatch.setenv("STRATEGY_PARAMETERS", 'names_per_side=3 sessions=4 schedule="every 1 session"')
    fund, day = make_fund(), OPENING_DAY.isoformat()
    fund.home.mkdir()
    FundFolder(fund.home).save_market(MarketSettings(None, None, seed=1, tickers=40, session=day, start=day))
    return fund


def write(before: str = "") -> str:
    """Write the strategy's file; its digest."""
    text = REVERSAL.format(before=before)
    if before:
        text = text.replace("import numpy", "from datetime import date\n\nimport numpy")
    Path("ideas/reversal.py").write_text(text)
    return hashlib.sha256(text.encode()).hexdigest()


def table(fund: FundCommand, name: str) -> pl.DataFrame:
    """A table of the fund's lake."""
    return Lake(str(fund.home / "lake")).scan(name).collect()


def test_up_with_an_own_strategy(fund: FundCommand, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a model it trades until its code fails, with the traceback and no order, and goes on repaired."""
    failing = write(FAILS_FROM.format(day=next_session(OPENING_DAY, 2)))
    code, printed = fund.run(*UP, "--sessions", "2")
    assert code == 1, printed
    assert "4/5  Trade session by session" in printed
    assert "Assemble" not in printed
    assert "strategy reversal (" in printed
    assert "the strategy reversal failed on" in printed
    assert "ideas/reversal.py" in printed
    assert "ZeroDivisionError: division by zero" in printed
    assert max(line_lengths(printed)) <= 120
    assert not (fund.home / "registry").exists()
    assert table(fund, "predictions").is_empty()
    assert table(fund, "simulated_markets").item(0, "description").startswith(SIMULATED)  # for a backtest on the lake
    runs = table(fund, "rebalances").sort("date")
    assert runs["date"].to_list() == [OPENING_DAY, next_session(OPENING_DAY)]
    assert runs["strategy_digest"].to_list() == [failing] * 2
    parameters = json.loads(runs["parameters"][-1])
    assert (parameters["sessions"], parameters["names_per_side"]) == (4, 3)
    orders = table(fund, "orders")
    assert set(orders["state"]) >= {"filled"}
    assert set(orders["portfolio_id"]) <= set(runs["portfolio_id"])

    repaired = write()
    monkeypatch.delenv("STRATEGY")
    monkeypatch.delenv("STRATEGY_PARAMETERS")
    code, printed = fund.run(*UP, "--sessions", "2")
    assert code == 0, printed
    assert "5/5" in printed
    later = table(fund, "rebalances").sort("date")
    assert later["strategy_digest"].to_list() == [failing, failing, repaired]
    assert json.loads(later["parameters"][-1]) == parameters


def line_lengths(text: str) -> list[int]:
    """The lengths of the lines of a traceback's code."""
    return [len(line) for line in text.splitlines() if line.startswith("    ")]
