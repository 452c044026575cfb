"""The operations of the fund: forecast, rebalance, reconcile, recover; each updates the metrics that show it."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from internal.dates import cut_to_milliseconds, last_closed_session, next_session, session_open
from internal.errors import FundError, InvalidRequestError
from internal.lake.lease import StandbyError
from internal.telemetry import get_logger
from internal.trading.enums import RunState
from internal.trading.flatten_report import FlattenReport
from internal.trading.foreign_items import ForeignItem
from internal.trading.order_planning import FLATTEN
from internal.trading.performance import report_performance
from internal.trading.ports import Broker
from internal.trading.rebalancing import Outcome, Rebalancer, ReconciliationOutcome
from internal.trading.state_changes import change_state, tighten
from internal.trading.trading_state import StateCause, TradingState, TradingStateChange
from portfoliomanager import metrics
from portfoliomanager.account_books import AccountBooks
from portfoliomanager.forecast_monitoring import ForecastScore
from portfoliomanager.forecasting import Champion, Predicted, predict
from portfoliomanager.model_watch import ModelWatch
from portfoliomanager.notifications.announcer import Announcer
from portfoliomanager.ports import ForecastStore, FundJournal
from portfoliomanager.undecided_session import UndecidedSession, UndecidedSessionFile, explain_refusal, find_next_open

logger = get_logger(__name__)

FOLLOWED_FOR = timedelta(minutes=15)  # how long a reconciliation of open orders is good


class FundOperations:
    """What routes and events start; every method blocks until it is done."""

    def __init__(  # noqa: PLR0913, PLR0917 - one component an argument
        self,
        broker: Broker,
        store: ForecastStore,
        champion: Champion,
        watch: ModelWatch,
        journal: FundJournal,
        books: AccountBooks,
        rebalancer: Rebalancer,
        announcer: Announcer,
        undecided: UndecidedSessionFile,
    ) -> None:
        self._broker, self._store, self._champion, self._watch = broker, store, champion, watch
        self._journal, self._books, self._rebalancer = journal, books, rebalancer
        self._announcer, self._undecided = announcer, undecided

    @property
    def needs_forecasts(self) -> bool:
        """Whether the strategy reads forecasts; without, no model is needed."""
        return self._rebalancer.strategy.needs.forecasts

    @property
    def live_score(self) -> ForecastScore | None:
        """The forecasts whose target came in the last 20 sessions; None where they were not measured."""
        return self._watch.live

    def read_clock(self) -> datetime:
        """The market's clock, UTC."""
        return self._broker.moment()

    def predict(self, day: date | None) -> Predicted:
        """Forecast a session, by default the last closed one, and store the predictions."""
        predicted = predict(self._store, self._champion, day, self._broker.moment())
        metrics.PREDICTION_SUCCESS.set_to_current_time()
        self._watch.show(predicted.day)
        return predicted

    def rebalance(self, day: date | None) -> Outcome:
        """Build and send the portfolio of a session, by default the last closed one; or answer what was decided."""
        try:
            with metrics.count_rebalance():
                outcome = self._rebalancer.run(day)
        except (InvalidRequestError, StandbyError):
            raise
        except FundError as error:
            refused = day or last_closed_session(self._broker.moment())
            self._save_refusal(refused, error)
            self._announcer.run_failed(refused, error)
            raise
        cuts = self._rebalancer.take_cuts()
        metrics.count_cuts(cuts)
        metrics.REBALANCE_SUCCESS.set_to_current_time()
        metrics.POSITIONS_WITHOUT_BARS.set(len(self._rebalancer.positions_without_bars))
        self._show_account()
        self._announcer.run_finished(outcome, cuts, self._rebalancer.positions_without_bars)
        return outcome

    def is_halted(self) -> bool:
        """Whether the trading state forbids every order, as it is stored now, whichever process wrote it."""
        return self._journal.trading_state().state is TradingState.HALTED

    def describe_undecided(self) -> str:
        """Why the last closed session is not decided, and what becomes of it; empty where it is, or was not tried."""
        undecided = self._undecided.read()
        if undecided is None or self._is_decided(undecided.day):
            return ""
        return undecided.describe(self._journal.trading_state().state)

    def find_strategy_failure(self) -> UndecidedSession | None:
        """The session at whose decision the strategy failed, unless it is decided by now; a restart keeps it."""
        undecided = self._undecided.read()
        if undecided is None or not undecided.strategy_failed or self._is_decided(undecided.day):
            return None
        return undecided

    def has_strategy_failed(self, day: date) -> bool:
        """Whether the strategy failed at the decision of the session: a person alone has it asked again."""
        failure = self.find_strategy_failure()
        return failure is not None and failure.day == day

    def forget_undecided_before(self, day: date) -> None:
        """Say no more of a session that was not decided before the day closed: it never will be."""
        self._undecided.delete_before(day)

    def may_decide(self, day: date) -> bool:
        """Whether a session waits for its decision, and nothing forbids to send its orders."""
        return self.is_waiting(day) and self._rebalancer.may_trade()

    def is_waiting(self, day: date) -> bool:
        """Whether a session's orders are not sent, and it is not too late for them.

        Once the next session has opened, only what met the halt of trading is decided: a person has resumed it since.
        """
        if self._is_decided(day) or self.has_strategy_failed(day):
            return False
        moment, undecided = self._broker.moment(), self._undecided.read()
        met_halt = undecided is not None and undecided.day == day and undecided.met_halt
        return day == last_closed_session(moment) and (met_halt or moment < find_next_open(day))

    def reconcile(self, *, accept_broker_state: bool = False) -> ReconciliationOutcome:
        """Ask the broker about every unfinished order, and record its answers.

        accept_broker_state: the broker was restored to an older state, and the journal and the books are to follow it.
        """
        if accept_broker_state:
            self._books.forget_after(self._rebalancer.accept_broker_state())
        outcome = self._rebalancer.reconcile()
        metrics.RECONCILIATION_SUCCESS.set_to_current_time()
        self._show_account()
        self._announcer.reconciled(outcome)
        return outcome

    def follow_open_orders(self) -> None:
        """Reconcile once the session is open in which orders fill, and every 15 minutes while some have not.

        A run that waits for fills, and closing all positions, are followed at every call. Without open orders nothing
        is asked. The simulated exchange sends an event at the open; a real broker does not.
        """
        if self._journal.trading_state().flattens and not self._rebalancer.report_flattening().is_flat:
            self.reconcile()
            return
        runs = [run for run in self._journal.open_runs() if run.state in {RunState.WAITING, RunState.SUBMITTED}]
        if not runs:
            return
        moment, opened = self._broker.moment(), min(session_open(next_session(run.date)) for run in runs)
        last = self._journal.last_snapshot()
        is_recent = last is not None and last.timestamp >= max(opened, moment - FOLLOWED_FOR)
        waits = any(run.state is RunState.WAITING or run.policy == FLATTEN for run in runs)
        if moment >= opened and (waits or not is_recent):
            self.reconcile()

    def recover(self) -> None:
        """After a start: go on with what a former process left, and show the figures of the past."""
        metrics.show_history(self._journal)
        self._rebalancer.recover()
        metrics.show_history(self._journal)
        self._show_account()
        self._watch.show(last_closed_session(self._broker.moment()))

    def change_state(self, state: TradingState, changed_by: str, reason: str) -> TradingStateChange:
        """Set the trading state as a person asks for; what is being sent meets it at its next order.

        Whoever loosens it accepts the losses so far, for every process of the fund. Where trading is active, resuming
        it changes nothing: no losses are accepted by it.
        """
        before = self._journal.trading_state()
        if state is before.state is TradingState.ACTIVE:
            return before
        accepts = state.strictness < before.state.strictness
        return self._change_state(state, changed_by, StateCause.OWNER, reason, accepts_losses=accepts)

    def tighten_state(self, state: TradingState, changed_by: str, reason: str) -> TradingStateChange:
        """Set a stricter trading state, as somebody asks who may not loosen it; the state that is in force then."""
        change = tighten(self._journal, state, StateCause.OWNER, reason, _moment(), changed_by=changed_by)
        return self._announce_state(change)

    def flatten(self, changed_by: str, reason: str) -> FlattenReport:
        """Halt trading and close everything that is the fund's; what is interrupted goes on at every reconciliation."""
        self._change_state(TradingState.HALTED, changed_by, StateCause.FLATTEN, reason)
        report = self._rebalancer.flatten()
        self._show_account()
        return report

    def report_flattening(self) -> FlattenReport:
        """What became of closing all positions."""
        return self._rebalancer.report_flattening()

    def report_foreign(self) -> Sequence[ForeignItem]:
        """What a person or another program holds and has ordered in the account."""
        return self._rebalancer.report_foreign()

    def go_on(self) -> None:
        """Go on with an interrupted run; what fails is logged, for the next decision is as good."""
        try:
            self.recover()
        except FundError as error:
            logger.warning("run_not_continued", detail=error.detail)

    def _is_decided(self, day: date) -> bool:
        """Whether all of a session was sent, or a later one was decided."""
        last = self._journal.last_run()
        return last is not None and (last.date > day or (last.date == day and last.state is not RunState.PLANNED))

    def _save_refusal(self, day: date, error: FundError) -> None:
        """Keep why the last closed session was refused; an older one that somebody asks for is not waited for."""
        try:
            is_last = day == last_closed_session(self._broker.moment())
        except FundError:  # the broker may be what fails: then the journal alone tells an older session
            is_last = True
        if is_last:
            self._undecided.save(explain_refusal(day, error, self._undecided.read()))

    def _change_state(
        self, state: TradingState, changed_by: str, cause: StateCause, reason: str, *, accepts_losses: bool = False
    ) -> TradingStateChange:
        accepted = self._last_valued() if accepts_losses else None
        return self._announce_state(change_state(self._journal, state, changed_by, cause, reason, _moment(), accepted))

    def _announce_state(self, change: TradingStateChange) -> TradingStateChange:
        logger.warning(
            "trading_state_changed",
            state=change.state,
            changed_by=change.changed_by,
            cause=change.cause,
            reason=change.reason,
        )
        self._announcer.state_changed(change)
        return change

    def _last_valued(self) -> datetime | None:
        """When the account's value was recorded last, by whichever process."""
        self._journal.refresh()
        last = self._journal.last_snapshot()
        return None if last is None else last.timestamp

    def _show_account(self) -> None:
        metrics.show_journal(self._journal)
        metrics.show_positions(self._broker.positions())
        try:
            if self._journal.unfinished():  # may have filled since the reconciliation, which recorded the rest
                self._books.record()
            metrics.show_books(self._books.count_differences())
        except (FundError, ArithmeticError) as error:  # books never stop trading; the next step records what is left
            logger.warning("books_not_recorded", detail=str(error))
        metrics.show_performance(report_performance(self._journal.snapshots(), self._books.flows()))


def _moment() -> datetime:
    """This machine's, in whole milliseconds: a halt must not depend on the broker's clock."""
    return cut_to_milliseconds(datetime.now(UTC))
