"""The ports of the trading core with faults: what may go wrong at which call, and a broker that refuses orders."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import cast

from internal.simulation.fund import FreeLease, SimulatedFund, skip_pause
from internal.trading.orders import OrderRequest
from internal.trading.ports import Broker, Journal, MarketData, Portfolios, RefusedOrderError, TradingPorts
from research.faults.chaos import ASK, READ, SEND, WRITE, Chaos, FaultKind

type KindsByMethod = Mapping[str, Sequence[FaultKind]]

BROKER: KindsByMethod = {
    **dict.fromkeys(("moment", "account", "positions", "assets", "open_orders", "orders_since", "order", "costs"), ASK),
    "submit": SEND,
    "cancel": READ,
}
DATA: KindsByMethod = dict.fromkeys(("day_inputs", "splits", "price_factors"), ASK)
JOURNAL: KindsByMethod = dict.fromkeys(("refresh", "save_runs", "save_orders", "save_snapshot"), WRITE)
PORTFOLIOS: KindsByMethod = dict.fromkeys(("save", "find", "bands_before"), WRITE)


class FaultyPort:
    """A port whose named methods may fail as the chaos draws it."""

    def __init__(self, inner: object, chaos: Chaos, kinds: KindsByMethod) -> None:
        self._inner, self._chaos, self._kinds = inner, chaos, kinds

    def __getattr__(self, name: str) -> Callable[..., object]:
        method = cast("Callable[..., object]", getattr(self._inner, name))
        kinds = self._kinds.get(name)
        if kinds is None:
            return method
        return lambda *given: self._chaos.call(kinds, lambda: method(*given))


@dataclass(frozen=True)
class RefusingBroker:
    """A broker that refuses a part of the orders, always the same ones of a seed.

    Attributes:
        inner: The broker that takes the other orders.
        seed: What the refused orders are drawn from.
        longs: The part of the opening purchases that is refused.
        closes: The part of the closing orders that is refused.
    """

    inner: Broker
    seed: int
    longs: float = 0.0
    closes: float = 0.0

    def __getattr__(self, name: str) -> object:
        return getattr(self.inner, name)

    def submit(self, request: OrderRequest) -> object:
        """Pass the order on. Raises RefusedOrderError."""
        opening = "-open-" in request.client_order_id
        part = self.closes if not opening else self.longs if request.side == "buy" else 0.0
        draw = Random(f"{self.seed}|{request.client_order_id}")  # noqa: S311 - a seed, no secret
        if draw.random() < part:
            raise RefusedOrderError("drawn by a seed")
        return self.inner.submit(request)


def add_faults(fund: SimulatedFund, broker: RefusingBroker, chaos: Chaos) -> TradingPorts:
    """The fund's ports, each of whose calls may fail."""
    return TradingPorts(
        broker=cast("Broker", FaultyPort(broker, chaos, BROKER)),
        data=cast("MarketData", FaultyPort(fund.ports.data, chaos, DATA)),
        portfolios=cast("Portfolios", FaultyPort(fund.portfolios, chaos, PORTFOLIOS)),
        journal=cast("Journal", FaultyPort(fund.journal, chaos, JOURNAL)),
        lease=FreeLease(),
        pause=skip_pause,
    )
