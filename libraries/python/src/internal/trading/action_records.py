"""What corporate actions did to the fund's positions, written to the journal once the broker has carried it out.

The journal then explains what the account holds: shares that were received are an opening or an addition, a position
that ended is a close, and a new ticker is a row without shares. Splits and stock dividends need no row: they change
the count of every fill before them.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from internal.action_kinds import ActionKind
from internal.dates import exchange_day
from internal.trading.action_evidence import ActionEvidence
from internal.trading.action_holdings import ConcernedHolding, count_own_shares
from internal.trading.action_rows import RECORDS, is_end, is_record, is_recorded, is_rename, list_row_ids, make_rows
from internal.trading.corporate_actions import ENDS_TICKER, CorporateAction
from internal.trading.entries import ROUNDING, opened_date
from internal.trading.enums import OrderState
from internal.trading.orders import Order
from internal.trading.ports import Journal, TradingPorts
from internal.trading.runs import RebalanceRun

LOOK_BACK = timedelta(days=60)  # how late a broker, or the data service, may be with an action
ORDER_OF_A_DAY = {kind: place for place, kind in enumerate(ActionKind)}


def record_corporate_actions(ports: TradingPorts, account: str, moment: datetime) -> None:
    """Write a row for each change that the broker has carried out; asked again, nothing changes.

    An action that the broker has not carried out yet is left for the next reconciliation. Rows of an action that is no
    longer stated are dropped once the broker has taken it back. Raises StandbyError when the lease was lost.
    """
    if ports.journal.last_run() is None:
        return
    first = exchange_day(moment) - LOOK_BACK
    actions = [one for one in ports.data.corporate_actions(first, exchange_day(moment)) if one.is_recorded]
    evidence = ActionEvidence(ports, account, first)
    _drop_withdrawn(evidence, [identity for one in actions for identity in list_row_ids(account, one)], moment)
    if not any(ports.journal.fills(action.ticker) for action in actions):
        return
    for action in sorted(actions, key=_carried_out):  # one after the other: a name may change twice
        concerned = _find_concerned(action, ports)
        if concerned is None or is_recorded(concerned, account, ports.journal):
            continue
        if evidence.shows_carried_out(concerned):
            ports.lease.require()
            ports.journal.save_orders(make_rows(concerned, evidence.positions, ports, account, moment))


def list_rows_to_repeat(journal: Journal, kept: RebalanceRun | None, moment: datetime) -> list[Order]:
    """Rows that a restored broker may not know, dropped: what it shows of them is recorded again.

    kept: the newest run of which the broker has every order, and so every action up to its session; None without one.
    """
    rows = [row for row in journal.of(RECORDS) if is_record(row)]
    lost = [row for row in rows if kept is None or row.date >= kept.date or row.updated_at > kept.created_at]
    return [_drop(row, "not known to the restored broker", moment) for row in lost]


def describe_records(journal: Journal, run: RebalanceRun | None) -> list[str]:
    """One sentence for each row that was written, or dropped, since the run, or ever."""
    new = [row for row in journal.of(RECORDS) if run is None or row.updated_at > run.created_at]
    return [f"{row.reason}: {_describe_change(row)} {row.ticker}" for row in new]


def _describe_change(row: Order) -> str:
    if not is_record(row):
        return "no more"
    return "now" if is_rename(row) else f"{row.signed_filled_quantity:+g}"


def _drop(row: Order, why: str, moment: datetime) -> Order:
    """The row without effect; an action that is carried out after all writes it again."""
    dropped = replace(row, state=OrderState.DROPPED, reason=f"{row.reason}, {why}", updated_at=moment)
    return replace(dropped, filled_quantity=0.0, filled_average_price=None)


def _drop_withdrawn(evidence: ActionEvidence, stated: Collection[str], moment: datetime) -> None:
    """Drop the rows that no stated action explains, where the broker has taken the action back."""
    journal = evidence.ports.journal
    recent = [row for row in journal.of(RECORDS) if is_record(row) and row.date >= evidence.first]
    withdrawn = [row for row in recent if row.client_order_id not in stated and evidence.shows_taken_back(row)]
    if withdrawn:
        evidence.ports.lease.require()
        journal.save_orders([_drop(row, "withdrawn", moment) for row in withdrawn])


def _carried_out(action: CorporateAction) -> tuple[date, int]:
    """The order in which the broker carries actions out: those of a day by kind, name changes last."""
    return action.effective_date, ORDER_OF_A_DAY[action.kind]


def _find_concerned(action: CorporateAction, ports: TradingPorts) -> ConcernedHolding | None:
    """The action with the fund's shares before it, after splits of its day; None where the fund held nothing of it.

    A position ends once: an end that the data service states again in another kind, or on an earlier day, is that end.
    """
    security, every = ports.journal.security_of(action.ticker), ports.journal.fills(action.ticker)
    if security is None or (action.kind in ENDS_TICKER and any(is_end(one) for one in every)):
        return None
    fills: Sequence[Order] = [one for one in every if _comes_before(one, action)]
    shares = count_own_shares(action.ticker, security, fills, action.effective_date, ports)
    return ConcernedHolding(action, security, shares) if abs(shares) > ROUNDING else None


def _comes_before(order: Order, action: CorporateAction) -> bool:
    """Whether the action concerns the order's shares; an end or a new name also what another one brought on its day."""
    filled = opened_date(order)
    is_received = order.portfolio_id == RECORDS and filled == action.effective_date
    return filled < action.effective_date or (is_received and not action.gives_beside)
