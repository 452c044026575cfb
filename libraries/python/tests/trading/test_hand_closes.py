"""A position of the fund that somebody sold by hand is closed in the journal: later shares of the name are theirs."""

from decimal import Decimal

import pytest

from internal.simulation.fund import SimulatedFund
from internal.simulation.world import World
from internal.trading.hand_closes import RECORDS
from internal.trading.rows import Order
from internal.trading.trading_state import StateCause, TradingState
from libraries.python.tests.trading.trading_state_kit import (
    CountedSends,
    make_trader,
    open_holding_fund,
    play_session,
    set_state,
    shares,
    trade_by_hand,
)


@pytest.fixture(scope="module")
def world() -> World:
    """Six sessions of 30 names."""
    return World.make(11, sessions_played=6, tickers=30)


def trade_and_follow(fund: SimulatedFund, ticker: str, signed: Decimal) -> list[Order]:
    """Somebody trades in the next session, twice reconciled; the rows about hand trades."""
    trade_by_hand(fund, ticker, signed)
    play_session(fund)
    for _ in range(2):
        make_trader(fund.ports).reconcile()
    return list(fund.journal.of(RECORDS))


@pytest.mark.parametrize("is_long", [True, False])
def test_shares_that_somebody_buys_after_selling_the_fund_s_are_not_sold(world: World, *, is_long: bool) -> None:
    """The owner closes a position of the fund at the broker, and a session later opens one of 50 shares: it stays."""
    fund = open_holding_fund(world)
    ticker, held = next((one, count) for one, count in sorted(shares(fund).items()) if (count > 0) is is_long)
    (row,) = trade_and_follow(fund, ticker, Decimal(-held))
    assert (row.ticker, row.signed_filled_quantity) == (ticker, -held)
    theirs = 50 if is_long else -50
    assert trade_and_follow(fund, ticker, Decimal(theirs)) == [row]
    broker = CountedSends(fund)
    set_state(fund.ports, TradingState.HALTED, StateCause.FLATTEN)
    report = make_trader(broker.ports).flatten()
    assert report.foreign == {ticker: theirs}
    assert {one.ticker for one in broker.sent} == shares(fund).keys() - {ticker}
    play_session(fund)
    assert shares(fund) == {ticker: theirs}


def test_what_is_left_of_a_position_is_the_fund_s(world: World) -> None:
    """Of a position that somebody has sold a part of, or added to, nothing is written."""
    fund = open_holding_fund(world)
    ticker, held = next((one, count) for one, count in sorted(shares(fund).items()) if count > 0)
    for signed in (1 - int(held), 5):
        assert trade_and_follow(fund, ticker, Decimal(signed)) == []
