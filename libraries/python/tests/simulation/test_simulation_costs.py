"""The multiple of costs: slippage, fees and borrow grow with it, and 1 leaves them as they are."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from internal.dates import session_open
from internal.venue.charges import Trade, charge_borrow, charge_fees
from internal.venue.clock import Auction, Step
from internal.venue.margin_account import MarginAccount, Position
from internal.venue.market.listing import Bar
from internal.venue.matching import HALF_SPREAD, match_orders
from internal.venue.orders import Order, OrderStatus, OrderType, PositionIntent, Side, TimeInForce

DAY = date(2024, 1, 3)
BAR = Bar("AAA", DAY, 100.0, 100.0, 100.0, 100.0, 1e6, None, None)  # no range: slippage is half a spread
ORDER = Order(
    sequence=1,
    id="1",
    client_order_id="one",
    ticker="AAA",
    side=Side.BUY,
    type=OrderType.MARKET,
    time_in_force=TimeInForce.DAY,
    position_intent=PositionIntent.BUY_TO_OPEN,
    quantity=Decimal(10),
    notional=None,
    limit_price=None,
    reserve_price=Decimal(100),
    status=OrderStatus.ACCEPTED,
    submitted_at=session_open(DAY),
    updated_at=session_open(DAY),
)


@pytest.mark.parametrize(("multiple", "price"), [(0.0, "100"), (0.5, "100.005"), (1.0, "100.01"), (2.0, "100.02")])
def test_slippage(multiple: float, price: str) -> None:
    """A bar without a range: half a spread of one basis point on 100 dollars, times the multiple."""
    assert HALF_SPREAD == 0.0001
    step = Step(Auction.OPEN, DAY, session_open(DAY))
    (bought,) = match_orders([ORDER], {"AAA": BAR}, step, lambda _, quantity: quantity, multiple)
    assert bought.price == Decimal(price)


def test_fees_and_borrow() -> None:
    """100,000 dollars of sales in 1,000 shares: 2.78 (SEC) and 0.17 (TAF); a short of 36,000 at 1 %: 1.00 a night."""
    account = MarginAccount(Decimal(0), Decimal(0))
    sales = [Trade(Side.SELL, Decimal(1000), Decimal(100))]
    assert charge_fees(account, sales, DAY)[0].cash == Decimal("-2.95")
    assert charge_fees(account, sales, DAY, Decimal(2))[0].cash == Decimal("-5.90")
    short = Position("AAA", Decimal(-360), Decimal(100), Decimal(100), Decimal(100), Decimal(0))
    owing = replace(account, positions={"AAA": short})
    assert charge_borrow(owing, {"AAA": Decimal("0.01")}, 1)[0].cash == Decimal("-1.00")
    assert charge_borrow(owing, {"AAA": Decimal("0.01")}, 1, Decimal("0.5"))[0].cash == Decimal("-0.50")
