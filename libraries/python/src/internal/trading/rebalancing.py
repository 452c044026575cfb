"""Rebalancing: decide once a session, write it down, send it, and survive being killed anywhere.

Whatever is sent was journalled before. A restart asks the broker about every order that may have been sent, under the
id that is a function of what it is, and goes on where the journal ends.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from threading import RLock

from internal.dates import cut_to_milliseconds, exchange_day, is_session, last_closed_session
from internal.errors import ConflictError, FundError, InvalidRequestError
from internal.trading.action_records import describe_records, record_corporate_actions
from internal.trading.arming import digest_of
from internal.trading.broker_history import fetch_recent_orders, follow_broker_state, require_broker_history
from internal.trading.broker_reports import Account
from internal.trading.decision import decide
from internal.trading.decision_inputs import gather_situation
from internal.trading.decision_records import make_record
from internal.trading.dry_run import end_dry_run
from internal.trading.entries import EntryMemory
from internal.trading.enums import OrderState, RunState
from internal.trading.flatten_report import FlattenReport, report_flattening
from internal.trading.flattening import Flattening
from internal.trading.foreign_items import ForeignItem
from internal.trading.hand_closes import record_hand_closes
from internal.trading.limit_kinds import LimitCut
from internal.trading.limits import RiskLimits
from internal.trading.optional_data import OptionalData
from internal.trading.order_adoption import adopt_own_orders, require_recognized_orders
from internal.trading.order_planning import (
    FLATTEN,
    apply_orders,
    is_portfolio_of,
    plan_orders,
    portfolio_id,
    replace_plan,
)
from internal.trading.order_sending import SessionEndedError
from internal.trading.order_submission import OrderSubmitter
from internal.trading.orders import Order
from internal.trading.own_holdings import list_foreign
from internal.trading.portfolio import Decision, Portfolio
from internal.trading.ports import SuspendedAccountError, TradingPorts
from internal.trading.reconciliation import Reconciliation, reconcile_journal
from internal.trading.reduce_only import find_reduction, keep_closes
from internal.trading.run_execution import RunExecution
from internal.trading.runs import RebalanceRun
from internal.trading.send_permission import require_not_halted
from internal.trading.situation import Situation
from internal.trading.strategy import Strategy

UNFINISHED = frozenset({RunState.PLANNED, RunState.WAITING})


@dataclass(frozen=True, slots=True)
class Outcome:
    """A run with its portfolio, its orders, and what of the account is not the fund's."""

    run: RebalanceRun
    portfolio: Portfolio | None
    orders: Sequence[Order]
    foreign: Sequence[ForeignItem]


@dataclass(frozen=True, slots=True)
class ReconciliationOutcome:
    """What became of the unfinished orders, and what of the account is not the fund's."""

    counts: Reconciliation
    foreign: Sequence[ForeignItem]


def require_closed_session(day: date, moment: datetime) -> None:
    """Raise InvalidRequestError unless the day is a session that has closed by the moment."""
    if not is_session(day):
        raise InvalidRequestError(f"{day} is no session of the exchange; name a trading day")
    if day > last_closed_session(moment):
        raise InvalidRequestError(
            f"the session of {day} has not closed yet; the market's clock is at {moment.isoformat()}"
        )


class Rebalancer:
    """The only component that submits orders; one run at a time, and only while it holds the lease.

    `check_losses` is called after each reconciliation, when the account's value is known and before anything is sent.
    """

    def __init__(
        self,
        ports: TradingPorts,
        strategy: Strategy,
        limits: RiskLimits,
        check_losses: Callable[[], None] = lambda: None,
    ) -> None:
        self._ports, self._strategy, self._limits = ports, strategy, limits
        self._optional_data = OptionalData(ports.data)
        self._closing_ports = replace(ports, data=self._optional_data)
        self._check_losses = check_losses
        self._submitter, self._memory = OrderSubmitter(ports.broker, ports.pause), EntryMemory()
        self._lock = RLock()
        self.positions_without_bars: tuple[str, ...] = ()  # at the last decision of this process
        self._cuts: list[LimitCut] = []

    @property
    def strategy(self) -> Strategy:
        """The strategy that decides."""
        return self._strategy

    def take_cuts(self) -> Sequence[LimitCut]:
        """What limits have cut and kept from being sent since this was asked last."""
        cuts, self._cuts = self._cuts, []
        return cuts

    def run(self, day: date | None) -> Outcome:
        """Decide and send the portfolio of a session, by default the last closed one; or answer what was decided.

        A session is decided once for an account: what another strategy decided before a restart is carried out.

        Raises InvalidRequestError (no session, not closed), ConflictError (no bars or predictions; an old session that
        was never decided), StrategyError (the strategy failed: nothing is sent), BrokerHistoryError (the broker lost
        orders), SuspendedAccountError (nothing more is sent; TradingHaltedError where the fund's own switch says so),
        StandbyError (another process trades), UnresolvedOrderError or UnavailableError (asked again, it goes on where
        it stopped).
        """
        with self._lock:
            moment = self._begin()
            session = day or last_closed_session(moment)
            require_closed_session(session, moment)
            account = self._ports.broker.account()
            run = self._find_run(account, session)
            if run is None or run.state in UNFINISHED:
                run = self._go_on(account, session, moment)
            return self._outcome(run, moment)

    def may_trade(self) -> bool:
        """Whether the trading state, the broker and the arming let orders of a decision be sent now; it only reads."""
        return self._may_send(self._ports.broker.account(), self._ports.broker.moment())

    def recover(self) -> None:
        """After a start: ask the broker about every unfinished order, then go on with an interrupted run."""
        with self._lock:
            moment = self._begin()
            account = self._ports.broker.account()
            self._reconcile(account, moment)
            account = self._find_own_part(account)
            self._follow_flattening(account, moment)
            for run in self._ports.journal.open_runs():
                if run.state in UNFINISHED and run.policy != FLATTEN:
                    self._require_trading(account, moment)
                    self._execute(run, account, moment, ask_first=True)

    def accept_broker_state(self) -> datetime:
        """Let the journal follow a broker that was restored to an older state; the broker's clock.

        A reconciliation has to follow, once nothing that was read from the broker before is remembered any more.
        """
        with self._lock:
            moment = self._begin()
            follow_broker_state(self._ports, self._submitter, moment)
            return moment

    def flatten(self) -> FlattenReport:
        """Close all that is the fund's, as the trading state asks for; a repeat goes on, and orders nothing twice.

        A name whose close was refused in this session is tried once more. The state has to be stored before.

        Raises what `run` raises; asked again, and at every reconciliation, it goes on where it stopped.
        """
        with self._lock:
            moment = self._begin()
            account = self._ports.broker.account()
            self._reconcile(account, moment)
            self._follow_flattening(account, moment, again=True)
            return report_flattening(self._closing_ports, moment, self._memory)

    def report_flattening(self) -> FlattenReport:
        """What was closed and what is still open of the last time that everything was to be closed; it only reads.

        The broker is asked about each close that may have filled since the last reconciliation.
        """
        moment = self._ports.broker.moment()
        return report_flattening(self._closing_ports, moment, EntryMemory())

    def report_foreign(self) -> Sequence[ForeignItem]:
        """Positions and open orders of the account that are not the fund's; it only reads."""
        return list_foreign(self._ports, self._ports.broker.moment(), EntryMemory())

    def reconcile(self) -> ReconciliationOutcome:
        """Record what the broker reports, and go on with a run that waits for the money of its closes.

        Where the broker has rejected an order that it had accepted, the other side of its run is cut, as after a
        refusal, as far as it has not filled.
        """
        with self._lock:
            moment = self._begin()
            account = self._ports.broker.account()
            counts = self._reconcile(account, moment)
            account = self._find_own_part(account)
            self._follow_flattening(account, moment)
            may_send = self._may_send(account, moment)
            for run in self._ports.journal.open_runs():
                if may_send and self._must_go_on(run, moment):
                    self._execute(run, account, moment, ask_first=True)
            return ReconciliationOutcome(counts, list_foreign(self._choose_ports(), moment, self._memory))

    def _choose_ports(self) -> TradingPorts:
        """Those that need no data service while everything is to be closed."""
        return self._closing_ports if self._ports.journal.trading_state().flattens else self._ports

    def _follow_flattening(self, account: Account, moment: datetime, *, again: bool = False) -> None:
        """Close everything where the trading state asks for it; where it no longer does, send no more of it."""
        change = self._ports.journal.trading_state()
        if change.flattens and again:
            _require_open_account(account)
        if change.flattens and account.halted is not None:
            return
        Flattening(self._closing_ports, account, moment, self._memory).go_on(change, again=again)

    def _may_send(self, account: Account, moment: datetime) -> bool:
        try:
            self._require_trading(account, moment)
        except SuspendedAccountError:
            return False
        return True

    def _require_trading(self, account: Account, moment: datetime) -> None:
        """Raise SuspendedAccountError while the broker, the fund's own switch or the arming forbids every order."""
        _require_open_account(account)
        require_not_halted(self._ports.journal.trading_state())
        if self._ports.gate is not None:
            self._ports.gate.find_end(account.account_number, moment)

    def _must_go_on(self, run: RebalanceRun, moment: datetime) -> bool:
        """Whether openings wait, or an order that the broker had accepted was rejected before its session ended."""
        if run.policy == FLATTEN:
            return False
        if run.state is RunState.WAITING:
            return True
        rejected = (order for order in self._ports.journal.of(run.portfolio_id) if order.state is OrderState.REJECTED)
        is_late = any(order.broker_order_id is not None for order in rejected)
        return run.state is RunState.SUBMITTED and is_late and last_closed_session(moment) == run.date

    def _begin(self) -> datetime:
        """The market's clock in whole milliseconds, once this process may act and has read what others wrote."""
        self._ports.lease.require()
        self._ports.journal.refresh()
        self._memory.begin_step()
        return cut_to_milliseconds(self._ports.broker.moment())

    def _reconcile(self, account: Account, moment: datetime) -> Reconciliation:
        """Journal and broker agree on what was sent, then every unfinished order is asked about.

        Where that fails while everything is to be closed, at least nothing more is opened: the orders of decisions are
        canceled all the same.

        Raises BrokerHistoryError when the broker lost what it had confirmed.
        """
        try:
            return self._reconcile_account(account, moment)
        except FundError:
            change = self._ports.journal.trading_state()
            Flattening(self._closing_ports, account, moment, self._memory).cancel_others(change)
            raise

    def _reconcile_account(self, account: Account, moment: datetime) -> Reconciliation:
        ports, recent = self._choose_ports(), fetch_recent_orders(self._ports)
        require_broker_history(ports, self._submitter, recent, moment)
        adopt_own_orders(ports, self._strategy.record, account, recent, moment)
        unfinished = [run for run in ports.journal.open_runs() if run.state in UNFINISHED]
        counts = reconcile_journal(ports, self._submitter, recent, account, moment)
        if ports is self._ports or self._optional_data.is_answering(exchange_day(moment)):
            record_corporate_actions(self._ports, account.account_id, moment)
        record_hand_closes(ports, account.account_id, recent, moment, self._memory)
        for run in unfinished:
            self._apply_dropped_orders(run)
        self._check_losses()
        return counts

    def _find_own_part(self, account: Account) -> Account:
        """The account after a reconciliation: which part of it is the fund's follows from the fills of the journal."""
        return account if account.pool is None else self._ports.broker.account()

    def _apply_dropped_orders(self, run: RebalanceRun) -> None:
        """The portfolio of a run that ended before everything was sent says what is left of it."""
        ended = self._ports.journal.run(run.portfolio_id)
        if ended is None or ended.state in UNFINISHED:
            return
        portfolio, orders = self._ports.portfolios.find(run.portfolio_id), self._ports.journal.of(run.portfolio_id)
        if portfolio is not None and (rows := apply_orders(portfolio.rows, orders)) != portfolio.rows:
            self._ports.portfolios.save(replace(portfolio, rows=rows))

    def _find_run(self, account: Account, day: date) -> RebalanceRun | None:
        """The run of the session, whichever strategy decided it; None when it was never planned."""
        last = self._ports.journal.last_run()
        if last is None or last.date < day:
            return None
        if last.date == day and is_portfolio_of(last.portfolio_id, account.account_id):
            return last
        runs = [run for run in self._ports.journal.runs() if run.date == day and run.policy != FLATTEN]
        return next((run for run in reversed(runs) if is_portfolio_of(run.portfolio_id, account.account_id)), None)

    def _go_on(self, account: Account, day: date, moment: datetime) -> RebalanceRun:
        """Plan what was never planned, and send what was not sent."""
        self._require_trading(account, moment)
        self._reconcile(account, moment)
        account = self._find_own_part(account)
        self._follow_flattening(account, moment)
        run = self._find_run(account, day)
        if run is not None:
            unfinished = run.state in UNFINISHED
            return self._execute(run, account, moment, ask_first=True) if unfinished else run
        if day != last_closed_session(moment):
            raise ConflictError(
                f"the session of {day} was never decided and a later one has closed since; it is not traded now"
            )
        return self._execute(self._plan(account, day, moment), account, moment, ask_first=False)

    def _plan(self, account: Account, day: date, moment: datetime) -> RebalanceRun:
        """Decide, then write down portfolio, orders and run, in this order: the run makes the plan binding.

        A process that lost the lease while it read writes nothing: its plan would replace what its successor sent.
        """
        ports = self._ports
        gathered = gather_situation(ports, self._strategy.needs, self._limits, account, day, moment, self._memory)
        require_recognized_orders(gathered.foreign)
        situation, inputs = gathered.situation, gathered.situation.inputs
        missing = [one.ticker for one in situation.positions if self._limits.is_missing(one, situation)]
        self.positions_without_bars = tuple(missing)
        decided, record = decide(situation, self._strategy, self._limits), self._strategy.record
        self._cuts += decided.cuts
        reduction = find_reduction(ports.journal.trading_state(), self._find_end(account, moment))
        decision = keep_closes(decided, reduction)
        identity = portfolio_id(record.name, account.account_id, day)
        orders = plan_orders(decision, account.account_id, identity, day, moment)
        records = describe_records(ports.journal, ports.journal.last_run())
        ports.lease.require()
        ports.portfolios.save(Portfolio(identity, day, decision.rows, inputs.model_version, inputs.bars_version))
        if changed := replace_plan(ports.journal.of(identity), orders):
            ports.journal.save_orders(changed)
        unrecorded = self._save_record(identity, situation, decision, reduction)
        lease_number = ports.lease.require()
        run = RebalanceRun(
            portfolio_id=identity,
            date=day,
            state=RunState.PLANNED,
            policy=record.name,
            model_version=inputs.model_version,
            bars_version=inputs.bars_version,
            notes=(
                *decision.notes,
                *situation.assets.notes,
                *_foreign_notes(gathered.foreign),
                *_changed_notes(gathered.changed),
                *_hand_trade_notes(gathered.by_hand),
                *records,
                *unrecorded,
            ),
            created_at=moment,
            updated_at=moment,
            lease_number=lease_number,
            parameters=record.parameters,
            strategy_digest=record.digest,
            known_at=inputs.known_at,
        )
        ports.journal.save_runs([run])
        return run

    def _find_end(self, account: Account, moment: datetime) -> str | None:
        """Why the arming lets a decision of now close positions alone; None where it lets all, or none is needed."""
        gate = self._ports.gate
        return None if gate is None else gate.find_end(account.account_number, moment) or gate.find_missing_evidence()

    def _save_record(
        self, identity: str, situation: Situation, decision: Decision, reduction: str | None
    ) -> tuple[str, ...]:
        """Store what was decided on; a store that fails is a note of the run, for a record never stops trading."""
        if self._ports.records is None:
            return ()
        rules = digest_of(self._strategy.record, "", self._limits)
        try:
            self._ports.records.save(make_record(identity, situation, decision, reduction, rules))
        except FundError as error:
            return (f"the reasons of this decision were not stored, and it cannot be replayed: {error.detail}",)
        return ()

    def _execute(self, run: RebalanceRun, account: Account, moment: datetime, *, ask_first: bool) -> RebalanceRun:
        """Send the run; when its session ends meanwhile, what was not sent is dropped. Of a dry run nothing is sent."""
        ports = self._ports
        if ports.gate is not None and ports.gate.is_dry_run(run.date):
            return end_dry_run(ports, run, moment)
        execution = RunExecution(ports, self._limits, run, account, moment, ask_first=ask_first)
        try:
            return execution.execute()
        except SessionEndedError:
            self._reconcile(ports.broker.account(), ports.broker.moment())
            return ports.journal.run(run.portfolio_id) or run
        finally:
            self._cuts += execution.refused

    def _outcome(self, run: RebalanceRun, moment: datetime) -> Outcome:
        return Outcome(
            run=run,
            portfolio=self._ports.portfolios.find(run.portfolio_id),
            orders=self._ports.journal.of(run.portfolio_id),
            foreign=list_foreign(self._ports, moment, self._memory),
        )


def _require_open_account(account: Account) -> None:
    if account.halted is not None:
        raise SuspendedAccountError(f"{account.halted}; nothing was sent, switch it on at the broker to go on")


def _foreign_notes(foreign: Sequence[ForeignItem]) -> list[str]:
    return [f"not ours, left alone: {item.kind} of {item.quantity:g} {item.ticker}" for item in foreign]


def _hand_trade_notes(by_hand: Mapping[str, date]) -> list[str]:
    return [f"not opened, traded by hand on {day}: {ticker}" for ticker, day in sorted(by_hand.items())]


def _changed_notes(changed: Sequence[str]) -> list[str]:
    return [f"not traded, corporate action since the close of the decision: {', '.join(changed)}"] if changed else []
