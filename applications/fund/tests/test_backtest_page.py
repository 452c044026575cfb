"""The page of a backtest: the services' figures, one chart, and nothing that is loaded from elsewhere."""

import json
import re
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from fund.answers import Performance
from fund.backtest_page import write_report
from fund.backtest_report import Inputs
from fund.market_settings import MarketSettings
from fund.refits import Refit
from internal.backtests.settings import PLANTED_SIGNAL
from internal.trading.strategy import StrategyRecord

DAYS = [date(2025, 1, 2), date(2025, 1, 3), date(2025, 1, 6)]
VALUES = [100_000.0, 101_000.0, 99_990.0]
SIMULATED = MarketSettings(bars=None, details=None, seed=7, tickers=482)


def make_inputs() -> Inputs:
    """Three sessions: up 1 %, then down 1 %; one order of two has filled."""
    points = [
        {
            "timestamp": f"{day}T21:00:00Z",
            "net_asset_value": value,
            "cash": 0.0,
            "gross_exposure": 1.0,
            "net_exposure": 0.0,
            "return": value / VALUES[0] - 1,
        }
        for day, value in zip(DAYS, VALUES, strict=True)
    ]
    answer = {"points": points, "return": -0.0001, "maximum_drawdown": 0.01}
    cost = {"slippage": -12.5, "fees": 1.0, "borrow": 0.0}
    strategy = asdict(StrategyRecord("a<b", json.dumps({"names": 3, "schedule": {"every": 5}}), "0" * 64))
    return Inputs(
        settings={
            "strategy": strategy,
            "first_session": DAYS[0],
            "last_session": DAYS[-1],
            "model": "small",
            "refit_every": 2,
            "market": "simulated",
        },
        first=DAYS[0],
        last=DAYS[-1],
        performance=Performance.model_validate(answer | {"realized_cost": cost}),
        orders=pl.DataFrame({"filled_quantity": [10.0, 0.0], "filled_average_price": [100.0, None]}),
        bars=pl.DataFrame({"ticker": ["A"] * 3, "date": DAYS, "close": [10.0, 11.0, 10.5]}),
        refits=[Refit(session="2025-01-03", version="v1", champion=True, verdict=["It does not beat <any>."])],
    )


@pytest.mark.parametrize(
    ("market", "count"), [(SIMULATED, 1), (replace(SIMULATED, signal="none"), 0), (replace(SIMULATED, bars="a.csv"), 0)]
)
def test_planted_signal(tmp_path: Path, market: MarketSettings, count: int) -> None:
    """Beside the verdict: simulated prices hold a planted signal, unless they were drawn without, or replayed."""
    inputs = make_inputs()
    described = replace(inputs, settings={**inputs.settings, "market": market.describe()})
    assert write_report(tmp_path, described).read_text().count(PLANTED_SIGNAL) == count


def test_page(tmp_path: Path) -> None:
    """Return and drawdown by hand, the unfilled order, escaped texts, and the caution about so few sessions."""
    page = write_report(tmp_path, make_inputs()).read_text()
    assert "\N{MINUS SIGN}0.01\N{THIN SPACE}%" in page  # 1.01 x 0.99 - 1
    assert "parameters: names 3, schedule (every 5). Sessions" in page
    assert "+5.00\N{THIN SPACE}%" in page  # buy and hold: 10.5 / 10 - 1
    assert '<th scope="row">orders, with fills</th><td>2, 1</td>' in page
    assert "Strategy a&lt;b" in page
    assert "It does not beat &lt;any&gt;." in page
    assert "Too short to say anything of skill" in page
    assert page.count("<svg") == 1
    assert not re.search(r"<(?:link|script|img)\b|@font-face|url\((?!#)", page)
