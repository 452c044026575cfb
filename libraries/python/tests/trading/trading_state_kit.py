"""A simulated fund beside another holder, and ports that act, or die, at a call: for tests of the trading state."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import cast

from internal.errors import UnavailableError
from internal.simulation.drawn_strategy import DrawnStrategy
from internal.simulation.fund import SimulatedFund
from internal.simulation.world import World
from internal.trading.broker_reports import BrokerOrder, BrokerPosition
from internal.trading.limits import RiskLimits
from internal.trading.orders import OrderRequest
from internal.trading.ports import Broker, Journal, TradingPorts
from internal.trading.rebalancing import Rebalancer
from internal.trading.share_movements import ShareMovement
from internal.trading.state_changes import change_state
from internal.trading.trading_state import StateCause, TradingState, TradingStateChange
from internal.venue.clock import Auction
from internal.venue.orders import OrderRequest as VenueRequest
from internal.venue.orders import OrderType, Side, TimeInForce

STRATEGY = DrawnStrategy(seed=3, short=0.4)
NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
DAY = TimeInForce.DAY
BESIDE = Decimal("7.5")  # shares that somebody else buys beside a long of the fund's


class KilledError(BaseException):
    """The process is gone."""


class WatchedPort:
    """A port that calls `before` and `after` with the name of each method around it."""

    def __init__(self, inner: object, before: Callable[[str], None], after: Callable[[str], None]) -> None:
        self._inner, self._before, self._after = inner, before, after

    def __getattr__(self, name: str) -> Callable[..., object]:
        method = cast("Callable[..., object]", getattr(self._inner, name))

        def call(*given: object) -> object:
            self._before(name)
            answer = method(*given)
            self._after(name)
            return answer

        return call


class Kill:
    """Ends the process at the n-th call, before it has an effect or after it; every later call of it fails too."""

    def __init__(self, at: int, *, before: bool) -> None:
        self._at, self._kills_before, self.calls, self.dead = at, before, 0, False

    def before(self, _name: str) -> None:
        """Before a call."""
        self.calls += 1
        self._die(self._kills_before)

    def after(self, _name: str) -> None:
        """After a call."""
        self._die(not self._kills_before)

    def _die(self, here: bool) -> None:  # noqa: FBT001 - whether this side of the call is the one
        if self.dead or (here and self.calls == self._at):
            self.dead = True
            raise KilledError

    def ports(self, fund: SimulatedFund) -> TradingPorts:
        """The fund's ports, until the kill."""
        journal = cast("Journal", WatchedPort(fund.journal, self.before, self.after))
        broker = cast("Broker", WatchedPort(fund.ports.broker, self.before, self.after))
        return replace(fund.ports, broker=broker, journal=journal)


class RefusingBroker:
    """The fund's broker, which answers everything and takes no order."""

    def __init__(self, fund: SimulatedFund) -> None:
        self._inner = fund.ports.broker
        self.ports = replace(fund.ports, broker=cast("Broker", self))

    def __getattr__(self, name: str) -> object:
        return getattr(self._inner, name)

    def submit(self, _request: OrderRequest) -> BrokerOrder:
        """Raise UnavailableError."""
        raise UnavailableError("the broker takes no orders now")


class RenamingBroker:
    """The fund's broker with asset ids, which shows the position of a ticker under a new one."""

    def __init__(self, fund: SimulatedFund, old: str, new: str) -> None:
        self._inner, self._old, self._new = fund.ports.broker, old, new
        self.ports = replace(fund.ports, broker=cast("Broker", self))

    def __getattr__(self, name: str) -> object:
        return getattr(self._inner, name)

    def positions(self) -> list[BrokerPosition]:
        """The positions with the new ticker; the old one is the asset id."""
        held = [replace(one, asset_id=one.ticker) for one in self._inner.positions()]
        return [replace(one, ticker=self._new) if one.ticker == self._old else one for one in held]


class SplitBroker:
    """The fund's broker, which has split a name on some days, and lists what each split brought."""

    def __init__(self, fund: SimulatedFund, ticker: str, brought: dict[date, float]) -> None:
        self._inner, self._ticker, self._brought = fund.ports.broker, ticker, brought
        self.ports = replace(fund.ports, broker=cast("Broker", self))

    def __getattr__(self, name: str) -> object:
        return getattr(self._inner, name)

    def positions(self) -> list[BrokerPosition]:
        """The positions, with what the splits have brought."""
        held = {one.ticker: one for one in self._inner.positions()}
        before = held.get(self._ticker, BrokerPosition(self._ticker, 0.0, 1.0, None, None, None))
        after = replace(before, quantity=before.quantity + sum(self._brought.values()))
        return list((held | {self._ticker: after}).values())

    def share_movements(self, after: date) -> list[ShareMovement]:
        """The splits after a day."""
        listed = [ShareMovement(self._ticker, day, shares, is_split=True) for day, shares in self._brought.items()]
        return [one for one in listed if one.day > after]


class SlowOrders:
    """The fund's broker, at which every order of a person was sent three weeks before it is listed."""

    def __init__(self, fund: SimulatedFund) -> None:
        self._inner, self._journal = fund.ports.broker, fund.journal
        self.asked: list[datetime] = []
        self.ports = replace(fund.ports, broker=cast("Broker", self))

    def __getattr__(self, name: str) -> object:
        return getattr(self._inner, name)

    def orders_since(self, moment: datetime) -> list[BrokerOrder]:
        """The orders since the moment, by hand ones by their own."""
        self.asked.append(moment)
        early = [
            replace(one, submitted_at=one.submitted_at - timedelta(days=21))
            if self._journal.order(one.client_order_id) is None
            else one
            for one in self._inner.orders_since(moment - timedelta(days=30))
        ]
        return [one for one in early if one.submitted_at > moment]


class CountedSends:
    """The fund's broker, which remembers what was sent and acts after the n-th send."""

    def __init__(self, fund: SimulatedFund, at: int = 0, act: Callable[[], object] = lambda: None) -> None:
        self._inner, self._at, self._act = fund.ports.broker, at, act
        self.sent: list[OrderRequest] = []
        self.ports = replace(fund.ports, broker=cast("Broker", self))

    def __getattr__(self, name: str) -> object:
        return getattr(self._inner, name)

    def submit(self, request: OrderRequest) -> BrokerOrder:
        """Send, then act where this was the n-th."""
        found = self._inner.submit(request)
        self.sent.append(request)
        if len(self.sent) == self._at:
            self._act()
        return found


def make_trader(ports: TradingPorts) -> Rebalancer:
    """A process that trades."""
    return Rebalancer(ports, STRATEGY, RiskLimits())


def set_state(
    ports: TradingPorts, state: TradingState, cause: StateCause = StateCause.OWNER, reason: str = "a test"
) -> TradingStateChange:
    """A person sets the state."""
    return change_state(ports.journal, state, "ada", cause, reason, NOW)


def play_session(fund: SimulatedFund) -> None:
    """Play the next open and close."""
    fund.move(Auction.OPEN)
    fund.move(Auction.CLOSE)


def open_holding_fund(world: World) -> SimulatedFund:
    """A fund whose first decision has filled, at the close of the session after it."""
    fund = world.open_fund()
    make_trader(fund.ports).run(None)
    play_session(fund)
    make_trader(fund.ports).reconcile()
    return fund


def shares(fund: SimulatedFund) -> dict[str, float]:
    """The account's signed shares by ticker."""
    return {one.ticker: one.quantity for one in fund.ports.broker.positions()}


def trade_by_hand(fund: SimulatedFund, ticker: str, signed: Decimal) -> None:
    """Somebody sends a market order of so many shares at the broker, negative to sell."""
    side = Side.BUY if signed > 0 else Side.SELL
    fund.core.submit(VenueRequest(ticker, side, OrderType.MARKET, DAY, abs(signed), None, None, None, None))


def buy_beside(fund: SimulatedFund) -> dict[str, float]:
    """Somebody else buys shares, and a fraction of one, in names that the fund holds long, and of one that it lacks."""
    own = shares(fund)
    longs = [ticker for ticker, quantity in sorted(own.items()) if quantity > 0][:1]
    others = [ticker for ticker in sorted(fund.ports.broker.assets().tradable) if ticker not in own][:1]
    for ticker in (*longs, *others):
        trade_by_hand(fund, ticker, BESIDE)
    return dict.fromkeys((*longs, *others), float(BESIDE))
