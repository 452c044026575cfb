"""A backtest on the fund's lake plays the bars and corporate actions that were collected into it."""

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from internal.errors import ConfigurationError
from internal.lake.store import Lake
from internal.simulation.market_tables import FIELDS, read_market_tables
from internal.simulation.renamed_columns import continue_renamed
from internal.venue.market.action_frame import actions_frame
from internal.venue.market.simulated import SimulatedMarket
from research.engine.lake_source import LakeSource
from research.engine.sources import Period

FIRST, OPENING, LAST = date(2023, 1, 3), date(2023, 9, 1), date(2024, 3, 28)


def test_the_lake_is_the_market_that_filled_it(tmp_path: Path) -> None:
    """The same arrays and corporate actions of every kind as the simulated market whose bars were collected."""
    market = SimulatedMarket(
        seed=5, ticker_count=60, first_day=FIRST, opening_day=OPENING, last_day=LAST, events="realistic"
    )
    lake = Lake(str(tmp_path))
    lake.replace_days("equity_bars", market.bars_between(FIRST, LAST), FIRST, LAST)
    lake.replace_days("splits", market.splits(FIRST, LAST), FIRST, LAST)
    lake.replace_days("dividends", market.dividends(FIRST, LAST), FIRST, LAST)
    with pytest.raises(ConfigurationError, match="start its datamanager once"):
        LakeSource(str(tmp_path)).open(Period(date(2023, 9, 5)), print)
    lake.append("corporate_actions", actions_frame(market.corporate_actions(FIRST, LAST)))
    opened = LakeSource(str(tmp_path)).open(Period(date(2023, 9, 5)), print)
    expected = continue_renamed(read_market_tables(market, LAST))
    assert (opened.days[0], opened.days[-1], opened.description) == (OPENING, LAST, "lake")
    assert opened.market.opening_session() == OPENING
    assert (opened.tables.tickers, opened.tables.days) == (expected.tickers, expected.days)
    assert (opened.tables.actions, opened.tables.dividend_factors) == (expected.actions, expected.dividend_factors)
    assert opened.market.corporate_actions(FIRST, LAST) == market.corporate_actions(FIRST, LAST)
    assert expected.dividend_factors
    for name in FIELDS:
        np.testing.assert_array_equal(getattr(opened.tables, name), getattr(expected, name))
