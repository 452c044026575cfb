"""Ids, plans, and equal sides when orders fail: answers worked out by hand, and invariants over random failures."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from math import floor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from internal.trading.enums import Action, Adjustment, Leg, OrderSide, OrderState, Side
from internal.trading.limits import RiskLimits
from internal.trading.order_planning import apply_orders, client_order_id, plan_orders, portfolio_id, replace_plan
from internal.trading.orders import Order
from internal.trading.portfolio import Decision, PortfolioRow
from internal.trading.shortfalls import (
    adjust_to_shortfall,
    describe_shortfalls,
    is_held_back,
    orders_to_cancel,
    settle_filled_replacements,
)

DAY = date(2024, 3, 15)
MOMENT = datetime(2024, 3, 15, 20, tzinfo=UTC)
LATER = datetime(2024, 3, 15, 21, tzinfo=UTC)
LIMITS = RiskLimits()
LONG, SHORT = Side.LONG, Side.SHORT
OPEN, HOLD, CLOSE = Action.OPEN, Action.HOLD, Action.CLOSE
REJECTED, SUBMITTED, PLANNED = OrderState.REJECTED, OrderState.SUBMITTED, OrderState.PLANNED


def make_row(  # noqa: PLR0913, PLR0917 - a row in one line
    ticker: str, side: Side, action: Action, held: float, quantity: float, price: float, *, frozen: bool = False
) -> PortfolioRow:
    """A row of a portfolio: shares before and after, and the close of the day."""
    return PortfolioRow(ticker, side, action, held, quantity, price, date(2024, 3, 1), price, None, frozen, "decided")


def plan(*rows: PortfolioRow) -> dict[str, Order]:
    """The planned orders of the rows, by ticker."""
    return {order.ticker: order for order in plan_orders(Decision(rows, ()), "account", "p", DAY, MOMENT)}


def fail(order: Order) -> Order:
    """The order as a broker refused it."""
    return replace(order, state=REJECTED, reason="refused: not shortable")


def send(order: Order) -> Order:
    """The order as it waits at the broker."""
    return replace(order, state=SUBMITTED, broker_order_id="b")


def cancel(order: Order) -> Order:
    """The order as the broker canceled it, without a fill."""
    return replace(order, state=OrderState.CANCELED)


def merge(orders: list[Order], changed: list[Order]) -> list[Order]:
    """The journal's orders after the changed ones were written."""
    return sorted(({o.client_order_id: o for o in [*orders, *changed]}).values(), key=lambda one: one.client_order_id)


def adjust(orders: list[Order], *rows: PortfolioRow) -> list[Order]:
    """The adjustment of the limits, by ticker and leg."""
    changed = adjust_to_shortfall(orders, rows, "account", LIMITS, LATER)
    return sorted(changed, key=lambda order: (order.ticker, order.client_order_id))


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


def test_a_replaced_order_that_filled_after_all_is_not_followed() -> None:
    """The cancellation came too late: what filled counts, and the smaller order is dropped."""
    rows = (
        make_row("L", LONG, OPEN, 0, 50, 10.0),
        make_row("M", LONG, OPEN, 0, 50, 10.0),
        make_row("S", SHORT, OPEN, 0, 100, 10.0),
    )
    planned = plan(*rows)
    orders = [fail(planned["L"]), send(planned["M"]), send(planned["S"])]
    orders = merge(orders, adjust(orders, *rows))
    filled = {"state": OrderState.FILLED, "filled_quantity": 100.0, "filled_average_price": 10.0}
    orders = [replace(o, **filled) if o.adjustment is Adjustment.REPLACED else o for o in orders]
    assert orders_to_cancel(orders) == []
    settled = merge(orders, settle_filled_replacements(orders, LATER))
    assert [(o.quantity, o.state) for o in settled if o.ticker == "S"] == [
        (100, OrderState.FILLED),
        (50, OrderState.DROPPED),
    ]
    assert apply_orders(rows, settled)[2].quantity == 100.0


def test_a_replaced_order_that_filled_in_part_is_followed_by_the_rest() -> None:
    """Of 100 shares 20 filled before the cancellation; 50 are wanted: 30 are sent, also when it is asked again."""
    rows = (
        make_row("L", LONG, OPEN, 0, 50, 10.0),
        make_row("M", LONG, OPEN, 0, 50, 10.0),
        make_row("S", SHORT, OPEN, 0, 100, 10.0),
    )
    planned = plan(*rows)
    orders = [fail(planned["L"]), send(planned["M"]), send(planned["S"])]
    orders = merge(orders, adjust(orders, *rows))
    part = {"state": OrderState.CANCELED, "filled_quantity": 20.0, "filled_average_price": 10.0}
    orders = [replace(o, **part) if o.adjustment is Adjustment.REPLACED else o for o in orders]
    settled = merge(orders, settle_filled_replacements(orders, LATER))
    assert [(o.quantity, o.state) for o in settled if o.ticker == "S"] == [(100, OrderState.CANCELED), (30, PLANNED)]
    assert settle_filled_replacements(settled, LATER) == []
    assert apply_orders(rows, settled)[2].quantity == 50.0


def test_a_refused_top_up_is_still_held() -> None:
    """400 dollars that a held short was to grow by are refused: new longs are cut by as much, and it stays held."""
    rows = (make_row("L", LONG, OPEN, 0, 100, 10.0), make_row("T", SHORT, HOLD, 60, 100, 10.0))
    planned = plan(*rows)
    orders = [planned["L"], fail(planned["T"])]
    orders = merge(orders, adjust(orders, *rows))
    after = apply_orders(rows, orders)
    assert [(row.action, row.quantity) for row in after] == [(OPEN, 60.0), (HOLD, 60.0)]
    assert after[1].reason == "refused: not shortable"
    assert apply_orders(after, orders) == after


def test_top_ups_are_cut_and_replaced_as_openings_are() -> None:
    """Half of what the longs were to grow by fails: the short that was to grow from 100 to 150 shares grows to 125."""
    rows = (
        make_row("L", LONG, HOLD, 50, 75, 10.0),
        make_row("M", LONG, HOLD, 50, 75, 10.0),
        make_row("S", SHORT, HOLD, 100, 150, 10.0),
    )
    planned = plan(*rows)
    orders = [fail(planned["L"]), send(planned["M"]), send(planned["S"])]
    changed = adjust(orders, *rows)
    assert [(o.ticker, o.leg, o.quantity, o.adjustment) for o in changed] == [
        ("S", Leg.ADD, 50.0, Adjustment.REPLACED),
        ("S", Leg.ADD, 25.0, Adjustment.CUT),
    ]
    orders = merge(orders, changed)
    assert [row.quantity for row in apply_orders(rows, orders)] == [50.0, 75.0, 125.0]
    assert adjust(orders, *rows) == []


def test_a_position_is_trimmed_once_its_top_up_is_canceled() -> None:
    """1,000 dollars of longs fail: the short's top-up of 200 is canceled first, then its 500 shares give 800."""
    rows = (make_row("L", LONG, OPEN, 0, 100, 10.0), make_row("S", SHORT, HOLD, 500, 520, 10.0))
    planned = plan(*rows)
    orders = [fail(planned["L"]), send(planned["S"])]
    first = adjust(orders, *rows)
    assert [(o.ticker, o.adjustment) for o in first] == [("S", Adjustment.REPLACED)]
    orders = [cancel(o) if o.ticker == "S" else o for o in merge(orders, first)]
    second = adjust(orders, *rows)
    assert [(o.ticker, o.leg, o.quantity, o.adjustment) for o in second] == [("S", Leg.CLOSE, 80.0, Adjustment.TRIM)]
    assert [row.quantity for row in apply_orders(rows, merge(orders, second))] == [0.0, 420.0]


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


def test_a_split_of_a_waiting_order_changes_nothing() -> None:
    """The broker made 30 shares of 10 at a third of the price: the portfolio still counts 10 in its own terms."""
    rows = (make_row("L", LONG, OPEN, 0, 10, 10.0), make_row("S", SHORT, OPEN, 0, 10, 10.0))
    planned = plan(*rows)
    split = replace(send(planned["L"]), quantity=30.0, reference_price=10.0 / 3)
    orders = [split, send(planned["S"])]
    assert apply_orders(rows, orders) == rows
    assert adjust(orders, *rows) == []


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
