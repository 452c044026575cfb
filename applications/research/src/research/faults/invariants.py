"""What holds after any faults: every order is explained, has an end, and no name is traded beyond its decision."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from math import isclose

from internal.errors import FundError
from internal.simulation.fund import SimulatedFund
from internal.trading.action_rows import RECORDS
from internal.trading.corporate_actions import CorporateAction
from internal.trading.enums import Leg, OrderState, RunState
from internal.trading.held_securities import HeldSecurity, find_held
from internal.trading.order_planning import FLATTEN
from internal.trading.position_attribution import attribute_positions
from internal.trading.runs import RebalanceRun
from internal.venue.repository import OrderQuery

SHARES_TOLERANCE, PRICE_TOLERANCE = 1e-9, 1e-6  # rounding of sums of fills, and of averages of their prices


class BrokenInvariantError(FundError):
    """A fault run ended in a state that no fault may lead to."""

    title = "Invariant broken"
    slug = "broken-invariant"

    def __init__(self, seed: int, sentence: str) -> None:
        super().__init__(f"seed {seed}: {sentence}")


@dataclass(frozen=True)
class Invariants:
    """The invariants of one seed's fund, whose first session of data is `first_day`."""

    seed: int
    fund: SimulatedFund
    first_day: date

    def check_positions(self) -> None:
        """All positions are the fund's, at the average entry price that the broker has. Raises BrokenInvariantError.

        Spin-offs and mergers move a part of the cost by prices of their day, which the fund does not follow.
        """
        at_broker = {position.ticker: position for position in self.fund.ports.broker.positions()}
        securities = find_held(self.fund.journal, at_broker.values())
        actions = self.fund.ports.data.corporate_actions(self.first_day, self.fund.core.state.moment.date())
        splits = securities.list_splits(actions)
        held = {ticker: position.quantity for ticker, position in at_broker.items()}
        own = attribute_positions(held, securities.fills, splits, {}, {})
        explained = {one.ticker: one.quantity for one in own.positions}
        self.require(explained == held, f"the broker holds the positions {held}, the journal explains {explained}")
        recorded = {row.ticker for row in self.fund.journal.of(RECORDS)}
        moved = {ticker for ticker, one in securities.items() if _is_cost_moved(one, actions, recorded)}
        for one in own.positions:
            if one.ticker in moved:
                continue
            average = at_broker[one.ticker].average_entry_price
            self.require(
                isclose(one.entry_price, average, rel_tol=PRICE_TOLERANCE),
                f"{one.ticker}: the position's entry price is {one.entry_price}, the broker's {average}",
            )

    def check_orders(self) -> None:
        """Every order was journalled before it was sent, has an end, and was not lost. Raises BrokenInvariantError."""
        sent = {order.client_order_id for order in self.fund.repository.find_orders(OrderQuery())}
        journal = {order.client_order_id: order for order in self.fund.journal.orders()}
        self.require(sent <= set(journal), "an order was sent that the journal does not have")
        for identity, order in journal.items():
            if order.portfolio_id == RECORDS:
                continue
            self.require(order.state.is_final, f"order {identity} has no end")
            unsent = order.state in {OrderState.DROPPED, OrderState.REJECTED}
            self.require((identity in sent) != unsent, f"order {identity} is {order.state}, which the broker denies")

    def check_runs(self) -> None:
        """Every run has ended and traded what it decided. Raises BrokenInvariantError."""
        for run in self.fund.journal.runs():
            self.require(run.state is not RunState.PLANNED, f"the run of {run.date} was never ended")
            if run.policy != FLATTEN:
                self._check_run(run)

    def _check_run(self, run: RebalanceRun) -> None:
        orders, portfolio = self.fund.journal.of(run.portfolio_id), self.fund.portfolios.find(run.portfolio_id)
        rows = {} if portfolio is None else {row.ticker: row for row in portfolio.rows}
        decided: dict[tuple[str, Leg], float] = {}
        filled: dict[tuple[str, Leg], float] = {}
        for order in orders:
            if order.state is OrderState.DROPPED and order.ticker not in rows:
                continue  # the plan was replaced by one without openings, before anything was sent
            self.require(order.ticker in rows, f"no portfolio explains order {order.client_order_id}")
            key, row = (order.ticker, order.leg), rows[order.ticker]
            held = 0.0 if order.leg.opens else row.held * row.reference_price / order.reference_price  # after a split
            decided[key] = max(decided.get(key, 0.0), order.quantity, held)
            filled[key] = filled.get(key, 0.0) + order.filled_quantity
        for (ticker, leg), shares in filled.items():
            within = shares <= decided[ticker, leg] + SHARES_TOLERANCE
            self.require(within, f"orders of {ticker} ({leg}) filled {shares} of {decided[ticker, leg]} decided shares")

    def require(self, holds: bool, sentence: str) -> None:  # noqa: FBT001 - reads as an assertion
        """Raise BrokenInvariantError unless the invariant holds."""
        if not holds:
            raise BrokenInvariantError(self.seed, sentence)


def _is_cost_moved(security: HeldSecurity, actions: Iterable[CorporateAction], recorded: Collection[str]) -> bool:
    """Whether an action moved a part of the cost to or from a security that the fund holds."""
    names = {name for _, name in security.names}
    given = any(action.gives_beside and action.ticker in names for action in actions)
    return given or not names.isdisjoint(recorded)
