"""A backtest on the fund's lake plays the bars, splits and dividends that were collected into it."""

from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from internal.errors import ConfigurationError
from internal.lake.store import Lake
from internal.schemas import corporate_actions
from internal.simulation.market_tables import FIELDS, read_market_tables
from internal.venue.market.simulated import SimulatedMarket
from research.engine.lake_source import LakeSource
from research.engine.sources import Period

FIRST, OPENING, LAST = date(2023, 1, 3), date(2023, 9, 1), date(2024, 3, 28)


def to_actions(market: SimulatedMarket) -> pl.DataFrame:
    """The market's splits and dividends as recorded actions."""
    splits = market.splits(FIRST, LAST).select(
        "ticker",
        pl.col("execution_date").alias("effective_date"),
        pl.col("split_from").alias("old_shares"),
        pl.col("split_to").alias("new_shares"),
        pl.lit("forward_split").alias("kind"),
    )
    dividends = market.dividends(FIRST, LAST).rename({"ex_dividend_date": "effective_date"})
    actions = pl.concat([splits, dividends.with_columns(kind=pl.lit("cash_dividend"))], how="diagonal").with_columns(
        action_id=pl.format("{}{}{}", "kind", "ticker", "effective_date"),
        version=1,
        withdrawn=False,
        source=pl.lit("polygon"),
        recorded_at=datetime(2024, 4, 1, tzinfo=UTC),
    )
    return pl.concat([corporate_actions.empty_actions(), actions], how="diagonal_relaxed").cast(
        pl.Schema(corporate_actions.CORPORATE_ACTIONS_COLUMNS)
    )


def test_the_lake_is_the_market_that_filled_it(tmp_path: Path) -> None:
    """The same arrays, splits and dividends as the simulated market whose bars were collected."""
    market = SimulatedMarket(seed=5, ticker_count=40, first_day=FIRST, opening_day=OPENING, last_day=LAST)
    lake = Lake(str(tmp_path))
    lake.replace_days("equity_bars", market.bars_between(FIRST, LAST), FIRST, LAST)
    lake.replace_days("splits", market.splits(FIRST, LAST), FIRST, LAST)
    lake.replace_days("dividends", market.dividends(FIRST, LAST), FIRST, LAST)
    with pytest.raises(ConfigurationError, match="start its datamanager once"):
        LakeSource(str(tmp_path)).open(Period(date(2023, 9, 5)), print)
    lake.append("corporate_actions", to_actions(market))
    opened = LakeSource(str(tmp_path)).open(Period(date(2023, 9, 5)), print)
    expected = read_market_tables(market, LAST)
    assert (opened.days[0], opened.days[-1], opened.description) == (OPENING, LAST, "lake")
    assert opened.market.opening_session() == OPENING
    assert (opened.tables.tickers, opened.tables.days) == (expected.tickers, expected.days)
    assert (opened.tables.splits, opened.tables.dividend_factors) == (expected.splits, expected.dividend_factors)
    assert opened.market.corporate_actions(FIRST, LAST) == market.corporate_actions(FIRST, LAST)
    assert expected.dividend_factors
    for name in FIELDS:
        np.testing.assert_array_equal(getattr(opened.tables, name), getattr(expected, name))
