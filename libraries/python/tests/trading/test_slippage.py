"""Slippage by hand: what fills cost against the closes that they were decided at, whichever side they are on."""

from datetime import UTC, date, datetime

import pytest

from internal.trading.enums import Leg, OrderSide, OrderState
from internal.trading.orders import Order
from internal.trading.slippage import FillSummary, measure_slippage

CLOSE = datetime(2024, 12, 31, 21, tzinfo=UTC)


def filled(side: OrderSide, shares: float, price: float | None) -> Order:
    """An order of 100 shares decided at 50 dollars."""
    return Order(
        *("p", date(2024, 12, 31), f"{side}-{shares}", "A", side, Leg.OPEN, 100.0, 50.0, "", CLOSE),
        state=OrderState.SUBMITTED,
        filled_quantity=shares,
        filled_average_price=price,
    )


@pytest.mark.parametrize(
    ("side", "price", "expected"),
    [
        (OrderSide.BUY, 50.10, 4.0),
        (OrderSide.BUY, 49.90, -4.0),
        (OrderSide.SELL, 50.10, -4.0),
        (OrderSide.SELL, 49.90, 4.0),
        (OrderSide.SELL, None, 0.0),
    ],
)
def test_a_worse_fill_is_a_cost(side: OrderSide, price: float | None, expected: float) -> None:
    """Ten cents on 40 shares: buying dearer and selling cheaper cost, the opposite gains."""
    assert measure_slippage(filled(side, 40.0, price)) == pytest.approx(expected)


def test_dollars_filled_are_those_of_the_fills() -> None:
    """40 bought at 50.50 and 10 sold at 49: 2,510 dollars filled, 2,500 decided, 20 + 10 dollars lost, 120 bp."""
    orders = [filled(OrderSide.BUY, 40.0, 50.5), filled(OrderSide.SELL, 10.0, 49.0), filled(OrderSide.BUY, 0.0, None)]
    found = FillSummary.of(orders)
    assert (found.traded_dollars, found.decided_dollars, found.slippage) == (2510.0, 2500.0, 30.0)
    assert found.slippage_rate == pytest.approx(0.012)
    assert FillSummary.of(orders[2:]) == FillSummary(0.0, 0.0, 0.0)
    assert FillSummary.of([]).slippage_rate is None
