"""Random stories of orders of every type: whatever happens, the books add up and no group is left half open."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from internal.venue.core import ExchangeCore, open_venue
from internal.venue.history import Fill
from internal.venue.market.listing import Bar
from internal.venue.orders import Order, OrderChanges, OrderClass, OrderRequest, OrderStatus, OrderType, Side, StopLoss
from internal.venue.orders import TimeInForce as Force
from internal.venue.rejections import RequestRefusedError
from internal.venue.repository import HistoryQuery, InMemoryRepository, OrderQuery
from internal.venue.state import open_account
from libraries.python.tests.venue.venue_kit import DAYS, hand_market, make_bar

CASH = Decimal(5_000_000)
PRICES = st.integers(90, 110).map(Decimal)
QUANTITIES = st.sampled_from([Decimal(1), Decimal(10), Decimal("0.5"), Decimal(60_000)])
FORCES, LASTING = st.sampled_from(Force), st.sampled_from([Force.DAY, Force.GTC])
NONE, SIDES = st.none(), st.sampled_from(Side)
LOW, HIGH = st.integers(90, 98).map(Decimal), st.integers(102, 110).map(Decimal)


def requests(  # noqa: PLR0913 - what a kind of order has
    order_type: OrderType,
    *,
    force: st.SearchStrategy[Force] = FORCES,
    limit: st.SearchStrategy[Decimal | None] = NONE,
    stop: st.SearchStrategy[Decimal | None] = NONE,
    trail: st.SearchStrategy[Decimal | None] = NONE,
    order_class: OrderClass = OrderClass.SIMPLE,
    side: st.SearchStrategy[Side] = SIDES,
    profit: st.SearchStrategy[Decimal | None] = NONE,
    loss: st.SearchStrategy[StopLoss | None] = NONE,
) -> st.SearchStrategy[OrderRequest]:
    """Orders of one kind, whose terms go together."""
    return st.builds(
        OrderRequest,
        ticker=st.just("AAA"),
        side=side,
        type=st.just(order_type),
        time_in_force=force,
        quantity=QUANTITIES,
        notional=NONE,
        limit_price=limit,
        client_order_id=NONE,
        position_intent=NONE,
        stop_price=stop,
        trail_price=trail,
        order_class=st.just(order_class),
        take_profit=profit,
        stop_loss=loss,
    )


def with_exits(side: Side) -> list[st.SearchStrategy[OrderRequest]]:
    """Orders of every class, with exits on the sides of the price on which they must be."""
    profit, loss = (HIGH, LOW) if side is Side.BUY else (LOW, HIGH)
    exits: dict[str, Any] = {"force": LASTING, "side": st.just(side), "loss": st.builds(StopLoss, loss, NONE | loss)}
    closing: dict[str, Any] = exits | {"side": st.just(side.opposite)}
    return [
        requests(OrderType.MARKET, **exits, order_class=OrderClass.BRACKET, profit=profit),
        requests(OrderType.LIMIT, **exits, order_class=OrderClass.BRACKET, profit=profit, limit=st.just(Decimal(100))),
        requests(OrderType.MARKET, **exits, order_class=OrderClass.OTO),
        requests(OrderType.LIMIT, **closing, order_class=OrderClass.OCO, profit=profit, limit=profit),
    ]


REQUESTS = st.one_of(
    requests(OrderType.MARKET),
    requests(OrderType.LIMIT, limit=PRICES),
    requests(OrderType.STOP, stop=PRICES),
    requests(OrderType.STOP_LIMIT, stop=PRICES, limit=PRICES),
    requests(OrderType.TRAILING_STOP, force=LASTING, trail=st.integers(1, 5).map(Decimal)),
    *with_exits(Side.BUY),
    *with_exits(Side.SELL),
)
CHANGES = st.builds(OrderChanges, st.none() | QUANTITIES, st.none(), st.none() | PRICES, st.none(), st.none() | PRICES)
ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("submit"), REQUESTS),
        st.tuples(st.just("advance"), st.none()),
        st.tuples(st.just("replace"), CHANGES),
        st.tuples(st.just("cancel"), st.integers(0, 20)),
        st.tuples(st.just("advance"), st.none()),
    ),
    min_size=10,
    max_size=30,
)
BARS = st.lists(st.tuples(st.integers(92, 108), st.integers(0, 8), st.integers(0, 8), st.integers(0, 16)), min_size=8)


def play(actions: Sequence[tuple[str, object]], bars: Sequence[Bar]) -> tuple[ExchangeCore, InMemoryRepository]:
    """Carries a story out; what the venue refuses is left out of it."""
    repository = InMemoryRepository()
    market = hand_market(["AAA"], bars=bars)
    core = open_venue(market, repository, open_account(market, CASH))
    steps = iter(core.steps_to(core.state.moment.replace(year=2025, month=1, day=10, hour=21)))
    for verb, value in actions:
        try:
            act(core, verb, value)
        except RequestRefusedError:
            continue
        if verb == "advance" and (step := next(steps, None)) is not None:
            core.step(step)
    return core, repository


def act(core: ExchangeCore, verb: str, value: object) -> None:
    """One request."""
    names = [order.id for order in core.state.open_orders.values()]
    if isinstance(value, OrderRequest):
        core.submit(value)
    elif isinstance(value, OrderChanges) and names:
        core.replace(names[len(names) // 2], value)
    elif verb == "cancel" and isinstance(value, int) and names:
        core.cancel(names[value % len(names)])


def draw_bars(shapes: Sequence[tuple[int, int, int, int]]) -> list[Bar]:
    """A bar a day: open, dollars above and below it, and where between them the close is."""
    return [
        make_bar("AAA", day, open=opens, high=opens + up, low=opens - down, close=min(opens - down + at, opens + up))
        for day, (opens, up, down, at) in zip(DAYS, shapes, strict=False)
    ]


def check(core: ExchangeCore, repository: InMemoryRepository) -> None:
    """Cash is the sum of the history, positions are the sum of the fills, and orders are what they may be."""
    rows = repository.find_history(HistoryQuery())
    orders = repository.find_orders(OrderQuery())
    assert CASH + sum(row.net_amount for row in rows) == core.state.account.cash
    fills = [row.entry for row in rows if isinstance(row.entry, Fill)]
    assert sum(fill.side.sign * fill.quantity for fill in fills) == core.state.account.quantity_of("AAA")
    for order in orders:
        filled = sum(fill.quantity for fill in fills if fill.order_id == order.id)
        assert filled == order.filled_quantity
        assert order.quantity is None or filled <= order.quantity
        assert order.is_open == (order.sequence in core.state.open_orders)
        check_price(order, fills)
    check_groups(orders)


def check_price(order: Order, fills: Sequence[Fill]) -> None:
    """No fill is worse than the order's limit."""
    if order.limit_price is not None:
        for fill in (one for one in fills if one.order_id == order.id):
            assert (order.limit_price - fill.price) * order.side.sign >= 0


def check_groups(orders: Sequence[Order]) -> None:
    """An open exit has an entry that is filled whole, or waits for one that is open; both exits never fill whole."""
    by_id = {order.id: order for order in orders}
    for order in orders:
        if order.parent_id is not None and order.is_open:
            parent = by_id[order.parent_id]
            assert parent.is_open if order.is_waiting else parent.is_open or parent.status is OrderStatus.FILLED
    for order in orders:
        exits = [one for one in orders if one.parent_id == order.id]
        exits += [order] if order.order_class is OrderClass.OCO else []
        if order.order_class is not OrderClass.SIMPLE and exits:
            assert sum(one.filled_quantity for one in exits) <= (order.quantity or 0)


@settings(max_examples=30, deadline=None)
@given(actions=ACTIONS, shapes=BARS)
def test_stories(actions: list[tuple[str, object]], shapes: list[tuple[int, int, int, int]]) -> None:
    """A short form of the proof below."""
    check(*play(actions, draw_bars(shapes)))


@pytest.mark.long
@settings(max_examples=2_000, deadline=None)
@given(actions=ACTIONS, shapes=BARS)
def test_many_stories(actions: list[tuple[str, object]], shapes: list[tuple[int, int, int, int]]) -> None:
    """The same on thousands of stories."""
    check(*play(actions, draw_bars(shapes)))


def test_a_story_does_something() -> None:
    """The stories are not all refusals: this one fills an entry, moves its exit and takes the loss."""
    loss = StopLoss(Decimal(95))
    entry = OrderRequest(
        ticker="AAA",
        side=Side.BUY,
        type=OrderType.MARKET,
        time_in_force=Force.GTC,
        quantity=Decimal(10),
        notional=None,
        limit_price=None,
        client_order_id=None,
        position_intent=None,
        order_class=OrderClass.BRACKET,
        take_profit=Decimal(110),
        stop_loss=loss,
    )
    story = [("submit", entry), *[("advance", None)] * 4]
    core, repository = play(story, [make_bar("AAA", date(2025, 1, 3), open=100, high=101, low=94, close=96)])
    check(core, repository)
    assert [OrderStatus.FILLED, OrderStatus.CANCELED, OrderStatus.FILLED] == [
        order.status for order in repository.find_orders(OrderQuery())
    ]
