"""What corporate actions did to the fund's positions, written to the journal once the broker has carried it out.

The journal then explains what the account holds: shares that were received are an opening or an addition, a position
that ended is a close, and a new ticker is a row without shares. Splits and stock dividends need no row: they change
the count of every fill before them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import copysign, trunc

from internal.action_kinds import ActionKind
from internal.dates import exchange_day, previous_session
from internal.trading.corporate_actions import ENDS_TICKER, GIVES_BESIDE, CorporateAction
from internal.trading.entries import ROUNDING, opened_date
from internal.trading.enums import Leg, OrderSide, OrderState
from internal.trading.held_securities import HeldSecurity, list_held_splits
from internal.trading.order_planning import client_order_id, own_security_id
from internal.trading.ports import Journal, TradingPorts
from internal.trading.position_attribution import SHARE
from internal.trading.rows import BrokerPosition, Order, RebalanceRun, Split

RECORDS = "corporate-actions"
"""The portfolio id of the journal's rows that no decision made."""
LOOK_BACK = timedelta(days=60)  # how late a broker, or the data service, may be with an action
WORTHLESS = 0.0001  # dollars a share: the journal's prices are above 0
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
        return _split_shares(self.shares, ratio)


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
    for action in actions:  # one after the other: a name may change twice
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


def _find_concerned(action: CorporateAction, ports: TradingPorts) -> _Concerned | None:
    """The action with the fund's shares before it; None where the fund held nothing of its ticker.

    A position ends once: an end that the data service states again in another kind, or on an earlier day, is that end.
    """
    security, every = ports.journal.security_of(action.ticker), ports.journal.fills(action.ticker)
    if security is None or (action.kind in ENDS_TICKER and any(_is_end(one) for one in every)):
        return None
    fills = tuple(one for one in every if opened_date(one) < action.effective_date)
    shares = _count_shares(action.ticker, security, fills, action, ports)
    return _Concerned(action, security, shares) if abs(shares) > ROUNDING else None


def _is_end(order: Order) -> bool:
    """Whether the row is what `_RowWriter.end` wrote: its id says so, whatever the leg of shares that were received."""
    return order.portfolio_id == RECORDS and f"-{Leg.CLOSE}-" in order.client_order_id


def _count_shares(
    ticker: str, security: str, fills: tuple[Order, ...], until: CorporateAction, ports: TradingPorts
) -> float:
    """Signed shares that the fills have come to before the action."""
    if not fills:
        return 0.0
    last = until.effective_date - timedelta(days=1)
    held = {ticker: HeldSecurity(security, fills, ports.journal.names(security))}
    splits = list_held_splits(held, ports.data.corporate_actions(opened_date(fills[0]), last))
    return _fill_and_split(fills, splits)


def _fill_and_split(fills: Iterable[Order], splits: Iterable[Split]) -> float:
    """Signed shares after all of them: at each split a whole position stays whole, the rest is paid in cash."""
    shares, left = 0.0, sorted(splits, key=lambda split: split.execution_date)
    for order in sorted(fills, key=lambda order: order.date):
        while left and left[0].execution_date <= opened_date(order):  # a split comes before the open
            shares = _split_shares(shares, left.pop(0).shares)
        shares += order.signed_filled_quantity
    for split in left:
        shares = _split_shares(shares, split.shares)
    return shares


def _split_shares(shares: float, ratio: float) -> float:
    exact = shares * ratio
    return float(trunc(exact + copysign(ROUNDING, exact))) if shares.is_integer() else exact


def _is_carried_out(concerned: _Concerned, at_broker: Mapping[str, BrokerPosition], ports: TradingPorts) -> bool:
    """Whether the account shows what the action leads to."""
    action = concerned.action
    if action.kind is ActionKind.NAME_CHANGE:
        return action.ticker not in at_broker and action.new_ticker in at_broker
    if action.kind in ENDS_TICKER and all(ticker != action.ticker for ticker, _ in action.deliveries):
        return action.ticker not in at_broker
    return all(_has_arrived(ticker, concerned.received(ratio), at_broker, ports) for ticker, ratio in action.deliveries)


def _has_arrived(ticker: str, received: float, at_broker: Mapping[str, BrokerPosition], ports: TradingPorts) -> bool:
    """Whether the account holds what was received beside what the fund had of it before."""
    own = sum(order.signed_filled_quantity for order in ports.journal.fills(ticker))
    expected = own + received
    held = at_broker[ticker].quantity if ticker in at_broker else 0.0
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
            rows.append(writer.receive(ticker, received, at_broker.get(ticker), ports.journal))
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

    def receive(self, ticker: str, shares: float, position: BrokerPosition | None, journal: Journal) -> Order:
        """Shares of another security: of one that the fund has already, else a holding that begins with them.

        A security that the fund held before keeps its id, under which the broker's asset is known.
        """
        asset_id = None if position is None else position.asset_id
        price = (0.0 if position is None else position.average_entry_price) or WORTHLESS
        own = sum(order.signed_filled_quantity for order in journal.fills(ticker, asset_id))
        security = journal.security_of(ticker, asset_id)
        if security is None or abs(own) < ROUNDING:
            security = security or own_security_id(ticker, self.concerned.action.effective_date)
            return self._row(ticker, security, Leg.OPEN, shares, price)
        shrinks = own * shares < 0 and abs(shares) <= abs(own)
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
