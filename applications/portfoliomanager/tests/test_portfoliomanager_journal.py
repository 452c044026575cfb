"""The journal's contract, on the lake and in memory: the same answers, also after a restart."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from threading import Event, Thread
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from internal.dates import sessions
from internal.lake.store import Lake
from internal.modes import Mode
from internal.schemas import trading_states
from internal.trading.enums import Adjustment, Leg, OrderSide, OrderState, RunState
from internal.trading.memory_journal import MemoryJournal
from internal.trading.orders import Order
from internal.trading.ports import Journal
from internal.trading.runs import RebalanceRun
from internal.trading.snapshots import Snapshot
from internal.trading.state_changes import change_state, tighten
from internal.trading.trading_state import UNCHANGED, StateCause, TradingState
from portfoliomanager.adapters.lake_journal import LakeJournal
from portfoliomanager.routes.trading_state import get_trading_state

if TYPE_CHECKING:
    from portfoliomanager.services import Services

DAYS = sessions(date(2024, 3, 1), date(2024, 3, 15))
TICKERS = ("A", "B", "C")


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """An empty lake."""
    return Lake(str(tmp_path))


def moment(day: date) -> datetime:
    """The evening of a day."""
    return datetime(day.year, day.month, day.day, 21, tzinfo=UTC)


def draw_order(draw: Random, day: date) -> Order:
    """An order of the day in any state."""
    ticker, leg, state = draw.choice(TICKERS), draw.choice(list(Leg)), draw.choice(list(OrderState))
    filled = float(draw.randint(1, 9)) if state in {OrderState.FILLED, OrderState.PARTIALLY_FILLED} else 0.0
    return Order(
        portfolio_id=f"p-{day}",
        date=day,
        client_order_id=f"{ticker}-{leg}-0-{day}",
        ticker=ticker,
        side=draw.choice(list(OrderSide)),
        leg=leg,
        quantity=10.0,
        reference_price=20.0,
        reason="drawn",
        updated_at=moment(day),
        state=state,
        adjustment=draw.choice(list(Adjustment)),
        broker_order_id="b" if filled else None,
        filled_quantity=filled,
        filled_average_price=21.5 if filled else None,
    )


def draw_run(draw: Random, day: date) -> RebalanceRun:
    """A run of the day in any state."""
    when = moment(day)
    return RebalanceRun(f"p-{day}", day, draw.choice(list(RunState)), "ten", "m", 3, ("a note",), when, when, 1)


def make_snapshot(day: date, value: float) -> Snapshot:
    """The account in the evening of a day."""
    return Snapshot(moment(day), f"p-{day}", value, 50.0, 60.0, -10.0, 1.0, 2.0, 3.0)


def answers(journal: Journal) -> tuple[object, ...]:
    """Everything that a journal can be asked."""
    return (
        [journal.run(f"p-{day}") for day in DAYS],
        list(journal.runs()),
        journal.first_run(),
        journal.last_run(),
        list(journal.open_runs()),
        [list(journal.of(f"p-{day}")) for day in DAYS],
        list(journal.unfinished()),
        [list(journal.fills(ticker)) for ticker in TICKERS],
        pytest.approx(journal.slippage()),
        journal.last_snapshot(),
        journal.trading_state(),
        [journal.order(f"A-open-0-{day}") for day in DAYS],
    )


def expected_fills(orders: Iterable[Order]) -> tuple[list[list[Order]], float]:
    """By ticker the fills since it was opened from flat, and the slippage, by looking at all orders."""
    ordered = sorted(orders, key=lambda order: (order.date, order.client_order_id))
    filled = [order for order in ordered if order.filled_quantity > 0]
    opened = {order.ticker: order.date for order in filled if order.leg is Leg.OPEN}
    fills = [
        [
            order
            for order in filled
            if order.ticker == ticker
            and ticker in opened
            and (order.date > opened[ticker] or (order.date == opened[ticker] and order.leg is Leg.OPEN))
        ]
        for ticker in TICKERS
    ]
    return fills, sum(1.5 * order.signed_filled_quantity for order in filled)


def test_the_lake_answers_as_memory_does(lake: Lake) -> None:
    """Drawn writes, new rows and replaced ones: both answer the same, and so does a journal that reads it all again."""
    draw, stored, memory = Random(5), LakeJournal(lake), MemoryJournal()  # noqa: S311 - a seed, no secret
    for step in range(18):
        day = draw.choice(DAYS)
        orders = {one.client_order_id: one for one in (draw_order(draw, draw.choice([day, DAYS[0]])) for _ in range(4))}
        for journal in (stored, memory):
            journal.save_orders(list(orders.values()))
        runs = {one.portfolio_id: one for one in (draw_run(draw, draw.choice(DAYS)) for _ in range(step % 3))}
        for journal in (stored, memory):
            if runs:
                journal.save_runs(list(runs.values()))
            if step % 4 == 0:
                journal.save_snapshot(make_snapshot(day, 100.0 + step))
                state = list(TradingState)[step // 4 % 3]
                change_state(journal, state, "ada", StateCause.OWNER, f"step {step}", moment(day))
        assert answers(stored) == answers(memory)
    assert answers(LakeJournal(lake)) == answers(memory)
    fills, slippage = expected_fills(memory.orders())
    assert fills == [list(memory.fills(ticker)) for ticker in TICKERS]
    assert any(order.leg is Leg.ADD for orders in fills for order in orders)
    assert slippage == pytest.approx(memory.slippage())


def test_a_fill_that_is_taken_back(lake: Lake) -> None:
    """The broker lost an order, and its owner accepted that: nothing of the fill is left in any answer."""
    day, draw = DAYS[0], Random(1)  # noqa: S311 - a seed, no secret
    filled = replace(
        draw_order(draw, day),
        leg=Leg.OPEN,
        state=OrderState.FILLED,
        filled_quantity=10.0,
        filled_average_price=21.5,
    )
    for journal in (MemoryJournal(), LakeJournal(lake)):
        journal.save_orders([filled])
        assert list(journal.fills(filled.ticker)) == [filled]
        lost = replace(filled, state=OrderState.DROPPED, filled_quantity=0.0, filled_average_price=None)
        journal.save_orders([lost])
        assert not journal.fills(filled.ticker)
        assert journal.slippage() == 0


def test_snapshots_that_are_forgotten(lake: Lake) -> None:
    """Those after the moment are gone, the others stay."""
    for journal in (MemoryJournal(), LakeJournal(lake)):
        for day in DAYS[:4]:
            journal.save_snapshot(make_snapshot(day, 1.0))
        journal.forget_snapshots_after(moment(DAYS[1]) + timedelta(minutes=1))
        assert [moment(day) for day in DAYS[:2]] == [one.timestamp for one in journal.snapshots()]
    assert LakeJournal(lake).last_snapshot() == make_snapshot(DAYS[1], 1.0)


def test_another_writer(lake: Lake) -> None:
    """A process on standby reads again what the other one wrote, and a write behind it loses nothing."""
    draw = Random(2)  # noqa: S311 - a seed, no secret
    first, second = LakeJournal(lake), LakeJournal(lake)
    one, two, three = (draw_order(draw, day) for day in DAYS[:3])
    assert not second.orders()
    first.save_orders([one])
    assert not second.orders()
    second.refresh()
    assert [one] == second.orders()
    second.save_orders([two])
    first.save_orders([three])  # behind a commit of another
    assert [one, two, three] == first.orders()


def test_commits_of_one_write(lake: Lake) -> None:
    """Each write is one commit, whatever it holds."""
    journal, draw = LakeJournal(lake), Random(3)  # noqa: S311 - a seed, no secret
    journal.save_orders([draw_order(draw, DAYS[0])])
    before = lake.version("orders")
    orders = {one.client_order_id: one for one in (draw_order(draw, draw.choice(DAYS)) for _ in range(20))}
    journal.save_orders(list(orders.values()))
    journal.save_orders(list(orders.values()))
    journal.save_orders([next(iter(orders.values()))])
    assert lake.version("orders") == before + 3


def test_a_refresh_in_the_middle_of_a_write_loses_nothing(lake: Lake) -> None:
    """A route refreshes the journal all the time while a run writes: what was written is read, here and elsewhere."""
    journal, ended = LakeJournal(lake), Event()

    def refresh() -> None:
        while not ended.is_set():
            journal.refresh()

    draw = Random(1)  # noqa: S311 - no secret
    orders = {order.client_order_id: order for order in (draw_order(draw, DAYS[0]) for _ in range(12))}
    reader = Thread(target=refresh)
    reader.start()
    try:
        for order in orders.values():
            journal.save_orders([replace(order, state=OrderState.PLANNED)])
            journal.save_orders([replace(order, state=OrderState.SUBMITTED)])
            assert journal.of(order.portfolio_id)[0].state is OrderState.SUBMITTED
    finally:
        ended.set()
        reader.join()
    expected = dict.fromkeys(orders, OrderState.SUBMITTED)
    for found in (journal, LakeJournal(lake)):
        assert {order.client_order_id: order.state for order in found.orders()} == expected


def test_a_halt_is_answered_where_the_orders_cannot_be_read(lake: Lake, tmp_path: Path) -> None:
    """A file of orders is cut in half: the state that a person set is stored and said, and what is wrong beside it."""
    LakeJournal(lake).save_orders([draw_order(Random(1), DAYS[0])])  # noqa: S311 - drawn rows
    journal, operations = LakeJournal(lake), SimpleNamespace(describe_undecided=str)
    change_state(journal, TradingState.HALTED, "ada", StateCause.OWNER, "look at it", moment(DAYS[0]))
    for path in (tmp_path / "orders").rglob("*.parquet"):
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    services = SimpleNamespace(journal=journal, clock=SimpleNamespace(mode=Mode.PAPER), operations=operations)
    answer = get_trading_state(cast("Services", services))
    assert (answer.state, answer.reason) == (TradingState.HALTED, "look at it")
    assert "the journal of orders cannot be read" in answer.undecided


def test_a_state_of_another_process_is_in_force_at_once(lake: Lake) -> None:
    """Each journal reads it without a refresh; a limit's change is one of the fund's; every row stays in the table."""
    one, other, now = LakeJournal(lake), LakeJournal(lake), moment(DAYS[0])
    assert one.trading_state() == other.trading_state() == UNCHANGED
    halted = change_state(one, TradingState.HALTED, "ada", StateCause.OWNER, "data look wrong", now)
    assert other.trading_state() == halted
    assert tighten(other, TradingState.REDUCE_ONLY, StateCause.LIMIT, "daily loss", now) == halted
    change_state(other, TradingState.ACTIVE, "ada", StateCause.OWNER, "checked", now, now)
    reduced = tighten(one, TradingState.REDUCE_ONLY, StateCause.LIMIT, "daily loss", now)
    assert other.trading_state() == LakeJournal(lake).trading_state() == reduced
    assert (halted.losses_accepted_until, reduced.losses_accepted_until) == (None, now)
    stored = lake.scan("trading_states").collect().sort("number")
    assert trading_states.validate(stored).get_column("state").to_list() == ["halted", "active", "reduce_only"]
    assert stored.get_column("changed_by").to_list() == ["ada", "ada", "the fund"]
