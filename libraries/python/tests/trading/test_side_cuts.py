"""One side of a run falls short: the other one is cut or trimmed, once, to the difference that was decided."""

from dataclasses import replace
from math import floor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from internal.trading.enums import Adjustment, Leg, OrderSide, OrderState, Side
from internal.trading.order_planning import apply_orders, client_order_id
from internal.trading.orders import Order
from internal.trading.portfolio import PortfolioRow
from internal.trading.shortfalls import (
    describe_shortfalls,
    is_held_back,
    orders_to_cancel,
)
from libraries.python.tests.trading.planning_kit import (
    CLOSE,
    HOLD,
    LIMITS,
    LONG,
    OPEN,
    PLANNED,
    REJECTED,
    SHORT,
    SUBMITTED,
    adjust,
    cancel,
    fail,
    make_row,
    merge,
    plan,
    send,
)


def test_refused_short_cuts_new_longs() -> None:
    """Of 1,000 dollars of shorts 400 were refused: new longs worth 1,000 go down to 600, in whole shares, once."""
    rows = (
        make_row("L", LONG, OPEN, 0, 50, 10.0),
        make_row("M", LONG, OPEN, 0, 5, 100.0),
        make_row("S", SHORT, OPEN, 0, 6, 100.0),
        make_row("T", SHORT, OPEN, 0, 4, 100.0),
    )
    planned = plan(*rows)
    orders = [planned["L"], planned["M"], send(planned["S"]), fail(planned["T"])]
    cut = adjust(orders, *rows)
    assert [(o.ticker, o.quantity, o.state, o.adjustment) for o in cut] == [
        ("L", 30.0, PLANNED, Adjustment.CUT),
        ("M", 3.0, PLANNED, Adjustment.CUT),
    ]
    assert adjust(merge(orders, cut), *rows) == []


def test_refused_short_trims_held_longs() -> None:
    """With no new long to cut, held longs are trimmed by what the short side did not get; frozen ones are not."""
    rows = (
        make_row("H", LONG, HOLD, 100, 100, 10.0),
        make_row("K", LONG, HOLD, 50, 50, 10.0, frozen=True),
        make_row("T", SHORT, OPEN, 0, 4, 100.0),
    )
    orders = [fail(plan(*rows)["T"])]
    trims = adjust(orders, *rows)
    assert [(o.ticker, o.side, o.leg, o.quantity, o.state, o.adjustment) for o in trims] == [
        ("H", OrderSide.SELL, Leg.CLOSE, 40.0, PLANNED, Adjustment.TRIM)
    ]
    assert trims[0].client_order_id == client_order_id("account", "p", "H", "close", 1)
    applied = apply_orders(rows, merge(orders, trims))
    assert [(row.ticker, row.quantity, row.dollar_amount) for row in applied] == [
        ("H", 60.0, 600.0),
        ("K", 50.0, 500.0),
        ("T", 0.0, 0.0),
    ]


def test_all_shorts_refused_drops_the_longs() -> None:
    """A long with no share left is dropped, and the portfolio says that nothing is held of it."""
    rows = (make_row("L", LONG, OPEN, 0, 40, 10.0), make_row("T", SHORT, OPEN, 0, 4, 100.0))
    orders = list(plan(*rows).values())
    orders = [fail(order) if order.ticker == "T" else order for order in orders]
    cut = adjust(orders, *rows)
    assert [(o.ticker, o.state) for o in cut] == [("L", OrderState.DROPPED)]
    assert [row.quantity for row in apply_orders(rows, merge(orders, cut))] == [0.0, 0.0]


@pytest.mark.parametrize("state", [REJECTED, OrderState.UNRESOLVED])
def test_a_restart_does_not_cut_again(state: OrderState) -> None:
    """A short is refused, the only long that was cut for it is then refused or unresolved: no second cut, no trim."""
    rows = (
        make_row("H", LONG, HOLD, 90, 90, 10.0),
        make_row("L", LONG, OPEN, 0, 100, 10.0),
        make_row("R", SHORT, HOLD, 90, 90, 10.0),
        make_row("S", SHORT, OPEN, 0, 60, 10.0),
        make_row("T", SHORT, OPEN, 0, 40, 10.0),
    )
    planned = plan(*rows)
    orders = [planned["L"], send(planned["S"]), fail(planned["T"])]
    orders = merge(orders, adjust(orders, *rows))
    orders = [replace(o, state=state) if o.ticker == "L" else o for o in orders]
    again = adjust(orders, *rows)
    assert [order for order in again if order.position_side is LONG] == []
    if state is OrderState.UNRESOLVED:
        assert again == []
    else:  # the long side fell short of what was left to it: the short side follows
        assert [(o.ticker, o.adjustment) for o in again] == [("S", Adjustment.REPLACED)]


def test_refused_longs_cut_the_shorts_that_were_sent() -> None:
    """Of 1,000 dollars of longs 500 were refused: shorts at the broker are replaced by half as many shares."""
    rows = (
        make_row("L", LONG, OPEN, 0, 50, 10.0),
        make_row("M", LONG, OPEN, 0, 5, 100.0),
        make_row("S", SHORT, OPEN, 0, 6, 100.0),
        make_row("T", SHORT, OPEN, 0, 4, 100.0),
    )
    planned = plan(*rows)
    orders = [fail(planned["L"]), send(planned["M"]), send(planned["S"]), send(planned["T"])]
    changed = adjust(orders, *rows)
    first = client_order_id("account", "p", "S", "open", 0)
    second = client_order_id("account", "p", "S", "open", 1)
    assert [(o.client_order_id, o.quantity, o.state, o.adjustment) for o in changed if o.ticker == "S"] == [
        (first, 6.0, SUBMITTED, Adjustment.REPLACED),
        (second, 3.0, PLANNED, Adjustment.CUT),
    ]
    orders = merge(orders, changed)
    assert [order.ticker for order in orders_to_cancel(orders)] == ["S", "T"]
    assert [o.ticker for o in orders if o.state is PLANNED and is_held_back(o, orders)] == ["S", "T"]
    assert adjust(orders, *rows) == []
    assert [row.quantity for row in apply_orders(rows, orders)] == [0.0, 5.0, 3.0, 2.0]
    assert describe_shortfalls(orders) == [
        "buy of 50 L refused: not shortable",
        "the short side was cut to what the long side got",
    ]


def test_one_refused_opening_of_a_long_only_portfolio_changes_nothing_else() -> None:
    """There is no other side to keep equal."""
    rows = (
        make_row("H", LONG, HOLD, 100, 100, 10.0),
        make_row("L", LONG, OPEN, 0, 100, 10.0),
        make_row("M", LONG, HOLD, 100, 150, 10.0),
        make_row("N", LONG, CLOSE, 100, 0, 10.0),
    )
    for ticker in ("L", "M"):
        orders = [fail(order) if order.ticker == ticker else order for order in plan(*rows).values()]
        assert adjust(orders, *rows) == []


def test_a_refused_close_of_a_long_only_portfolio_is_not_leverage() -> None:
    """500 dollars stay where they were: new longs are cut by as much, and what is held is left alone."""
    rows = (
        make_row("H", LONG, HOLD, 100, 100, 10.0),
        make_row("L", LONG, OPEN, 0, 100, 10.0),
        make_row("N", LONG, CLOSE, 50, 0, 10.0),
    )
    planned = plan(*rows)
    cut = adjust([planned["L"], fail(planned["N"])], *rows)
    assert [(o.ticker, o.quantity, o.reason) for o in cut] == [("L", 50.0, "cut because a close failed")]
    assert adjust([fail(planned["N"])], rows[0], rows[2]) == []


def test_unequal_sides_stay_as_unequal_as_they_were_decided() -> None:
    """1,200 dollars long and 300 short; all shorts are refused: 900 long are left."""
    rows = (make_row("L", LONG, OPEN, 0, 120, 10.0), make_row("S", SHORT, OPEN, 0, 30, 10.0))
    planned = plan(*rows)
    cut = adjust([planned["L"], fail(planned["S"])], *rows)
    assert [(o.ticker, o.quantity) for o in cut] == [("L", 90.0)]


def test_a_refused_close_is_still_held() -> None:
    """500 dollars of longs were not closed: they read as held, and the new longs of that side are cut by as much."""
    rows = (
        make_row("C", LONG, CLOSE, 50, 0, 10.0),
        make_row("L", LONG, OPEN, 0, 100, 10.0),
        make_row("S", SHORT, OPEN, 0, 100, 10.0),
    )
    planned = plan(*rows)
    orders = [fail(planned["C"]), planned["L"], send(planned["S"])]
    orders = merge(orders, adjust(orders, *rows))
    after = apply_orders(rows, orders)
    assert [(row.ticker, row.action, row.quantity) for row in after] == [
        ("C", HOLD, 50.0),
        ("L", OPEN, 50.0),
        ("S", OPEN, 100.0),
    ]
    assert after[0].reason == "refused: not shortable"
    assert apply_orders(after, orders) == after


def test_a_refused_trim_is_still_held() -> None:
    """A trim that the broker refuses leaves the position, and the next one leaves that position alone."""
    rows = (
        make_row("H", LONG, HOLD, 100, 100, 10.0),
        make_row("I", LONG, HOLD, 100, 100, 10.0),
        make_row("T", SHORT, OPEN, 0, 100, 10.0),
    )
    orders = [fail(plan(*rows)["T"])]
    orders = merge(orders, adjust(orders, *rows))
    orders = [fail(order) if order.ticker == "H" else order for order in orders]
    assert [row.quantity for row in apply_orders(rows, orders)] == [100.0, 50.0, 0.0]
    again = adjust(orders, *rows)
    assert [(o.ticker, o.quantity, o.adjustment) for o in again] == [("I", 50.0, Adjustment.TRIM)]
    assert again[0].client_order_id == client_order_id("account", "p", "I", "close", 2)


@st.composite
def failing_runs(draw: st.DrawFn) -> tuple[tuple[PortfolioRow, ...], set[str]]:
    """Names that are opened, topped up, trimmed and closed, on sides of any value; and the tickers that are refused."""
    rows: list[PortfolioRow] = []
    for side in (LONG, SHORT):
        for number in range(draw(st.integers(1, 6))):
            price, quantity = draw(st.floats(5, 50)), float(draw(st.integers(100, 300)))
            held = float(draw(st.integers(50, 350))) if draw(st.booleans()) else 0.0
            action = HOLD if held else OPEN
            rows.append(make_row(f"{side[0]}{number}", side, action, held, quantity, price))
        if draw(st.booleans()):
            rows.append(make_row(f"{side[0]}X", side, CLOSE, float(draw(st.integers(1, 300))), 0.0, 20.0))
    refused = draw(st.sets(st.sampled_from([row.ticker for row in rows])))
    return tuple(rows), refused


ROUNDS = [(opens, set(Side)) for opens in (False, True)] * 4  # as many as a run makes


def require_one_side(orders: list[Order]) -> None:
    """No name has orders that wait on both sides, which the broker takes for a trade with oneself."""
    waiting = {(order.ticker, order.side) for order in orders if order.state is SUBMITTED}
    assert len({ticker for ticker, _ in waiting}) == len(waiting)


def net(rows: tuple[PortfolioRow, ...]) -> float:
    """Dollars long less dollars short."""
    return sum(row.dollar_amount * (1 if row.side is LONG else -1) for row in rows)


@settings(max_examples=300, deadline=None)
@given(failing_runs())
def test_whichever_side_fails_the_difference_is_what_was_decided(
    run: tuple[tuple[PortfolioRow, ...], set[str]],
) -> None:
    """After the closes, the shorts and the longs, long less short is as decided: to the tolerance and whole shares."""
    rows, refused = run
    orders = list(plan(*rows).values())
    for opens, sides in ((False, set(Side)), (True, {SHORT}), (False, set(Side)), (True, {LONG}), *ROUNDS):
        orders = [cancel(order) if order.adjustment is Adjustment.REPLACED else order for order in orders]
        orders = [
            (fail if order.ticker in refused else send)(order)
            if order.state is PLANNED and order.leg.opens is opens and order.position_side in sides
            else order
            for order in orders
        ]
        require_one_side(orders)
        orders = merge(orders, adjust(orders, *rows))
    after = apply_orders(rows, orders)
    assert apply_orders(after, orders) == after
    movable = [
        row
        for row in after
        if row.quantity and row.ticker not in refused and (row.side is LONG) == (net(after) > net(rows))
    ]
    larger = max(sum(row.dollar_amount for row in after if row.side is side) for side in Side)
    whole_shares = sum(row.reference_price for row in after)
    if abs(net(after) - net(rows)) > LIMITS.balance_tolerance * larger + whole_shares:
        assert movable == []
    assert all(floor(o.quantity) == o.quantity for o in orders)
    assert all(row.quantity <= max(before.quantity, before.held) for row, before in zip(after, rows, strict=True))
