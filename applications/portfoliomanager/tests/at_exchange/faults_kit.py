"""The real broker with faults around each order, and what the exchange must show after them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from alpaca.trading.client import TradingClient
from alpaca.trading.enums import OrderSide as AlpacaSide
from alpaca.trading.enums import TimeInForce as AlpacaTimeInForce
from alpaca.trading.requests import MarketOrderRequest

from applications.portfoliomanager.tests.portfoliomanager_kit import KEY, SECRET, World
from internal.strategies.loading import LoadedStrategy
from internal.trading.enums import Leg, OrderSide, OrderState, Side
from internal.trading.orders import Order, OrderRequest
from internal.trading.ports import Broker
from internal.trading.rebalancing import Rebalancer
from portfoliomanager.adapters.alpaca_broker import AlpacaBroker

ORDERS = "/v2/orders"
ASKING = "/v2/orders:by_client_order_id"
KEYS = {"APCA-API-KEY-ID": KEY, "APCA-API-SECRET-KEY": SECRET}
NARROW = 1e-6  # of a band that every position leaves after a session
type Hook = Callable[[OrderRequest], object]
type MakeOn = Callable[[Broker, LoadedStrategy], Rebalancer]


@dataclass
class Interposed:
    """The real broker, with something that happens at the exchange right before or after an order is sent."""

    inner: Broker
    before: Hook = lambda _: None
    after: Hook = lambda _: None
    sent: list[OrderRequest] = field(default_factory=list[OrderRequest])

    def __getattr__(self, name: str) -> object:
        """Every other method of the broker."""
        return getattr(self.inner, name)

    def submit(self, request: OrderRequest) -> object:
        """Send it between the two."""
        self.before(request)
        self.sent.append(request)
        answer = self.inner.submit(request)
        self.after(request)
        return answer


def interpose(broker: AlpacaBroker, before: Hook = lambda _: None, after: Hook = lambda _: None) -> Broker:
    """The broker with hooks around each send."""
    return Interposed(broker, before, after)  # pyright: ignore[reportReturnType]  # passes every other method on


def side_dollars(orders: Iterable[Order]) -> dict[Side, float]:
    """Dollars of the openings that stand, by the side of their positions."""
    dollars = dict.fromkeys(Side, 0.0)
    for order in orders:
        if order.leg is Leg.OPEN and order.state in {OrderState.SUBMITTED, OrderState.FILLED}:
            dollars[order.position_side] += order.quantity * order.reference_price
    return dollars


def require_same_at_exchange(world: World, orders: Iterable[Order], since: int) -> None:
    """The exchange has exactly the orders that the journal says were sent, each once."""
    sent = {order.client_order_id for order in orders if order.broker_order_id is not None}
    assert sorted(order["client_order_id"] for order in world.orders()[since:]) == sorted(sent)


def trade_by_hand(world: World, ticker: str, side: AlpacaSide, quantity: float) -> None:
    """Somebody else's order."""
    client = TradingClient(KEY, SECRET, url_override=world.exchange.url)
    client.submit_order(MarketOrderRequest(symbol=ticker, qty=quantity, side=side, time_in_force=AlpacaTimeInForce.DAY))


def refuse(world: World, broker: AlpacaBroker, choose: Callable[[OrderRequest], bool], count: int) -> Broker:
    """The broker that refuses the first `count` chosen orders: somebody else's order is placed before each."""
    left = [count]

    def place_opposite(request: OrderRequest) -> None:
        if left[0] and choose(request):
            left[0] -= 1
            opposite = AlpacaSide.SELL if request.side is OrderSide.BUY else AlpacaSide.BUY
            opening = "-open-" in request.client_order_id
            trade_by_hand(world, request.ticker, opposite if opening else AlpacaSide(request.side), 1)

    return interpose(broker, before=place_opposite)


def exposures(broker: AlpacaBroker) -> tuple[float, float]:
    """Gross and net exposure of the account."""
    account = broker.account()
    long, short = account.long_market_value, account.short_market_value
    return (long - short) / account.net_asset_value, (long + short) / account.net_asset_value


def switch_trading(world: World, *, suspend: bool) -> None:
    """The account's own switch."""
    world.exchange.json("PATCH", "/v2/account/configurations", json={"suspend_trade": suspend}, headers=KEYS)
