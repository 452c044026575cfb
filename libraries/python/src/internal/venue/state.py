"""The venue as a value: everything that its next decision depends on, and what one request or step changed."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal

from internal.dates import session_close
from internal.venue.account_settings import AccountSettings
from internal.venue.charges import Trade
from internal.venue.clock import Auction
from internal.venue.history import HistoryRow
from internal.venue.identity import account_id
from internal.venue.margin_account import MarginAccount
from internal.venue.market.protocol import Market, market_name
from internal.venue.orders import Order


@dataclass(frozen=True, slots=True)
class AccountIdentity:
    """What never changes about the account: its id, its market, its opening moment (UTC) and cash in dollars."""

    account_id: str
    market: str
    created_at: datetime
    opening_cash: Decimal


@dataclass(frozen=True, slots=True)
class VenueState:
    """The venue at one moment.

    `open_orders` are those that can still fill, by sequence, oldest first. `session_trades` are the fills since the
    session's open, which its close charges fees on. `last_order` and `last_row` number the newest order and the newest
    row of history, 0 before the first.
    """

    identity: AccountIdentity
    moment: datetime
    account: MarginAccount
    settings: AccountSettings = field(default_factory=AccountSettings)
    open_orders: Mapping[int, Order] = field(default_factory=dict[int, Order])
    last_order: int = 0
    last_submitted_at: datetime | None = None
    last_row: int = 0
    session_trades: tuple[Trade, ...] = ()

    def with_order(self, order: Order) -> "VenueState":
        """The state after an order was put: a new one, or a new version of an open one."""
        orders = dict(self.open_orders)
        orders[order.sequence] = order
        if not order.is_open:
            del orders[order.sequence]
        if order.sequence <= self.last_order:
            return replace(self, open_orders=orders)
        return replace(self, open_orders=orders, last_order=order.sequence, last_submitted_at=order.submitted_at)


@dataclass(frozen=True, slots=True)
class SessionEvent:
    """A session's open or close, for subscribers to be notified of."""

    auction: Auction
    session: date


@dataclass(frozen=True, slots=True)
class EquityPoint:
    """The account's equity, dollars, right after a session's open or close."""

    moment: datetime
    equity: Decimal


@dataclass(frozen=True, slots=True)
class VenueChange:
    """What one request or one step did, to be stored whole or not at all.

    `orders` are new or changed, `history` is appended, `used_faults` names a market fault once for each time it struck.
    """

    before: VenueState | None
    after: VenueState
    orders: tuple[Order, ...] = ()
    history: tuple[HistoryRow, ...] = ()
    event: SessionEvent | None = None
    used_faults: tuple[int, ...] = ()

    @property
    def equity_point(self) -> EquityPoint | None:
        """The equity to remember: that of a fresh account, and after each open and close."""
        if self.before is not None and self.event is None:
            return None
        return EquityPoint(self.after.moment, self.after.account.equity)


def open_account(market: Market, cash: Decimal) -> VenueState:
    """A fresh account with `cash` dollars at the close of the market's opening session."""
    name, moment = market_name(market), session_close(market.opening_session())
    identity = AccountIdentity(account_id(name), name, moment, cash)
    return VenueState(identity, moment, MarginAccount(cash, cash))
