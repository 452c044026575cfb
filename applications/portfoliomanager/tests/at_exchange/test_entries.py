"""Positions of several entries: over HTTP at the exchange, and the price factor of each entry from the data service."""

from collections.abc import Sequence
from datetime import date
from typing import cast

import polars as pl
import pytest

from applications.portfoliomanager.tests.portfoliomanager_kit import World, wire
from internal.dates import sessions
from internal.errors import NotFoundError
from internal.http.datamanager_client import DatamanagerClient
from internal.lake.lease import Lease
from internal.price_adjustment import adjust_bars
from internal.simulation.drawn_strategy import DrawnStrategy
from internal.trading.corporate_actions import list_splits
from internal.trading.enums import Action, Leg, OrderState
from internal.trading.limits import RiskLimits
from internal.trading.position_attribution import attribute_positions
from internal.trading.positions import Entry
from internal.trading.rebalancing import Rebalancer
from portfoliomanager.adapters.alpaca_broker import AlpacaBroker
from portfoliomanager.adapters.lake_journal import LakeJournal
from portfoliomanager.adapters.market_data import DatamanagerMarketData

SESSIONS = 5
DIVIDENDS = 0.03  # a position's entry price is lower than the broker's by what the name has paid since


def test_the_average_entry_price_is_the_brokers(
    world: World, broker: AlpacaBroker, store: DatamanagerClient, journal: LakeJournal, lease: Lease
) -> None:
    """Positions are opened, topped up and trimmed over sessions, each decided by a fresh process."""
    for _ in range(SESSIONS):
        world.store_predictions(world.session())
        outcome = Rebalancer(wire(broker, store, journal, lease), DrawnStrategy(2, 0.4), RiskLimits()).run(None)
        at_broker = {one.ticker: one for one in broker.positions()}
        for row in outcome.portfolio.rows if outcome.portfolio else ():
            if row.action is not Action.OPEN:
                assert row.held == abs(at_broker[row.ticker].quantity)
                assert row.entry_price == pytest.approx(at_broker[row.ticker].average_entry_price, rel=DIVIDENDS)
        world.play_session()
    Rebalancer(wire(broker, store, journal, lease), DrawnStrategy(2, 0.4), RiskLimits()).reconcile()
    assert {order.leg for order in journal.orders() if order.state is OrderState.FILLED} == set(Leg)
    positions = {one.ticker: one for one in broker.positions()}
    held = {ticker: one.quantity for ticker, one in positions.items()}
    splits = list_splits(DatamanagerMarketData(store).corporate_actions(journal.runs()[0].date, world.session()))
    own = attribute_positions(held, {ticker: journal.fills(ticker) for ticker in held}, splits, {}, {})
    assert not own.foreign
    assert {one.ticker: one.quantity for one in own.positions} == held
    for one in own.positions:
        assert one.entry_price == pytest.approx(positions[one.ticker].average_entry_price, rel=1e-6)


class StoredBars:
    """The data service's bars of a security that closes at 100 until it splits 2 for 1, and then pays 1 of 50 dollars.

    It had the ticker OLD in the first session. Any other ticker is refused, as the service does.
    """

    days = sessions(date(2024, 3, 11), date(2024, 3, 15))

    def bars(
        self,
        start: date,
        end: date,
        *,
        adjusted_as_of: date | None,
        columns: Sequence[str],
        tickers: Sequence[str] = (),
    ) -> tuple[pl.DataFrame, int]:
        """The bars of a range, adjusted or not."""
        if unknown := set(tickers) - {"A", "OLD"}:
            raise NotFoundError(f"unknown tickers: {unknown}")
        prices = dict.fromkeys(("open", "high", "low", "close", "volume_weighted_average_price"), [100.0] + [50.0] * 4)
        bars = pl.DataFrame({"ticker": "A", "date": self.days, "volume": 1e6, "security_id": "S", **prices})
        if adjusted_as_of is not None:
            split = {"ticker": ["A"], "execution_date": [self.days[1]], "split_from": [1.0], "split_to": [2.0]}
            paid = {"ticker": ["A"], "ex_dividend_date": [self.days[3]], "cash_amount": [1.0]}
            closes = bars.lazy().select("ticker", "date", "close")
            actions = (pl.LazyFrame(split), pl.LazyFrame(paid))
            bars = adjust_bars(bars.lazy(), closes, *actions, adjusted_as_of).collect()
        else:
            is_first = pl.col("date") == self.days[0]
            bars = bars.with_columns(pl.when(is_first).then(pl.lit("OLD")).otherwise("ticker").alias("ticker"))
        chosen = bars.filter(
            pl.col("date").is_between(start, end) & pl.col("ticker").is_in(list(tickers) or ["A", "OLD"])
        )
        return chosen.select(columns), 1


def test_each_entry_has_the_factor_of_its_session() -> None:
    """Before the split 1/2 x 0.98, also under another ticker, after it 0.98, from the ex-date on 1; else nothing."""
    days = StoredBars.days
    data = DatamanagerMarketData(cast("DatamanagerClient", StoredBars()))
    asked = {Entry("A", day) for day in (days[2], days[3])} | {Entry("OLD", days[0]), Entry("B", days[0])}
    found = data.price_factors(asked, days[4])
    expected = {Entry("OLD", days[0]): 0.49, Entry("A", days[2]): 0.98, Entry("A", days[3]): 1.0}
    assert found == pytest.approx(expected)
    assert data.closes(["A", "B"], days[4]) == {"A": 50.0}
