"""Stops, trailing stops, orders at the next price alone, and orders with exits, against prices worked out by hand.

Nothing costs anything here (a cost multiple of zero), so that a fill's price is the one that the rules name.
"""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from internal.venue.clock import Auction
from internal.venue.core import ExchangeCore, open_venue
from internal.venue.history import Fill
from internal.venue.market.listing import Bar
from internal.venue.market_faults import MarketFault, MarketFaultKind
from internal.venue.orders import (
    Order,
    OrderChanges,
    OrderClass,
    OrderRequest,
    OrderStatus,
    OrderType,
    Side,
    StopLoss,
    TimeInForce,
)
from internal.venue.rejections import RequestRefusedError
from internal.venue.repository import HistoryQuery, InMemoryRepository, OrderQuery
from internal.venue.state import open_account
from libraries.python.tests.venue.venue_kit import hand_market, make_bar

JANUARY_2, JANUARY_3 = date(2025, 1, 2), date(2025, 1, 3)
UP_THEN_DOWN = make_bar("AAA", JANUARY_2, open=100, high=103, low=96, close=101)  # the high is nearer to the open
DOWN_THEN_UP = make_bar("AAA", JANUARY_2, open=100, high=104, low=97, close=101)
GAP_DOWN = make_bar("AAA", JANUARY_2, open=94, high=95, low=93, close=94)


class Venue:
    """A venue without costs on hand-made bars; every other day is flat at 100."""

    def __init__(self, *bars: Bar, cash: str = "100000") -> None:
        self.repository = InMemoryRepository()
        market = hand_market(["AAA"], bars=bars)
        self.core: ExchangeCore = open_venue(market, self.repository, open_account(market, Decimal(cash)), Decimal(0))

    def send(self, side: str, quantity: int | str = 10, force: str = "day", **terms: Any) -> Order:  # noqa: ANN401 - terms
        """Sends an order in AAA; its type follows from its prices."""
        return self.core.submit(ask(side, quantity, force, **terms))

    def advance(self, to: Auction) -> None:
        """Moves the clock to the next open or close."""
        for step in self.core.steps_to(self.core.next_stop(to)):
            self.core.step(step)

    def now(self, order: Order) -> Order:
        """The order as it is now."""
        found = self.repository.order(order.id)
        assert found is not None
        return found

    def exits(self, order: Order) -> list[Order]:
        """The exits that were sent with the order."""
        return self.repository.find_orders(OrderQuery(parents=frozenset({order.id})))

    def fills(self, order: Order) -> list[tuple[Decimal, Decimal]]:
        """Shares and price of each fill."""
        entries = [row.entry for row in self.repository.find_history(HistoryQuery())]
        return [(one.quantity, one.price) for one in entries if isinstance(one, Fill) and one.order_id == order.id]


def ask(side: str, quantity: int | str, force: str, **terms: Any) -> OrderRequest:  # noqa: ANN401 - an order's terms
    """A request whose prices are written as text."""
    words = {name: Decimal(terms.pop(name)) for name in PRICE_NAMES if name in terms}
    return OrderRequest(
        ticker="AAA",
        side=Side(side),
        type=terms.pop("type", None) or infer_type(set(words)),
        time_in_force=TimeInForce(force),
        quantity=Decimal(quantity),
        notional=None,
        limit_price=words.pop("limit_price", None),
        client_order_id=None,
        position_intent=None,
        **words,
        **terms,
    )


PRICE_NAMES = ("limit_price", "stop_price", "trail_price", "trail_percent", "take_profit")


def infer_type(prices: set[str]) -> OrderType:
    """The type of a simple order with these prices."""
    if prices & {"trail_price", "trail_percent"}:
        return OrderType.TRAILING_STOP
    if "stop_price" in prices:
        return OrderType.STOP_LIMIT if "limit_price" in prices else OrderType.STOP
    return OrderType.LIMIT if "limit_price" in prices else OrderType.MARKET


@pytest.mark.parametrize(
    ("bar", "side", "terms", "price"),
    [
        (UP_THEN_DOWN, "sell", {"stop_price": "98"}, "98"),  # on the way from 103 down to 96
        (UP_THEN_DOWN, "sell", {"stop_price": "95"}, None),
        (UP_THEN_DOWN, "sell", {"stop_price": "101"}, "100"),  # the open is below it already
        (UP_THEN_DOWN, "buy", {"stop_price": "102"}, "102"),
        (UP_THEN_DOWN, "buy", {"stop_price": "103"}, "103"),  # the high is a trade: a touch triggers
        (UP_THEN_DOWN, "buy", {"stop_price": "103.01"}, None),
        (GAP_DOWN, "sell", {"stop_price": "98"}, "94"),  # over the stop in a jump: the open is the first price
        (UP_THEN_DOWN, "sell", {"stop_price": "98", "limit_price": "97"}, "98"),
        (UP_THEN_DOWN, "sell", {"stop_price": "98", "limit_price": "99"}, "99"),  # on the way back from 96 to 101
        (UP_THEN_DOWN, "sell", {"stop_price": "98", "limit_price": "101"}, None),  # the close only touches it
        (UP_THEN_DOWN, "buy", {"stop_price": "102", "limit_price": "101"}, "101"),  # after 103 it goes down to 96
        (DOWN_THEN_UP, "buy", {"stop_price": "102", "limit_price": "101"}, None),  # after 104 only down to 101
        (GAP_DOWN, "sell", {"stop_price": "98", "limit_price": "97"}, None),  # triggered at 94, below its limit
        (UP_THEN_DOWN, "sell", {"trail_price": "4"}, "99"),  # best price 103
        (UP_THEN_DOWN, "sell", {"trail_percent": "10"}, None),
        (UP_THEN_DOWN, "buy", {"trail_price": "2"}, "102"),  # the close before was 100
        (UP_THEN_DOWN, "buy", {"trail_price": "4"}, "100"),  # best price 96, then up to 101
        (GAP_DOWN, "sell", {"trail_percent": "5"}, "94"),  # 95 was the stop overnight
    ],
)
def test_stops(bar: Bar, side: str, terms: dict[str, str], price: str | None) -> None:
    """A stop order fills where the session's path first reaches it, and with a limit no worse than that."""
    venue = Venue(bar)
    order = venue.send(side, **terms)
    venue.advance(Auction.CLOSE)
    assert venue.fills(order) == ([] if price is None else [(Decimal(10), Decimal(price))])
    assert venue.now(order).status is (OrderStatus.EXPIRED if price is None else OrderStatus.FILLED)


def test_trailing_stop_stays_where_it_was_moved() -> None:
    """103 was the best price: 10 % below it is 92.70, also in the next session, and a second best price moves it on."""
    venue = Venue(UP_THEN_DOWN, make_bar("AAA", JANUARY_3, open=101, high=110, low=98.9, close=99))
    order = venue.send("sell", force="gtc", trail_percent="10")
    venue.advance(Auction.CLOSE)
    moved = venue.now(order)
    assert (Decimal(103), Decimal("92.70"), OrderStatus.NEW) == (moved.high_water_mark, moved.stop_price, moved.status)
    venue.advance(Auction.CLOSE)  # down to 98.90 first, then 110, so 99.00 at last, which the close reaches
    assert [(Decimal(10), Decimal(99))] == venue.fills(order)


def test_triggered_stop_limit_rests() -> None:
    """Triggered at 98 with a limit of 101 that the day does not pass; the next day's 102 fills it at its limit."""
    venue = Venue(UP_THEN_DOWN)
    order = venue.send("sell", force="gtc", stop_price="98", limit_price="101")
    venue.advance(Auction.CLOSE)
    assert venue.now(order).triggered_at is not None
    venue.advance(Auction.CLOSE)
    assert [(Decimal(10), Decimal(101))] == venue.fills(order)


def test_stop_of_the_day_waits_for_the_close() -> None:
    """A bar does not say whether its low came after an order of the open market: only the close counts."""
    venue = Venue(UP_THEN_DOWN)
    venue.advance(Auction.OPEN)
    low, close = venue.send("sell", stop_price="98"), venue.send("sell", stop_price="101.50")
    venue.advance(Auction.CLOSE)
    assert ([], [(Decimal(10), Decimal(101))]) == (venue.fills(low), venue.fills(close))


@pytest.mark.parametrize(
    ("force", "quantity", "limit", "filled"),
    [("ioc", 60_000, None, 50_000), ("fok", 60_000, None, 0), ("fok", 40_000, None, 40_000), ("ioc", 10, "99", 0)],
)
def test_next_price_alone(force: str, quantity: int, limit: str | None, filled: int) -> None:
    """IOC takes what the open gives (5 % of a million shares) and cancels the rest; FOK takes all or nothing."""
    venue = Venue(cash="10000000")
    order = venue.send("buy", quantity, force, **({} if limit is None else {"limit_price": limit}))
    venue.advance(Auction.OPEN)
    after = venue.now(order)
    assert (Decimal(filled), filled != quantity) == (after.filled_quantity, after.status is OrderStatus.CANCELED)


def bracket(venue: Venue, take_profit: str, stop: str, force: str = "gtc", quantity: int = 10) -> Order:
    """Buys at the market, with both exits."""
    loss = StopLoss(Decimal(stop))
    return venue.send(
        "buy",
        quantity,
        force,
        type=OrderType.MARKET,
        order_class=OrderClass.BRACKET,
        take_profit=take_profit,
        stop_loss=loss,
    )


@pytest.mark.parametrize(
    ("bar", "take_profit", "stop", "prices"),
    [
        (UP_THEN_DOWN, "102", "97", ("102", None)),  # both are in the day's range: the high came first
        (DOWN_THEN_UP, "102", "98", (None, "98")),  # the low came first
        (UP_THEN_DOWN, "105", "97", (None, "97")),
        (UP_THEN_DOWN, "103", "96", (None, "96")),  # a limit needs a trade beyond it, a stop a touch
        (UP_THEN_DOWN, "105", "95", (None, None)),
    ],
)
def test_bracket(bar: Bar, take_profit: str, stop: str, prices: tuple[str | None, str | None]) -> None:
    """The exits wait for the entry; of the two the one fills that the path reaches first, and cancels the other."""
    venue = Venue(bar)
    entry = bracket(venue, take_profit, stop)
    assert [OrderStatus.HELD] * 2 == [one.status for one in venue.exits(entry)]
    venue.advance(Auction.OPEN)
    assert [OrderStatus.NEW, OrderStatus.HELD] == [one.status for one in venue.exits(entry)]
    assert [(Decimal(10), Decimal(100))] == venue.fills(entry)
    venue.advance(Auction.CLOSE)
    for exit_, price in zip(venue.exits(entry), prices, strict=True):
        assert venue.fills(exit_) == ([] if price is None else [(Decimal(10), Decimal(price))])
    if any(prices):
        assert {OrderStatus.FILLED, OrderStatus.CANCELED} == {one.status for one in venue.exits(entry)}
        assert {} == venue.core.state.account.positions == venue.core.state.open_orders


@pytest.mark.parametrize("force", ["day", "gtc"])
def test_exits_last_as_long_as_the_entry(force: str) -> None:
    """Exits of a day order end with the day, those of a GTC order stay."""
    venue = Venue()
    entry = bracket(venue, "150", "50", force)
    venue.advance(Auction.CLOSE)
    expected = [OrderStatus.EXPIRED] * 2 if force == "day" else [OrderStatus.NEW, OrderStatus.HELD]
    assert expected == [one.status for one in venue.exits(entry)]


@pytest.mark.parametrize("which", [0, 1, 2])
def test_canceling_one_cancels_the_group(which: int) -> None:
    """Before the entry fills and after it, whichever is canceled."""
    for opened in (False, True):
        venue = Venue()
        entry = bracket(venue, "150", "50")
        if opened:
            venue.advance(Auction.OPEN)
        group = [entry, *venue.exits(entry)]
        if opened and which == 0:
            continue
        venue.core.cancel(group[which].id)
        assert {} == venue.core.state.open_orders


def test_partly_filled_exit_takes_from_the_other() -> None:
    """60,000 shares come in two fills, 50,000 of them leave at the profit: the stop-loss is for the other 10,000."""
    venue = Venue(make_bar("AAA", JANUARY_3, open=100, high=111, low=99, close=100), cash="10000000")
    entry = bracket(venue, "110", "50", quantity=60_000)
    venue.advance(Auction.CLOSE)
    venue.advance(Auction.CLOSE)
    profit, loss = venue.exits(entry)
    assert [(Decimal(50_000), Decimal(110))] == venue.fills(profit)
    assert (Decimal(10_000), OrderStatus.HELD) == (loss.quantity, loss.status)


def test_oco_and_oto() -> None:
    """An OCO is a take-profit with a stop-loss beside it; an OTO has one exit, which works once the entry is filled."""
    venue = Venue(UP_THEN_DOWN)
    entry = venue.send(
        "buy",
        type=OrderType.MARKET,
        order_class=OrderClass.OTO,
        stop_loss=StopLoss(Decimal(97), Decimal(96)),
        force="gtc",
    )
    venue.advance(Auction.CLOSE)
    [loss] = venue.exits(entry)
    assert (OrderType.STOP_LIMIT, [(Decimal(10), Decimal(97))]) == (loss.type, venue.fills(loss))
    venue.send("buy")
    venue.advance(Auction.OPEN)
    terms: dict[str, Any] = {"limit_price": "101", "take_profit": "101", "stop_loss": StopLoss(Decimal(90))}
    both = venue.send("sell", force="gtc", order_class=OrderClass.OCO, **terms)
    assert (OrderStatus.NEW, [OrderStatus.HELD]) == (both.status, [one.status for one in venue.exits(both)])
    with pytest.raises(RequestRefusedError, match="insufficient qty available"):
        venue.send("sell")
    venue.advance(Auction.CLOSE)
    venue.advance(Auction.CLOSE)  # up to 102: through the take-profit
    assert [(Decimal(10), Decimal(101))] == venue.fills(both)
    assert [OrderStatus.CANCELED] == [one.status for one in venue.exits(both)]


def test_replacing_an_entry_and_an_exit() -> None:
    """The exits follow the order that takes the entry's place; a moved stop-loss stays one of the two exits."""
    venue = Venue(make_bar("AAA", JANUARY_3, open=100, high=101, low=96, close=100))
    entry = bracket(venue, "105", "50")
    moved_entry = venue.core.replace(entry.id, OrderChanges(Decimal(20), None, None, None))
    assert [Decimal(20), Decimal(20)] == [one.quantity for one in venue.exits(moved_entry)]
    venue.advance(Auction.OPEN)
    profit, loss = venue.exits(moved_entry)
    with pytest.raises(RequestRefusedError, match="qty of bracket orders cannot be changed"):
        venue.core.replace(loss.id, OrderChanges(Decimal(5), None, None, None))
    moved = venue.core.replace(loss.id, OrderChanges(None, None, None, None, stop_price=Decimal(97)))
    assert (moved.id, loss.id) == (venue.now(loss).replaced_by, moved.replaces)
    venue.advance(Auction.CLOSE)
    venue.advance(Auction.CLOSE)
    assert [(Decimal(20), Decimal(97))] == venue.fills(moved)
    assert OrderStatus.CANCELED is venue.now(profit).status


@pytest.mark.parametrize(
    ("side", "terms", "sentence"),
    [
        ("buy", {"type": OrderType.STOP}, "stop orders require stop_price"),
        ("buy", {"type": OrderType.STOP_LIMIT, "stop_price": "101"}, "stop limit orders require limit_price"),
        ("buy", {"type": OrderType.MARKET, "stop_price": "101"}, "market orders must not have stop_price"),
        ("buy", {"type": OrderType.TRAILING_STOP}, "trailing stop orders require one of"),
        ("buy", {"trail_price": "1", "trail_percent": "1"}, "trailing stop orders require one of"),
        ("buy", {"stop_price": "101", "force": "opg"}, "opg orders must be market or limit orders"),
        ("buy", {"trail_price": "1", "force": "ioc"}, "trailing stop orders must be DAY or GTC orders"),
        ("buy", {"stop_price": "101.001"}, "invalid stop_price 101.001. sub-penny increment"),
        (
            "buy",
            {"order_class": OrderClass.BRACKET, "take_profit": "110"},
            "bracket orders require stop_loss.stop_price",
        ),
        ("buy", {"order_class": OrderClass.OTO}, "oto orders require either take_profit or stop_loss"),
        (
            "buy",
            {"order_class": OrderClass.BRACKET, "take_profit": "100", "stop_loss": StopLoss(Decimal(90))},
            "take_profit.limit_price must be >= base_price",
        ),
        (
            "buy",
            {"order_class": OrderClass.BRACKET, "take_profit": "110", "stop_loss": StopLoss(Decimal(100))},
            "stop_loss.stop_price must be <= base_price",
        ),
        (
            "sell",
            {"order_class": OrderClass.BRACKET, "take_profit": "110", "stop_loss": StopLoss(Decimal(120))},
            "take_profit.limit_price must be <= base_price",
        ),
        (
            "sell",
            {
                "order_class": OrderClass.OCO,
                "limit_price": "110",
                "take_profit": "110",
                "stop_loss": StopLoss(Decimal(90)),
            },
            "oco orders must be exit orders",
        ),
        ("buy", {"quantity": "0.5", "trail_price": "1"}, "fractional orders must be market, limit, stop or stop limit"),
        ("buy", {"quantity": "0.5", "order_class": OrderClass.OTO, "take_profit": "110"}, "must be simple orders"),
    ],
)
def test_refused_terms(side: str, terms: dict[str, Any], sentence: str) -> None:
    """Terms that do not go together are refused, and leave nothing."""
    venue = Venue()
    with pytest.raises(RequestRefusedError, match=sentence):
        venue.send(side, **terms)
    assert [] == venue.repository.find_orders(OrderQuery())


def test_fractional_limit() -> None:
    """A fraction of a share and an amount of dollars take a limit: 49.50 dollars at 99 are half a share."""
    venue = Venue(make_bar("AAA", JANUARY_2, open=100, high=101, low=98, close=100))
    half = venue.send("buy", "0.5", limit_price="99")
    venue.advance(Auction.CLOSE)
    assert [(Decimal("0.5"), Decimal(99))] == venue.fills(half)


def test_opposite_openings() -> None:
    """Nobody opens a long and a short at once, at whatever limits; and nobody trades with oneself."""
    venue = Venue()
    venue.send("buy", limit_price="90")
    with pytest.raises(RequestRefusedError, match="cannot open a short sell while a long buy order is open"):
        venue.send("sell", limit_price="110")
    venue.core.cancel_all()
    venue.send("sell", limit_price="110")
    with pytest.raises(RequestRefusedError, match="cannot open a long buy while a short sell order is open"):
        venue.send("buy", limit_price="90")
    venue.core.cancel_all()
    venue.send("buy")
    venue.advance(Auction.OPEN)
    exit_ = venue.send("sell", 5, limit_price="110")
    venue.send("buy", limit_price="109.99")  # they could never meet
    with pytest.raises(RequestRefusedError, match="wash trade") as refusal:
        venue.send("buy", limit_price="110")
    expected = {"existing_order_id": exit_.id, "reject_reason": "opposite side limit order exists"}
    assert expected == refusal.value.details


def test_late_rejection() -> None:
    """An accepted order may still be rejected at the open; it is final and nothing was filled."""
    venue = Venue()
    order = venue.send("buy")
    venue.repository.add_market_fault(MarketFault(1, MarketFaultKind.LATE_REJECTION, "AAA", 1))
    venue.advance(Auction.OPEN)
    after = venue.now(order)
    assert (OrderStatus.REJECTED, True, []) == (after.status, after.failed_at is not None, venue.fills(order))


@settings(max_examples=60, deadline=None)
@given(st.integers(90, 110), st.integers(0, 8), st.integers(0, 8), st.integers(1, 8), st.integers(1, 8), st.booleans())
def test_never_both_exits(opens: int, up: int, down: int, profit: int, loss: int, buys: bool) -> None:  # noqa: FBT001, PLR0913, PLR0917 - drawn by hypothesis
    """Whatever the day does: both exits never fill, and the position is what the fills say."""
    venue = Venue(make_bar("AAA", JANUARY_2, open=opens, high=opens + up, low=opens - down, close=opens))
    sign = 1 if buys else -1
    entry = venue.send(
        "buy" if buys else "sell",
        force="gtc",
        type=OrderType.MARKET,
        order_class=OrderClass.BRACKET,
        take_profit=str(100 + sign * profit),
        stop_loss=StopLoss(Decimal(100 - sign * loss)),
    )
    for _ in range(3):
        venue.advance(Auction.CLOSE)
    filled = [one for one in venue.exits(entry) if one.filled_quantity]
    assert len(filled) <= 1
    held = venue.core.state.account.quantity_of("AAA")
    assert held == (0 if filled else sign * 10)
