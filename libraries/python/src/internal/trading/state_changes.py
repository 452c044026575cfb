"""Changes of the trading state: the owner sets any state, a reader and the fund itself only a stricter one."""

from datetime import datetime

from internal.trading.ports import TradingStates
from internal.trading.trading_state import NO_REASON, THE_FUND, StateCause, TradingState, TradingStateChange


def change_state(  # noqa: PLR0913, PLR0917 - who, what, why and when
    states: TradingStates,
    state: TradingState,
    changed_by: str,
    cause: StateCause,
    reason: str,
    moment: datetime,
    losses_accepted_until: datetime | None = None,
) -> TradingStateChange:
    """Set the state as a person asked for; the state that is in force then.

    It is the stricter one where somebody else changed the state at the same time. Asked again without a reason, the
    same state keeps the reason that it has.

    losses_accepted_until: The market's clock at the account's last value, where the person loosens the state.
    """
    before = states.trading_state()
    accepted = losses_accepted_until or before.losses_accepted_until
    if reason == NO_REASON and (before.state, before.cause) == (state, cause):
        reason = before.reason
    states.save_trading_state(TradingStateChange(state, moment, changed_by, cause, reason, before.number + 1, accepted))
    return states.trading_state()


def tighten(  # noqa: PLR0913 - who, what, why and when
    states: TradingStates,
    state: TradingState,
    cause: StateCause,
    reason: str,
    moment: datetime,
    *,
    changed_by: str = THE_FUND,
) -> TradingStateChange:
    """Set the state if it is stricter than the one in force, which it never loosens; the state that is in force then.

    A state that a person sets meanwhile is never loosened either: of two changes after the same one the stricter holds.
    """
    current = states.trading_state()
    if current.state.strictness >= state.strictness:
        return current
    accepted = current.losses_accepted_until
    states.save_trading_state(
        TradingStateChange(state, moment, changed_by, cause, reason, current.number + 1, accepted)
    )
    return states.trading_state()
