"""Buying power: what openings cost, which part fits, and how they are made to fit; answers worked out by hand."""

from datetime import UTC, date, datetime

import pytest

from internal.trading.buying_power import scale_openings, select_affordable, total_cost
from internal.trading.enums import Adjustment, Leg, OrderSide, OrderState, Side
from internal.trading.orders import Order

DAY, MOMENT = date(2024, 3, 15), datetime(2024, 3, 15, 20, tzinfo=UTC)
FLAT = dict.fromkeys(Side, 0.0)


def opening(ticker: str, side: OrderSide, quantity: float, price: float = 100.0) -> Order:
    """A planned opening."""
    return Order("p", DAY, f"{ticker}-open-0", ticker, side, Leg.OPEN, quantity, price, "", MOMENT)


def test_cost_by_hand() -> None:
    """A long of 1,000 dollars costs 1,000; a short of 1,000 costs 1,030."""
    assert total_cost([opening("A", OrderSide.BUY, 10), opening("B", OrderSide.SELL, 10)]) == pytest.approx(2030)


def test_what_fits_is_equal_on_both_sides() -> None:
    """Two longs and two shorts of 1,000 each; 3,100 dollars carry one pair and one more long, which is left."""
    orders = [opening(name, side, 10) for name, side in zip("ABCD", [OrderSide.BUY, OrderSide.SELL] * 2, strict=True)]
    chosen = select_affordable(orders, 3100, FLAT, 0.05)
    assert [order.ticker for order in chosen] == ["A", "B"]
    assert [order.ticker for order in select_affordable(orders, 2000, FLAT, 0.05)] == []


def test_what_is_held_counts() -> None:
    """1,000 dollars of shorts are held: the long that makes the sides equal is chosen first, and alone."""
    orders = [opening("A", OrderSide.BUY, 10), opening("B", OrderSide.SELL, 10), opening("C", OrderSide.BUY, 10)]
    held = {Side.LONG: 0.0, Side.SHORT: 1000.0}
    assert [order.ticker for order in select_affordable(orders, 1500, held, 0.05)] == ["A"]


def test_one_side_alone_takes_what_fits() -> None:
    """Three longs of 1,000 and no short: 2,500 dollars carry two of them."""
    orders = [opening(name, OrderSide.BUY, 10) for name in "ABC"]
    assert [order.ticker for order in select_affordable(orders, 2500, FLAT, 0.05)] == ["A", "B"]


def test_unequal_sides_keep_their_proportion() -> None:
    """Twice as many longs as shorts are wanted: 3,100 dollars carry two longs and a short, 3,000 nothing whole."""
    orders = [*(opening(name, OrderSide.BUY, 10) for name in "ABCD"), *(opening(n, OrderSide.SELL, 10) for n in "XY")]
    assert {order.ticker for order in select_affordable(orders, 3100, FLAT, 0.05)} == {"A", "X", "B"}
    assert select_affordable(orders, 3000, FLAT, 0.05) == []


def test_scaled_to_fit() -> None:
    """2,030 dollars of cost and 1,015 of buying power: half of each, in whole shares; less than one is dropped."""
    orders = [opening("A", OrderSide.BUY, 9), opening("B", OrderSide.SELL, 10), opening("C", OrderSide.BUY, 1)]
    scaled = scale_openings(orders, 1015, MOMENT)
    assert [(order.ticker, order.quantity, order.state) for order in scaled] == [
        ("A", 4.0, OrderState.PLANNED),
        ("B", 5.0, OrderState.PLANNED),
        ("C", 1.0, OrderState.DROPPED),
    ]
    assert {Adjustment.CUT} == {order.adjustment for order in scaled}
    assert total_cost(scaled[:2]) <= 1015
