# pyright: reportUnknownMemberType=false
# alpaca-py is partly typed
"""Alpaca, or the simulated exchange that speaks its API, as the port `Broker`."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from http import HTTPStatus

from alpaca.trading.enums import OrderSide as AlpacaSide
from alpaca.trading.enums import QueryOrderStatus
from alpaca.trading.enums import TimeInForce as AlpacaTimeInForce
from alpaca.trading.requests import MarketOrderRequest

from internal.books.activities import Activity
from internal.books.share_movements import list_share_movements
from internal.errors import UnavailableError, UnresolvedOrderError, UpstreamError
from internal.trading.assets import Assets
from internal.trading.broker_history import BEGINNING
from internal.trading.broker_reports import Account, BrokerOrder, BrokerPosition, Costs
from internal.trading.enums import OrderSide, OrderState
from internal.trading.orders import OrderRequest
from internal.trading.share_movements import ShareMovement
from portfoliomanager.adapters.alpaca_activities import AlpacaActivities
from portfoliomanager.adapters.alpaca_fields import (
    Body,
    as_object,
    as_objects,
    flag,
    number,
    optional_number,
    optional_text,
    read_moment,
    text,
)
from portfoliomanager.adapters.alpaca_transport import (
    BrokerRefusal,
    DuplicateOrderError,
    PatientTradingClient,
    read,
    read_once,
    send,
)

TIMEOUT_SECONDS = 10.0
ORDER_PAGE = 500  # the most that Alpaca gives
REPLACED = "replaced"
STATES = {
    "filled": OrderState.FILLED,
    "partially_filled": OrderState.PARTIALLY_FILLED,
    "canceled": OrderState.CANCELED,
    "expired": OrderState.CANCELED,
    "rejected": OrderState.REJECTED,
    REPLACED: OrderState.CANCELED,  # without a successor: nothing of it can fill any more
    **dict.fromkeys(
        (
            *("new", "accepted", "pending_new", "accepted_for_bidding", "held", "stopped", "suspended"),
            *("calculated", "done_for_day", "pending_cancel", "pending_replace", "pending_review"),
        ),
        OrderState.SUBMITTED,
    ),
}  # any other word is an unknown state: unresolved
NOT_TRADING = frozenset(
    {
        *("ONBOARDING", "SUBMISSION_FAILED", "SUBMITTED", "ACCOUNT_UPDATED", "APPROVAL_PENDING", "REJECTED"),
        *("INACTIVE", "DISABLED", "DISABLE_PENDING", "ACCOUNT_CLOSED", "AML_REVIEW", "ACTION_REQUIRED"),
        *("REAPPROVAL_PENDING", "SIGNED_UP", "KYC_SUBMITTED", "REAPPROVED"),
    }
)  # an account in a state of another name trades unless its flags say that it does not
NO_BORROW_STATUS = "no short is opened: the broker does not say what can be borrowed (borrow_status, easy_to_borrow)"


class AlpacaBroker:
    """The port `Broker` on alpaca-py."""

    def __init__(
        self,
        key: str,
        secret: str,
        url: str,
        *,
        timeout_seconds: float = TIMEOUT_SECONDS,
        load_activities: Callable[[], Sequence[Activity]] = tuple,
    ) -> None:
        """Takes the key pair and the address without `/v2`; connects when it is first asked.

        `load_activities` answers the account activities that former processes have read.
        """
        self._client = PatientTradingClient(key, secret, url, timeout_seconds)
        self.activities = AlpacaActivities(self._client, load_activities)

    def moment(self) -> datetime:
        """The broker's clock in UTC."""
        return read("the clock", lambda: read_moment(as_object(self._client.get_clock()), "timestamp"))

    def account(self) -> Account:
        """Totals, and why trading is not allowed, if it is not."""
        return read("the account", lambda: _account(as_object(self._client.get_account())))

    def positions(self) -> Sequence[BrokerPosition]:
        """All positions, sorted by ticker."""
        rows = read("positions", lambda: [_position(row) for row in as_objects(self._client.fetch("/positions"))])
        return sorted(rows, key=lambda position: position.ticker)

    def assets(self) -> Assets:
        """All active assets; short only what is shortable and easy to borrow."""
        wanted = {"status": "active", "asset_class": "us_equity"}
        return read("assets", lambda: _assets(as_objects(self._client.fetch("/assets", wanted))))

    def open_orders(self) -> Sequence[BrokerOrder]:
        """Orders that may still fill, oldest first."""
        return self._list_orders(QueryOrderStatus.OPEN, BEGINNING)

    def orders_since(self, moment: datetime) -> Sequence[BrokerOrder]:
        """All orders that were submitted after the moment, oldest first."""
        return self._list_orders(QueryOrderStatus.ALL, moment)

    def order(self, client_order_id: str) -> BrokerOrder | None:
        """The order under that id, None when the broker has none; one request."""
        try:
            return read_once(
                "an order", lambda: _order(as_object(self._client.get_order_by_client_id(client_order_id)))
            )
        except BrokerRefusal as refusal:
            return _require_not_found(refusal, client_order_id)

    def order_by_id(self, broker_order_id: str) -> BrokerOrder | None:
        """The order of the broker's own id, None when the broker has none; one request."""
        try:
            return read_once("an order", lambda: _order(as_object(self._client.fetch(f"/orders/{broker_order_id}"))))
        except BrokerRefusal as refusal:
            return _require_not_found(refusal, broker_order_id)

    def submit(self, request: OrderRequest) -> BrokerOrder:
        """Send once; an id that is there already is answered with its order."""
        order = MarketOrderRequest(
            symbol=request.ticker,
            qty=request.quantity,
            side=AlpacaSide(request.side),
            time_in_force=AlpacaTimeInForce(request.time_in_force),
            client_order_id=request.client_order_id,
        )
        what = f"the order {request.client_order_id}"
        try:
            return send(what, lambda: _order(as_object(self._client.submit_order(order))))
        except DuplicateOrderError as duplicate:
            return self._fetch_duplicate(request.client_order_id, duplicate)

    def cancel(self, broker_order_id: str) -> None:
        """Ask for the rest of an order to be canceled; one that is final already stays as it is."""
        try:
            read_once("a cancellation", lambda: self._client.cancel_order_by_id(broker_order_id))
        except BrokerRefusal as refusal:
            if refusal.status_code != HTTPStatus.UNPROCESSABLE_ENTITY:
                raise UpstreamError(f"the broker would not cancel {broker_order_id}: {refusal.detail}") from None

    def costs(self, after: date) -> Costs:
        """Fees and borrow cost of the days after that one, from the account's activities."""
        return self.activities.sum_costs(after)

    def share_movements(self, after: date) -> Sequence[ShareMovement]:
        """Shares that corporate actions brought or took on the days after that one, from the account's activities."""
        return list_share_movements(self.activities.read_new(), after)

    def _list_orders(self, status: QueryOrderStatus, moment: datetime) -> list[BrokerOrder]:
        """Page after page, oldest first."""
        found: dict[str, BrokerOrder] = {}
        while True:
            page = read("orders", lambda after=moment: self._order_page(status, after))
            found |= {order.broker_order_id: order for order in page}
            if len(page) < ORDER_PAGE:
                return list(found.values())
            moment = page[-1].submitted_at

    def _order_page(self, status: QueryOrderStatus, after: datetime) -> list[BrokerOrder]:
        wanted = {"status": status.value, "limit": str(ORDER_PAGE), "direction": "asc", "after": after.isoformat()}
        return [_order(row) for row in as_objects(self._client.fetch("/orders", wanted))]

    def _fetch_duplicate(self, client_order_id: str, duplicate: DuplicateOrderError) -> BrokerOrder:
        """The order that has the id already; UnresolvedOrderError while the broker does not show it."""
        try:
            found = self.order(client_order_id)
        except (UpstreamError, UnavailableError) as error:
            raise UnresolvedOrderError(f"{client_order_id} is there already: {error.detail}") from error
        if found is None:
            raise duplicate
        return found


def _require_not_found(refusal: BrokerRefusal, identity: str) -> None:
    """Nothing when the broker says that there is no such order. Raises UpstreamError for any other refusal."""
    if refusal.status_code != HTTPStatus.NOT_FOUND:
        raise UpstreamError(f"the broker would not say what became of {identity}: {refusal.detail}") from None


def _account(body: Body) -> Account:
    """Raises KeyError or TypeError (an unreadable answer) when a total is missing."""
    overnight = optional_number(body, "regt_buying_power")
    power = number(body, "buying_power")
    return Account(
        account_id=text(body, "id"),
        halted=_halted(body),
        net_asset_value=number(body, "equity"),
        cash=number(body, "cash"),
        buying_power=power if overnight is None else min(power, overnight),
        long_market_value=number(body, "long_market_value"),
        short_market_value=number(body, "short_market_value"),
        shorting_enabled=body.get("shorting_enabled") is not False,
        account_number=str(body.get("account_number") or ""),
    )


def _halted(body: Body) -> str | None:
    status = str(body.get("status"))
    reasons = {
        f"the account is {status}": status in NOT_TRADING,
        "the broker has blocked the account": flag(body, "account_blocked"),
        "the broker has blocked trading": flag(body, "trading_blocked"),
        "trading is suspended by the account's own switch (suspend_trade)": flag(body, "trade_suspended_by_user"),
    }
    return "; ".join(reason for reason, holds in reasons.items() if holds) or None


def _position(row: Body) -> BrokerPosition:
    return BrokerPosition(
        ticker=text(row, "symbol"),
        quantity=number(row, "qty"),
        average_entry_price=number(row, "avg_entry_price"),
        current_price=optional_number(row, "current_price"),
        market_value=optional_number(row, "market_value"),
        unrealized_profit=optional_number(row, "unrealized_pl"),
        asset_id=optional_text(row, "asset_id"),
    )


def _assets(rows: Sequence[Body]) -> Assets:
    """What may be traded; a note says so where no row tells what can be borrowed."""
    tradable = {text(row, "symbol"): row for row in rows if flag(row, "tradable")}
    borrowable = {ticker: known for ticker, row in tradable.items() if (known := _is_easy_to_borrow(row)) is not None}
    shortable = frozenset(ticker for ticker, easy in borrowable.items() if easy and flag(tradable[ticker], "shortable"))
    return Assets(frozenset(tradable), shortable, notes=() if borrowable or not tradable else (NO_BORROW_STATUS,))


def _is_easy_to_borrow(row: Body) -> bool | None:
    """By `borrow_status`, else by the key that Alpaca has given up for it; None where the row has neither."""
    status = row.get("borrow_status")
    if isinstance(status, str) and status:
        return status == "easy_to_borrow"
    return flag(row, "easy_to_borrow") if "easy_to_borrow" in row else None


def _order(body: Body) -> BrokerOrder:
    """A notional order of somebody else has no quantity: its filled quantity is used instead."""
    filled = optional_number(body, "filled_qty") or 0.0
    quantity = optional_number(body, "qty")
    submitted = body.get("submitted_at")
    successor = optional_text(body, "replaced_by") if body.get("status") == REPLACED else None
    return BrokerOrder(
        client_order_id=optional_text(body, "client_order_id") or "",
        broker_order_id=text(body, "id"),
        ticker=str(body.get("symbol") or ""),
        side=OrderSide.SELL if str(body.get("side")).startswith("sell") else OrderSide.BUY,
        state=OrderState.SUBMITTED if successor else STATES.get(str(body.get("status")), OrderState.UNRESOLVED),
        quantity=filled if quantity is None else quantity,
        filled_quantity=filled,
        filled_average_price=optional_number(body, "filled_avg_price"),
        submitted_at=read_moment(body, "created_at" if submitted is None else "submitted_at"),
        replaced_by=successor,
        replaces=optional_text(body, "replaces"),
        asset_id=optional_text(body, "asset_id"),
        filled_at=None if body.get("filled_at") is None else read_moment(body, "filled_at"),
    )
