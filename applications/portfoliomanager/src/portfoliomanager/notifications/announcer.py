"""The messages that each step of the fund makes; a message that cannot be made never stops a step."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from http import HTTPStatus
from pathlib import Path

from internal.atomic_files import write_atomically
from internal.dates import exchange_day, next_session, previous_session, sessions
from internal.errors import FundError
from internal.http.datamanager_responses import DataCheck
from internal.telemetry import get_logger
from internal.trading.action_rows import RECORDS as ACTIONS
from internal.trading.hand_trades import RECORDS as HAND_TRADES
from internal.trading.limit_kinds import LimitCut
from internal.trading.order_planning import list_decisions
from internal.trading.orders import Order
from internal.trading.positions import Entry
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
    alerts_of_ended,
    alerts_of_foreign,
    alerts_of_run,
    alerts_of_unresolved,
)
from portfoliomanager.notifications.daily_report import DailyReport, DataHealth, NamedGain, find_gains
from portfoliomanager.notifications.message import Notification, Notifier
from portfoliomanager.notifications.report_message import describe_report
from portfoliomanager.ports import FundJournal

PATIENT_ATTEMPTS = 3
LATELY = timedelta(days=7)  # of an action whose message may not be made yet
PROFITS = "reported_profits.json"  # of the state directory: the last report's key, and profit and loss by name at it

logger = get_logger(__name__)


@dataclass(frozen=True)
class LastReport:
    """The report that was made last: its key, and profit and loss by name until then."""

    key: str
    profits: Mapping[str, Decimal]


class Announcer:
    """Makes the messages of a fund.

    Args:
        notifier: Takes them.
        journal: Runs, orders and snapshots.
        books: Profit and loss by name.
        check_data: The state of the data.
        read_opens: The opening prices of the sessions that filled some orders.
        state_directory: Where the figures of the last report are kept.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - one component an argument
        self,
        notifier: Notifier,
        journal: FundJournal,
        books: AccountBooks,
        check_data: Callable[[], DataCheck],
        read_opens: Callable[[Sequence[Order]], Mapping[Entry, float]],
        state_directory: Path,
    ) -> None:
        self._notifier, self._journal, self._books = notifier, journal, books
        self._check_data, self._read_opens = check_data, read_opens
        self._path = state_directory / PROFITS
        self._failures: Counter[tuple[date, str]] = Counter()

    def run_finished(self, outcome: Outcome, cuts: Sequence[LimitCut], without_bars: Iterable[str]) -> None:
        """After a decision was carried out or answered: what went wrong, and the report of its day."""
        before = [run for run in self._journal.runs() if run.date < outcome.run.date]
        missed = alert_of_missed_sessions(outcome.run.date, before[-1].date) if before else None
        alerts = [*alerts_of_run(outcome, cuts, without_bars), *alerts_of_ended(self._list_actions())]
        self._send([*([missed] if missed else []), *alerts])
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
        alerts = [*alerts_of_unresolved(self._journal.unfinished()), *alerts_of_ended(self._list_actions())]
        self._send([*alerts, *alerts_of_foreign(outcome.foreign)])

    def state_changed(self, change: TradingStateChange) -> None:
        """After a person has changed the trading state."""
        self._send([alert_of_state(change)])

    def report(self, day: date, problem: str = "") -> None:
        """Send the report of a session, once; a restored fund remembers the last one that its backup knew of."""
        snapshots = self._journal.snapshots()
        if not snapshots:
            return
        last = self._read_last()
        try:
            view = self._books.view()
            profits = {ticker: profit.total for ticker, profit in view.profits.items()}
            gains = find_gains(profits, last.profits, view.books.shares)
            report = self._make_report(day, problem, snapshots, gains)
        except (FundError, ArithmeticError) as error:
            logger.warning("report_not_made", date=str(day), detail=str(error))
            return
        message = describe_report(report)
        if message.key != last.key and self._notifier.notify(message):
            self._remember(LastReport(message.key, profits))

    def _make_report(
        self, day: date, problem: str, snapshots: Sequence[Snapshot], gains: Sequence[NamedGain]
    ) -> DailyReport:
        last = snapshots[-1]
        earlier = [one for one in snapshots if exchange_day(one.timestamp) < day]
        before, since = earlier[-1] if earlier else None, self._last_decided(day)
        flows = [one for one in self._books.flows() if before is not None and before.timestamp < one.moment]
        orders = self._list_orders(since)
        return DailyReport(
            day=day,
            snapshot=last,
            before=before,
            flows=sum(one.amount for one in flows if one.moment <= last.timestamp),
            gains=gains,
            orders=orders,
            by_hand=self._list_hand_trades(before),
            missed=[] if since is None else sessions(next_session(since), previous_session(day)),
            notes=[note for run in self._journal.runs() if run.date == day for note in run.notes],
            data=self._find_health(),
            problem=problem,
            opens=self._find_opens(orders),
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

    def _list_actions(self) -> list[Order]:
        """What corporate actions have lately done to the positions."""
        last = self._journal.last_snapshot()
        rows = self._journal.of(ACTIONS)
        return [] if last is None else [row for row in rows if row.updated_at > last.timestamp - LATELY]

    def _find_health(self) -> DataHealth:
        """The state of the data, as the data service says it."""
        try:
            found = self._check_data()
        except FundError as error:
            return DataHealth(problem=error.detail)
        return DataHealth(found.sessions.present, found.sessions.expected, tuple(found.to_do))

    def _find_opens(self, orders: Sequence[Order]) -> Mapping[Entry, float]:
        """The opens of the orders' fills; none where the data service does not say them, so that no impact is shown."""
        try:
            return self._read_opens(orders)
        except FundError as error:
            logger.warning("opens_not_read", detail=error.detail)
            return {}

    def _read_last(self) -> LastReport:
        """The last report; none before the first, or where the file cannot be read.

        Earlier versions of the fund wrote the profits alone.
        """
        try:
            found = json.loads(self._path.read_text())
            key, profits = (found["key"], found["profits"]) if "profits" in found else ("", found)
            return LastReport(key, {ticker: Decimal(dollars) for ticker, dollars in profits.items()})
        except (OSError, ValueError, ArithmeticError, AttributeError, KeyError, TypeError):
            return LastReport("", {})

    def _remember(self, last: LastReport) -> None:
        profits = {ticker: str(dollars) for ticker, dollars in last.profits.items()}
        write_atomically(self._path, json.dumps({"key": last.key, "profits": profits}))

    def _send(self, notifications: Sequence[Notification]) -> None:
        for notification in notifications:
            self._notifier.notify(notification)
