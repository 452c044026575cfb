"""Orders of which some have filled, and those that take their place: openings and top-ups that are cut."""

from dataclasses import replace

from internal.trading.enums import Adjustment, Leg, OrderState
from internal.trading.order_planning import apply_orders
from internal.trading.orders import Order
from internal.trading.shortfalls import (
    orders_to_cancel,
    settle_filled_replacements,
)
from libraries.python.tests.trading.planning_kit import (
    HOLD,
    LATER,
    LONG,
    OPEN,
    PLANNED,
    SHORT,
    adjust,
    cancel,
    fail,
    make_row,
    merge,
    plan,
    send,
)

ROWS = (
    make_row("L", LONG, OPEN, 0, 50, 10.0),
    make_row("M", LONG, OPEN, 0, 50, 10.0),
    make_row("S", SHORT, OPEN, 0, 100, 10.0),
)


def replace_short(state: OrderState, filled: float) -> list[Order]:
    """One of two longs was refused, so the short of 100 shares is replaced; how that one ended, and what it filled."""
    planned = plan(*ROWS)
    orders = [fail(planned["L"]), send(planned["M"]), send(planned["S"])]
    ended = {"state": state, "filled_quantity": filled, "filled_average_price": 10.0}
    return [
        replace(o, **ended) if o.adjustment is Adjustment.REPLACED else o for o in merge(orders, adjust(orders, *ROWS))
    ]


def test_a_replaced_order_that_filled_after_all_is_not_followed() -> None:
    """The cancellation came too late: what filled counts, and the smaller order is dropped."""
    orders = replace_short(OrderState.FILLED, 100.0)
    assert orders_to_cancel(orders) == []
    settled = merge(orders, settle_filled_replacements(orders, LATER))
    assert [(o.quantity, o.state) for o in settled if o.ticker == "S"] == [
        (100, OrderState.FILLED),
        (50, OrderState.DROPPED),
    ]
    assert apply_orders(ROWS, settled)[2].quantity == 100.0


def test_a_replaced_order_that_filled_in_part_is_followed_by_the_rest() -> None:
    """Of 100 shares 20 filled before the cancellation; 50 are wanted: 30 are sent, also when it is asked again."""
    orders = replace_short(OrderState.CANCELED, 20.0)
    settled = merge(orders, settle_filled_replacements(orders, LATER))
    assert [(o.quantity, o.state) for o in settled if o.ticker == "S"] == [(100, OrderState.CANCELED), (30, PLANNED)]
    assert settle_filled_replacements(settled, LATER) == []
    assert apply_orders(ROWS, settled)[2].quantity == 50.0


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
