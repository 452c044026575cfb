"""Matching against prices worked out by hand."""

from datetime import date, datetime
from decimal import Decimal
from math import isclose

import pytest
from hypothesis import given
from hypothesis import strategies as st

from internal.dates import session_close, session_open
from internal.venue.clock import Auction, Step
from internal.venue.matching import Execution, match_orders, slippage
from internal.venue.orders import Order, OrderStatus, OrderType, PositionIntent, Side, TimeInForce
from libraries.python.tests.venue.venue_kit import make_bar

DAY = date(2025, 1, 2)
OPEN = Step(Auction.OPEN, DAY, session_open(DAY))
CLOSE = Step(Auction.CLOSE, DAY, session_close(DAY))
OVERNIGHT = session_close(date(2024, 12, 31))


def make_order(  # noqa: PLR0913 - an order's terms
    side: str = "buy",
    quantity: str | None = "100",
    *,
    limit: str | None = None,
    force: str = "day",
    notional: str | None = None,
    at: datetime = OVERNIGHT,
) -> Order:
    """An accepted order in AAA."""
    return Order(
        sequence=1,
        id="one",
        client_order_id="one",
        ticker="AAA",
        side=Side(side),
        type=OrderType.MARKET if limit is None else OrderType.LIMIT,
        time_in_force=TimeInForce(force),
        position_intent=PositionIntent.BUY_TO_OPEN if side == "buy" else PositionIntent.SELL_TO_OPEN,
        quantity=None if quantity is None else Decimal(quantity),
        notional=None if notional is None else Decimal(notional),
        limit_price=None if limit is None else Decimal(limit),
        reserve_price=Decimal(100),
        status=OrderStatus.ACCEPTED,
        submitted_at=at,
        updated_at=at,
    )


def run(order: Order, step: Step, **bar: float) -> list[Execution]:
    """The fills of one order against a bar that opens and closes at 100, low 98, high 102, a million shares."""
    return list(match_orders([order], {"AAA": make_bar("AAA", DAY, **bar)}, step, lambda _, quantity: quantity))


def test_slippage_by_hand() -> None:
    """ln(102/98) / (2 sqrt(ln 2)) = 0.0240255 a day; 1 % of the volume costs a tenth of it, plus a basis point."""
    assert isclose(0.00250255, slippage(10_000, make_bar("AAA", DAY)), rel_tol=1e-5)


def test_market_order_pays_slippage() -> None:
    """10,000 of a million shares at 100: a buyer pays 100.2503, a seller gets 99.7497."""
    assert Decimal("100.2503") == run(make_order("buy", "10000"), OPEN)[0].price
    assert Decimal("99.7497") == run(make_order("sell", "10000"), OPEN)[0].price


def test_participation_is_limited() -> None:
    """An auction gives one's orders at most 5 % of the session's volume, in the order of their arrival."""
    orders = [make_order(quantity="40000"), make_order(quantity="40000")]
    fills = match_orders(orders, {"AAA": make_bar("AAA", DAY)}, OPEN, lambda _, quantity: quantity)
    assert [Decimal(40000), Decimal(10000)] == [fill.quantity for fill in fills]


def test_halted_ticker_does_not_fill() -> None:
    """No bar, or no volume, no fill."""
    assert [] == list(match_orders([make_order()], {}, OPEN, lambda _, quantity: quantity))
    assert [] == run(make_order(), OPEN, volume=0.0)


@pytest.mark.parametrize(("force", "at_open", "at_close"), [("day", 1, 1), ("gtc", 1, 1), ("opg", 1, 0), ("cls", 0, 1)])
def test_time_in_force(force: str, at_open: int, at_close: int) -> None:
    """Auction orders meet only their own auction."""
    order = make_order(force=force)
    assert (at_open, at_close) == (len(run(order, OPEN)), len(run(order, CLOSE)))


@pytest.mark.parametrize(
    ("side", "limit", "opening", "closing"),
    [
        ("buy", "100.50", "100.0340", None),  # marketable at the open: fills there, with slippage, not at its limit
        ("buy", "100.01", "100.01", None),  # slippage never goes beyond the limit
        ("buy", "99.00", None, "99.00"),  # the session traded through it: fills at its own price
        ("buy", "98.00", None, None),  # the low only touched it
        ("buy", "97.00", None, None),
        ("sell", "101.00", None, "101.00"),
        ("sell", "102.00", None, None),
        ("sell", "99.50", "99.9660", None),
    ],
)
def test_limit_orders(side: str, limit: str, opening: str | None, closing: str | None) -> None:
    """A limit is never passed over, and a resting order needs the market to trade through it."""
    order = make_order(side, limit=limit)
    first = run(order, OPEN)
    assert (None if opening is None else Decimal(opening)) == (first[0].price if first else None)
    if not first:
        second = run(order, CLOSE)
        assert (None if closing is None else Decimal(closing)) == (second[0].price if second else None)


def test_limit_order_of_the_day_waits_for_the_close() -> None:
    """An order of the open market cannot know whether the low came after it: only the close counts."""
    late = make_order(limit="99.00", at=session_open(DAY))
    assert [] == run(late, CLOSE)
    assert Decimal("98.5") < run(late, CLOSE, close=98.5)[0].price <= Decimal("99.00")
    assert run(late, CLOSE, close=98.5)[0].reference_price == Decimal("98.5")


def test_notional_order_buys_fractions() -> None:
    """250 dollars at 100.0138 (2.5 shares slip by 0.0240255 x sqrt(2.5e-6) + 0.0001) are 2.499655047 shares."""
    assert Decimal("2.499655047") == run(make_order(quantity=None, notional="250"), OPEN)[0].quantity


@given(st.integers(1, 200_000), st.floats(1, 1000), st.floats(0, 0.2), st.booleans())
def test_fills_are_never_better_than_the_auction(quantity: int, price: float, width: float, buys: bool) -> None:  # noqa: FBT001 - drawn by hypothesis
    """Taking liquidity costs: a buyer never pays less than the auction's price, a seller never gets more."""
    order = make_order("buy" if buys else "sell", str(quantity))
    price = round(price, 2)
    fill = run(order, OPEN, open=price, high=price * (1 + width), low=price * (1 - width), close=price)[0]
    step = Decimal("0.0001")
    assert fill.quantity <= 50_000
    assert (fill.price >= fill.reference_price - step) if buys else (fill.price <= fill.reference_price + step)
