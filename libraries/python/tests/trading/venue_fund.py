"""A fund in one process for tests: the state machine on the venue's core, with market data and journal in memory."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from math import isfinite

import numpy as np

from internal.dates import sessions
from internal.errors import ConflictError
from internal.trading.day_table import BarTable, compute_day_table
from internal.trading.enums import OrderSide, OrderState
from internal.trading.memory_journal import MemoryJournal, MemoryPortfolios
from internal.trading.ports import Lease, RefusedOrderError, TradingPorts
from internal.trading.rows import (
    Account,
    Assets,
    BrokerOrder,
    BrokerPosition,
    Costs,
    DayInputs,
    Entry,
    OrderRequest,
    Split,
)
from internal.trading.strategy import DataNeeds
from internal.venue.clock import Auction
from internal.venue.core import ExchangeCore, open_venue
from internal.venue.history import ActivityType, Movement, MovementKind
from internal.venue.margin_account import buying_power
from internal.venue.market.protocol import Market
from internal.venue.market.simulated import SimulatedMarket
from internal.venue.orders import Order, OrderStatus, OrderType, Side, TimeInForce
from internal.venue.orders import OrderRequest as VenueRequest
from internal.venue.rejections import RequestRefusedError
from internal.venue.repository import HistoryQuery, InMemoryRepository, OrderQuery
from internal.venue.state import open_account

HISTORY = 45  # sessions of bars before the first decision
STATES = {
    OrderStatus.FILLED: OrderState.FILLED,
    OrderStatus.PARTIALLY_FILLED: OrderState.PARTIALLY_FILLED,
    OrderStatus.CANCELED: OrderState.CANCELED,
    OrderStatus.EXPIRED: OrderState.CANCELED,
    OrderStatus.REPLACED: OrderState.CANCELED,
}


class VenueBroker:
    """The port `Broker` on a venue in this process."""

    def __init__(self, core: ExchangeCore, market: Market, repository: InMemoryRepository) -> None:
        self._core, self._market, self._repository = core, market, repository

    def moment(self) -> datetime:
        """The venue's clock."""
        return self._core.state.moment

    def account(self) -> Account:
        """Totals, and whether trading is switched off."""
        state = self._core.state
        held, settings = state.account, state.settings
        return Account(
            account_id=state.identity.account_id,
            halted="trading is suspended" if settings.suspend_trade else None,
            net_asset_value=float(held.equity),
            cash=float(held.cash),
            buying_power=float(buying_power(held, state.open_orders.values(), settings.margin_multiplier)),
            long_market_value=float(held.long_market_value),
            short_market_value=float(held.short_market_value),
        )

    def positions(self) -> Sequence[BrokerPosition]:
        """All positions, sorted by ticker."""
        held = self._core.state.account.positions
        return [
            BrokerPosition(
                ticker=ticker,
                quantity=float(held[ticker].quantity),
                average_entry_price=float(held[ticker].average_entry_price),
                current_price=float(held[ticker].mark_price),
                market_value=float(held[ticker].market_value),
                unrealized_profit=float(held[ticker].market_value - held[ticker].cost_basis),
            )
            for ticker in sorted(held)
        ]

    def assets(self) -> Assets:
        """What is listed, and what of it can be borrowed."""
        day = self._core.clock.last_closed_session()
        listed = [one for one in self._market.listings(day) if one.is_active(day)]
        shortable = frozenset(one.ticker for one in listed if one.shortable and one.easy_to_borrow)
        return Assets(frozenset(one.ticker for one in listed), shortable)

    def open_orders(self) -> Sequence[BrokerOrder]:
        """Orders that may still fill."""
        return [_broker_order(order) for order in self._core.state.open_orders.values()]

    def orders_since(self, moment: datetime) -> Sequence[BrokerOrder]:
        """All orders submitted after the moment, oldest first."""
        return [_broker_order(order) for order in self._repository.find_orders(OrderQuery(after=moment))]

    def order(self, client_order_id: str) -> BrokerOrder | None:
        """The order under that id."""
        order = self._repository.order_by_client_id(client_order_id)
        return None if order is None else _broker_order(order)

    def submit(self, request: OrderRequest) -> BrokerOrder:
        """Send once; an id that is there already is answered with its order."""
        asked = VenueRequest(
            ticker=request.ticker,
            side=Side(request.side),
            type=OrderType.MARKET,
            time_in_force=TimeInForce(request.time_in_force),
            quantity=Decimal(repr(request.quantity)),
            notional=None,
            limit_price=None,
            client_order_id=request.client_order_id,
            position_intent=None,
        )
        try:
            return _broker_order(self._core.submit(asked))
        except RequestRefusedError as refusal:
            found = self.order(request.client_order_id)
            if found is None:
                raise RefusedOrderError(refusal.message) from refusal
            return found

    def cancel(self, broker_order_id: str) -> None:
        """Cancel the rest of an order; one that is final already stays as it is."""
        order = self._repository.order(broker_order_id)
        if order is not None and order.is_open:
            self._core.cancel(broker_order_id)

    def costs(self) -> Costs:
        """Fees and borrow cost so far."""
        rows = self._repository.find_history(HistoryQuery(types=frozenset({ActivityType.FEE})))
        moved = [row.entry for row in rows if isinstance(row.entry, Movement)]
        borrow = sum(float(-one.net_amount) for one in moved if one.kind is MovementKind.BORROW_FEE)
        return Costs(sum(float(-one.net_amount) for one in moved) - borrow, borrow)


def _broker_order(order: Order) -> BrokerOrder:
    return BrokerOrder(
        client_order_id=order.client_order_id,
        broker_order_id=order.id,
        ticker=order.ticker,
        side=OrderSide(order.side),
        state=STATES.get(order.status, OrderState.SUBMITTED),
        quantity=float(order.quantity or 0),
        filled_quantity=float(order.filled_quantity),
        filled_average_price=None if order.filled_average_price is None else float(order.filled_average_price),
        submitted_at=order.submitted_at,
    )


class VenueData:
    """The port `MarketData` on the venue's market; forecasts are a function of the seed, the day and the ticker.

    A narrow band closes every position after a session. `missing` is the part of the forecasts that there are none of.
    """

    def __init__(self, market: Market, days: Sequence[date], *, seed: int, width: float, missing: float) -> None:
        self._market, self._days, self._seed, self._width, self._missing = market, days, seed, width, missing
        self._tickers = tuple(sorted(one.ticker for one in market.listings(days[-1])))
        shape = len(days), len(self._tickers)
        self._close, self._volume = np.full(shape, np.nan), np.full(shape, np.nan)
        for session, day in enumerate(days):
            for place, ticker in enumerate(self._tickers):
                if (bar := market.bar(ticker, day)) is not None:
                    self._close[session, place] = float(bar.close_price)
                    self._volume[session, place] = float(bar.volume)

    def day_inputs(self, day: date, needs: DataNeeds) -> DayInputs:
        """Prices, universe, volatility and forecasts of a day."""
        if day not in self._days:
            raise ConflictError(f"there are no bars of {day}")
        session = self._days.index(day)
        bars = BarTable(self._days, self._tickers, self._close, self._volume)
        table = compute_day_table(bars, session, session, needs.universe)
        bands = np.array([self._band(day, ticker) for ticker in self._tickers])
        return DayInputs(
            day=day,
            tickers=self._tickers,
            price=self._close[session],
            last_price=table.last_price[0],
            liquid=table.liquid[0],
            volatility=table.volatility[0],
            bands=bands,
            model_version="made by a test",
            bars_version=1,
            mean_volume=table.mean_volume[0],
        )

    def splits(self, first: date, last: date) -> Sequence[Split]:
        """Splits by execution date."""
        return [
            Split(split.ticker, split.execution_date, float(split.split_to / split.split_from))
            for split in self._market.corporate_actions(first, last).splits
        ]

    def price_factors(self, entries: Collection[Entry], day: date) -> Mapping[Entry, float]:
        """By entry, what takes a price of its session to the terms of the day; dividends left out."""
        factors = dict.fromkeys(entries, 1.0)
        for split in self.splits(min(entry.date for entry in entries) + timedelta(days=1), day):
            for entry in entries:
                if split.ticker == entry.ticker and split.execution_date > entry.date:
                    factors[entry] /= split.shares
        return factors

    def closes(self, tickers: Sequence[str], day: date) -> Mapping[str, float]:
        """Closes of a session by ticker."""
        row = self._close[self._days.index(day)]
        found = {ticker: float(row[self._tickers.index(ticker)]) for ticker in tickers if ticker in self._tickers}
        return {ticker: close for ticker, close in found.items() if isfinite(close)}

    def _band(self, day: date, ticker: str) -> tuple[float, float, float]:
        digest = sha256(f"{self._seed}|{day}|{ticker}".encode()).digest()
        if digest[0] / 256 < self._missing:
            return np.nan, np.nan, np.nan
        median = int.from_bytes(digest[1:5]) / 2**32 * 0.04 - 0.02
        return median - self._width / 2, median, median + self._width / 2


class FreeLease:
    """A lease of a process that is alone."""

    def require(self) -> int:
        """Always the first holding."""
        return 1


@dataclass
class World:
    """A market with its data, which many funds can play; nothing of it changes."""

    market: SimulatedMarket
    days: Sequence[date]
    data: VenueData

    @classmethod
    def make(cls, seed: int, *, sessions_played: int, tickers: int = 40, width: float = 1e-6) -> "World":
        """A simulated market from HISTORY sessions before its opening on."""
        opening = date(2024, 12, 31)
        known = sessions(date(2024, 9, 1), date(2025, 3, 31))
        place = known.index(opening)
        days = known[place - HISTORY : place + sessions_played + 1]
        market = SimulatedMarket(
            seed=seed, ticker_count=tickers, opening_day=opening, first_day=days[0], last_day=days[-1]
        )
        return cls(market, days, VenueData(market, days, seed=seed, width=width, missing=0.1))


@dataclass
class Fund:
    """One fund on a venue of its own."""

    core: ExchangeCore
    repository: InMemoryRepository
    ports: TradingPorts
    journal: MemoryJournal
    portfolios: MemoryPortfolios

    @classmethod
    def open(cls, world: World, cash: int = 100_000, lease: Lease | None = None) -> "Fund":
        """A fresh account, an empty journal."""
        repository = InMemoryRepository()
        core = open_venue(world.market, repository, open_account(world.market, Decimal(cash)))
        journal, portfolios = MemoryJournal(), MemoryPortfolios()
        broker = VenueBroker(core, world.market, repository)
        ports = TradingPorts(broker, world.data, portfolios, journal, lease or FreeLease(), _no_pause)
        return cls(core, repository, ports, journal, portfolios)

    def move(self, auction: Auction) -> None:
        """Play the next open or close."""
        for step in self.core.steps_to(self.core.next_stop(auction)):
            self.core.step(step)


def _no_pause(seconds: float) -> None:
    """A pause that takes no time."""
    assert seconds >= 0
