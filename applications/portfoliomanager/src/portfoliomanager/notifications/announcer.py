"""The messages that each step of the fund makes; a message that cannot be made never stops a step."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from http import HTTPStatus
from pathlib import Path

from internal.atomic_files import write_atomically
from internal.dates import exchange_day, next_session, previous_session, sessions
from internal.errors import FundError
from internal.http.datamanager_responses import DataCheck
from internal.telemetry import get_logger
from internal.trading.hand_trades import RECORDS as HAND_TRADES
from internal.trading.limit_kinds import LimitCut
from internal.trading.order_planning import list_decisions
from internal.trading.orders import Order
from internal.trading.rebalancing import Outcome, ReconciliationOutcome
from internal.trading.send_permission import TradingHaltedError
from internal.trading.snapshots import Snapshot
from internal.trading.strategy import StrategyError
from internal.trading.trading_state import TradingStateChange
from portfoliomanager.account_books import AccountBooks
from portfoliomanager.notifications.alerts import (
    alert_of_failure,
    alert_of_missed_sessions,
    alert_of_state,
    alerts_of_foreign,
    alerts_of_run,
    alerts_of_unresolved,
)
from portfoliomanager.notifications.daily_report import DailyReport, NamedGain, find_gains
from portfoliomanager.notifications.message import Notification, Notifier
from portfoliomanager.notifications.report_message import describe_report
from portfoliomanager.ports import FundJournal

PATIENT_ATTEMPTS = 3
PROFITS = "reported_profits.json"  # of the state directory: profit and loss by name at the last report

logger = get_logger(__name__)


class Announcer:
    """Makes the messages of a fund.

    Args:
        notifier: Takes them.
        journal: Runs, orders and snapshots.
        books: Profit and loss by name.
        check_data: The state of the data.
        state_directory: Where the figures of the last report are kept.
    """

    def __init__(
        self,
        notifier: Notifier,
        journal: FundJournal,
        books: AccountBooks,
        check_data: Callable[[], DataCheck],
        state_directory: Path,
    ) -> None:
        self._notifier, self._journal, self._books, self._check_data = notifier, journal, books, check_data
        self._path = state_directory / PROFITS
        self._failures: Counter[tuple[date, str]] = Counter()

    def run_finished(self, outcome: Outcome, cuts: Sequence[LimitCut], without_bars: Iterable[str]) -> None:
        """After a decision was carried out or answered: what went wrong, and the report of its day."""
        before = [run for run in self._journal.runs() if run.date < outcome.run.date]
        missed = alert_of_missed_sessions(outcome.run.date, before[-1].date) if before else None
        self._send([*([missed] if missed else []), *alerts_of_run(outcome, cuts, without_bars)])
        self.report(outcome.run.date)

    def run_failed(self, day: date, error: FundError) -> None:
        """After a decision failed: why, and the report of the day.

        What may pass by itself, as a service that does not answer, becomes a message when it has failed three times.
        A strategy that failed is not asked again.
        """
        self._failures[day, error.slug] += 1
        may_pass = error.status >= HTTPStatus.INTERNAL_SERVER_ERROR and not isinstance(error, StrategyError)
        if not may_pass or self._failures[day, error.slug] >= PATIENT_ATTEMPTS:
            if not isinstance(error, TradingHaltedError):  # a message has said already that trading is halted
                self._send([alert_of_failure(day, error.detail, error.slug)])
            self.report(day, f"Nothing was decided: {error.detail}")

    def reconciled(self, outcome: ReconciliationOutcome) -> None:
        """After the broker was asked about orders."""
        self._send([*alerts_of_unresolved(self._journal.unfinished()), *alerts_of_foreign(outcome.foreign)])

    def state_changed(self, change: TradingStateChange) -> None:
        """After a person has changed the trading state."""
        self._send([alert_of_state(change)])

    def report(self, day: date, problem: str = "") -> None:
        """Send the report of a session, once."""
        snapshots = self._journal.snapshots()
        if not snapshots:
            return
        try:
            view = self._books.view()
            profits = {ticker: profit.total for ticker, profit in view.profits.items()}
            gains = find_gains(profits, self._reported(), view.books.shares)
            report = self._make_report(day, problem, snapshots, gains)
        except (FundError, ArithmeticError) as error:
            logger.warning("report_not_made", date=str(day), detail=str(error))
            return
        if self._notifier.notify(describe_report(report)):
            self._remember(profits)

    def _make_report(
        self, day: date, problem: str, snapshots: Sequence[Snapshot], gains: Sequence[NamedGain]
    ) -> DailyReport:
        last = snapshots[-1]
        earlier = [one for one in snapshots if exchange_day(one.timestamp) < day]
        before, since = earlier[-1] if earlier else None, self._last_decided(day)
        flows = [one for one in self._books.flows() if before is not None and before.timestamp < one.moment]
        return DailyReport(
            day=day,
            snapshot=last,
            before=before,
            flows=sum(one.amount for one in flows if one.moment <= last.timestamp),
            gains=gains,
            orders=self._list_orders(since),
            by_hand=self._list_hand_trades(before),
            missed=[] if since is None else sessions(next_session(since), previous_session(day)),
            notes=[note for run in self._journal.runs() if run.date == day for note in run.notes],
            data=self._describe_data(),
            problem=problem,
        )

    def _last_decided(self, day: date) -> date | None:
        """The last session before the day that a strategy decided."""
        return max((run.date for run in list_decisions(self._journal.runs()) if run.date < day), default=None)

    def _list_orders(self, since: date | None) -> list[Order]:
        """The fund's own from that decision on."""
        orders = (order for order in self._journal.orders() if order.portfolio_id != HAND_TRADES)
        return [order for order in orders if since is None or order.date >= since]

    def _list_hand_trades(self, before: Snapshot | None) -> list[Order]:
        """What somebody else has closed of the fund's positions since a snapshot."""
        rows = (order for order in self._journal.of(HAND_TRADES) if order.filled_quantity)
        return [order for order in rows if before is None or order.updated_at > before.timestamp]

    def _describe_data(self) -> str:
        """One sentence; a data service that does not answer is said too."""
        try:
            found = self._check_data()
        except FundError as error:
            return f"The state of the data is not known: {error.detail}"
        to_do = f" To do: {'; '.join(found.to_do)}" if found.to_do else ""
        return f"Data: {found.sessions.present} of {found.sessions.expected} sessions are there.{to_do}"

    def _reported(self) -> dict[str, Decimal]:
        """Profit and loss by name at the last report; nothing before the first, or where the file cannot be read."""
        try:
            return {ticker: Decimal(dollars) for ticker, dollars in json.loads(self._path.read_text()).items()}
        except (OSError, ValueError, ArithmeticError, AttributeError):
            return {}

    def _remember(self, profits: Mapping[str, Decimal]) -> None:
        write_atomically(self._path, json.dumps({ticker: str(dollars) for ticker, dollars in profits.items()}))

    def _send(self, notifications: Sequence[Notification]) -> None:
        for notification in notifications:
            self._notifier.notify(notification)
