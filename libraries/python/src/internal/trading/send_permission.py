"""Whether the trading state lets an order be sent."""

from internal.errors import FundError
from internal.trading.order_planning import is_flatten
from internal.trading.orders import Order
from internal.trading.ports import SuspendedAccountError
from internal.trading.trading_state import TradingState, TradingStateChange


class TradingHaltedError(SuspendedAccountError):
    """Trading is halted by the fund's own switch: nothing is sent until a person resumes it."""

    title = "Trading halted"
    slug = "trading-halted"


class OpeningRefusedError(FundError):
    """The order makes a position larger, and the fund may only make positions smaller: it is never sent."""

    status = 409
    title = "Opening refused"
    slug = "opening-refused"


def require_not_halted(change: TradingStateChange) -> None:
    """Raise TradingHaltedError while nothing may be sent for a decision."""
    if change.state is TradingState.HALTED:
        raise TradingHaltedError(
            f"trading is {change.describe()}; nothing was sent, what was planned stays planned: `./fund resume` goes on"
        )


def require_open_gate(ended: str | None, order: Order) -> None:
    """Raise OpeningRefusedError for an order that opens or adds once the arming has ended, and `ended` says how."""
    if ended is not None and order.leg.opens:
        raise OpeningRefusedError(f"not sent: {ended}")


def require_permission(change: TradingStateChange, order: Order) -> None:
    """Raise TradingHaltedError or OpeningRefusedError unless the order may be sent in this state.

    While everything is being closed, the closes of `flatten` are sent and no others; they are not sent in any other
    state, because somebody has ended it.
    """
    if is_flatten(order.portfolio_id):
        if not change.flattens:
            raise TradingHaltedError(f"closing all positions was ended: trading is {change.describe()}")
        return
    require_not_halted(change)
    if change.state is TradingState.REDUCE_ONLY and order.leg.opens:
        raise OpeningRefusedError(f"not sent: trading is {change.describe()}")
