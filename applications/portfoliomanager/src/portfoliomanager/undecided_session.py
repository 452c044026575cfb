"""A session whose decision was refused: why, what becomes of it by itself, and what a person can do."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

from pydantic import TypeAdapter

from internal.atomic_files import write_atomically
from internal.dates import next_session, session_open
from internal.errors import FundError
from internal.telemetry import get_logger
from internal.trading.ports import SuspendedAccountError
from internal.trading.send_permission import TradingHaltedError
from internal.trading.strategy import StrategyError
from internal.trading.trading_state import TradingState

FILE_NAME = "undecided_session.json"
STRATEGY_FAILED = (
    "\nThe session of {day} is not decided, and the strategy is not asked about it again by itself, after a restart "
    "neither. Correct its file, check it (`./fund check FILE`), start portfoliomanager again and "
    'POST /portfolios {{"date": "{day}"}}; or do nothing: the next session is decided'
)

logger = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class UndecidedSession:
    """The last closed session, whose decision was refused.

    Attributes:
        day: The session.
        reason: Why it was refused, and what to do.
        met_halt: Whether it was the halt of trading: then it is decided after a resume, in the next session too.
        failure: What failed when it was tried after that, and may pass by itself; empty where nothing did.
        strategy_failed: Whether the strategy raised an error: then nobody but a person has it decide again.
    """

    day: date
    reason: str
    met_halt: bool
    failure: str = ""
    strategy_failed: bool = False

    def describe(self, state: TradingState) -> str:
        """What is to be said of it in a trading state."""
        if not self.met_halt or state is TradingState.HALTED:
            return f"the session of {self.day} is not decided: {self.reason}"
        if self.failure:
            return f"the session of {self.day} met the halt; it is tried again every minute, but: {self.failure}"
        return f"the session of {self.day} met the halt; it is decided now, within a minute"


class UndecidedSessionFile:
    """Keeps the refused session in the state directory, so that a restart loses neither its reason nor its halt."""

    def __init__(self, state_directory: Path) -> None:
        self._path = state_directory / FILE_NAME
        self._unsaved: UndecidedSession | None = None  # what the disk did not take

    def read(self) -> UndecidedSession | None:
        """The session; None before any was refused, or where the file cannot be read."""
        if self._unsaved is not None:
            return self._unsaved
        try:
            return _SESSIONS.validate_json(self._path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            logger.warning("undecided_session_not_read", path=str(self._path), detail=str(error))
            return None

    def save(self, session: UndecidedSession) -> None:
        """Replace the session; a disk that does not take it is logged, and this process alone remembers it."""
        try:
            write_atomically(self._path, _SESSIONS.dump_json(session))
            self._unsaved = None
        except FundError as error:
            self._unsaved = session
            logger.warning("undecided_session_not_saved", date=str(session.day), detail=error.detail)

    def delete_before(self, day: date) -> None:
        """Delete a session that is older than the day; a disk that does not let it is logged."""
        session = self.read()
        if session is None or session.day >= day:
            return
        self._unsaved = None
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            logger.warning("undecided_session_not_deleted", date=str(session.day), detail=str(error))


_SESSIONS = TypeAdapter(UndecidedSession)


def explain_refusal(day: date, error: FundError, before: UndecidedSession | None) -> UndecidedSession:
    """The session that an error kept from being decided; what a person can do is added to the error's text.

    before: the session that was refused before. What met the halt stays so until it is refused for another reason that
    does not pass by itself; where the strategy failed it stays so, for a person alone has it asked again.
    """
    if isinstance(error, StrategyError):
        error.detail += STRATEGY_FAILED.format(day=day)
        return UndecidedSession(day, error.detail, met_halt=False, strategy_failed=True)
    if before is not None and before.day == day and before.strategy_failed:
        return before
    may_pass = not isinstance(error, SuspendedAccountError)
    if may_pass and before is not None and before.day == day and before.met_halt:
        return replace(before, failure=error.detail)
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
