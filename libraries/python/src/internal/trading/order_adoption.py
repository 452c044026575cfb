"""Own orders that the journal lacks are written to it again: the lake was restored from an older copy.

An order's id is a function of account, portfolio, ticker, leg and revision, and a portfolio's of strategy, account and
session: whether an order of the broker is the fund's own can be computed.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import product

from internal.dates import exchange_day, last_closed_session, next_session, previous_session
from internal.errors import ConflictError
from internal.trading.broker_reports import Account, BrokerOrder
from internal.trading.corporate_actions import list_splits
from internal.trading.entries import EntryMemory, opened_date, split_ratio
from internal.trading.enums import Action, Adjustment, ForeignKind, Leg, RunState
from internal.trading.foreign_items import ForeignItem
from internal.trading.order_planning import FLATTEN, client_order_id, own_security_id, portfolio_id
from internal.trading.order_submission import record_answer
from internal.trading.orders import Order
from internal.trading.portfolio import Portfolio, PortfolioRow
from internal.trading.ports import TradingPorts
from internal.trading.position_attribution import SHARE, group_by_ticker
from internal.trading.runs import RebalanceRun
from internal.trading.splits import Split
from internal.trading.strategy import StrategyRecord

ID_PATTERN = re.compile(r"^[A-Za-z0-9]*-(?P<leg>open|add|close)-(?P<revision>\d+)-[0-9a-f]{16}$")
ADOPTED = "written again from the broker: the journal lacked it"
UNKNOWN_VERSION = "unknown"


@dataclass(frozen=True, slots=True)
class _OwnOrder:
    """A broker's order that the fund sent, and what its id is made of."""

    found: BrokerOrder
    strategy: str
    portfolio_id: str
    day: date
    leg: Leg
    revision: int

    def shares_after(self, splits: Iterable[Split]) -> float:
        """The signed shares that its fill has become through the splits of its ticker."""
        return self.found.signed_filled_quantity * split_ratio(splits, next_session(self.day))


def adopt_own_orders(
    ports: TradingPorts, strategy: StrategyRecord, account: Account, recent: Mapping[str, BrokerOrder], moment: datetime
) -> None:
    """Write own orders that the broker has and the journal lacks to the journal, with their runs and portfolios.

    Own are the orders of the strategy, of every strategy that a run of the journal was decided by, and of flattening.
    recent: the broker's orders since the journal's last run, by id. A journal without any run takes of all orders
    those that are open, and those that explain a position exactly. Raises ConflictError when neither bars nor a fill
    say at which price an order was decided.
    """
    unknown = [
        order
        for identity, order in recent.items()
        if ID_PATTERN.match(identity) and ports.journal.order(identity) is None
    ]
    names = {strategy.name, FLATTEN, *(run.policy for run in ports.journal.runs())} if unknown else set[str]()
    own = [one for order in unknown if (one := _recognize(order, names, account)) is not None]
    if own and ports.journal.last_run() is None:
        own = _explaining_positions(own, ports, moment)
    for identity in sorted({one.portfolio_id for one in own}):
        _adopt(ports, [one for one in own if one.portfolio_id == identity], moment)


def require_recognized_orders(foreign: Iterable[ForeignItem]) -> None:
    """Raise ConflictError while an open order of the account has an id of the fund's, and no known strategy gave it."""
    open_ids = [item.client_order_id or "" for item in foreign if item.kind is ForeignKind.ORDER]
    if own := sorted(identity for identity in open_ids if ID_PATTERN.match(identity)):
        raise ConflictError(
            f"open orders have ids of the fund's, and the journal lacks them ({', '.join(own)}): it was restored "
            "from an older copy, and a strategy that it does not name sent them. Nothing is decided. Start with that "
            "strategy and POST /reconciliations, which writes them to the journal, or cancel them at the broker; then "
            "try again"
        )


def _explaining_positions(own: Sequence[_OwnOrder], ports: TradingPorts, moment: datetime) -> list[_OwnOrder]:
    """The open ones, and by ticker the last opening from flat with all since, where their fills are what is held."""
    first = next_session(min(one.day for one in own))
    splits = group_by_ticker(list_splits(ports.data.corporate_actions(first, max(first, exchange_day(moment)))))
    explaining: list[_OwnOrder] = []
    for position in ports.broker.positions():
        since = _fills_since_opening([one for one in own if one.found.ticker == position.ticker])
        shares = sum(one.shares_after(splits.get(position.ticker, [])) for one in since)
        if since and abs(shares - position.quantity) < SHARE:
            explaining += since
    return [one for one in own if one in explaining or not one.found.state.is_final]


def _fills_since_opening(own: Iterable[_OwnOrder]) -> list[_OwnOrder]:
    """A ticker's orders with a fill since the last that opened it from flat; none without such an opening."""
    filled = [one for one in own if one.found.filled_quantity]
    opened = max((one.day for one in filled if one.leg is Leg.OPEN), default=date.max)
    return [one for one in filled if one.day > opened or (one.day == opened and one.leg is Leg.OPEN)]


def _recognize(order: BrokerOrder, strategies: Iterable[str], account: Account) -> _OwnOrder | None:
    """What the order is, if its id is one that the fund gives; the session is that of its submission, or one before."""
    match = ID_PATTERN.match(order.client_order_id)
    if match is None:
        return None
    leg, revision = Leg(match["leg"]), int(match["revision"])
    closed = last_closed_session(order.submitted_at)
    for day, strategy in product((closed, previous_session(closed)), strategies):
        identity = portfolio_id(strategy, account.account_id, day)
        if client_order_id(account.account_id, identity, order.ticker, leg, revision) == order.client_order_id:
            return _OwnOrder(order, strategy, identity, day, leg, revision)
    return None


def _adopt(ports: TradingPorts, own: Sequence[_OwnOrder], moment: datetime) -> None:
    """Write portfolio, run and orders, the orders last: as long as one is missing, they are adopted again."""
    first = own[0]
    closes = ports.data.closes(sorted({one.found.ticker for one in own}), first.day)
    orders = [_journal_order(one, closes.get(one.found.ticker), moment) for one in own]
    ports.lease.require()
    if ports.portfolios.find(first.portfolio_id) is None:
        rows = _portfolio_rows(orders, ports)
        ports.portfolios.save(Portfolio(first.portfolio_id, first.day, rows, UNKNOWN_VERSION, -1))
    if ports.journal.run(first.portfolio_id) is None:
        note = f"{len(own)} orders were written again from the broker: the journal was restored from an older copy"
        ports.journal.save_runs(
            [
                RebalanceRun(
                    portfolio_id=first.portfolio_id,
                    date=first.day,
                    state=RunState.SUBMITTED,
                    policy=first.strategy,
                    model_version=UNKNOWN_VERSION,
                    bars_version=-1,
                    notes=(note,),
                    created_at=min(one.found.submitted_at for one in own),
                    updated_at=moment,
                    lease_number=ports.lease.require(),
                )
            ]
        )
    ports.journal.save_orders(orders)


def _journal_order(one: _OwnOrder, close: float | None, moment: datetime) -> Order:
    price = close if close is not None else one.found.filled_average_price
    if price is None:
        raise ConflictError(
            f'there are no bars of {one.day}: POST /equity-bars {{"date": "{one.day}"}} to datamanager, then try '
            f"again; the journal lacks {one.found.client_order_id}, which is at the broker"
        )
    adjustment = Adjustment.CUT if one.leg.opens else Adjustment.TRIM
    planned = Order(
        portfolio_id=one.portfolio_id,
        date=one.day,
        client_order_id=one.found.client_order_id,
        ticker=one.found.ticker,
        side=one.found.side,
        leg=one.leg,
        quantity=one.found.quantity,
        reference_price=price,
        reason=ADOPTED,
        updated_at=moment,
        adjustment=adjustment if one.revision else Adjustment.NONE,
        security_id=own_security_id(one.found.ticker, next_session(one.day)) if one.leg is Leg.OPEN else None,
    )
    return record_answer(planned, one.found, moment)


def _portfolio_rows(orders: Iterable[Order], ports: TradingPorts) -> tuple[PortfolioRow, ...]:
    """A row for each name that was traded, as far as the orders say; names that were kept are not in them."""
    last = {order.ticker: order for order in sorted(orders, key=lambda order: order.client_order_id)}
    return tuple(_portfolio_row(last[ticker], _shares_before(last[ticker], ports)) for ticker in sorted(last))


def _shares_before(order: Order, ports: TradingPorts) -> float:
    """Shares that the fund held of the order's name when it was decided, as far as the journal says."""
    fills = tuple(one for one in ports.journal.fills(order.ticker) if one.date < order.date)
    if order.leg is Leg.OPEN or not fills:
        return 0.0
    splits = list_splits(ports.data.corporate_actions(opened_date(fills[0]), order.date))
    own = [split for split in splits if split.ticker == order.ticker]
    return abs(EntryMemory().sum_shares(fills, tuple(own)))


def _portfolio_row(order: Order, before: float) -> PortfolioRow:
    held = before if order.leg.opens else max(before, order.quantity)
    quantity = held + order.quantity if order.leg.opens else held - order.quantity
    of_held = Action.HOLD if quantity else Action.CLOSE
    return PortfolioRow(
        ticker=order.ticker,
        side=order.position_side,
        action=of_held if held else Action.OPEN,
        held=held,
        quantity=quantity,
        reference_price=order.reference_price,
        opened_date=opened_date(order),
        entry_price=order.reference_price,
        band=None,
        frozen=False,
        reason=ADOPTED,
        security_id=order.security_id,
    )
