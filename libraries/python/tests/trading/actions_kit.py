"""A fund in a small market whose corporate actions are written by hand, and data that may state other ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from internal.action_kinds import ActionKind
from internal.dates import next_session
from internal.simulation.fund import SimulatedFund
from internal.simulation.market_tables import build_market_tables, read_actions
from internal.simulation.table_data import TableData
from internal.trading.corporate_actions import CorporateAction as CoreAction
from internal.trading.rebalancing import Rebalancer
from internal.trading.situation import Situation
from internal.trading.strategy import DataNeeds, StrategyRecord
from internal.trading.targets import Target, Targets
from internal.trading.universe import Universe
from internal.venue.clock import Auction
from internal.venue.corporate_actions import CorporateAction
from libraries.python.tests.venue.venue_kit import ARRIVING, DAYS, hand_market

OPENING, FIRST, EFFECTIVE = DAYS[1], DAYS[2], DAYS[3]
STAYING = ("FWD", "REV", "DIV", "STD", "RGT", "SPI", "BUYR")


@dataclass
class Scripted:
    """Weights by day; on a day without any everything is kept."""

    weights: Mapping[date, Mapping[str, float]]
    seen: list[Situation] = field(default_factory=list[Situation])
    record: StrategyRecord = field(default_factory=lambda: StrategyRecord("scripted", "{}", "0"))
    needs: DataNeeds = field(default_factory=lambda: DataNeeds(Universe(), 0, forecasts=False))

    def is_due(self, day: date) -> bool:
        """Every day."""
        del day
        return True

    def next_due(self, day: date) -> date:
        """The next session."""
        return next_session(day)

    def decide(self, situation: Situation) -> Targets:
        """The day's weights, or what is held."""
        self.seen.append(situation)
        wanted = self.weights.get(situation.day)
        kept = {position.ticker: None for position in situation.positions}
        rows = kept if wanted is None else wanted
        return Targets(tuple(Target(ticker, weight, "wanted") for ticker, weight in rows.items()))


@dataclass(frozen=True)
class OtherActions:
    """A market's data, with other corporate actions than the venue carries out."""

    inner: TableData
    actions: Sequence[CoreAction]

    def corporate_actions(self, first: date, last: date) -> Sequence[CoreAction]:
        """Those of the range."""
        return [one for one in self.actions if first <= one.effective_date <= last]

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - passes every other method on
        """The market's own."""
        return getattr(self.inner, name)


def open_fund(actions: Sequence[CorporateAction], tickers: Sequence[str]) -> SimulatedFund:
    """A fresh account of 100,000 dollars in a market at 100 dollars a share; what ends has no bars from then on."""
    ended = {one.ticker: one.effective_date for one in actions if one.ticker not in STAYING}
    begins = {one: EFFECTIVE for one in ARRIVING if one != "BUYR"}
    without = [
        (ticker, day)
        for ticker in tickers
        for day in DAYS
        if day >= ended.get(ticker, date.max) or day < begins.get(ticker, date.min)
    ]
    market = hand_market(tickers, actions=actions, without=without)
    days = DAYS[0], DAYS[-1]
    tables = build_market_tables(
        market.bars_between(*days), market.splits(*days), market.dividends(*days), DAYS, read_actions(market, *days)
    )
    data = TableData(tables, OPENING)
    return SimulatedFund.open(market, data, Decimal(100_000))


def play_session(fund: SimulatedFund, trader: Rebalancer) -> None:
    """Decide, then open and close the next session, with a reconciliation after each."""
    trader.run(None)
    for auction in (Auction.OPEN, Auction.CLOSE):
        fund.move(auction)
        trader.reconcile()


def held_at_broker(fund: SimulatedFund) -> dict[str, float]:
    """Signed shares by ticker."""
    return {position.ticker: position.quantity for position in fund.ports.broker.positions()}


def merger(ticker: str, new_ticker: str, old: int, new: int) -> CorporateAction:
    """`new` shares of another security for `old` of the ticker."""
    return CorporateAction(
        ActionKind.STOCK_MERGER,
        ticker,
        EFFECTIVE,
        old_shares=Decimal(old),
        new_shares=Decimal(new),
        new_ticker=new_ticker,
    )


def gift(kind: ActionKind, ticker: str, day: date, old: int, new_ticker: str) -> CorporateAction:
    """One share of another security beside `old` of the ticker."""
    return CorporateAction(kind, ticker, day, old_shares=Decimal(old), new_shares=Decimal(1), new_ticker=new_ticker)
