"""The run of one seed with an owner: what is sent agrees with the trading state, and a flat fund stays flat."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from internal.errors import NotFoundError
from internal.simulation.world import World
from internal.trading.enums import OrderSide, OrderState
from internal.trading.order_planning import is_flatten
from internal.trading.orders import OrderRequest
from internal.trading.send_permission import TradingHaltedError
from internal.trading.strategy import Strategy
from internal.trading.trading_state import TradingState
from internal.venue.clock import Auction
from research.faults.chaos import FaultKind
from research.faults.invariants import SHARES_TOLERANCE, BrokenInvariantError
from research.faults.owner import Owner
from research.faults.ports import RefusingBroker
from research.faults.run import FaultRun, Step


@dataclass(frozen=True)
class ObservedBroker(RefusingBroker):
    """A broker whose every order the run checks at the moment that it is sent."""

    check: Callable[[OrderRequest], None] = lambda _: None

    def submit(self, request: OrderRequest) -> object:
        """Check, then pass the order on. Raises BrokenInvariantError."""
        self.check(request)
        return super().submit(request)


class OwnedRun(FaultRun):
    """A calm run whose owner halts, reduces, resumes and closes everything at random moments."""

    checked_sessions = 2

    def __init__(self, world: World, seed: int, strategy: Strategy) -> None:
        super().__init__(world, seed, strategy)
        self.owner, self.broken = Owner(self.fund, seed), list[BrokenInvariantError]()
        self.chaos.before_call = self.owner.maybe_act

    def check_send(self, request: OrderRequest) -> None:
        """Check an order that is about to be sent; what is wrong is kept, for the process takes it for a refusal."""
        try:
            self._check_send(request)
        except BrokenInvariantError as error:
            self.broken.append(error)
            raise

    def _check_send(self, request: OrderRequest) -> None:
        """Nothing but closes of everything is sent while halted, and no opening while reducing."""
        order = self.fund.journal.order(request.client_order_id)
        self.invariants.require(order is not None, f"{request.client_order_id} is sent and not journalled")
        if order is None:
            return
        change = self.fund.journal.trading_state()
        if is_flatten(order.portfolio_id):
            self.invariants.require(change.flattens, f"a close of everything is sent, while trading is {change.state}")
            self._check_close(request)
            return
        self.invariants.require(change.state is not TradingState.HALTED, f"{order} is sent while halted")
        is_allowed = change.state is TradingState.ACTIVE or not order.leg.opens
        self.invariants.require(is_allowed, f"{order} is sent while trading is {change.state}")

    def check(self) -> None:
        """Close everything without faults: nothing is held or decided, and all is explained as after any run."""
        self.owner.acts, self.chaos.left = False, 0
        self.owner.ask(FaultKind.FLATTENED)
        process = self._start_process()
        process.flatten()
        self._check_open_orders()
        for auction in (Auction.OPEN, Auction.CLOSE):
            self.fund.move(auction)
            process.reconcile()
        self._check_flat()
        self._check_undecided()
        self.owner.ask(FaultKind.HALTED)  # else a name that did not fill is tried again at every close
        super().check()
        self._check_undecided()
        for error in self.broken:
            raise error

    def drawn(self) -> Counter[FaultKind]:
        """How often each kind of fault and each wish of the owner came up so far."""
        return super().drawn() + self.owner.drawn

    def _observe(self, broker: RefusingBroker) -> RefusingBroker:
        return ObservedBroker(broker.inner, broker.seed, check=self.check_send)

    def _play_session(self) -> None:
        """A session in which everything is to be closed from its beginning to its end makes no position larger."""
        self._act_between()
        before, change = self._shares(), self.fund.journal.trading_state()
        super()._play_session()
        if change.flattens and self.fund.journal.trading_state() == change:
            grown = {ticker for ticker, held in self._shares().items() if abs(held) > abs(before.get(ticker, 0.0))}
            self.invariants.require(not grown, f"{grown} have grown while everything is to be closed")

    def _act_between(self) -> None:
        """A wish of the owner, and what the service does at once then."""
        wish = self.owner.wish()
        if wish is FaultKind.FLATTENED:
            self._repeat(Step.FLATTEN)
        elif wish is FaultKind.RESUMED:
            self._repeat(Step.RECOVER)

    def _is_stopped(self, error: BaseException) -> bool:
        return isinstance(error, TradingHaltedError | NotFoundError)  # nothing to report where it was ended at once

    def _check_open_orders(self) -> None:
        orders = [self.fund.journal.order(one.client_order_id) for one in self.fund.ports.broker.open_orders()]
        others = [order for order in orders if order is None or not is_flatten(order.portfolio_id)]
        self.invariants.require(not others, f"orders are open while everything is to be closed: {others}")

    def _check_undecided(self) -> None:
        try:
            self._start_process().run(None)
        except TradingHaltedError:
            return
        self.invariants.require(holds=False, sentence="a session is decided after everything was closed")

    def _check_close(self, request: OrderRequest) -> None:
        held = self._shares().get(request.ticker, 0.0)
        signed = request.quantity if request.side is OrderSide.BUY else -request.quantity
        smaller = held * signed < 0 and abs(signed) <= abs(held) + SHARES_TOLERANCE
        self.invariants.require(smaller, f"{signed:g} {request.ticker} are to close {held:g}")
        others = [order for order in self.fund.ports.broker.open_orders() if order.ticker == request.ticker]
        self.invariants.require(not others, f"{request.ticker} is closed beside an open order")

    def _shares(self) -> dict[str, float]:
        return {one.ticker: one.quantity for one in self.fund.ports.broker.positions()}

    def _check_flat(self) -> None:
        """What is still held was refused or could not fill, and the report says so."""
        report = self._start_process().report_flattening()
        ended = {order.ticker for order in report.orders if order.state in {OrderState.CANCELED, OrderState.REJECTED}}
        unexplained = [one for one in report.still_open if one.ticker not in ended]
        self.invariants.require(not unexplained, f"still open after everything was closed: {unexplained}")
