"""A name that a person sold by hand is not bought back for some sessions; the person's own names are left alone."""

from dataclasses import replace
from datetime import date

from internal.dates import next_session
from internal.simulation.world import World
from internal.trading.enums import OrderSide, TimeInForce
from internal.trading.hand_trades import find_hand_trades
from internal.trading.limits import RiskLimits
from internal.trading.orders import OrderRequest
from internal.trading.rebalancing import Rebalancer
from internal.trading.situation import Situation
from internal.trading.strategy import DataNeeds, StrategyRecord
from internal.trading.targets import Target, Targets
from internal.trading.universe import Universe
from internal.venue.clock import Auction

NAMES = 3


class Always:
    """Wants ten percent of the first names that may be opened or are held."""

    record = StrategyRecord("always", "{}", "0")
    needs = DataNeeds(Universe(1.0, 1.0), 0, forecasts=False)

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names
        self.may_open: dict[date, set[str]] = {}

    def is_due(self, day: date) -> bool:
        """Every day."""
        del day
        return True

    def next_due(self, day: date) -> date:
        """The next session."""
        return next_session(day)

    def decide(self, situation: Situation) -> Targets:
        """The same weights every day."""
        allowed = dict(zip(situation.tickers, situation.may_open, strict=True))
        self.may_open[situation.day] = {one for one in self.names if allowed[one]}
        return Targets(tuple(Target(one, 0.1, "always") for one in self.names))


def test_what_was_sold_by_hand_is_not_bought_back() -> None:
    """Sold in the second session: three decisions leave it out and say so, the fourth opens it again."""
    fund = World.make(11, sessions_played=7, tickers=30).open_fund()
    first = fund.ports.data.day_inputs(date(2024, 12, 31), Always(()).needs)
    liquid = [ticker for ticker, is_liquid in zip(first.tickers, first.liquid, strict=True) if is_liquid]
    strategy, limits = Always(tuple(liquid[:NAMES])), replace(RiskLimits(), hand_trade_sessions=3)
    trader, sold = Rebalancer(fund.ports, strategy, limits), liquid[0]
    notes: list[tuple[str, ...]] = []
    for session in range(6):
        notes.append(trader.run(None).run.notes)
        if session == 1:
            held = next(one for one in fund.ports.broker.positions() if one.ticker == sold)
            by_hand = OrderRequest("by-hand", sold, OrderSide.SELL, held.quantity, TimeInForce.DAY)
            fund.ports.broker.submit(by_hand)
        fund.move(Auction.OPEN)
        fund.move(Auction.CLOSE)
        trader.reconcile()
    found = [[note for note in one if "traded by hand" in note] for one in notes]
    assert [bool(one) for one in found] == [False, False, True, True, True, False]
    assert sold in found[2][0]
    assert any(one.ticker == sold for one in fund.ports.broker.positions())
    others = liquid[1:NAMES]
    assert all(set(others) <= allowed for allowed in strategy.may_open.values())


def test_a_name_that_the_fund_never_had_is_no_concern() -> None:
    """A person buys and sells a name of the own: nothing is found."""
    fund = World.make(11, sessions_played=3, tickers=30).open_fund()
    ticker = fund.ports.data.day_inputs(date(2024, 12, 31), Always(()).needs).tickers[5]
    fund.ports.broker.submit(OrderRequest("by-hand", ticker, OrderSide.BUY, 1.0, TimeInForce.DAY))
    fund.move(Auction.OPEN)
    fund.move(Auction.CLOSE)
    assert find_hand_trades(fund.ports.broker, fund.ports.journal, next_session(date(2024, 12, 31)), 5) == {}
    assert [one.quantity for one in fund.ports.broker.positions()] == [1.0]
