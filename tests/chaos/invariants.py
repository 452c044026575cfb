"""What holds of a fund after any kills and wrong answers, as sentences about what is broken. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from re import sub

from chaos.sight import JournalOrder, Run, Sight
from fund.services import Service
from internal.event_types import EventType
from internal.trading.action_rows import RECORDS
from internal.trading.enums import OrderState
from internal.trading.order_planning import is_flatten
from internal.trading.trading_state import TradingState

SHARES_TOLERANCE = 1e-9
UNSENT = frozenset({OrderState.DROPPED, OrderState.REJECTED, OrderState.PLANNED})
HANDLED = (
    (Service.DATAMANAGER, EventType.SESSION_CLOSED),
    (Service.PORTFOLIOMANAGER, EventType.SESSION_OPENED),
    (Service.PORTFOLIOMANAGER, EventType.BARS_SYNCED),
)  # the events on which a session depends, by the service that acts on them
SUCCESSES = frozenset({"done", "late"})


def find_broken(now: Sight) -> list[str]:
    """What is wrong with a fund that has nothing left to do, whatever happened to it."""
    checks = (check_orders, check_fills, check_account, check_sessions, check_events, check_state)
    return [sentence for check in checks for sentence in check(now)]


def check_orders(now: Sight) -> Iterator[str]:
    """Each order is sent once, journalled before, and not lost."""
    counts = Counter(order.client_order_id for order in now.sent)
    yield from (f"order {identity} was taken {count} times" for identity, count in counts.items() if count > 1)
    journal = {order.client_order_id: order for order in now.journal if order.portfolio_id != RECORDS}
    yield from (
        f"order {identity} was sent and is not in the journal" for identity in counts if identity not in journal
    )
    for identity, order in journal.items():
        if order.state not in UNSENT and identity not in counts:
            yield f"order {identity} is {order.state} in the journal, and the exchange does not know it"
        if order.state in {OrderState.DROPPED, OrderState.PLANNED} and identity in counts:
            yield f"order {identity} is {order.state} in the journal, and the exchange has it"
    legs = Counter(
        (order.portfolio_id, sub("-[0-9a-f]+$", "", order.client_order_id), order.side) for order in journal.values()
    )
    yield from (f"{count} orders are {leg}" for leg, count in legs.items() if count > 1)


def check_fills(now: Sight) -> Iterator[str]:
    """The journal has the fills that the exchange has, and no older order without an end."""
    journal = {order.client_order_id: order for order in now.journal}
    newest = max((order.date for order in now.journal), default=date.min)
    for order in now.sent:
        found = journal.get(order.client_order_id)
        if found is not None and abs(found.filled_quantity - order.filled_qty) > SHARES_TOLERANCE:
            yield f"of order {order.client_order_id} {order.filled_qty} filled, {found.filled_quantity} in the journal"
    for order in now.journal:
        if order.date < newest and not OrderState(order.state).is_final and order.portfolio_id != RECORDS:
            yield f"order {order.client_order_id} of {order.date} is still {order.state}"


def check_account(now: Sight) -> Iterator[str]:
    """The journal explains every position, and the books agree with the broker to the cent."""
    yield from (f"the journal does not explain {item}" for item in now.foreign)
    yield from (f"the books differ: {difference}" for difference in now.differences)


def check_sessions(now: Sight) -> Iterator[str]:
    """A session is collected once and has one portfolio; each that is over has the outcome of each run."""
    yield from (f"{day} was collected {count} times" for day, count in Counter(now.collected).items() if count > 1)
    days = Counter(decision.date for decision in now.decisions)
    yield from (f"{day} was decided {count} times" for day, count in days.items() if count > 1)
    decided = {day: [one for one in ids if not is_flatten(one)] for day, ids in now.decided.items()}
    yield from (f"{day} has the portfolios {ids}" for day, ids in decided.items() if len(ids) > 1)
    yield from (f"the orders of {one.date} are not all sent" for one in now.decisions if one.state == "planned")
    last = max((run.session for run in now.runs), default=date.min)
    for run in now.runs:
        if run.session < last and run.outcome == "running":
            yield f"the {run.kind} of {run.session} has no outcome: {run.reason}"


def check_events(now: Sight) -> Iterator[str]:
    """Every event was handled, and none was given up."""
    for service, events in now.inbox.items():
        for event in events:
            if event.state in {"pending", "parked"}:
                yield f"{service} has {event.id} {event.state}: {event.last_error}"
    for service, events in now.outbox.items():
        for event in events:
            if event.state == "parked":
                yield f"{service} gave up sending {event.id}: {event.last_error}"


def check_state(now: Sight) -> Iterator[str]:
    """Every process is healthy, and every file is whole."""
    yield from (f"not ready: {problem}" for problem in now.unready)
    yield from (f"a file is damaged: {problem}" for problem in now.damaged)


def find_forbidden(before: Sight, now: Sight) -> list[str]:
    """Orders that were sent although the trading state at the beginning of a round forbade them."""
    if before.state == TradingState.ACTIVE:
        return []
    known = {order.client_order_id for order in before.sent}
    journal: Mapping[str, JournalOrder] = {order.client_order_id: order for order in now.journal}
    new = [
        journal[one.client_order_id] for one in now.sent if one.client_order_id not in known | (known - set(journal))
    ]
    return [
        f"order {order.client_order_id} was sent while trading was {before.state}"
        for order in new
        if not _is_allowed(order, before)
    ]


def _is_allowed(order: JournalOrder, before: Sight) -> bool:
    if order.leg != "close":
        return False
    return before.state == TradingState.REDUCE_ONLY or (before.flattens and is_flatten(order.portfolio_id))


def find_undone(runs: Sequence[Run], session: date, kinds: Sequence[str]) -> list[str]:
    """The runs of a session that did not succeed."""
    outcomes = {run.kind: run for run in runs if run.session == session}
    missing = [f"{session} has no {kind}" for kind in kinds if kind not in outcomes]
    failed = [run for kind, run in outcomes.items() if kind in kinds and run.outcome not in SUCCESSES]
    return missing + [f"the {run.kind} of {session} is {run.outcome}: {run.reason}" for run in failed]


def find_unhandled(now: Sight, session: date) -> list[str]:
    """The events of a session that were not handled."""
    wanted = [(service, f"{event}:{session.isoformat()}") for service, event in HANDLED]
    handled = {
        (service, event.id) for service, events in now.inbox.items() for event in events if event.state == "handled"
    }
    return [
        f"{service} has not handled {identity}" for service, identity in wanted if (service, identity) not in handled
    ]


def find_not_flat(before: Sight, now: Sight) -> list[str]:
    """What is held after a session that began with everything to be closed, and was not held before."""
    if not (before.flattens and before.state == TradingState.HALTED):
        return []
    opened = sorted(now.held.keys() - before.held.keys())
    return [f"{opened} are held while everything is to be closed"] if opened else []
