"""A market as arrays: adjusted as the data service adjusts frames, and blind to everything after a session."""

from datetime import date

import numpy as np
import polars as pl
import pytest

from internal.action_kinds import ActionKind
from internal.dates import sessions
from internal.errors import ConflictError
from internal.price_adjustment import adjust_bars
from internal.simulation.adjustment import adjusted_close, adjusted_window
from internal.simulation.market_tables import FIELDS, MarketTables, read_market_tables
from internal.simulation.renamed_columns import continue_renamed
from internal.simulation.table_data import TableData
from internal.simulation.whole_history import whole_history
from internal.trading.positions import Entry
from internal.trading.strategy import DataNeeds
from internal.trading.universe import Universe
from internal.venue.market.simulated import SimulatedMarket

FIRST, OPENING, LAST = date(2023, 1, 3), date(2023, 9, 1), date(2024, 3, 28)
NEEDS = DataNeeds(Universe(), history_sessions=60, forecasts=False)


@pytest.fixture(scope="module")
def market() -> SimulatedMarket:
    """Sixty tickers over fifteen months, with splits, dividends and halts."""
    return SimulatedMarket(seed=5, ticker_count=60, first_day=FIRST, opening_day=OPENING, last_day=LAST)


@pytest.fixture(scope="module")
def tables(market: SimulatedMarket) -> MarketTables:
    """All of it as arrays."""
    tables = read_market_tables(market, LAST)
    assert tables.actions
    assert tables.dividend_factors
    return tables


def adjust_frame(market: SimulatedMarket, as_of: date) -> pl.DataFrame:
    """The data service's own adjustment of all bars up to a day."""
    bars = market.bars_between(FIRST, as_of).lazy()
    return adjust_bars(
        bars, bars, market.splits(FIRST, as_of).lazy(), market.dividends(FIRST, as_of).lazy(), as_of
    ).collect()


@pytest.mark.parametrize("as_of", [date(2023, 9, 1), date(2024, 1, 12), LAST])
def test_windows_are_adjusted_as_frames_are(market: SimulatedMarket, tables: MarketTables, as_of: date) -> None:
    """Every cell of a window of a hundred sessions is the data service's own number, bit for bit."""
    session = tables.session(as_of)
    assert session is not None
    window = adjusted_window(tables, session, 100)
    frame = adjust_frame(market, as_of).filter(pl.col("date") >= window.days[0])
    rows = np.searchsorted(np.array(window.days, "datetime64[D]"), frame.get_column("date").to_numpy())
    columns = np.searchsorted(np.array(tables.tickers), frame.get_column("ticker").to_numpy())
    assert len(frame) == np.isfinite(window.close).sum()
    for name in FIELDS:
        np.testing.assert_array_equal(getattr(window, name)[rows, columns], frame.get_column(name).to_numpy())


def test_price_factors_are_those_of_frames(market: SimulatedMarket, tables: MarketTables) -> None:
    """Adjusted over raw close of an entry's session, in the terms of a later day; none before the listing."""
    entered = date(2023, 9, 5)
    raw = market.bars_between(entered, entered).select("ticker", "close")
    adjusted = adjust_frame(market, LAST).filter(pl.col("date") == entered).select("ticker", adjusted="close")
    expected = {
        Entry(ticker, entered): after / before for ticker, before, after in raw.join(adjusted, on="ticker").iter_rows()
    }
    entries = [Entry(ticker, entered) for ticker in tables.tickers]
    assert TableData(tables, OPENING).price_factors(entries, LAST) == expected
    assert min(expected.values()) < 0.9


def test_a_later_session_changes_no_answer(market: SimulatedMarket, tables: MarketTables) -> None:
    """A market that ends at a session gives the same inputs of that session, and the same history up to it."""
    for day in (date(2023, 11, 3), date(2024, 2, 2)):
        cut = read_market_tables(market, day)
        known = [tables.tickers.index(ticker) for ticker in cut.tickers]
        whole, short = (TableData(one, OPENING).day_inputs(day, NEEDS) for one in (tables, cut))
        for name in ("price", "last_price", "liquid", "volatility", "mean_volume"):
            np.testing.assert_array_equal(getattr(whole, name)[known], getattr(short, name))
        assert whole.history is not None
        assert short.history is not None
        for name in FIELDS:
            np.testing.assert_array_equal(getattr(whole.history, name)[:, known], getattr(short.history, name))
        history = whole_history(tables, 0, None, None).frame.filter(pl.col("date") <= day)
        assert history.equals(whole_history(cut, 0, None, None).frame)


def test_the_whole_history_has_the_returns_of_a_window(tables: MarketTables) -> None:
    """Ratios between sessions are those of bars adjusted as of a day: only the level of a ticker differs."""
    session = len(tables.days) - 1
    window = adjusted_window(tables, session, session + 1)
    history = whole_history(tables, 0, None, None).frame
    for ticker in tables.tickers[:20]:
        column = tables.tickers.index(ticker)
        known = np.isfinite(window.close[:, column])
        rows = history.filter(pl.col("ticker") == ticker)
        for name in FIELDS:
            level = rows.get_column(name).to_numpy() / getattr(window, name)[known, column]
            np.testing.assert_allclose(level, level[0], rtol=1e-12)


def test_other_days_are_refused(tables: MarketTables) -> None:
    """A day before the opening, or none of the market's, is no decision's day."""
    data = TableData(tables, OPENING)
    for day in (date(2023, 8, 31), date(2023, 9, 2), date(2024, 4, 1)):
        with pytest.raises(ConflictError, match=rf"the simulation holds 2023-09-01 to 2024-03-28, not {day}"):
            data.day_inputs(day, NEEDS)


def test_a_renamed_ticker_has_one_continuous_series() -> None:
    """The new name's adjusted closes go on from the old name's; the old name keeps its own sessions."""
    days = sessions(date(2024, 6, 3), date(2025, 1, 31))
    market = SimulatedMarket(
        seed=4, ticker_count=60, first_day=days[0], opening_day=days[60], last_day=days[-1], events="realistic"
    )
    tables = read_market_tables(market, days[-1])
    continued, last = continue_renamed(tables), len(days) - 1
    change = next(one for one in tables.actions if one.kind is ActionKind.NAME_CHANGE)
    old, new = tables.column(change.ticker), tables.column(change.new_ticker or "")
    assert old is not None
    assert new is not None
    session = days.index(change.effective_date)
    whole = adjusted_window(continued, last, last).close[:, new]
    assert np.isfinite(whole).mean() > 0.9
    assert np.abs(np.diff(np.log(whole[np.isfinite(whole)]))).max() < 0.5
    assert np.array_equal(continued.close[:session, old], tables.close[:session, old], equal_nan=True)
    assert np.isnan(tables.close[:session, new]).all()
    before = adjusted_close(continued, session - 1, new, session - 1)
    assert before == adjusted_close(tables, session - 1, old, session - 1)
