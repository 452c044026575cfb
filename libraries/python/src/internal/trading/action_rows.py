"""The journal's rows of a corporate action: the close of what ended, the shares that came, the new ticker."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from internal.dates import previous_session
from internal.trading.action_holdings import ConcernedHolding
from internal.trading.broker_reports import BrokerPosition
from internal.trading.corporate_actions import ENDS_TICKER, CorporateAction
from internal.trading.entries import ROUNDING, opened_date
from internal.trading.enums import Leg, OrderSide, OrderState
from internal.trading.order_planning import client_order_id, own_security_id
from internal.trading.orders import Order
from internal.trading.ports import Journal, TradingPorts

RECORDS = "corporate-actions"
"""The portfolio id of the journal's rows that no decision made."""
WORTHLESS = 0.0001  # dollars a share: the journal's prices are above 0


def is_record(order: Order) -> bool:
    """Whether the row was written for a corporate action and is in force."""
    return order.portfolio_id == RECORDS and order.state is OrderState.FILLED


def is_end(order: Order) -> bool:
    """Whether the row closes what ended: its id says so, whatever the leg of shares that were received."""
    return order.portfolio_id == RECORDS and f"-{Leg.CLOSE}-" in order.client_order_id


def is_rename(order: Order) -> bool:
    """Whether the row says a new ticker and nothing else."""
    return order.portfolio_id == RECORDS and not order.quantity


def row_id(account: str, action: CorporateAction, ticker: str, part: Leg) -> str:
    """The id of a row: a function of the action's kind, ticker and day, so that no row is written twice.

    The part is not the row's leg, which depends on what is held by then.
    """
    name = f"{RECORDS}|{action.kind}|{action.ticker}|{action.effective_date}"
    return client_order_id(account, name, ticker, part, 0)


def list_row_ids(account: str, action: CorporateAction) -> list[str]:
    """The ids of all rows that the action may have."""
    came = [ticker for ticker, _ in action.deliveries] or [action.new_ticker or action.ticker]
    ended = row_id(account, action, action.ticker, Leg.CLOSE)
    return [ended, *(row_id(account, action, ticker, Leg.ADD) for ticker in came)]


def is_recorded(concerned: ConcernedHolding, account: str, journal: Journal) -> bool:
    """Whether the rows of an action that leaves the position as it is are written with the shares of its terms."""
    action = concerned.action
    if action.kind in ENDS_TICKER:
        return False
    expected = [(ticker, received) for ticker, ratio in action.deliveries if (received := concerned.received(ratio))]
    rows = [
        (journal.order(row_id(account, action, ticker, Leg.ADD)), shares)
        for ticker, shares in ([(str(action.new_ticker), 0.0)] if action.is_rename else expected)
    ]
    return all(row is not None and is_record(row) and row.signed_filled_quantity == shares for row, shares in rows)


def make_rows(
    concerned: ConcernedHolding,
    at_broker: Mapping[str, BrokerPosition],
    ports: TradingPorts,
    account: str,
    moment: datetime,
) -> Sequence[Order]:
    """The rows of an action that the broker has carried out."""
    action, prices = concerned.action, {one: at.average_entry_price for one, at in at_broker.items()}
    writer = _RowWriter(concerned, account, moment)
    if action.is_rename:
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
    """Makes the rows of one action."""

    concerned: ConcernedHolding
    account: str
    moment: datetime

    @property
    def _day(self) -> date:
        return self.concerned.action.effective_date

    def end(self, price: float) -> Order:
        """The close of the position at what a share of it brings."""
        one = self.concerned
        return self._row(one.action.ticker, one.security_id, Leg.CLOSE, -one.shares, price, part=Leg.CLOSE)

    def rename(self, ticker: str) -> Order:
        """A row without shares that says under which ticker the security trades from now on."""
        return self._row(ticker, self.concerned.security_id, Leg.ADD, 0.0, 1.0, decided=self._day)

    def receive(self, ticker: str, shares: float, position: BrokerPosition | None, ports: TradingPorts) -> Order:
        """Shares of another security: of one that the fund has already, else a holding that begins with them.

        A security that the fund held before keeps its id, under which the broker's asset is known.
        """
        known = ports.journal.order(row_id(self.account, self.concerned.action, ticker, Leg.ADD))
        if known is not None and is_record(known):
            return self._correct(known, shares)
        asset_id = None if position is None else position.asset_id
        price = (0.0 if position is None else position.average_entry_price) or WORTHLESS
        security = ports.journal.security_of(ticker, asset_id)
        own = self.concerned.count_before(ticker, asset_id, ports)
        if security is None or abs(own) < ROUNDING:
            return self._row(ticker, security or own_security_id(ticker, self._day), Leg.OPEN, shares, price)
        fills = ports.journal.fills(ticker, asset_id)
        is_new = opened_date(fills[0]) == self._day  # a close of that session would belong to what was held before
        shrinks = own * shares < 0 and abs(shares) <= abs(own) and not is_new
        return self._row(ticker, security, Leg.CLOSE if shrinks else Leg.ADD, shares, price)

    def _correct(self, known: Order, shares: float) -> Order:
        """The row after its action's terms were corrected."""
        side = OrderSide.BUY if shares >= 0 else OrderSide.SELL
        corrected = replace(known, side=side, quantity=abs(shares), filled_quantity=abs(shares))
        return replace(corrected, updated_at=self.moment)

    def _row(  # noqa: PLR0913 - the fields of the row
        self,
        ticker: str,
        security: str,
        leg: Leg,
        shares: float,
        price: float,
        *,
        part: Leg = Leg.ADD,
        decided: date | None = None,
    ) -> Order:
        action = self.concerned.action
        return Order(
            portfolio_id=RECORDS,
            date=decided or previous_session(self._day),
            client_order_id=row_id(self.account, action, ticker, part),
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
