"""Corporate actions, fees and borrow cost against hand calculations."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from internal.dates import session_close
from internal.venue.action_processing import apply_delisting, apply_dividend, apply_split
from internal.venue.charges import RegulatoryFees, Trade, charge_borrow, charge_fees, charge_interest, regulatory_fees
from internal.venue.corporate_actions import dividend_action, split_action
from internal.venue.history import MovementKind
from internal.venue.margin_account import MarginAccount, apply_fill, apply_marks
from internal.venue.order_adjustment import split_order
from internal.venue.orders import Order, OrderStatus, OrderType, PositionIntent, Side, TimeInForce

DAY = date(2024, 12, 30)


def holding(quantity: str, price: str = "100") -> MarginAccount:
    """A book with one position, opened from 100,000 dollars."""
    return apply_fill(
        MarginAccount(Decimal(100000), Decimal(100000)), "AAA", Decimal(quantity), Decimal(price), Decimal(price)
    )


def test_split_keeps_the_value() -> None:
    """4 for 1: 25 shares at 100 become 100 at 25; cash, equity and cost basis stay."""
    before = holding("25")
    after, movements = apply_split(before, split_action("AAA", DAY, Decimal(1), Decimal(4)))
    held = after.positions["AAA"]
    assert (Decimal(100), Decimal(25), Decimal(25)) == (held.quantity, held.mark_price, held.average_entry_price)
    assert (before.cash, before.equity) == (after.cash, after.equity)
    assert [MovementKind.SPLIT] == [movement.kind for movement in movements]


@pytest.mark.parametrize(("quantity", "left", "cash"), [("25", "2", "500.00"), ("-25", "-2", "-500.00")])
def test_reverse_split_pays_the_rest_in_cash(quantity: str, left: str, cash: str) -> None:
    """1 for 10: 25 shares become 2, the half share at 1,000 is paid (a short owes it)."""
    before = holding(quantity)
    after, movements = apply_split(before, split_action("AAA", DAY, Decimal(10), Decimal(1)))
    assert Decimal(left) == after.quantity_of("AAA")
    assert Decimal(cash) == after.cash - before.cash == movements[1].net_amount
    assert before.equity == after.equity


def test_split_of_what_is_not_held() -> None:
    """Nothing happens."""
    book = holding("25")
    assert (book, []) == apply_split(book, split_action("BBB", DAY, Decimal(1), Decimal(2)))


def test_split_of_an_open_order() -> None:
    """2 for 1: twice the shares at half the price; a limit moves to the allowed price that is no worse."""
    order = Order(
        1, "a", "a", "AAA", Side.BUY, OrderType.LIMIT, TimeInForce.GTC, PositionIntent.BUY_TO_OPEN, Decimal(3), None,
        Decimal("10.01"), Decimal("10.01"), OrderStatus.NEW, session_close(DAY), session_close(DAY),
    )  # fmt: skip
    doubled = split_order(order, split_action("AAA", DAY, Decimal(1), Decimal(2)))
    assert doubled is not None
    assert (Decimal(6), Decimal("5.00")) == (doubled.quantity, doubled.limit_price)
    sold = split_order(replace(order, side=Side.SELL), split_action("AAA", DAY, Decimal(1), Decimal(2)))
    assert sold is not None
    assert Decimal("5.01") == sold.limit_price
    assert split_order(order, split_action("AAA", DAY, Decimal(10), Decimal(1))) is None
    assert (
        split_order(replace(order, filled_quantity=Decimal(1)), split_action("AAA", DAY, Decimal(1), Decimal(2)))
        is None
    )


def test_dividend_pays_longs_and_charges_shorts() -> None:
    """0.25 a share on 30 shares."""
    for quantity, amount in (("30", Decimal("7.50")), ("-30", Decimal("-7.50"))):
        book, movements = apply_dividend(holding(quantity), dividend_action("AAA", DAY, Decimal("0.25")))
        assert amount == movements[0].net_amount == book.cash - holding(quantity).cash


def test_delisting_turns_the_position_into_cash() -> None:
    """The last price is paid out; equity stays."""
    before = apply_marks(holding("30"), {"AAA": Decimal(40)})
    after, movements = apply_delisting(before, "AAA")
    assert ({}, before.equity) == (after.positions, after.equity)
    assert (Decimal(1200), Decimal(-30)) == (movements[0].net_amount, movements[0].quantity)


def test_fees_by_hand() -> None:
    """Sales of 1,000 at 50 and 200,000 at 1: SEC 250,000 x 27.80 a million = 6.95; TAF 0.166 + 8.30 (capped) = 8.47."""
    trades = [Trade(Side.SELL, Decimal(1000), Decimal(50)), Trade(Side.SELL, Decimal(200000), Decimal(1))]
    trades.append(Trade(Side.BUY, Decimal("99998.5"), Decimal(2)))
    assert RegulatoryFees(Decimal("6.95"), Decimal("8.47"), Decimal(0)) == regulatory_fees(trades, DAY)
    book, movements = charge_fees(holding("10"), trades, DAY)
    assert Decimal("-15.42") == book.cash - holding("10").cash == sum(movement.net_amount for movement in movements)
    assert [] == charge_fees(holding("10"), [], DAY)[1]


def test_cat_fee_by_hand() -> None:
    """1,000 sold and 99,998.5 bought from July 2025 on: 100,999 whole shares x 0.0000265 = 2.68 rounded up."""
    trades = [Trade(Side.SELL, Decimal(1000), Decimal(50)), Trade(Side.BUY, Decimal("99998.5"), Decimal(2))]
    for session, charged in ((date(2025, 6, 30), []), (date(2025, 7, 1), [(Decimal("-2.68"), Decimal(100_999))])):
        movements = [one for one in charge_fees(holding("10"), trades, session)[1] if one.activity_sub_type == "CAT"]
        assert [(one.net_amount, one.charged) for one in movements] == charged


def test_margin_interest_by_hand() -> None:
    """36,000 dollars owed at 7 % a year: 7.00 a night, 21.00 over a weekend; cash that is owned bears none."""
    owing = replace(holding("10"), cash=Decimal(-36_000))
    for nights, cost in ((1, Decimal("7.00")), (3, Decimal("21.00"))):
        account, (movement,) = charge_interest(owing, nights)
        assert (movement.net_amount, movement.activity_type, account.cash) == (-cost, "INT", owing.cash - cost)
    assert [] == charge_interest(holding("10"), 3)[1]
    assert Decimal("-3.50") == charge_interest(owing, 1, Decimal("0.5"))[1][0].net_amount


def test_borrow_by_hand() -> None:
    """100 short at 100 at 3.6 % a year: one dollar a night, three over a weekend; longs pay nothing."""
    rates = {"AAA": Decimal("0.036")}
    assert [Decimal(-1), Decimal(-3)] == [
        charge_borrow(holding("-100"), rates, nights)[1][0].net_amount for nights in (1, 3)
    ]
    assert [] == charge_borrow(holding("100"), rates, 3)[1]
