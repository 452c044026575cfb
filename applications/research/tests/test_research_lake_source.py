"""A backtest on the fund's lake plays the bars and corporate actions that were collected into it."""

from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from internal.backtests.settings import PLANTED_SIGNAL, describe_planted_signal
from internal.errors import ConfigurationError
from internal.lake.simulated_markets import record_simulated_market
from internal.lake.store import Lake
from internal.schemas import securities
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


@pytest.mark.parametrize(("signal", "says"), [("", PLANTED_SIGNAL), (", signal none", "")])
def test_a_lake_that_a_simulated_market_filled(tmp_path: Path, signal: str, says: str) -> None:
    """The market says so, with the planted signal unless there is none; recorded twice, it is there once."""
    market = SimulatedMarket(seed=5, ticker_count=3, first_day=FIRST, opening_day=OPENING, last_day=LAST)
    lake, words = Lake(str(tmp_path)), f"simulated, 3 tickers, seed 5{signal}"
    lake.replace_days("equity_bars", market.bars_between(FIRST, LAST), FIRST, LAST)
    for day in (1, 2):
        record_simulated_market(lake, words, datetime(2024, 4, day, tzinfo=UTC))
    opened = LakeSource(str(tmp_path)).open(Period(date(2023, 9, 5)), print)
    assert opened.description == f"{words}, from the lake"
    assert describe_planted_signal(opened.description) == says
    assert lake.scan("simulated_markets").collect().height == 1


def test_changes_of_ticker_that_no_action_states(tmp_path: Path) -> None:
    """A security with two tickers changes its name; the earlier holder of a re-used ticker is played under its own."""
    market = SimulatedMarket(seed=5, ticker_count=3, first_day=FIRST, opening_day=OPENING, last_day=LAST)
    bars, day = market.bars_between(FIRST, LAST), date(2023, 10, 2)
    renamed, reused = bars.get_column("ticker").unique().sort().to_list()[:2]
    name = pl.when((pl.col("ticker") == renamed) & (pl.col("date") >= day)).then(pl.lit("NEW")).otherwise("ticker")
    lake = Lake(str(tmp_path))
    lake.replace_days("equity_bars", bars.with_columns(name.alias("ticker")), FIRST, LAST)
    eve = date(2023, 10, 1)
    aliases = [("X", renamed, FIRST, eve), ("X", "NEW", day, None), ("A", reused, FIRST, eve), ("B", reused, day, None)]
    rows = pl.DataFrame(aliases, ["security_id", "ticker", "start_date", "end_date"], orient="row")
    known = rows.with_columns(source=pl.lit("polygon"), recorded_at=pl.lit(datetime(2024, 4, 1, tzinfo=UTC)))
    every_column = pl.concat([securities.empty(), known], how="diagonal_relaxed")
    lake.append("securities", every_column.cast(pl.Schema(securities.COLUMNS)))
    opened = LakeSource(str(tmp_path)).open(Period(date(2023, 9, 5)), print)
    expected = read_market_tables(market, LAST)
    assert {f"{reused}-20231001", reused, "NEW", renamed} <= set(opened.tables.tickers)
    column, before = opened.tables.tickers.index("NEW"), expected.tickers.index(renamed)
    np.testing.assert_array_equal(opened.tables.close[:, column], expected.close[:, before])
