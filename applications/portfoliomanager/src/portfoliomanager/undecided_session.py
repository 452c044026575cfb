"""A session whose decision was refused: why, what becomes of it by itself, and what a person can do."""

from dataclasses import dataclass
from datetime import date, datetime

from internal.dates import next_session, session_open
from internal.errors import FundError
from internal.trading.ports import SuspendedAccountError
from internal.trading.send_permission import TradingHaltedError
from internal.trading.trading_state import TradingState


@dataclass(frozen=True, slots=True)
class UndecidedSession:
    """The session that this process tried last to decide, in vain.

    Attributes:
        day: The session.
        reason: Why it was refused, and what to do.
        met_halt: Whether it was the halt of trading.
    """

    day: date
    reason: str
    met_halt: bool

    def describe(self, state: TradingState) -> str:
        """What is to be said of it in a trading state."""
        if self.met_halt and state is not TradingState.HALTED:
            return f"the session of {self.day} met the halt; it is decided now, within a minute"
        return f"the session of {self.day} is not decided: {self.reason}"


def explain_refusal(day: date, error: FundError) -> UndecidedSession:
    """The session that an error kept from being decided; what a person can do is added to the error's text."""
    met_halt = isinstance(error, TradingHaltedError)
    if isinstance(error, SuspendedAccountError) and not met_halt:
        error.detail += _describe_wait(day)
    return UndecidedSession(day, error.detail, met_halt)


def find_next_open(day: date) -> datetime:
    """Until when a session is decided by itself: then its prices are old."""
    return session_open(next_session(day))


def _describe_wait(day: date) -> str:
    """What becomes of a session that may not be decided now, and what a person can do; it follows a sentence."""
    return (
        f". The session of {day} is decided by itself within a minute after that, until the next open "
        f"({find_next_open(day):%Y-%m-%d %H:%M} UTC); later the next close is decided as usual. To decide it all the "
        f'same before that close: POST /portfolios {{"date": "{day}"}} of portfoliomanager'
    )
