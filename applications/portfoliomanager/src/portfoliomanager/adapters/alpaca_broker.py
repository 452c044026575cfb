"""Alpaca, or the simulated exchange that speaks its API, as the port `Broker`.

Knows Alpaca's fields, states and codes. Knows nothing of portfolios or of what an order is for.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import polars as pl
from alpaca.trading.enums import AccountStatus, OrderSide, OrderStatus, QueryOrderStatus, TimeInForce
from alpaca.trading.models import Clock, Order, TradeAccount
from alpaca.trading.requests import GetOrdersRequest, MarketOrderRequest

from internal.errors import UnavailableError, UnresolvedOrderError, UpstreamError
from portfoliomanager.adapters.alpaca_transport import BrokerRefusal, PatientTradingClient, read, send
from portfoliomanager.ports import (
    ASSET_COLUMNS,
    BROKER_POSITION_COLUMNS,
    COST_COLUMNS,
    Account,
    BrokerOrder,
    Ticket,
)

TIMEOUT_SECONDS = 10.0
INVALID_FIELD = 40010001  # also the code of a client_order_id that is there already
PAGE_SIZE = 100  # activities, the most that Alpaca gives
OPEN_ORDER_LIMIT = 500  # the most that Alpaca gives
STATES = {
    OrderStatus.FILLED: "filled",
    OrderStatus.PARTIALLY_FILLED: "partially_filled",
    OrderStatus.CANCELED: "canceled",
    OrderStatus.EXPIRED: "canceled",
    OrderStatus.REPLACED: "canceled",
    OrderStatus.REJECTED: "rejected",
}  # every other status is an order that may still fill


class AlpacaBroker:
    """The port `Broker` on alpaca-py."""

    def __init__(self, key: str, secret: str, url: str, *, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        """Takes the key pair and the address without `/v2`; connects when it is first asked."""
        self._client = PatientTradingClient(key, secret, url, timeout_seconds)

    def moment(self) -> datetime:
        """The broker's clock in UTC."""
        return read("the clock", lambda: _expect(Clock, self._client.get_clock()).timestamp.astimezone(UTC))

    def account(self) -> Account:
        """Totals, and why trading is not allowed, if it is not."""
        return read("the account", lambda: _account(_expect(TradeAccount, self._client.get_account())))

    def positions(self) -> pl.DataFrame:
        """All positions."""
        return read("positions", lambda: _positions(_rows(self._client.get("/positions"))))

    def assets(self) -> pl.DataFrame:
        """All active assets; short only what is shortable and easy to borrow."""
        wanted = {"status": "active", "asset_class": "us_equity"}
        return read("assets", lambda: _assets(_rows(self._client.get("/assets", wanted))))

    def open_orders(self) -> list[BrokerOrder]:
        """Orders that may still fill."""
        wanted = GetOrdersRequest(status=QueryOrderStatus.OPEN, limit=OPEN_ORDER_LIMIT)
        return read("open orders", lambda: [_order(order) for order in self._client.get_orders(wanted)])

    def order(self, client_order_id: str) -> BrokerOrder | None:
        """The order under that id, None when the broker has none."""
        try:
            return read("an order", lambda: _order(self._client.get_order_by_client_id(client_order_id)))
        except BrokerRefusal as refusal:
            if refusal.status_code != HTTPStatus.NOT_FOUND:
                raise UpstreamError(
                    f"the broker would not say what became of {client_order_id}: {refusal.detail}"
                ) from None
            return None

    def submit(self, ticket: Ticket) -> BrokerOrder:
        """Send once; an id that is there already is answered with its order."""
        request = MarketOrderRequest(
            symbol=ticket.ticker,
            qty=ticket.quantity,
            side=OrderSide(ticket.side),
            time_in_force=TimeInForce(ticket.time_in_force),
            client_order_id=ticket.client_order_id,
        )
        try:
            return send(f"the order {ticket.client_order_id}", lambda: _order(self._client.submit_order(request)))
        except BrokerRefusal as refusal:
            there = self._already_there(ticket) if refusal.code == INVALID_FIELD else None
            if there is None:
                raise
            return there

    def _already_there(self, ticket: Ticket) -> BrokerOrder | None:
        """The order that has the id already; UnresolvedOrderError while the broker cannot say."""
        try:
            return self.order(ticket.client_order_id)
        except (UpstreamError, UnavailableError) as error:
            raise UnresolvedOrderError(f"{ticket.client_order_id} may be there already: {error.detail}") from error

    def costs(self) -> pl.DataFrame:
        """Fees and borrow cost, from the account's FEE activities; borrow is told by its description."""
        rows = [
            {
                "activity_id": row["id"],
                "date": datetime.fromisoformat(row["date"]).date(),
                "kind": "borrow" if "borrow" in str(row.get("description", "")).lower() else "fees",
                "amount": -float(row["net_amount"]),
            }
            for page in self._activities("FEE")
            for row in page
        ]
        return pl.DataFrame(rows, schema=COST_COLUMNS)

    def _activities(self, kind: str) -> Iterator[list[dict[str, Any]]]:
        """Page after page, oldest first; the token of the next page is the last row's id."""
        token: dict[str, str] = {}
        while True:
            parameters = {"direction": "asc", "page_size": str(PAGE_SIZE), **token}
            page = read("activities", lambda parameters=parameters: self._page(kind, parameters))  # type: ignore[misc]
            yield page
            if len(page) < PAGE_SIZE:
                return
            token = {"page_token": page[-1]["id"]}

    def _page(self, kind: str, parameters: dict[str, str]) -> list[dict[str, Any]]:
        rows = _rows(self._client.get(f"/account/activities/{kind}", parameters))
        return [{**row, "net_amount": float(row["net_amount"])} for row in rows]


def _account(account: TradeAccount) -> Account:
    """Raises ValueError (an unreadable answer) when a total is missing."""
    total = {
        name: float(value)
        for name in ("equity", "cash", "long_market_value", "short_market_value")
        if (value := getattr(account, name)) is not None
    }
    return Account(
        account_id=str(account.id),
        halted=_halted(account),
        net_asset_value=total["equity"],
        cash=total["cash"],
        long_market_value=total["long_market_value"],
        short_market_value=total["short_market_value"],
    )


def _halted(account: TradeAccount) -> str:
    reasons = {
        f"the account is {account.status.value}": account.status != AccountStatus.ACTIVE,
        "the broker has blocked the account": account.account_blocked,
        "the broker has blocked trading": account.trading_blocked,
        "trading is suspended by the account's own switch (suspend_trade)": account.trade_suspended_by_user,
    }
    return "; ".join(reason for reason, holds in reasons.items() if holds)


def _positions(rows: list[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {
                "ticker": row["symbol"],
                "quantity": float(row["qty"]),
                "average_entry_price": float(row["avg_entry_price"]),
                "current_price": None if row["current_price"] is None else float(row["current_price"]),
                "market_value": None if row["market_value"] is None else float(row["market_value"]),
                "unrealized_profit": None if row["unrealized_pl"] is None else float(row["unrealized_pl"]),
            }
            for row in rows
        ],
        schema=BROKER_POSITION_COLUMNS,
    ).sort("ticker")


def _assets(rows: list[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {
                "ticker": row["symbol"],
                "tradable": bool(row["tradable"]),
                "shortable": bool(row["shortable"] and row["easy_to_borrow"]),
            }
            for row in rows
        ],
        schema=ASSET_COLUMNS,
    ).sort("ticker")


def _expect[Kind](kind: type[Kind], answer: object) -> Kind:
    """The answer as the kind that alpaca-py makes of it. Raises TypeError (an unreadable answer) for another."""
    if not isinstance(answer, kind):
        raise TypeError(f"{kind.__name__} expected, not {type(answer).__name__}")
    return answer


def _rows(answer: object) -> list[dict[str, Any]]:
    return [_expect(dict, row) for row in _expect(list, answer)]


def _order(answer: object) -> BrokerOrder:
    """A notional order of somebody else has no quantity: what was filled stands in."""
    order = _expect(Order, answer)
    filled = float(order.filled_qty or 0)
    return BrokerOrder(
        client_order_id=order.client_order_id,
        broker_order_id=str(order.id),
        ticker=order.symbol or "",
        side=order.side.value if order.side else "",
        state=STATES.get(order.status, "submitted"),
        quantity=filled if order.qty is None else float(order.qty),
        filled_quantity=filled,
        filled_average_price=None if order.filled_avg_price is None else float(order.filled_avg_price),
    )
