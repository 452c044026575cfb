"""What corporate actions did to the fund's positions, written to the journal once the broker has carried it out.

The journal then explains what the account holds: shares that were received are an opening or an addition, a position
that ended is a close, and a new ticker is a row without shares. Splits and stock dividends need no row: they change
the count of every fill before them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import copysign

from internal.action_kinds import ActionKind
from internal.dates import exchange_day, previous_session
from internal.trading.corporate_actions import ENDS_TICKER, GIVES_BESIDE, CorporateAction
from internal.trading.entries import ROUNDING, EntryMemory, opened_date, resize_shares
from internal.trading.enums import Leg, OrderSide, OrderState
from internal.trading.held_securities import HeldSecurity, list_held_splits
from internal.trading.order_planning import client_order_id, own_security_id
from internal.trading.ports import Journal, TradingPorts
from internal.trading.position_attribution import SHARE
from internal.trading.rows import BrokerPosition, Order, RebalanceRun

RECORDS = "corporate-actions"
"""The portfolio id of the journal's rows that no decision made."""
LOOK_BACK = timedelta(days=60)  # how late a broker, or the data service, may be with an action
WORTHLESS = 0.0001  # dollars a share: the journal's prices are above 0
ORDER_OF_A_DAY = {kind: place for place, kind in enumerate(ActionKind)}
RECORDED = ENDS_TICKER | GIVES_BESIDE | {ActionKind.NAME_CHANGE}


@dataclass(frozen=True, slots=True)
class _Concerned:
    """A corporate action of a security that the fund held.

    Attributes:
        action: The action.
        security_id: The permanent id of the security.
        shares: Signed shares that the fund held before it.
    """

    action: CorporateAction
    security_id: str
    shares: float

    def received(self, ratio: float) -> float:
        """Signed shares of another security: whole positions receive whole shares, the rest is paid in cash."""
        return resize_shares(self.shares, ratio)


def record_corporate_actions(ports: TradingPorts, account: str, moment: datetime) -> None:
    """Write a row for each change that the broker has carried out; asked again, nothing changes.

    An action that the broker has not carried out yet is left for the next reconciliation. Raises StandbyError when the
    lease was lost.
    """
    if ports.journal.last_run() is None:
        return
    first = exchange_day(moment) - LOOK_BACK
    actions = [one for one in ports.data.corporate_actions(first, exchange_day(moment)) if one.kind in RECORDED]
    if not any(ports.journal.fills(action.ticker) for action in actions):
        return
    at_broker = {position.ticker: position for position in ports.broker.positions()}
    for action in sorted(actions, key=_carried_out):  # one after the other: a name may change twice
        concerned = _find_concerned(action, ports)
        if concerned is None or not _is_carried_out(concerned, at_broker, ports):
            continue
        rows = _rows(concerned, at_broker, ports, account, moment)
        if new := [row for row in rows if ports.journal.order(row.client_order_id) is None]:
            ports.lease.require()
            ports.journal.save_orders(new)


def describe_records(journal: Journal, run: RebalanceRun | None) -> list[str]:
    """One sentence for each row that was written since the run, or ever."""
    new = [row for row in journal.of(RECORDS) if run is None or row.updated_at > run.created_at]
    return [
        f"{row.reason}: {f'{row.signed_filled_quantity:+g}' if row.quantity else 'now'} {row.ticker}" for row in new
    ]


def _carried_out(action: CorporateAction) -> tuple[date, int]:
    """The order in which the broker carries actions out: those of a day by kind, name changes last."""
    return action.effective_date, ORDER_OF_A_DAY[action.kind]


def _find_concerned(action: CorporateAction, ports: TradingPorts) -> _Concerned | None:
    """The action with the fund's shares before it, after splits of its day; None where the fund held nothing of it.

    A position ends once: an end that the data service states again in another kind, or on an earlier day, is that end.
    """
    security, every = ports.journal.security_of(action.ticker), ports.journal.fills(action.ticker)
    if security is None or (action.kind in ENDS_TICKER and any(_is_end(one) for one in every)):
        return None
    fills = [one for one in every if _comes_before(one, action)]
    shares = _count_shares(action.ticker, security, fills, action.effective_date, ports)
    return _Concerned(action, security, shares) if abs(shares) > ROUNDING else None


def _comes_before(order: Order, action: CorporateAction) -> bool:
    """Whether the action concerns the order's shares; an end or a new name also what another one brought on its day."""
    filled = opened_date(order)
    is_received = order.portfolio_id == RECORDS and filled == action.effective_date
    return filled < action.effective_date or (is_received and action.kind not in GIVES_BESIDE)


def _is_end(order: Order) -> bool:
    """Whether the row is what `_RowWriter.end` wrote: its id says so, whatever the leg of shares that were received."""
    return order.portfolio_id == RECORDS and f"-{Leg.CLOSE}-" in order.client_order_id


def _count_shares(ticker: str, security: str, fills: Sequence[Order], last: date, ports: TradingPorts) -> float:
    """Signed shares that the security's fills have come to, after the splits up to the last day."""
    if not fills:
        return 0.0
    held = {ticker: HeldSecurity(security, tuple(fills), ports.journal.names(security))}
    splits = list_held_splits(held, ports.data.corporate_actions(opened_date(fills[0]), last))
    return EntryMemory().sum_shares(tuple(fills), tuple(splits))


def _count_own(ticker: str, asset_id: str | None, last: date, ports: TradingPorts) -> float:
    """Signed shares that the fund has of what trades under the ticker."""
    security = ports.journal.security_of(ticker, asset_id)
    return (
        0.0 if security is None else _count_shares(ticker, security, ports.journal.fills(ticker, asset_id), last, ports)
    )


def _is_carried_out(concerned: _Concerned, at_broker: Mapping[str, BrokerPosition], ports: TradingPorts) -> bool:
    """Whether the account shows what the action leads to."""
    action = concerned.action
    if action.kind is ActionKind.NAME_CHANGE:
        return action.ticker not in at_broker and action.new_ticker in at_broker
    if action.kind in ENDS_TICKER and all(ticker != action.ticker for ticker, _ in action.deliveries):
        return action.ticker not in at_broker
    return all(
        _has_arrived(concerned, ticker, ratio, at_broker.get(ticker), ports) for ticker, ratio in action.deliveries
    )


def _has_arrived(
    concerned: _Concerned, ticker: str, ratio: float, position: BrokerPosition | None, ports: TradingPorts
) -> bool:
    """Whether the account holds what was received beside what the fund had of it before."""
    asset_id, held = (None, 0.0) if position is None else (position.asset_id, position.quantity)
    own = _count_own(ticker, asset_id, concerned.action.effective_date, ports)
    expected = own + concerned.received(ratio)
    return copysign(1, held) == copysign(1, expected) and abs(held) > abs(expected) - SHARE


def _rows(
    concerned: _Concerned, at_broker: Mapping[str, BrokerPosition], ports: TradingPorts, account: str, moment: datetime
) -> list[Order]:
    """The journal's rows of an action."""
    action, prices = concerned.action, {one: at.average_entry_price for one, at in at_broker.items()}
    writer = _RowWriter(concerned, account, moment)
    if action.kind is ActionKind.NAME_CHANGE:
        return [writer.rename(str(action.new_ticker))]
    rows = [writer.end(_worth(action, prices))] if action.kind in ENDS_TICKER else []
    for ticker, ratio in action.deliveries:
        if received := concerned.received(ratio):
            rows.append(writer.receive(ticker, received, at_broker.get(ticker), ports))
    return rows


def _worth(action: CorporateAction, prices: Mapping[str, float]) -> float:
    """Dollars that a share of the position that ends brings."""
    shares = sum(ratio * prices.get(ticker, 0.0) for ticker, ratio in action.deliveries)
    return shares + (action.cash_amount or 0.0) or WORTHLESS


@dataclass(frozen=True, slots=True)
class _RowWriter:
    """Makes the rows of one action; their ids are functions of its terms, so that no row is written twice."""

    concerned: _Concerned
    account: str
    moment: datetime

    def end(self, price: float) -> Order:
        """The close of the position at what a share of it brings."""
        one = self.concerned
        return self._row(one.action.ticker, one.security_id, Leg.CLOSE, -one.shares, price)

    def rename(self, ticker: str) -> Order:
        """A row without shares that says under which ticker the security trades from now on."""
        return self._row(ticker, self.concerned.security_id, Leg.ADD, 0.0, 1.0, is_rename=True)

    def receive(self, ticker: str, shares: float, position: BrokerPosition | None, ports: TradingPorts) -> Order:
        """Shares of another security: of one that the fund has already, else a holding that begins with them.

        A security that the fund held before keeps its id, under which the broker's asset is known.
        """
        asset_id = None if position is None else position.asset_id
        price = (0.0 if position is None else position.average_entry_price) or WORTHLESS
        day, security = self.concerned.action.effective_date, ports.journal.security_of(ticker, asset_id)
        own, fills = _count_own(ticker, asset_id, day, ports), ports.journal.fills(ticker, asset_id)
        if security is None or abs(own) < ROUNDING:
            return self._row(ticker, security or own_security_id(ticker, day), Leg.OPEN, shares, price)
        is_new = opened_date(fills[0]) == day  # a close of that session would belong to what was held before
        shrinks = own * shares < 0 and abs(shares) <= abs(own) and not is_new
        return self._row(ticker, security, Leg.CLOSE if shrinks else Leg.ADD, shares, price)

    def _row(  # noqa: PLR0913 - the fields of the row
        self, ticker: str, security: str, leg: Leg, shares: float, price: float, *, is_rename: bool = False
    ) -> Order:
        action = self.concerned.action
        name = f"{RECORDS}|{action.kind}|{action.ticker}|{action.effective_date}"
        part = Leg.CLOSE if ticker == action.ticker else Leg.ADD  # not the leg, which depends on what is held by then
        day = action.effective_date if is_rename else previous_session(action.effective_date)
        return Order(
            portfolio_id=RECORDS,
            date=day,
            client_order_id=client_order_id(self.account, name, ticker, part, 0),
            ticker=ticker,
            side=OrderSide.BUY if shares >= 0 else OrderSide.SELL,
            leg=leg,
            quantity=abs(shares),
            reference_price=price,
            reason=f"{action.kind.replace('_', ' ')} of {self.concerned.shares:g} {action.ticker}",
            updated_at=self.moment,
            state=OrderState.FILLED,
            filled_quantity=abs(shares),
            filled_average_price=price if shares else None,
            security_id=security,
        )
