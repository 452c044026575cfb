"""Reconciliation: what the broker says about every unfinished order, and the account's value at this moment.

Knows the broker, the journal and the order of states: submitted, filled, reconciled. Sends nothing.
"""

from dataclasses import dataclass, replace
from datetime import datetime

import polars as pl

from internal.dates import last_closed_session
from internal.lake.tables import TABLES
from internal.performance import gross_exposure, net_exposure
from portfoliomanager import performance
from portfoliomanager.orders import FINAL_STATES
from portfoliomanager.ports import Account, Broker, Journal, Rebalance
from portfoliomanager.sending import book_updates, learned

STALE = "never reached the broker before its session ended; the next portfolio decides anew"


@dataclass(frozen=True)
class Reconciliation:
    """Orders that came to an end, that are still open, and that the broker could not account for."""

    resolved: int
    open: int
    unresolved: int


def reconcile(broker: Broker, journal: Journal, account: Account, moment: datetime) -> Reconciliation:
    """Ask about every unfinished order, book what is learned, move finished runs on, write an account snapshot.

    Booking the same answer twice changes nothing. Runs that were interrupted and whose session has ended lose the
    orders that never reached the broker; those of the present session are left for the rebalance to go on with.
    """
    unfinished = journal.orders().filter(~pl.col("state").is_in(FINAL_STATES))
    _book(broker, journal, unfinished, moment)
    runs = [run for run in journal.rebalances() if run.state in {"planned", "submitted", "filled"}]
    for run in runs:
        _move_on(journal, run, moment)
    journal.save_snapshot(_snapshot(broker, journal, account, moment))
    for run in journal.rebalances():
        if run.state == "filled":
            journal.save_rebalance(replace(run, state="reconciled", updated_at=moment))
    return _count(journal, unfinished)


def _book(broker: Broker, journal: Journal, unfinished: pl.DataFrame, moment: datetime) -> None:
    """One question an order, one commit for all."""
    updates = []
    for identity, state in unfinished.select("client_order_id", "state").iter_rows():
        found = broker.order(identity)
        if found is not None:
            updates.append(learned(found))
        elif state != "planned":
            updates.append(
                {"client_order_id": identity, "state": "unresolved", "reason": "the broker knows no such order"}
            )
    changed = book_updates(unfinished, updates, moment)
    if not changed.is_empty():
        journal.save_orders(changed)


def _move_on(journal: Journal, run: Rebalance, moment: datetime) -> None:
    """An interrupted run of an ended session is closed; a run whose orders are all final is filled."""
    ended = last_closed_session(moment) > run.date
    if run.state == "planned" and not ended:
        return
    if ended:
        _drop_lost(journal, run, moment)
    left = journal.orders().filter(pl.col("portfolio_id") == run.portfolio_id, ~pl.col("state").is_in(FINAL_STATES))
    state = "filled" if left.is_empty() else "submitted"
    if state != run.state:
        journal.save_rebalance(replace(run, state=state, updated_at=moment))


def _drop_lost(journal: Journal, run: Rebalance, moment: datetime) -> None:
    lost = journal.orders().filter(
        pl.col("portfolio_id") == run.portfolio_id, pl.col("state").is_in(["planned", "unresolved"])
    )
    if not lost.is_empty():
        moved = pl.lit(moment).dt.cast_time_unit("ms")
        journal.save_orders(lost.with_columns(state=pl.lit("dropped"), reason=pl.lit(STALE), updated_at=moved))


def _snapshot(broker: Broker, journal: Journal, account: Account, moment: datetime) -> pl.DataFrame:
    """One row of account_snapshots: the broker's totals, and the cost so far."""
    runs = journal.rebalances()
    cost = performance.realized_cost(journal.orders(), broker.costs())
    value = account.net_asset_value
    totals = account.long_market_value, account.short_market_value, value
    return pl.DataFrame(
        [
            {
                "timestamp": moment,
                "date": moment.date(),
                "portfolio_id": runs[-1].portfolio_id if runs else "",
                "net_asset_value": value,
                "cash": account.cash,
                "long_market_value": account.long_market_value,
                "short_market_value": account.short_market_value,
                "gross_exposure": gross_exposure(*totals),
                "net_exposure": net_exposure(*totals),
                **cost,
            }
        ],
        schema=TABLES["account_snapshots"].columns,
    )


def _count(journal: Journal, unfinished: pl.DataFrame) -> Reconciliation:
    now = journal.orders().join(unfinished.select("client_order_id"), on="client_order_id", how="semi")
    states = now.get_column("state")
    return Reconciliation(
        resolved=int(states.is_in(FINAL_STATES).sum()),
        open=int(states.is_in(["planned", "submitted", "partially_filled"]).sum()),
        unresolved=int((states == "unresolved").sum()),
    )
