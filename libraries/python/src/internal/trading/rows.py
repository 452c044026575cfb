"""The rows that the trading core works on: orders, positions, portfolios, runs and what the broker answers."""

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property, lru_cache
from math import isnan
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from internal.dates import session_number
from internal.errors import InvalidRequestError
from internal.trading.enums import (
    Action,
    Adjustment,
    ForeignKind,
    Leg,
    NameOutcome,
    OrderSide,
    OrderState,
    RunState,
    Side,
    TimeInForce,
)
from internal.trading.limit_kinds import LimitCut

type FloatArray = NDArray[np.float64]
type IntArray = NDArray[np.int64]
type BoolArray = NDArray[np.bool_]


NEVER = 10_000  # sessions, more than any history has


class Entry(NamedTuple):
    """A session in which shares of a position were bought, or sold short."""

    ticker: str
    date: date


class Band(NamedTuple):
    """Quantiles of the cumulative simple return from entry."""

    quantile_10: float
    quantile_50: float
    quantile_90: float


@dataclass(frozen=True, slots=True)
class Position:
    """A position of the fund.

    Attributes:
        ticker: Its name at the broker.
        quantity: Shares, negative when short.
        opened_date: The session of its first fill.
        entry_price: The average of its entries, dollars, in the terms of the day of the decision.
        band: The band that was stored last with the position; None when none is.
        broker_price: What the broker values a share at, dollars, in the terms of the day of the decision; None where it
            has no price.
        security_id: The permanent id under which the fund holds it; a new ticker changes nothing of it.
    """

    ticker: str
    quantity: float
    opened_date: date
    entry_price: float
    band: Band | None
    broker_price: float | None = None
    security_id: str | None = None

    @property
    def side(self) -> Side:
        """Long above 0 shares, short below."""
        return Side.LONG if self.quantity > 0 else Side.SHORT


@dataclass(frozen=True, slots=True)
class BarHistory:
    """Bars of the last T sessions up to a day, adjusted as of it; each field is [T, N], NaN where there is no bar.

    Attributes:
        days: T sessions, ascending; the last one is the day.
        open: Dollars.
        high: Dollars.
        low: Dollars.
        close: Dollars.
        volume: Shares.
    """

    days: Sequence[date]
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray


@dataclass(frozen=True, slots=True)
class Details:
    """What the companies are, by ticker's place; None where it is not known.

    Attributes:
        sector: [N] names such as `INFORMATION TECHNOLOGY`.
        industry: [N] names of a finer division.
        security_type: [N] the vendor's code: CS for common stock, ETF for an exchange-traded fund, ...
    """

    sector: tuple[str | None, ...]
    industry: tuple[str | None, ...]
    security_type: tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Forecasts:
    """Quantiles of the cumulative simple return from the close of the day.

    Attributes:
        horizons: [H] sessions ahead, ascending.
        levels: [Q] probabilities, ascending.
        quantiles: [N, H, Q]; NaN without a forecast.
    """

    horizons: IntArray
    levels: FloatArray
    quantiles: FloatArray


@dataclass(frozen=True, slots=True)
class DayInputs:
    """The data service's figures at the close of a day, as arrays over N tickers in one order.

    Attributes:
        day: The session at whose close is decided.
        tickers: N tickers, sorted.
        price: [N] the close of the day, dollars; NaN without one.
        last_price: [N] the last close in the lookback, in the terms of the day; NaN without one.
        liquid: [N] whether the name is in the universe.
        volatility: [N] realized volatility of daily log returns, a session; NaN where too little is known.
        bands: [N, 3] the forecast over its longest horizon; NaN without one.
        model_version: Of the forecasts; empty where none were asked for.
        bars_version: Of the bars.
        mean_volume: [N] mean volume over the lookback, shares a session; NaN without a bar in it.
        known_at: The moment up to which corporate actions, names and details were known; None where all is.
        security_ids: N permanent ids; None where the data service has none.
        missing_sessions: [N] sessions since the last bar, 0 with one today; None where only today's bar is known.
        previous_price: [N] the last close before the day, in the terms of the day, dollars; NaN without one; None where
            only today's bar is known.
        beta: [N] to the mean name over the lookback; NaN where too little is known, None as above.
        load_history: Answers the bars up to the day, as many sessions as the strategy asked for; None where it asked
            for none. They are made when they are read, because most decisions do not.
        details: Sector, industry and type of each name; None where they were not loaded.
        forecasts: All horizons; None where they were not loaded.
        scores: [N] what the strategy's score is, where it was computed for all sessions at once; None where the
            strategy computes it from `history`.
    """

    day: date
    tickers: tuple[str, ...]
    price: FloatArray
    last_price: FloatArray
    liquid: BoolArray
    volatility: FloatArray
    bands: FloatArray
    model_version: str
    bars_version: int
    mean_volume: FloatArray
    known_at: datetime | None = None
    security_ids: Sequence[str | None] | None = None
    missing_sessions: IntArray | None = None
    previous_price: FloatArray | None = None
    beta: FloatArray | None = None
    load_history: Callable[[], BarHistory] | None = None
    details: Details | None = None
    forecasts: Forecasts | None = None
    scores: FloatArray | None = None

    @property
    def history(self) -> BarHistory | None:
        """Bars up to the day, as many sessions as the strategy asked for; None where it asked for none."""
        return None if self.load_history is None else self.load_history()

    def find(self, ticker: str) -> int | None:
        """The ticker's place in the arrays; None when there is nothing about it."""
        place = bisect_left(self.tickers, ticker)
        return place if place < len(self.tickers) and self.tickers[place] == ticker else None


@dataclass(frozen=True, slots=True)
class Assets:
    """What the broker lets the fund trade: active tickers, and those among them that can be sold short.

    `borrow_rates` are yearly fractions by ticker, where the broker states them. `notes` say what the broker leaves
    open, one sentence each, and what follows from it.
    """

    tradable: frozenset[str]
    shortable: frozenset[str]
    borrow_rates: Mapping[str, float] = field(default_factory=dict[str, float])
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refusals:
    """Names that the fund's filter does not let be opened: why, by ticker, and the names alone."""

    reasons: Mapping[str, str] = field(default_factory=dict[str, str])
    names: frozenset[str] = frozenset()


@lru_cache(maxsize=8)
def find_members(tickers: tuple[str, ...], names: frozenset[str]) -> BoolArray:
    """[N] which of the tickers are among the names; remembered, because assets change seldom."""
    members = np.fromiter((ticker in names for ticker in tickers), bool, len(tickers))
    members.flags.writeable = False
    return members


@dataclass(frozen=True)
class Situation:
    """All that a decision is taken from.

    Attributes:
        inputs: Prices, universe, volatility and forecasts of the day.
        net_asset_value: Dollars, the broker's figure.
        positions: The fund's own positions; what is foreign is not among them.
        assets: What may be opened, and what may be shorted.
        blocked: Tickers that are not touched: an order of them is open, somebody else holds them in the account, or
            an action has changed them since the close of the day.
        refused: Names that the fund's filter does not let be opened or added to.
        missing_dollars: Of the fund's shares, by the journal, that the broker does not have.
    """

    inputs: DayInputs
    net_asset_value: float
    positions: tuple[Position, ...]
    assets: Assets
    blocked: frozenset[str]
    refused: Refusals = field(default_factory=Refusals)
    missing_dollars: float = 0.0

    @property
    def day(self) -> date:
        """The session at whose close is decided."""
        return self.inputs.day

    @property
    def tickers(self) -> tuple[str, ...]:
        """All N names of the day, sorted; every array is in this order."""
        return self.inputs.tickers

    @property
    def capital(self) -> float:
        """Dollars that weights are fractions of."""
        return max(self.net_asset_value, 0.0)

    @property
    def bars(self) -> BarHistory:
        """Bars up to the day, adjusted as of it, as many sessions as the strategy's `history_sessions`.

        Raises InvalidRequestError when the strategy asked for none.
        """
        if (history := self.inputs.history) is None:
            raise InvalidRequestError("no bars were loaded: give the strategy history_sessions above 0")
        return history

    @property
    def details(self) -> Details | None:
        """Sector, industry and security type of each name; None where they were not loaded."""
        return self.inputs.details

    @property
    def forecasts(self) -> Forecasts | None:
        """Quantiles by horizon, [N, H, Q]; None where the strategy does not use forecasts."""
        return self.inputs.forecasts

    @cached_property
    def holdings(self) -> Mapping[str, Position]:
        """The fund's own positions by ticker."""
        return MappingProxyType({position.ticker: position for position in self.positions})

    def age_of(self, position: Position) -> int:
        """Sessions since the session of the entry's fill; 0 when it was filled in the session that is decided on."""
        return session_number(self.day) - session_number(position.opened_date)

    @cached_property
    def obstacles(self) -> Mapping[NameOutcome, BoolArray]:
        """[N] each: names that something keeps from being opened on any side; the first one is given as the reason."""
        inputs, blocked = self.inputs, np.zeros(len(self.inputs.tickers), bool)
        blocked[[place for ticker in self.blocked if (place := inputs.find(ticker)) is not None]] = True
        return {
            NameOutcome.NOT_PRICED: ~np.isfinite(inputs.price),
            NameOutcome.NOT_IN_UNIVERSE: ~inputs.liquid,
            NameOutcome.NO_VOLATILITY: ~np.isfinite(inputs.volatility),
            NameOutcome.NOT_TRADABLE: ~find_members(inputs.tickers, self.assets.tradable),
            NameOutcome.REFUSED: find_members(inputs.tickers, self.refused.names),
            NameOutcome.BLOCKED: blocked,
        }

    @cached_property
    def may_open(self) -> BoolArray:
        """[N] names that may be opened long: liquid, priced, with a volatility, tradable, not blocked or refused."""
        allowed: BoolArray = ~np.logical_or.reduce(tuple(self.obstacles.values()))
        allowed.flags.writeable = False
        return allowed

    @cached_property
    def may_short(self) -> BoolArray:
        """[N] names that may be opened short."""
        allowed = self.may_open & find_members(self.inputs.tickers, self.assets.shortable)
        allowed.flags.writeable = False
        return allowed

    @cached_property
    def _held_places(self) -> Mapping[str, int | None]:
        """The places of the positions, each of which a decision asks for several times."""
        return {position.ticker: self.inputs.find(position.ticker) for position in self.positions}

    def find(self, ticker: str) -> int | None:
        """The ticker's place in the arrays; None when there is nothing about it."""
        places = self._held_places
        return places[ticker] if ticker in places else self.inputs.find(ticker)

    def price_of(self, position: Position) -> float:
        """Dollars a share: the close of the day, else the broker's price, else the last close, else the entry price."""
        place = self.find(position.ticker)
        if place is not None and not isnan(price := self.inputs.price.item(place)):
            return price
        if position.broker_price is not None:
            return position.broker_price
        last = float("nan") if place is None else self.inputs.last_price.item(place)
        return position.entry_price if isnan(last) else last

    def sessions_without_bar(self, position: Position) -> int:
        """Sessions since the position's last bar, the day included; 0 with a bar today.

        A name that there is no bar of in the lookback has at least as many as the lookback.
        """
        place = self.find(position.ticker)
        if place is None:
            return NEVER
        if not isnan(self.inputs.price.item(place)):
            return 0
        return 1 if self.inputs.missing_sessions is None else int(self.inputs.missing_sessions[place])

    def band_of(self, position: Position) -> Band | None:
        """Today's forecast over its longest horizon, else the band stored last."""
        return self.forecast_band(position.ticker) or position.band

    def forecast_band(self, ticker: str) -> Band | None:
        """Today's forecast over its longest horizon; None without one."""
        place = self.find(ticker)
        band = None if place is None else Band(*self.inputs.bands[place].tolist())
        return None if band is None or isnan(band.quantile_50) else band

    def freezing_reason(self, position: Position) -> str | None:
        """Why the position cannot be traded today; None when it can be."""
        if position.ticker in self.blocked:
            return "an order of it is still open, or a corporate action has changed it since: kept"
        place = self.find(position.ticker)
        return "no price today: kept" if place is None or isnan(self.inputs.price.item(place)) else None


@dataclass(frozen=True, slots=True)
class PortfolioRow:
    """One name of a portfolio after its decision.

    Attributes:
        ticker: Its name at the broker.
        side: The side that is held.
        action: What the decision does with it.
        held: Shares before the action; what the orders made of it follows from here, however often it is asked.
        quantity: Shares after the action; 0 when it is closed.
        reference_price: The close of the day, dollars.
        opened_date: The session of the entry's fill.
        entry_price: Dollars.
        band: The band in force.
        frozen: Whether the position must not be touched today.
        reason: One sentence for people; no rule reads it.
        security_id: The permanent id of the security; None in rows that are older than it.
    """

    ticker: str
    side: Side
    action: Action
    held: float
    quantity: float
    reference_price: float
    opened_date: date
    entry_price: float
    band: Band | None
    frozen: bool
    reason: str
    security_id: str | None = None

    @property
    def dollar_amount(self) -> float:
        """Dollars held after the action."""
        return self.quantity * self.reference_price

    @property
    def kept_dollars(self) -> float:
        """Dollars of the shares that were held before and still are; what is added is not among them."""
        return min(self.held, self.quantity) * self.reference_price


class LeftOut(NamedTuple):
    """A name that the strategy wanted to open and that is not opened; `reason` is for people."""

    ticker: str
    outcome: NameOutcome
    reason: str


@dataclass(frozen=True, slots=True)
class Decision:
    """The wanted portfolio, sorted by ticker.

    `notes` say what fell short of the policy, `cuts` what a limit cut, and `left_out` what was wanted in vain.
    """

    rows: tuple[PortfolioRow, ...]
    notes: tuple[str, ...]
    cuts: tuple[LimitCut, ...] = ()
    left_out: tuple[LeftOut, ...] = ()


@dataclass(frozen=True, slots=True)
class Portfolio:
    """A stored portfolio and the versions that it was decided from."""

    portfolio_id: str
    day: date
    rows: tuple[PortfolioRow, ...]
    model_version: str
    bars_version: int


def sign_fill(side: OrderSide, filled_quantity: float) -> float:
    """Filled shares, negative when sold."""
    return filled_quantity if side is OrderSide.BUY else -filled_quantity


@dataclass(frozen=True, slots=True)
class Order:
    """An order of the journal.

    Attributes:
        portfolio_id: The portfolio that it belongs to.
        date: The session at whose close it was decided.
        client_order_id: A function of what the order is; a second send under it is the same order.
        ticker: Its name at the broker.
        side: Buy or sell.
        leg: Whether it opens a position, adds to one or closes one.
        quantity: Shares.
        reference_price: The close of `date`, dollars.
        reason: One sentence for people; no rule reads it.
        updated_at: The market's clock at the last change.
        state: What became of it.
        adjustment: Whether the order was changed or added to keep the sides equal.
        time_in_force: How long it stays at the broker.
        broker_order_id: The broker's own id; None before the broker answered.
        filled_quantity: Shares filled so far.
        filled_average_price: Dollars; None before the first fill.
        security_id: The permanent id of the security; None in rows that are older than it.
        asset_id: The broker's own id of the security; None before the broker answered, or where it has none.
    """

    portfolio_id: str
    date: date
    client_order_id: str
    ticker: str
    side: OrderSide
    leg: Leg
    quantity: float
    reference_price: float
    reason: str
    updated_at: datetime
    state: OrderState = OrderState.PLANNED
    adjustment: Adjustment = Adjustment.NONE
    time_in_force: TimeInForce = TimeInForce.DAY
    broker_order_id: str | None = None
    filled_quantity: float = 0.0
    filled_average_price: float | None = None
    security_id: str | None = None
    asset_id: str | None = None

    @property
    def signed_filled_quantity(self) -> float:
        """Shares filled so far, negative when sold."""
        return sign_fill(self.side, self.filled_quantity)

    @property
    def position_side(self) -> Side:
        """The side of the position that the order opens or closes."""
        return Side.LONG if (self.side is OrderSide.BUY) == self.leg.opens else Side.SHORT


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """What is sent: a market order in shares."""

    client_order_id: str
    ticker: str
    side: OrderSide
    quantity: float
    time_in_force: TimeInForce


@dataclass(frozen=True, slots=True)
class BrokerOrder:
    """An order as the broker reports it, the fund's or somebody else's.

    `replaced_by` and `replaces` are the broker's ids of the orders that took its place, and whose place it took, when
    somebody changed its terms at the broker. `asset_id` is the broker's id of the security, which outlives its ticker.
    `filled_at` is when the last share filled; None while some have not.
    """

    client_order_id: str
    broker_order_id: str
    ticker: str
    side: OrderSide
    state: OrderState
    quantity: float
    filled_quantity: float
    filled_average_price: float | None
    submitted_at: datetime
    replaced_by: str | None = None
    replaces: str | None = None
    asset_id: str | None = None
    filled_at: datetime | None = None

    @property
    def signed_filled_quantity(self) -> float:
        """Shares filled so far, negative when sold."""
        return sign_fill(self.side, self.filled_quantity)


@dataclass(frozen=True, slots=True)
class BrokerPosition:
    """A position as the broker reports it; dollars, None where the broker has no price."""

    ticker: str
    quantity: float
    average_entry_price: float
    current_price: float | None
    market_value: float | None
    unrealized_profit: float | None
    asset_id: str | None = None

    @property
    def share_value(self) -> float | None:
        """Dollars a share by the market value, else the last price; None where the broker has neither, or no value."""
        price = self.market_value / self.quantity if self.market_value and self.quantity else self.current_price
        return price if price is not None and price > 0 else None


@dataclass(frozen=True, slots=True)
class Account:
    """The account as the broker reports it; dollars.

    `account_number` is the number that the broker shows its owner; empty where there is none.
    `halted` is a sentence that says why no order may be sent, None when orders may be sent. `shorting_enabled` is
    whether the account may sell short at all. Where the fund may use only a part of the account, the totals are those
    of this part, and `pool` is all that gains are measured on: the account without the holdings of others.
    """

    account_id: str
    halted: str | None
    net_asset_value: float
    cash: float
    buying_power: float
    long_market_value: float
    short_market_value: float  # negative
    shorting_enabled: bool = True
    pool: float | None = None
    account_number: str = ""


@dataclass(frozen=True, slots=True)
class Costs:
    """Fees and borrow cost that the broker has charged so far; dollars, positive is paid."""

    fees: float
    borrow: float


@dataclass(frozen=True, slots=True)
class Split:
    """A split: `shares` new shares for one old share from the execution date on."""

    ticker: str
    execution_date: date
    shares: float


@dataclass(frozen=True, slots=True)
class ForeignItem:
    """A position or an open order in the account that the journal does not explain."""

    kind: ForeignKind
    ticker: str
    quantity: float  # shares; of a position negative when short
    side: OrderSide | None = None
    client_order_id: str | None = None


@dataclass(frozen=True, slots=True)
class RebalanceRun:
    """One run of the state machine of `internal.trading.rebalancing`.

    `policy` is the strategy's name, `parameters` its parameters as JSON, `strategy_digest` the SHA-256 of its file;
    the last two are empty in runs that are older than these columns. `lease_number` is the fencing number of the holder
    that last changed it; None in runs older than the lease. The decision read bars at `bars_version` and anything else
    as it was known at `known_at`; None in runs older than this column.
    """

    portfolio_id: str
    date: date
    state: RunState
    policy: str
    model_version: str
    bars_version: int
    notes: tuple[str, ...]
    created_at: datetime
    updated_at: datetime
    lease_number: int | None = None
    parameters: str = ""
    strategy_digest: str = ""
    known_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The fund's value at a moment of the market's clock, and what trading has cost so far; dollars.

    `pool` is what gains are measured on; None where it is the net asset value itself.
    """

    timestamp: datetime
    portfolio_id: str
    net_asset_value: float
    cash: float
    long_market_value: float
    short_market_value: float
    slippage: float
    fees: float
    borrow: float
    pool: float | None = None


@dataclass(frozen=True, slots=True)
class OwnPositions:
    """The account's positions, divided into the fund's own and what is foreign (signed shares by ticker)."""

    positions: tuple[Position, ...]
    foreign: Mapping[str, float] = field(default_factory=dict[str, float])
