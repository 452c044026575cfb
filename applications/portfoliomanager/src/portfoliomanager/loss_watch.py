"""The limits on losses in force: after each reconciliation, before anything is decided or sent."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from internal.atomic_files import write_atomically
from internal.errors import FundError
from internal.telemetry import get_logger
from internal.trading.limit_kinds import LimitKind
from internal.trading.limits import RiskLimits
from internal.trading.loss_limits import find_loss
from internal.trading.performance import report_performance
from internal.trading.rows import Snapshot
from internal.trading.state_changes import tighten
from internal.trading.trading_state import StateCause, TradingState
from portfoliomanager import metrics
from portfoliomanager.account_books import AccountBooks
from portfoliomanager.notifications.message import Notification, NotificationKind, Notifier
from portfoliomanager.ports import FundJournal

ACCEPTED = (
    "losses_accepted_until"  # a file of the state directory: the last snapshot before a person loosened the state
)
STATES = {
    LimitKind.DAILY_LOSS: TradingState.REDUCE_ONLY,
    LimitKind.DRAWDOWN_REDUCE: TradingState.REDUCE_ONLY,
    LimitKind.DRAWDOWN_HALT: TradingState.HALTED,
}

logger = get_logger(__name__)


class LossWatch:
    """Reduces or halts trading when a limit on losses is exceeded; whoever loosens it accepts the losses so far.

    Args:
        journal: Snapshots and the trading state.
        books: What was paid in and out.
        limits: The limits.
        notifier: Takes the message.
        state_directory: Where the moment of the last acceptance is kept; without it losses count from the beginning.
    """

    def __init__(
        self,
        journal: FundJournal,
        books: AccountBooks,
        limits: RiskLimits,
        notifier: Notifier,
        state_directory: Path,
    ) -> None:
        self._journal, self._books, self._limits, self._notifier = journal, books, limits, notifier
        self._path = state_directory / ACCEPTED

    def check(self) -> None:
        """Tighten the trading state where too much was lost."""
        try:
            self._books.record()
        except (FundError, ArithmeticError) as error:  # a withdrawal that is not known yet may look like a loss
            logger.warning("books_not_recorded", detail=str(error))
        breach = find_loss(report_performance(self._counted_snapshots(), self._books.flows()), self._limits)
        if breach is None:
            return
        before, now = self._journal.trading_state(), datetime.now(UTC)
        moment = now.replace(microsecond=now.microsecond // 1000 * 1000)
        change = tighten(self._journal, STATES[breach.limit], StateCause.LIMIT, breach.detail, moment)
        if change.number != before.number:
            metrics.LIMIT_REFUSALS.labels(breach.limit).inc()
            title = f"Trading is {change.state}: {breach.detail}"
            text = f"{title}.\n{change.state.meaning.capitalize()}: ./fund resume"
            self._notifier.notify(Notification(NotificationKind.LIMIT, f"loss:{change.number}", title, text))

    def accept(self) -> None:
        """A person loosens the trading state: losses count from the account's last value on."""
        last = self._journal.last_snapshot()
        if last is not None:
            write_atomically(self._path, last.timestamp.isoformat())

    def _counted_snapshots(self) -> Sequence[Snapshot]:
        """The values since losses were accepted; all of them where the market's clock has gone back behind that."""
        accepted, last, every = self._accepted_until(), self._journal.last_snapshot(), self._journal.snapshots()
        if accepted is None or last is None or last.timestamp < accepted:
            return every
        return [one for one in every if one.timestamp >= accepted]

    def _accepted_until(self) -> datetime | None:
        try:
            accepted = datetime.fromisoformat(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return None if accepted.tzinfo is None else accepted
