"""Corporate actions on held names through the real exchange application, alpaca-py and the fund's own adapter."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from alpaca.trading.client import TradingClient
from alpaca.trading.models import Position

from applications.exchange.tests.exchange_in_process import LocalExchange, run_exchange
from applications.exchange.tests.exchange_kit import KEY_ID, SECRET
from internal.action_kinds import ActionKind
from internal.dates import previous_session, sessions
from internal.lake.store import Lake
from internal.simulation.fund import FreeLease, skip_pause
from internal.simulation.market_tables import build_market_tables, read_actions
from internal.simulation.table_data import TableData
from internal.trading.enums import Leg, OrderSide
from internal.trading.limits import RiskLimits
from internal.trading.memory_journal import MemoryJournal, MemoryPortfolios
from internal.trading.orders import Order
from internal.trading.ports import TradingPorts
from internal.trading.rebalancing import Rebalancer
from internal.trading.strategy import DataNeeds
from internal.trading.universe import Universe
from libraries.python.tests.trading.actions_kit import Scripted
from portfoliomanager.account_books import AccountBooks
from portfoliomanager.adapters.alpaca_broker import AlpacaBroker
from portfoliomanager.adapters.lake_activities import LakeActivities

OPENING, LAST = date(2024, 12, 31), date(2025, 1, 10)
SEED, TICKERS = 3, 60  # a market in which a name is renamed and another one acquired on the third session
EVERY_STOCK = DataNeeds(Universe(0.0, 0.0, minimum_sessions=1), 0, forecasts=False)


def read_data(local: LocalExchange) -> TableData:
    """The market's own tables around its opening session."""
    market, first = local.exchange.market, previous_session(OPENING, 3)
    days = first, LAST
    bars, splits, dividends = market.bars_between(*days), market.splits(*days), market.dividends(*days)
    tables = build_market_tables(bars, splits, dividends, sessions(*days), read_actions(market, *days))
    return TableData(tables, OPENING)


def alpaca_positions(local: LocalExchange) -> dict[str, float]:
    """What the unmodified client reads."""
    client = TradingClient(KEY_ID, SECRET, url_override=local.url)
    return {one.symbol: float(one.qty) for one in client.get_all_positions() if isinstance(one, Position)}


def rows_of(journal: MemoryJournal, ticker: str) -> list[Order]:
    """The rows of corporate actions under the ticker."""
    return [order for order in journal.of("corporate-actions") if order.ticker == ticker]


def test_a_rename_and_a_cash_merger_of_held_names(tmp_path: Path) -> None:
    """The renamed position is the fund's under its new ticker and can be closed; the acquired one ends at its price."""
    settings = {"exchange_seed": SEED, "exchange_ticker_count": TICKERS, "exchange_events": "frequent"}
    with run_exchange(tmp_path / "exchange", **settings) as local:
        data = read_data(local)
        actions = data.corporate_actions(date(2025, 1, 6), date(2025, 1, 6))
        renamed = next(one for one in actions if one.kind is ActionKind.NAME_CHANGE and one.ticker == "LLSB")
        merged = next(one for one in actions if one.kind is ActionKind.CASH_MERGER)
        journal, broker = MemoryJournal(), AlpacaBroker(KEY_ID, SECRET, local.url)
        ports = TradingPorts(broker, data, MemoryPortfolios(), journal, FreeLease(), skip_pause)
        weights = {OPENING: {renamed.ticker: 0.02, merged.ticker: 0.02}, renamed.effective_date: {}}
        strategy = replace(Scripted(weights), needs=EVERY_STOCK)
        trader = Rebalancer(ports, strategy, RiskLimits())
        books = AccountBooks(broker, broker.activities, LakeActivities(Lake(str(tmp_path / "lake"))), journal, data)
        books.record()
        held = dict[str, float]()
        for _ in range(3):
            trader.run(None)
            held = alpaca_positions(local)
            for auction in ("next_open", "next_close"):
                local.move(auction)
                assert not trader.reconcile().foreign
        new = str(renamed.new_ticker)
        assert held.keys() == {renamed.ticker, merged.ticker}
        assert alpaca_positions(local) == {new: held[renamed.ticker]}
        assert [row.quantity for row in rows_of(journal, new)] == [0.0]
        (ended,) = rows_of(journal, merged.ticker)
        assert (ended.side, ended.leg, ended.quantity) == (OrderSide.SELL, Leg.CLOSE, held[merged.ticker])
        assert ended.filled_average_price == pytest.approx(merged.cash_amount)
        outcome = trader.run(None)
        (position,) = strategy.seen[-1].positions
        assert (position.ticker, position.security_id) == (new, journal.security_of(new))
        assert [(order.ticker, order.side, order.quantity) for order in outcome.orders] == [
            (new, OrderSide.SELL, held[renamed.ticker])
        ]
        local.move("next_open")
        assert not trader.reconcile().foreign
        assert alpaca_positions(local) == {}
        books.record()
        assert books.view().differences == []
