"""A session whose decision was refused is decided by itself, once, when nothing forbids it any more."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import pytest

from applications.portfoliomanager.tests.operations_kit import LIMITS, STRATEGY, Messages, open_operations
from internal.cloud_events import make_event
from internal.cloud_events.store import EventStore
from internal.dates import last_closed_session, previous_session
from internal.errors import ConflictError, UnavailableError
from internal.event_types import EventType
from internal.lake.lease import Lease
from internal.lake.objects import Objects
from internal.simulation.fund import SimulatedFund
from internal.simulation.venue_broker import VenueBroker
from internal.simulation.world import World
from internal.strategies.loading import LoadedStrategy
from internal.trading.arming import Arming, LiveGate, arm, digest_of
from internal.trading.broker_reports import BrokerOrder
from internal.trading.enums import OrderState, RunState
from internal.trading.orders import OrderRequest
from internal.trading.rebalancing import Outcome, Rebalancer
from internal.trading.send_permission import TradingHaltedError
from internal.trading.situation import Situation
from internal.trading.strategy import StrategyError
from internal.trading.targets import Targets
from internal.trading.trading_state import TradingState
from internal.venue.clock import Auction
from portfoliomanager.events import DailyCycle
from portfoliomanager.notifications.message import NotificationKind
from portfoliomanager.operations import FundOperations
from portfoliomanager.undecided_session import FILE_NAME, UndecidedSession, UndecidedSessionFile
from portfoliomanager.waiting_sessions import WaitingSessions


@dataclass
class Trader:
    """A process that trades a simulated fund, at the close of a session that was not decided."""

    fund: SimulatedFund
    messages: Messages
    operations: FundOperations
    cycle: DailyCycle
    sessions: WaitingSessions
    day: date

    async def receive_predictions(self, day: date | None = None) -> None:
        """The event that decides the session, or another one, arrives and is handled."""
        await self.cycle.bus.receive(make_event(EventType.PREDICTIONS_MADE, "/portfoliomanager", day or self.day, {}))
        await self.cycle.bus.wait_until_idle()

    async def look(self, decided: int) -> None:
        """Look for a session that waits; so many are decided then."""
        await self.sessions.look()
        assert len(self.fund.journal.runs()) == decided


def play(folder: Path, act: Callable[[Trader], Awaitable[None]], fund: SimulatedFund | None = None) -> Trader:
    """Act with a running trader."""
    fund = fund or open_fund()
    messages = Messages()
    operations = open_operations(fund, messages, folder)
    cycle = DailyCycle(operations, folder, [], None)
    lease = Lease(Objects(str(folder), {}), "trader", folder, 30.0)
    day = last_closed_session(operations.read_clock())
    trader = Trader(fund, messages, operations, cycle, WaitingSessions(cycle, operations, lease), day)

    async def run() -> None:
        async with cycle.bus:
            await act(trader)

    asyncio.run(run())
    return trader


def open_fund() -> SimulatedFund:
    """A fund that has decided nothing."""
    return World.make(11, sessions_played=2, tickers=30).open_fund()


def require_decided(trader: Trader) -> None:
    """The session has one run, whose orders were sent."""
    (run,) = trader.fund.journal.runs()
    assert (run.date, run.state) == (trader.day, RunState.SUBMITTED)
    assert trader.fund.ports.broker.open_orders()


def test_session_that_met_a_halt_is_decided_when_trading_is_resumed(tmp_path: Path) -> None:
    """By portfoliomanager alone, where no scheduler asks again, and once; without its event nothing is decided."""

    async def act(trader: Trader) -> None:
        await trader.cycle.decide_held_session()
        assert trader.fund.journal.runs() == []
        trader.operations.change_state(TradingState.HALTED, "the owner", "look at it")
        await trader.receive_predictions()
        await trader.cycle.decide_held_session()
        assert trader.fund.journal.runs() == []
        assert "fund resume` goes on" in trader.operations.describe_undecided()
        trader.operations.change_state(TradingState.ACTIVE, "the owner", "seen")
        said = f"the session of {trader.day} met the halt; it is decided now, within a minute"
        assert trader.operations.describe_undecided() == said
        for _ in range(2):
            await trader.cycle.decide_held_session()

    trader = play(tmp_path, act)
    require_decided(trader)
    assert not trader.operations.describe_undecided()


def test_a_resume_while_the_event_is_marked_as_handled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its handler has met the halt, trading is resumed, and only then the event becomes one that was handled."""
    mark_handled, met_halt, resumed = EventStore.mark_handled, threading.Event(), threading.Event()

    def mark_late(store: EventStore, position: int, state: str) -> None:
        met_halt.set()
        assert resumed.wait(60)
        mark_handled(store, position, state)

    monkeypatch.setattr(EventStore, "mark_handled", mark_late)

    async def act(trader: Trader) -> None:
        trader.operations.change_state(TradingState.HALTED, "the owner", "look at it")
        handling = asyncio.create_task(trader.receive_predictions())
        assert await asyncio.to_thread(met_halt.wait, 60)
        trader.operations.change_state(TradingState.ACTIVE, "the owner", "seen")
        await trader.cycle.decide_held_session()
        resumed.set()
        await handling

    require_decided(play(tmp_path, act))


@pytest.mark.parametrize("is_open", [False, True], ids=["before the open", "in the next session"])
def test_a_resume_through_another_process(tmp_path: Path, *, is_open: bool) -> None:
    """A process on standby stores the change, at which it may not decide: the one that trades sees it and decides."""

    async def act(trader: Trader) -> None:
        trader.operations.change_state(TradingState.HALTED, "the owner", "look at it")
        await trader.receive_predictions()
        await trader.look(decided=0)
        if is_open:
            trader.fund.move(Auction.OPEN)
        standby = open_operations(trader.fund, Messages(), tmp_path)
        standby.change_state(TradingState.ACTIVE, "the owner", "seen")
        for _ in range(2):
            await trader.look(decided=1)

    require_decided(play(tmp_path, act))


@pytest.mark.parametrize("is_open", [False, True], ids=["before the open", "in the next session"])
def test_an_account_that_is_switched_on_again(tmp_path: Path, *, is_open: bool) -> None:
    """Before the next open the session is decided by itself, after it no more; the message says both."""

    async def act(trader: Trader) -> None:
        trader.fund.core.change_settings({"suspend_trade": True})
        await trader.receive_predictions()
        await trader.look(decided=0)
        (failed,) = trader.messages.of(NotificationKind.RUN_FAILED)
        assert "trading is suspended" in failed.text
        assert f"The session of {trader.day} is decided by itself within a minute" in failed.text
        assert f'POST /portfolios {{"date": "{trader.day}"}}' in failed.text
        assert failed.text.endswith(trader.operations.describe_undecided().partition(": ")[2])
        if is_open:
            trader.fund.move(Auction.OPEN)
        trader.fund.core.change_settings({"suspend_trade": False})
        await trader.look(decided=0 if is_open else 1)
        trader.operations.change_state(TradingState.HALTED, "the owner", "look at it")
        trader.operations.change_state(TradingState.ACTIVE, "the owner", "seen")  # its prices are old all the same
        await trader.cycle.decide_held_session()
        await trader.look(decided=0 if is_open else 1)

    trader = play(tmp_path, act)
    if not is_open:
        require_decided(trader)


def test_an_older_session_that_is_forecast_again(tmp_path: Path) -> None:
    """Its event comes after that of the session that waits, and does not hide it."""

    async def act(trader: Trader) -> None:
        trader.fund.core.change_settings({"suspend_trade": True})
        await trader.receive_predictions()
        await trader.receive_predictions(previous_session(trader.day))
        trader.fund.core.change_settings({"suspend_trade": False})
        await trader.look(decided=1)

    require_decided(play(tmp_path, act))


@pytest.mark.parametrize("restarts", [False, True], ids=["in one process", "after a restart"])
def test_a_resume_in_the_next_session_that_first_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, restarts: bool
) -> None:
    """What may pass by itself does not lose the session: it is tried again at each look, and once decided no more."""

    def fail(_rebalancer: Rebalancer, _day: date | None) -> Outcome:
        raise UnavailableError("the data service does not answer")

    async def resume(trader: Trader) -> None:
        trader.operations.change_state(TradingState.HALTED, "the owner", "look at it")
        await trader.receive_predictions()
        await trader.look(decided=0)
        trader.fund.move(Auction.OPEN)
        trader.operations.change_state(TradingState.ACTIVE, "the owner", "seen")
        with monkeypatch.context() as patch:
            patch.setattr(Rebalancer, "run", fail)
            await trader.look(decided=0)
            with pytest.raises(UnavailableError):  # `run` logs it, and looks again
                await trader.sessions.look()
        said = trader.operations.describe_undecided()
        assert said.endswith("it is tried again every minute, but: the data service does not answer")
        if not restarts:
            await go_on(trader)

    async def go_on(trader: Trader) -> None:
        for _ in range(2):
            await trader.look(decided=1)
        assert not trader.operations.describe_undecided()

    trader = play(tmp_path, resume)
    require_decided(play(tmp_path, go_on, trader.fund) if restarts else trader)


def test_a_refusal_for_good_after_a_resume(tmp_path: Path) -> None:
    """In the next session an account that is switched off ends the wait for a resume."""

    async def act(trader: Trader) -> None:
        trader.operations.change_state(TradingState.HALTED, "the owner", "look at it")
        await trader.receive_predictions()
        trader.fund.move(Auction.OPEN)
        trader.operations.change_state(TradingState.ACTIVE, "the owner", "seen")
        trader.fund.core.change_settings({"suspend_trade": True})
        await trader.cycle.decide_held_session()
        assert "trading is suspended" in trader.operations.describe_undecided()
        trader.fund.core.change_settings({"suspend_trade": False})
        await trader.look(decided=0)

    play(tmp_path, act)


def test_what_is_said_of_the_last_session_alone(tmp_path: Path) -> None:
    """An older session that somebody asks for neither brings the note about nor ends it; a restart keeps it."""
    messages = Messages()

    async def act(trader: Trader) -> None:
        first, operations = trader.day, trader.operations
        await trader.receive_predictions()
        with pytest.raises(ConflictError, match="was never decided"):
            operations.rebalance(previous_session(first))
        assert not operations.describe_undecided()
        trader.fund.move(Auction.OPEN)
        trader.fund.move(Auction.CLOSE)
        trader.fund.core.change_settings({"suspend_trade": True})
        trader.day = last_closed_session(operations.read_clock())
        await trader.receive_predictions()
        said = operations.describe_undecided()
        assert said.startswith(f"the session of {trader.day} is not decided: trading is suspended")
        assert operations.rebalance(first).run.date == first
        assert operations.describe_undecided() == said
        assert open_operations(trader.fund, messages, tmp_path).describe_undecided() == said
        trader.fund.move(Auction.OPEN)
        trader.fund.move(Auction.CLOSE)
        await trader.look(decided=1)
        assert not operations.describe_undecided()

    play(tmp_path, act)


def test_a_file_of_the_refused_session_that_cannot_be_used(tmp_path: Path) -> None:
    """It is as if there was none: what it would say stops no decision."""
    file = UndecidedSessionFile(tmp_path)
    (tmp_path / FILE_NAME).write_text('{"day": "yesterday"}')
    assert file.read() is None
    (tmp_path / "a file").touch()
    UndecidedSessionFile(tmp_path / "a file").save(UndecidedSession(date(2024, 12, 31), "refused", met_halt=False))
    assert UndecidedSessionFile(tmp_path / "a file").read() is None


class MemoryArmings:
    """The port `Armings` in memory."""

    def __init__(self) -> None:
        self._last: Arming | None = None

    def last_arming(self) -> Arming | None:
        """The one in force."""
        return self._last

    def save_arming(self, arming: Arming) -> None:
        """Add one."""
        self._last = arming


def test_a_live_fund_that_is_armed(tmp_path: Path) -> None:
    """Its session was refused; armed before the next open it is decided, as the dry run that the first session is."""
    fund, armings, digest = open_fund(), MemoryArmings(), digest_of(STRATEGY.record, "", LIMITS)
    fund.ports = replace(fund.ports, gate=LiveGate(armings, digest, str))

    async def act(trader: Trader) -> None:
        await trader.receive_predictions()
        await trader.look(decided=0)
        (failed,) = trader.messages.of(NotificationKind.RUN_FAILED)
        assert "fund arm --live`" in failed.text
        assert "is decided by itself within a minute" in failed.text
        arm(armings, "", digest, "ada", trader.operations.read_clock(), 30, "drawn")
        await trader.look(decided=1)

    trader = play(tmp_path, act, fund)
    assert {order.state for order in trader.fund.journal.orders()} == {OrderState.DROPPED}


def test_a_run_that_was_stopped_in_the_middle_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The account is switched off after three orders: what was planned is sent once it is on, and nothing twice."""
    fund = open_fund()
    submit, sent = VenueBroker.submit, list[str]()

    def stop_after_three(broker: VenueBroker, request: OrderRequest) -> BrokerOrder:
        sent.append(request.client_order_id)
        fund.core.change_settings({"suspend_trade": len(sent) > 3})
        return submit(broker, request)

    monkeypatch.setattr(VenueBroker, "submit", stop_after_three)

    async def act(trader: Trader) -> None:
        await trader.receive_predictions()
        assert trader.fund.journal.runs()[-1].state is RunState.PLANNED
        monkeypatch.undo()
        trader.fund.core.change_settings({"suspend_trade": False})
        await trader.look(decided=1)

    trader = play(tmp_path, act, fund)
    require_decided(trader)
    assert {order.state for order in trader.fund.journal.orders()} == {OrderState.SUBMITTED}


def test_an_error_of_the_strategy_is_not_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not at a look, by its event again, after a restart or a resume: a person alone has the session decided."""
    fail_once, asked = StrategyError("the strategy failed"), list[object]()
    decide = type(STRATEGY).decide

    def fail(strategy: LoadedStrategy, situation: Situation) -> Targets:
        asked.append(situation)
        if len(asked) == 1:
            raise fail_once
        return decide(strategy, situation)

    monkeypatch.setattr(type(STRATEGY), "decide", fail)

    async def go_on(trader: Trader) -> None:
        await trader.receive_predictions()
        for _ in range(2):
            await trader.look(decided=0)
        trader.operations.change_state(TradingState.HALTED, "the owner", "look at it")
        with pytest.raises(TradingHaltedError):
            trader.operations.rebalance(None)
        await trader.look(decided=0)
        trader.operations.change_state(TradingState.ACTIVE, "the owner", "seen")
        await trader.look(decided=0)
        said = trader.operations.describe_undecided()
        assert said.startswith(f"the session of {trader.day} is not decided: the strategy failed\n")
        assert f'POST /portfolios {{"date": "{trader.day}"}}' in said
        if is_restarted:
            trader.operations.rebalance(None)
            assert not trader.operations.describe_undecided()

    is_restarted = False
    trader = play(tmp_path, go_on)
    (failed,) = trader.messages.of(NotificationKind.RUN_FAILED)
    assert "is not asked about it again by itself" in failed.text
    is_restarted = True
    require_decided(play(tmp_path, go_on, trader.fund))
    assert len(asked) == 2


def test_an_error_of_the_strategy_on_a_full_disk(tmp_path: Path) -> None:
    """The process remembers what the disk does not take."""
    (tmp_path / FILE_NAME).mkdir()
    file = UndecidedSessionFile(tmp_path)
    failed = UndecidedSession(date(2024, 12, 31), "the strategy failed", met_halt=False, strategy_failed=True)
    file.save(failed)
    assert file.read() == failed
    file.delete_before(date(2025, 1, 2))
    assert file.read() is None
