"""Own and foreign positions after fills, splits, dividends and somebody else's trades: answers worked out by hand."""

from datetime import UTC, date, datetime

import pytest

from internal.dates import next_session
from internal.trading.enums import Leg, OrderSide, OrderState
from internal.trading.orders import Order
from internal.trading.position_attribution import attribute_positions
from internal.trading.positions import Band, Entry, Position
from internal.trading.splits import Split

DAY = date(2024, 3, 15)
OPENED = next_session(DAY)
MOMENT = datetime(2024, 3, 15, 20, tzinfo=UTC)
BUY, SELL, OPEN, CLOSE = OrderSide.BUY, OrderSide.SELL, Leg.OPEN, Leg.CLOSE


def filled(  # noqa: PLR0913, PLR0917 - an order in one line
    ticker: str, side: OrderSide, leg: Leg, quantity: float, price: float, day: date = DAY
) -> Order:
    """A filled order decided on a day."""
    return Order(
        *("p", day, f"{ticker}-{leg}-{day}", ticker, side, leg, quantity, price, "", MOMENT),
        state=OrderState.FILLED,
        filled_quantity=quantity,
        filled_average_price=price,
    )


def test_split_and_partial_close() -> None:
    """100 bought at 40, a 4-for-1 split, 100 sold: 300 are ours at an entry of 10; 50 more are foreign."""
    found = attribute_positions(
        {"Z": -5, "A": 350},
        {"A": [filled("A", BUY, OPEN, 100, 40.0), filled("A", SELL, CLOSE, 100, 11.0, date(2024, 3, 20))]},
        [Split("A", date(2024, 3, 19), 4.0)],
        {},
        {},
    )
    assert found.positions == (Position("A", 300.0, OPENED, 10.0, None),)
    assert found.foreign == {"A": 50.0, "Z": -5.0}


def test_a_split_on_the_day_of_the_fill_is_in_the_fill() -> None:
    """Shares that were filled in the first session after a split are new shares already."""
    fills, splits = {"A": [filled("A", BUY, OPEN, 100, 10.0)]}, [Split("A", OPENED, 4.0), Split("B", OPENED, 2.0)]
    found = attribute_positions({"A": 100}, fills, splits, {}, {})
    assert found.positions == (Position("A", 100.0, OPENED, 10.0, None),)


def test_a_fraction_of_a_share_is_rounding() -> None:
    """1-for-3 on 100 shares leaves 33 and cash: what the broker holds is ours, nothing is foreign."""
    found = attribute_positions(
        {"A": 33.0}, {"A": [filled("A", BUY, OPEN, 100, 10.0)]}, [Split("A", date(2024, 3, 20), 1 / 3)], {}, {}
    )
    assert found.positions[0].quantity == 33.0
    assert found.positions[0].entry_price == pytest.approx(30.0)
    assert found.foreign == {}


@pytest.mark.parametrize(("closed", "held", "ours"), [(0, 51.0, 50.0), (0, 50.3, 50.0), (50, 10.0, 0.0)])
def test_shares_bought_by_hand_after_an_uneven_split(closed: float, held: float, ours: float) -> None:
    """1-for-2 on 101 shares leaves 50 and cash: what is bought beside them, or after they were sold, is foreign."""
    fills = [filled("A", BUY, OPEN, 101, 10.0)]
    if closed:
        fills.append(filled("A", SELL, CLOSE, closed, 20.0, date(2024, 3, 21)))
    found = attribute_positions({"A": held}, {"A": fills}, [Split("A", date(2024, 3, 20), 0.5)], {}, {})
    assert sum(position.quantity for position in found.positions) == ours
    assert found.foreign == pytest.approx({"A": held - ours})


def test_a_position_on_the_other_side_is_foreign() -> None:
    """Longs that somebody closed by hand and sold short are not ours any more."""
    found = attribute_positions({"A": -10}, {"A": [filled("A", BUY, OPEN, 10, 40.0)]}, [], {}, {})
    assert (found.positions, found.foreign) == ((), {"A": -10})


def test_somebody_sold_a_part() -> None:
    """The broker holds less than our fills explain: all of it is ours."""
    found = attribute_positions({"A": 4}, {"A": [filled("A", BUY, OPEN, 10, 40.0)]}, [], {}, {})
    assert ([position.quantity for position in found.positions], found.foreign) == ([4], {})


def test_entry_price_counts_dividends() -> None:
    """The factor of the entry's session, adjusted over raw close, takes the entry price to today's terms."""
    found = attribute_positions(
        {"A": 10}, {"A": [filled("A", BUY, OPEN, 10, 50.0)]}, [], {Entry("A", OPENED): 0.98}, {}
    )
    assert found.positions[0].entry_price == pytest.approx(49.0)


def test_stored_bands_come_along() -> None:
    """The band that was stored last with a name is the position's."""
    band = Band(-0.1, 0.0, 0.1)
    found = attribute_positions({"A": 10}, {"A": [filled("A", BUY, OPEN, 10, 50.0)]}, [], {}, {"A": band})
    assert found.positions[0].band == band


@pytest.mark.parametrize("bought", [1.0, 30.0, 0.5, 0.999])
def test_what_somebody_bought_beside_it_stays_theirs(bought: float) -> None:
    """100 are ours; a share or a fraction that was bought by hand in the same name is foreign."""
    found = attribute_positions({"A": 100 + bought}, {"A": [filled("A", BUY, OPEN, 100, 10.0)]}, [], {}, {})
    assert [position.quantity for position in found.positions] == [100.0]
    assert found.foreign == {"A": pytest.approx(bought)}
