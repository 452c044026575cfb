"""Rebalance: the one use case. Decide once a session, write it down, send it, and survive being killed anywhere.

Knows the order of steps: planned (decision and orders journalled), submitted (all sent), filled, reconciled. Knows no
broker, data service or lake by name: they are ports.

Whatever is sent was journalled before. A restart asks the broker about every order that may have been sent, under the
id that is a function of what it is, and goes on where the journal ends.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime
from threading import RLock
from typing import Any

import polars as pl

from internal.dates import is_session, last_closed_session
from internal.errors import ConflictError, InvalidRequestError, UnresolvedOrderError
from internal.schemas import portfolios as portfolios_schema
from internal.telemetry import get_logger
from portfoliomanager import orders as planning
from portfoliomanager.allocation import Decision, decide
from portfoliomanager.decision_inputs import Gathered, foreign_now, gather
from portfoliomanager.policy import Policy
from portfoliomanager.ports import Account, Broker, DataStore, Journal, Lease, Rebalance, SuspendedAccountError
from portfoliomanager.reconciliation import Reconciliation, reconcile
from portfoliomanager.sending import SENDABLE_STATES, book_updates, send


@dataclass(frozen=True)
class Outcome:
    """A run as it stands: its record, its portfolio, its orders, and what of the account is not ours."""

    record: Rebalance
    positions: pl.DataFrame
    orders: pl.DataFrame
    foreign: list[dict[str, Any]]


def require_closed_session(day: date, moment: datetime) -> None:
    """Raise InvalidRequestError unless the day is a session that has closed by the moment."""
    if not is_session(day):
        raise InvalidRequestError(f"{day} is no session of the exchange; name a trading day")
    if day > last_closed_session(moment):
        raise InvalidRequestError(
            f"the session of {day} has not closed yet; the market's clock is at {moment.isoformat()}"
        )


class Rebalancer:
    """The fund's only hand at the broker; one run at a time, and only while it holds the lease."""

    def __init__(self, broker: Broker, store: DataStore, journal: Journal, lease: Lease, policy: Policy) -> None:
        """Takes the four ports and the policy."""
        self._broker, self._store, self._journal, self._lease, self._policy = broker, store, journal, lease, policy
        self._lock = RLock()

    def run(self, day: date | None) -> Outcome:
        """Decide and send the portfolio of a session, by default the last closed one; or answer what was decided.

        Raises InvalidRequestError (no session, not closed), ConflictError (no bars or predictions; an old session that
        was never decided), SuspendedAccountError (nothing is sent), StandbyError (another process trades),
        UnresolvedOrderError or UnavailableError (asked again, it goes on where it stopped).
        """
        with self._lock:
            self._lease.require()
            moment = self._broker.moment()
            session = day or last_closed_session(moment)
            require_closed_session(session, moment)
            account = self._broker.account()
            identity = planning.portfolio_id(self._policy.name, account.account_id, session)
            record = self._journal.rebalance(identity)
            if record is None or record.state == "planned":
                record = self._go_on(record, account, session, moment)
            return self._outcome(record, moment)

    def recover(self) -> None:
        """After a start: ask the broker about every unfinished order, then go on with an interrupted run."""
        with self._lock:
            self._lease.require()
            moment = self._broker.moment()
            account = self._broker.account()
            reconcile(self._broker, self._journal, account, moment)
            for record in self._journal.rebalances():
                if record.state == "planned":
                    self._require_trading(account)
                    self._execute(record, account, moment, ask_first=True)

    def reconcile(self) -> tuple[Reconciliation, list[dict[str, Any]]]:
        """Book what the broker knows; what happened, and what of the account is not ours."""
        with self._lock:
            self._lease.require()
            moment = self._broker.moment()
            done = reconcile(self._broker, self._journal, self._broker.account(), moment)
            return done, foreign_now(self._broker, self._store, self._journal, moment)

    def _go_on(self, record: Rebalance | None, account: Account, day: date, moment: datetime) -> Rebalance:
        """Plan what was never planned, and send what was not sent."""
        self._require_trading(account)
        reconcile(self._broker, self._journal, account, moment)
        latest = self._journal.rebalance(record.portfolio_id) if record else None
        if latest is not None and latest.state != "planned":
            return latest
        if latest is not None:
            return self._execute(latest, account, moment, ask_first=True)
        if day != last_closed_session(moment):
            raise ConflictError(
                f"the session of {day} was never decided and a later one has closed since; it is not traded now"
            )
        return self._execute(self._plan(account, day, moment), account, moment, ask_first=False)

    def _require_trading(self, account: Account) -> None:
        if account.halted:
            raise SuspendedAccountError(f"{account.halted}; nothing was sent, switch it on at the broker to go on")

    def _plan(self, account: Account, day: date, moment: datetime) -> Rebalance:
        """Decide, then write down portfolio, orders and record, in this order: the record makes the plan binding."""
        gathered = gather(self._broker, self._store, self._journal, account, day, moment, self._policy)
        decision = decide(gathered.situation, self._policy)
        identity = planning.portfolio_id(self._policy.name, account.account_id, day)
        orders = planning.plan(decision.frame, account.account_id, identity, day, moment)
        self._store.save_portfolio(_portfolio(decision, gathered, identity))
        self._journal.save_orders(planning.replacing(self._journal.orders(), orders, identity))
        record = Rebalance(
            portfolio_id=identity,
            date=day,
            state="planned",
            policy=self._policy.name,
            model_version=gathered.model_version,
            bars_version=gathered.bars_version,
            notes=(*decision.notes, *_foreign_notes(gathered.foreign)),
            created_at=moment,
            updated_at=moment,
            lease_number=self._lease.require(),
        )
        self._journal.save_rebalance(record)
        return record

    def _execute(self, record: Rebalance, account: Account, moment: datetime, *, ask_first: bool) -> Rebalance:
        """Closes, then shorts, then longs cut to what the short side got."""
        is_close = pl.col("leg") == "close"
        for phase in (is_close, planning.is_short_open()):
            self._send(record, phase, moment, ask_first=ask_first)
        portfolio = self._store.portfolio(record.portfolio_id)
        cut = planning.cut_to_shorts(self._orders(record), portfolio, account.account_id, self._policy, moment)
        if not cut.is_empty():
            self._journal.save_orders(cut)
        for phase in (is_close, planning.is_long_open()):
            self._send(record, phase, moment, ask_first=ask_first)
        orders = self._orders(record)
        self._store.save_portfolio(planning.applied(portfolio, orders))
        notes, number = (*record.notes, *_order_notes(orders)), self._lease.require()
        submitted = replace(record, state="submitted", updated_at=moment, notes=notes, lease_number=number)
        self._journal.save_rebalance(submitted)
        get_logger(__name__).info("portfolio_submitted", portfolio_id=record.portfolio_id, orders=orders.height)
        return submitted

    def _orders(self, record: Rebalance) -> pl.DataFrame:
        return self._journal.orders().filter(pl.col("portfolio_id") == record.portfolio_id)

    def _send(self, record: Rebalance, phase: pl.Expr, moment: datetime, *, ask_first: bool) -> None:
        """Send what of a phase was not sent yet; what is learned is journalled even when the broker fails midway."""
        waiting = self._orders(record).filter(phase, pl.col("state").is_in(SENDABLE_STATES))
        updates: list[dict[str, Any]] = []
        try:
            for order in waiting.iter_rows(named=True):
                updates.append(self._send_one(order, ask_first=ask_first))
                if updates[-1]["state"] == "unresolved":
                    raise UnresolvedOrderError(updates[-1]["reason"])
        finally:
            changed = book_updates(waiting, updates, moment)
            if not changed.is_empty():
                self._journal.save_orders(changed)

    def _send_one(self, order: dict[str, Any], *, ask_first: bool) -> dict[str, Any]:
        self._lease.require()
        try:
            return send(self._broker, order, ask_first=ask_first)
        except UnresolvedOrderError as error:
            return {"client_order_id": order["client_order_id"], "state": "unresolved", "reason": error.detail}

    def _outcome(self, record: Rebalance, moment: datetime) -> Outcome:
        return Outcome(
            record=record,
            positions=self._store.portfolio(record.portfolio_id),
            orders=self._orders(record),
            foreign=foreign_now(self._broker, self._store, self._journal, moment),
        )


def _portfolio(decision: Decision, gathered: Gathered, identity: str) -> pl.DataFrame:
    """The decision as a portfolios frame."""
    return portfolios_schema.validate(
        decision.frame.with_columns(
            portfolio_id=pl.lit(identity),
            date=pl.lit(gathered.situation.day),
            dollar_amount=pl.col("quantity") * pl.col("reference_price"),
            model_version=pl.lit(gathered.model_version),
            bars_version=pl.lit(gathered.bars_version, pl.Int64),
            frozen=pl.lit(value=False),
        ).select(list(portfolios_schema.COLUMNS))
    )


def _foreign_notes(foreign: list[dict[str, Any]]) -> list[str]:
    return [f"not ours, left alone: {row['kind']} of {row['quantity']:g} {row['ticker']}" for row in foreign]


def _order_notes(orders: pl.DataFrame) -> list[str]:
    """One sentence for each order that was refused, and one when the long side was cut for it."""
    refused = orders.filter(pl.col("state") == "rejected").sort("ticker")
    sentences = [
        f"{side} of {quantity:g} {ticker} {reason}"
        for side, quantity, ticker, reason in refused.select("side", "quantity", "ticker", "reason").iter_rows()
    ]
    cut = orders.get_column("reason").is_in([planning.CUT]).any()
    return [*sentences, *(["the long side was cut to what the short side got"] if cut else [])]
