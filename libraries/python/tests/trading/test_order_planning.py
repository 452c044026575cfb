"""Orders that follow from a decided portfolio: their ids, sides and quantities, and a plan that was interrupted."""

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from internal.trading.enums import Action, Adjustment, Leg, OrderSide, OrderState, Side
from internal.trading.order_planning import apply_orders, client_order_id, portfolio_id, replace_plan
from libraries.python.tests.trading.planning_kit import (
    CLOSE,
    DAY,
    HOLD,
    LONG,
    OPEN,
    PLANNED,
    SHORT,
    adjust,
    make_row,
    plan,
    send,
)

words = st.text(st.characters(codec="utf-8"), min_size=1, max_size=40)


@settings(max_examples=200)
@given(words, words, words, st.sampled_from(["open", "add", "close"]), st.integers(0, 999))
def test_ids_fit_and_repeat(account: str, portfolio: str, ticker: str, leg: str, revision: int) -> None:
    """Whatever the names are, an id is one that the broker takes, and the same again for the same order."""
    identity = client_order_id(account, portfolio, ticker, leg, revision)
    assert re.fullmatch(r"[A-Za-z0-9-]{1,48}", identity)
    assert identity == client_order_id(account, portfolio, ticker, leg, revision)


def test_ids_differ() -> None:
    """Every part of what an order is changes its id, also where the readable part is the same."""
    parts = [
        ("a", "p", "BRK.B", "open", 0),
        ("b", "p", "BRK.B", "open", 0),
        ("a", "q", "BRK.B", "open", 0),
        ("a", "p", "BRKB", "open", 0),
        ("a", "p", "BRK.B", "close", 0),
        ("a", "p", "BRK.B", "add", 0),
        ("a", "p", "BRK.B", "open", 1),
    ]
    assert len({client_order_id(*part) for part in parts}) == len(parts)


def test_ids_stay_what_they_were() -> None:
    """An id that is at a broker already must be found again: two known ones, computed with `sha256sum` by hand."""
    assert portfolio_id("ten_by_ten", "account", DAY) == "ten-by-ten-2024-03-15-9af21132"
    assert client_order_id("account", "p", "BRK.B", Leg.OPEN, 0) == "BRKB-open-0-e31d2e1d07dc225b"


def test_plan_by_hand() -> None:
    """New and larger longs buy, such shorts sell, closed and smaller ones trade back what they lose, kept ones none."""
    orders = plan(
        make_row("A", LONG, OPEN, 0.0, 10.0, 20.0),
        make_row("B", SHORT, OPEN, 0.0, 5.0, 40.0),
        make_row("C", LONG, CLOSE, 7.5, 0.0, 10.0),
        make_row("D", SHORT, CLOSE, 3.0, 0.0, 10.0),
        make_row("E", SHORT, HOLD, 8.0, 6.0, 10.0),
        make_row("F", LONG, HOLD, 6.0, 6.0, 10.0),
        make_row("G", LONG, HOLD, 6.0, 9.0, 10.0),
        make_row("H", SHORT, HOLD, 6.0, 10.0, 10.0),
    )
    assert [(o.ticker, o.side, o.leg, o.quantity) for o in orders.values()] == [
        ("A", OrderSide.BUY, Leg.OPEN, 10.0),
        ("B", OrderSide.SELL, Leg.OPEN, 5.0),
        ("C", OrderSide.SELL, Leg.CLOSE, 7.5),
        ("D", OrderSide.BUY, Leg.CLOSE, 3.0),
        ("E", OrderSide.BUY, Leg.CLOSE, 2.0),
        ("G", OrderSide.BUY, Leg.ADD, 3.0),
        ("H", OrderSide.SELL, Leg.ADD, 4.0),
    ]
    assert {order.state for order in orders.values()} == {PLANNED}


def test_a_plan_that_was_interrupted_is_replaced() -> None:
    """Orders of the earlier plan that the new one does not have are dropped; those of both stay planned."""
    earlier = plan(make_row("A", LONG, OPEN, 0.0, 10.0, 20.0), make_row("B", LONG, OPEN, 0.0, 5.0, 40.0))
    now = plan(make_row("A", LONG, OPEN, 0.0, 11.0, 20.0))
    written = replace_plan(earlier.values(), list(now.values()))
    assert [(o.ticker, o.quantity, o.state) for o in written] == [("A", 11.0, PLANNED), ("B", 5.0, OrderState.DROPPED)]


def test_a_new_order_never_takes_the_id_of_another() -> None:
    """Two revisions of A were adopted after a restore; a further refusal replaces the second by a third."""
    rows = make_row("A", LONG, OPEN, 0.0, 100.0, 10.0), make_row("B", SHORT, OPEN, 0.0, 100.0, 10.0)
    first, short = plan(*rows)["A"], plan(*rows)["B"]
    identities = [client_order_id("account", "p", "A", Leg.OPEN, revision) for revision in range(3)]
    second = replace(send(first), client_order_id=identities[1], quantity=80.0, adjustment=Adjustment.CUT)
    orders = [
        replace(send(first), state=OrderState.CANCELED),
        second,
        replace(send(short), state=OrderState.CANCELED, filled_quantity=40.0),
    ]
    replaced, third = adjust(orders, *rows)
    assert {replaced.client_order_id, third.client_order_id} == {identities[1], identities[2]}
    assert {replaced.quantity, third.quantity} == {80.0, 40.0}


@pytest.mark.parametrize(
    ("held", "wanted", "side", "sent"),
    [
        (33.333333, 10.0, LONG, 23.333333),  # 23.333333000000003 in floating point, which the broker refuses
        (0.1 + 0.2, 0.0, LONG, 0.3),
        (49.5, 0.0, SHORT, 49.0),
        (0.5, 0.0, SHORT, 0.5),
        (100.0, 20.0, SHORT, 80.0),
    ],
)
def test_quantities_are_acceptable(held: float, wanted: float, side: Side, sent: float) -> None:
    """At most nine decimals, and whole shares of shorts."""
    orders = plan(make_row("A", side, HOLD if wanted else Action.CLOSE, held, wanted, 10.0))
    assert [order.quantity for order in orders.values()] == [sent]


def test_a_split_of_a_waiting_order_changes_nothing() -> None:
    """The broker made 30 shares of 10 at a third of the price: the portfolio still counts 10 in its own terms."""
    rows = (make_row("L", LONG, OPEN, 0, 10, 10.0), make_row("S", SHORT, OPEN, 0, 10, 10.0))
    planned = plan(*rows)
    split = replace(send(planned["L"]), quantity=30.0, reference_price=10.0 / 3)
    orders = [split, send(planned["S"])]
    assert apply_orders(rows, orders) == rows
    assert adjust(orders, *rows) == []
