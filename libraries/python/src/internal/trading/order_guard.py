"""The last check of an order before it is sent: whatever decided it, it stays within the limits.

It goes by what the run's orders have come to so far, refusals of the broker included: a close that was refused still
holds its shares.
"""

from collections.abc import Iterable, Sequence

from internal.trading.enums import Leg
from internal.trading.limit_kinds import LimitKind
from internal.trading.limits import RiskLimits
from internal.trading.order_planning import expected_shares
from internal.trading.orders import Order
from internal.trading.portfolio import PortfolioRow

MARGIN = 1.05  # prices and the account's value move between the decision and the last order
ROUNDING = 1e-6  # shares, and dollars of a total


class LimitError(Exception):
    """An order is over a limit, and must not be sent. `limit` says which; the text says how much."""

    def __init__(self, limit: LimitKind, detail: str) -> None:
        super().__init__(detail)
        self.limit = limit
        self.detail = detail


class OrderGuard:
    """The orders of one run, each checked before it is sent and recorded after it.

    Args:
        limits: The limits.
        capital: Net asset value, dollars.
        rows: The decided portfolio.
        orders: The run's orders so far; those that may still have to be sent count once they are recorded.
    """

    def __init__(
        self, limits: RiskLimits, capital: float, rows: Iterable[PortfolioRow], orders: Sequence[Order]
    ) -> None:
        self._limits, self._capital = limits, max(capital, 0.0)
        self._rows = {row.ticker: row for row in rows}
        self._shares = {ticker: row.held for ticker, row in self._rows.items()}
        self._gross = sum(row.held * row.reference_price for row in self._rows.values())
        self._count, self._opened = 0, 0.0
        for order in orders:
            if not order.state.is_sendable:
                self.record(order)

    def check(self, order: Order) -> None:
        """Check an order that is about to be sent. Raises LimitError."""
        row = self._rows.get(order.ticker)
        if row is None:
            raise LimitError(LimitKind.DECIDED_SHARES, f"no decision of its session names {order.ticker}")
        if order.leg is Leg.CLOSE:
            self._check_close(order, row)
        else:
            self._check_opening(order, row)

    def record(self, order: Order) -> None:
        """Count an order as it is after its sending: what the broker took, or what it had filled before it ended."""
        row = self._rows.get(order.ticker)
        if row is None:
            return
        shares = expected_shares(order, row)
        dollars = shares * row.reference_price
        self._count += order.broker_order_id is not None
        if order.leg.opens:
            self._opened += dollars
        else:
            shares, dollars = -shares, -dollars
        self._shares[order.ticker] += shares
        self._gross += dollars

    def _check_close(self, order: Order, row: PortfolioRow) -> None:
        held = self._shares[order.ticker]
        if expected_shares(order, row) > held + ROUNDING:
            raise LimitError(
                LimitKind.DECIDED_SHARES,
                f"it closes {order.quantity:g} shares where {held:g} are held after the others",
            )

    def _check_opening(self, order: Order, row: PortfolioRow) -> None:
        limits, capital = self._limits, self._capital
        shares = expected_shares(order, row)
        dollars, after = shares * row.reference_price, self._shares[order.ticker] + shares
        if after > max(row.quantity, row.held) + ROUNDING:
            raise LimitError(
                LimitKind.DECIDED_SHARES, f"{after:g} shares would be held where {row.quantity:g} were decided"
            )
        if self._count >= limits.orders_a_day:
            raise LimitError(LimitKind.ORDERS_A_DAY, f"{self._count} orders were sent, the limit of a day")
        self._require(LimitKind.ORDER_SIZE, dollars, limits.order_size * capital)
        self._require(LimitKind.NAME_WEIGHT, after * row.reference_price, limits.name_weight * capital)
        self._require(LimitKind.TURNOVER, self._opened + dollars, limits.turnover * capital)
        self._require(LimitKind.GROSS_EXPOSURE, self._gross + dollars, limits.gross_exposure * capital)

    def _require(self, limit: LimitKind, dollars: float, allowed: float) -> None:
        if dollars > allowed * MARGIN + ROUNDING:
            raise LimitError(limit, f"it would come to {dollars:.2f} dollars, the limit is {allowed:.2f}")
