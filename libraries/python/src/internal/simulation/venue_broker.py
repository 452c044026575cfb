"""The port `Broker` on a venue in this process."""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

from internal.books.share_movements import list_share_movements
from internal.dates import previous_session
from internal.simulation.charged_costs import ChargedCosts
from internal.simulation.venue_activities import make_activity
from internal.trading.assets import Assets
from internal.trading.broker_reports import Account, BrokerOrder, BrokerPosition, Costs
from internal.trading.enums import OrderSide, OrderState
from internal.trading.orders import OrderRequest
from internal.trading.ports import RefusedOrderError
from internal.trading.share_movements import ShareMovement
from internal.venue.clock import Phase
from internal.venue.core import ExchangeCore
from internal.venue.history import ActivityType
from internal.venue.margin_account import MarginAccount, Position, buying_power, margin_multiplier
from internal.venue.market.protocol import Market
from internal.venue.orders import Order, OrderStatus, OrderType, Side, TimeInForce
from internal.venue.orders import OrderRequest as VenueRequest
from internal.venue.rejections import RequestRefusedError
from internal.venue.repository import HistoryQuery, OrderQuery, VenueRepository

MOVE_SHARES = frozenset(
    {
        *(ActivityType.SPLIT, ActivityType.SPIN_OFF, ActivityType.MERGER, ActivityType.REORGANIZATION),
        ActivityType.DIVIDEND,  # in stock
    }
)
STATES = {
    OrderStatus.FILLED: OrderState.FILLED,
    OrderStatus.PARTIALLY_FILLED: OrderState.PARTIALLY_FILLED,
    OrderStatus.CANCELED: OrderState.CANCELED,
    OrderStatus.EXPIRED: OrderState.CANCELED,
    OrderStatus.REJECTED: OrderState.REJECTED,
}


class VenueBroker:
    """Answers as the broker would, without a request: the venue's orders and account as the rows of the trading core.

    Args:
        core: The venue.
        market: Its market.
        repository: Where the venue stores what happened.
    """

    def __init__(self, core: ExchangeCore, market: Market, repository: VenueRepository) -> None:
        self._core, self._market, self._repository = core, market, repository
        self._costs = ChargedCosts(repository)
        lives = market.listings(market.sessions()[-1])
        dates = {day for one in lives for day in (one.listed_date, one.delisted_date) if day}
        self._listing_changes = sorted(dates | {period.start_date for one in lives for period in one.tickers})
        self._assets: dict[int, Assets] = {}
        self._positions_of: MarginAccount | None = None
        self._positions: Sequence[BrokerPosition] = ()

    def moment(self) -> datetime:
        """The venue's clock."""
        return self._core.state.moment

    def account(self) -> Account:
        """Totals, and whether trading is switched off."""
        state = self._core.state
        held, settings = state.account, state.settings
        return Account(
            account_id=state.identity.account_id,
            halted="trading is suspended" if settings.suspend_trade else None,
            net_asset_value=float(held.equity),
            cash=float(held.cash),
            buying_power=float(buying_power(held, state.open_orders.values(), settings.margin_multiplier)),
            long_market_value=float(held.long_market_value),
            short_market_value=float(held.short_market_value),
            shorting_enabled=not settings.no_shorting and margin_multiplier(held, settings.margin_multiplier) > 1,
        )

    def positions(self) -> Sequence[BrokerPosition]:
        """All positions, sorted by ticker; made again only when the account has changed."""
        account = self._core.state.account
        if account is not self._positions_of:
            self._positions_of, self._positions = account, self._read_positions(account)
        return self._positions

    def _read_positions(self, account: MarginAccount) -> list[BrokerPosition]:
        reading = self._core.clock.reading()
        day = previous_session(reading.session) if reading.phase is Phase.PRE_OPEN else reading.session
        listings = {ticker: self._market.listing(ticker, day) for ticker in sorted(account.positions)}
        return [
            _broker_position(account.positions[ticker], None if listing is None else listing.security_id)
            for ticker, listing in listings.items()
        ]

    def assets(self) -> Assets:
        """What is listed, and what of it can be borrowed; made again only when a listing or a name began or ended."""
        day = self._core.clock.last_closed_session()
        changes = bisect_right(self._listing_changes, day)
        if changes not in self._assets:
            self._assets = {changes: self._find_assets(day)}
        return self._assets[changes]

    def _find_assets(self, day: date) -> Assets:
        listed = [one for one in self._market.listings(day) if one.is_active(day)]
        shortable = frozenset(one.ticker for one in listed if one.shortable and one.easy_to_borrow)
        rates = {one.ticker: one.borrow_rate for one in listed if one.ticker in shortable}
        return Assets(frozenset(one.ticker for one in listed), shortable, rates)

    def open_orders(self) -> Sequence[BrokerOrder]:
        """Orders that may still fill."""
        return [_broker_order(order) for order in self._core.state.open_orders.values()]

    def orders_since(self, moment: datetime) -> Sequence[BrokerOrder]:
        """All orders submitted after the moment, oldest first."""
        return [_broker_order(order) for order in self._repository.find_orders(OrderQuery(after=moment))]

    def order(self, client_order_id: str) -> BrokerOrder | None:
        """The order under that id."""
        order = self._repository.order_by_client_id(client_order_id)
        return None if order is None else _broker_order(order)

    def order_by_id(self, broker_order_id: str) -> BrokerOrder | None:
        """The order of the venue's own id."""
        order = self._repository.order(broker_order_id)
        return None if order is None else _broker_order(order)

    def submit(self, request: OrderRequest) -> BrokerOrder:
        """Send once; an id that is there already is answered with its order."""
        asked = VenueRequest(
            ticker=request.ticker,
            side=Side(request.side),
            type=OrderType.MARKET,
            time_in_force=TimeInForce(request.time_in_force),
            quantity=Decimal(repr(request.quantity)),
            notional=None,
            limit_price=None,
            client_order_id=request.client_order_id,
            position_intent=None,
        )
        try:
            return _broker_order(self._core.submit(asked))
        except RequestRefusedError as refusal:
            found = self.order(request.client_order_id)
            if found is None:
                raise RefusedOrderError(refusal.message) from refusal
            return found

    def cancel(self, broker_order_id: str) -> None:
        """Cancel the rest of an order; one that is final already stays as it is."""
        order = self._repository.order(broker_order_id)
        if order is not None and order.is_open:
            self._core.cancel(broker_order_id)

    def costs(self, after: date) -> Costs:
        """Fees and borrow cost of the days after that one; only what is new is read."""
        return self._costs.read(after)

    def share_movements(self, after: date) -> Sequence[ShareMovement]:
        """Shares that corporate actions brought or took on the days after that one."""
        rows = self._repository.find_history(HistoryQuery(types=MOVE_SHARES))
        return list_share_movements(map(make_activity, rows), after)


def _broker_position(held: Position, asset_id: str | None) -> BrokerPosition:
    return BrokerPosition(
        ticker=held.ticker,
        quantity=float(held.quantity),
        average_entry_price=float(held.average_entry_price),
        current_price=float(held.mark_price),
        market_value=float(held.market_value),
        unrealized_profit=float(held.market_value - held.cost_basis),
        asset_id=asset_id,
    )


def _broker_order(order: Order) -> BrokerOrder:
    return BrokerOrder(
        client_order_id=order.client_order_id,
        broker_order_id=order.id,
        ticker=order.ticker,
        side=OrderSide(order.side),
        state=STATES.get(order.status, OrderState.SUBMITTED),
        quantity=float(order.quantity or 0),
        filled_quantity=float(order.filled_quantity),
        filled_average_price=None if order.filled_average_price is None else float(order.filled_average_price),
        submitted_at=order.submitted_at,
        replaced_by=order.replaced_by,
        replaces=order.replaces,
        asset_id=order.security_id,
        filled_at=order.filled_at,
    )
