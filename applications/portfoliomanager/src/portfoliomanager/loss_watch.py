"""The limits on losses in force: after each reconciliation, before anything is decided or sent, and in between."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from internal.dates import cut_to_milliseconds, is_market_open
from internal.errors import FundError
from internal.telemetry import get_logger
from internal.trading.limit_kinds import LimitKind
from internal.trading.limits import RiskLimits
from internal.trading.loss_limits import Losses, find_loss, measure_losses
from internal.trading.performance import report_performance
from internal.trading.ports import Broker
from internal.trading.snapshots import Snapshot
from internal.trading.state_changes import tighten
from internal.trading.trading_state import StateCause, TradingState
from portfoliomanager import metrics
from portfoliomanager.account_books import AccountBooks
from portfoliomanager.notifications.message import Notification, NotificationKind, Notifier
from portfoliomanager.ports import FundJournal

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
    """

    def __init__(self, journal: FundJournal, books: AccountBooks, limits: RiskLimits, notifier: Notifier) -> None:
        self._journal, self._books, self._limits, self._notifier = journal, books, limits, notifier

    def check(self) -> None:
        """Tighten the trading state where too much was lost."""
        try:
            self._books.record()
        except (FundError, ArithmeticError) as error:  # a withdrawal that is not known yet may look like a loss
            logger.warning("books_not_recorded", detail=str(error))
        breach = find_loss(report_performance(self._counted_snapshots(), self._books.flows()), self._limits)
        if breach is None:
            return
        before, moment = self._journal.trading_state(), cut_to_milliseconds(datetime.now(UTC))
        change = tighten(self._journal, STATES[breach.limit], StateCause.LIMIT, breach.detail, moment)
        if change.number != before.number:
            metrics.LIMIT_REFUSALS.labels(breach.limit).inc()
            title = f"Trading is {change.state.words}: {breach.detail}"
            text = f"{title}.\n{change.state.meaning.capitalize()}: ./fund resume"
            self._notifier.notify(Notification(NotificationKind.LIMIT, f"loss:{change.number}", title, text))

    def look(self, broker: Broker, reconcile: Callable[[], object]) -> None:
        """While the market is open, reconcile where the account's value now asks for a stricter trading state.

        A reconciliation records the value and what was paid in and out, and checks the losses again.
        """
        moment = broker.moment()
        if not is_market_open(moment):
            return
        now = broker.account().value_at(moment)
        values = [one for one in self._counted_snapshots() if one.timestamp < moment]
        breach = find_loss(report_performance([*values, now], self._books.flows()), self._limits) if values else None
        if breach is not None and STATES[breach.limit].strictness > self._journal.trading_state().state.strictness:
            reconcile()

    def measure(self) -> Losses:
        """What was lost since losses were accepted."""
        return measure_losses(report_performance(self._counted_snapshots(), self._books.flows()))

    def find_start(self) -> datetime | None:
        """The market's clock after which losses count, where a person accepted those before; else None."""
        accepted, last = self._journal.trading_state().losses_accepted_until, self._journal.last_snapshot()
        return None if accepted is None or last is None or last.timestamp < accepted else accepted

    def _counted_snapshots(self) -> Sequence[Snapshot]:
        """The values since losses were accepted; all of them where the market's clock has gone back behind that."""
        every, accepted = self._journal.snapshots(), self.find_start()
        return every if accepted is None else [one for one in every if one.timestamp > accepted]
