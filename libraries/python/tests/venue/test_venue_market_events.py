"""The simulated market with events: every kind, other types of securities, names that change and come again."""

from collections import Counter
from datetime import date

import polars as pl
import pytest

from internal.action_kinds import ActionKind
from internal.dates import previous_session
from internal.schemas import corporate_actions, equity_bars
from internal.venue.market.action_frame import actions_frame
from internal.venue.market.event_rates import Events
from internal.venue.market.protocol import market_name
from internal.venue.market.simulated import SimulatedMarket

FIRST, OPENING, LAST = date(2024, 1, 2), date(2024, 3, 1), date(2025, 12, 31)
ENDS = {
    ActionKind.UNIT_SPLIT,
    ActionKind.CASH_MERGER,
    ActionKind.STOCK_MERGER,
    ActionKind.STOCK_AND_CASH_MERGER,
    ActionKind.REDEMPTION,
    ActionKind.WORTHLESS_REMOVAL,
}


def draw(seed: int = 1, tickers: int = 500, events: Events = "realistic", last: date = LAST) -> SimulatedMarket:
    """A market of two years."""
    return SimulatedMarket(
        seed=seed, ticker_count=tickers, first_day=FIRST, opening_day=OPENING, last_day=last, events=events
    )


@pytest.fixture(scope="module")
def market() -> SimulatedMarket:
    """500 securities over two years, at realistic rates."""
    return draw()


def test_every_kind_happens(market: SimulatedMarket) -> None:
    """At least once in two years of 500 securities, and as a valid table."""
    actions = market.corporate_actions(FIRST, LAST)
    assert set(ActionKind) == {action.kind for action in actions}
    assert any(action.special for action in actions)
    frame = actions_frame(actions)
    assert frame.equals(corporate_actions.validate_actions(frame))


def test_types_of_securities(market: SimulatedMarket) -> None:
    """Common stock beside funds, preferred stock, warrants, receipts and units; common stock is the most."""
    types = Counter(listing.security_type for listing in market.listings(LAST))
    assert {"CS", "ETF", "FUND", "PFD", "WARRANT", "ADRC", "UNIT", "RIGHT"} == set(types)
    assert types["CS"] > len(market.listings(LAST)) / 2
    assert any("Inverse" in listing.name for listing in market.listings(LAST))


def test_the_same_seed_gives_the_same_events() -> None:
    """Two markets of one seed are equal, another seed gives others; a market without events has another name."""
    last = date(2024, 5, 31)
    first, second, other = (draw(seed, tickers=20, events="frequent", last=last) for seed in (1, 1, 2))
    assert first.corporate_actions(FIRST, LAST) == second.corporate_actions(FIRST, LAST)
    assert first.bars_between(FIRST, LAST).equals(second.bars_between(FIRST, LAST))
    assert first.corporate_actions(FIRST, LAST) != other.corporate_actions(FIRST, LAST)
    assert market_name(first) != market_name(draw(1, tickers=20, events="none", last=last))


@pytest.mark.parametrize("events", ["realistic", "frequent"])
def test_bars_are_valid(events: Events) -> None:
    """Every bar passes the schema, one a ticker and session, ordered by session and ticker."""
    bars = draw(tickers=60, events=events, last=date(2024, 6, 28)).bars_between(FIRST, LAST)
    sound, faulty = equity_bars.split_valid(bars)
    assert faulty.is_empty()
    assert sound.equals(bars.sort("date", "ticker"))
    assert not bars.select("ticker", "date").is_duplicated().any()


def test_every_question_has_one_answer(market: SimulatedMarket) -> None:
    """A ticker's history, the bars of a day and single bars agree, under changed and used names too."""
    everything = market.bars_between(FIRST, LAST)
    renamed = [action for action in market.corporate_actions(FIRST, LAST) if action.kind is ActionKind.NAME_CHANGE]
    for action in renamed[:12]:
        for ticker in (action.ticker, action.new_ticker or ""):
            expected = everything.filter(pl.col("ticker") == ticker)
            assert expected.equals(market.history(ticker, FIRST, LAST))
            day = expected.get_column("date")[-1]
            bar = market.bar(ticker, day)
            assert bar is not None
            assert bar.close == expected.get_column("close")[-1]
            assert market.bars(day).equals(everything.filter(pl.col("date") == day))


def test_a_rename_keeps_the_security(market: SimulatedMarket) -> None:
    """Before the day the old name is listed and traded, from it on the new one, with the same permanent id."""
    changes = [action for action in market.corporate_actions(FIRST, LAST) if action.kind is ActionKind.NAME_CHANGE]
    for action in changes:
        day, before, new = action.effective_date, previous_session(action.effective_date), action.new_ticker or ""
        old = market.listing(action.ticker, before)
        renamed = market.listing(new, day)
        assert old is not None
        assert renamed is not None
        assert old.permanent_id == renamed.permanent_id
        assert (market.listing(new, before), market.bar(new, before), market.bar(action.ticker, day)) == (None,) * 3
        assert (action.ticker, new) == (renamed.ticker_on(before), renamed.ticker_on(day))


def test_a_ticker_is_used_again(market: SimulatedMarket) -> None:
    """A name that one security gave up is another's later: two ids, each found by day."""
    listings = market.listings(LAST)
    given_up = {period.ticker for one in listings for period in one.tickers[:-1]}
    again = [one for one in listings if one.ticker in given_up]
    assert again
    for one in again:
        earlier = market.listing(one.ticker, previous_session(one.listed_date, 30))
        later = market.listing(one.ticker, one.listed_date)
        assert later is not None
        assert earlier is None or earlier.permanent_id != later.permanent_id
    assert any(one.ticker.endswith(".A") for one in listings)  # a change of class


def test_who_ends_has_no_bars_and_no_listing(market: SimulatedMarket) -> None:
    """A merged, redeemed, split or removed security trades no more; what its holders receive does."""
    for action in market.corporate_actions(FIRST, LAST):
        if action.kind in ENDS:
            listing = market.listing(action.ticker, previous_session(action.effective_date))
            assert listing is not None
            assert listing.delisted_date == action.effective_date
            assert market.bar(action.ticker, action.effective_date) is None
        for arriving in (action.new_ticker, action.second_ticker):
            if arriving is not None:
                received = market.listing(arriving, action.effective_date)
                assert received is None or received.is_active(action.effective_date)
