"""Arming: real money is traded only for the account, strategy and limits that were armed, first as a dry run."""

from dataclasses import dataclass, fields, replace
from datetime import timedelta

import pytest

from internal.dates import last_closed_session, next_session
from internal.simulation.fund import SimulatedFund
from internal.simulation.world import World
from internal.trading.arming import Arming, LiveGate, NotArmedError, arm, digest_of, disarm
from internal.trading.enums import Leg, OrderState, RunState
from internal.trading.limits import RiskLimits
from internal.trading.name_filter import NameFilter
from internal.trading.ports import TradingPorts
from internal.trading.send_permission import TradingHaltedError
from internal.trading.trading_state import StateCause, TradingState
from libraries.python.tests.trading.trading_state_kit import (
    STRATEGY,
    CountedSends,
    make_trader,
    play_session,
    set_state,
    shares,
)

DIGEST = digest_of(STRATEGY.record, "", RiskLimits())
ACCOUNT = ""  # the simulated venue's account has no number


@dataclass
class MemoryArmings:
    """The port `Armings` in memory."""

    last: Arming | None = None

    def last_arming(self) -> Arming | None:
        """The one in force."""
        return self.last

    def save_arming(self, arming: Arming) -> None:
        """Add one."""
        assert arming.number == (self.last.number if self.last else 0) + 1
        self.last = arming


@pytest.fixture(scope="module")
def world() -> World:
    """Six sessions of 30 names."""
    return World.make(11, sessions_played=6, tickers=30)


def live(ports: TradingPorts, armings: MemoryArmings, unproven: str = "drawn") -> TradingPorts:
    """The ports as those of a live account, with what no evidence speaks for."""
    return replace(ports, gate=LiveGate(armings, DIGEST, lambda: unproven))


def arm_now(fund: SimulatedFund, armings: MemoryArmings, days: int = 30, account: str = ACCOUNT) -> Arming:
    """Ada arms the account."""
    return arm(armings, account, DIGEST, "ada", fund.ports.broker.moment(), days, "drawn")


def open_traded_fund(world: World) -> tuple[SimulatedFund, MemoryArmings]:
    """A live fund whose dry run is over, at the close of the second session after it was armed."""
    fund, armings = world.open_fund(), MemoryArmings()
    arm_now(fund, armings)
    make_trader(live(fund.ports, armings)).run(None)
    for _ in range(2):
        play_session(fund)
    return fund, armings


def test_an_account_that_was_never_armed_sends_nothing(world: World) -> None:
    """Nothing is planned either; the message says what to do."""
    fund = world.open_fund()
    trader = make_trader(live(fund.ports, MemoryArmings()))
    with pytest.raises(NotArmedError, match="fund arm --live"):
        trader.run(None)
    trader.recover()
    trader.reconcile()
    assert not fund.journal.runs()


def test_the_first_session_is_a_dry_run(world: World) -> None:
    """Its orders are planned, shown and dropped, and so are those of the close before; the next ones are sent."""
    fund, armings = world.open_fund(), MemoryArmings()
    armed = arm_now(fund, armings)
    assert armed.dry_run_through == next_session(last_closed_session(armed.armed_at))
    broker = CountedSends(fund)
    for _ in range(2):
        outcome = make_trader(live(broker.ports, armings)).run(None)
        assert {order.state for order in outcome.orders} == {OrderState.DROPPED}
        assert outcome.run.state is RunState.RECONCILED
        assert any("dry run" in note for note in outcome.run.notes)
        play_session(fund)
    assert (broker.sent, shares(fund)) == ([], {})
    assert make_trader(live(broker.ports, armings)).run(None).run.state is RunState.SUBMITTED
    assert broker.sent


def test_the_same_armed_again_has_no_second_dry_run(world: World) -> None:
    """Before it expires or after it; another strategy begins again."""
    fund, armings = open_traded_fund(world)
    first = armings.last
    assert first is not None
    again = arm_now(fund, armings, days=5)
    assert (again.dry_run_through, again.number) == (first.dry_run_through, 2)
    other = arm(armings, ACCOUNT, "another", "ada", fund.ports.broker.moment(), 5, "")
    assert other.dry_run_through > first.dry_run_through


def test_what_was_not_armed_is_not_traded(world: World) -> None:
    """Another account and other limits; also where the arming has expired."""
    fund, armings = open_traded_fund(world)
    armed, moment = armings.last, fund.ports.broker.moment()
    assert armed is not None
    for found, words in (
        (replace(armed, account_number="another"), "another account was armed"),
        (replace(armed, digest="another"), "not those that were armed"),
        (replace(armed, digest="another", expires_at=moment), "not those that were armed"),
    ):
        armings.last = found
        with pytest.raises(NotArmedError, match=words):
            make_trader(live(fund.ports, armings)).run(None)


def hold_fully(world: World) -> tuple[SimulatedFund, MemoryArmings]:
    """A live fund that holds positions which its next decision closes, and others which it opens."""
    fund, armings = open_traded_fund(world)
    make_trader(live(fund.ports, armings)).run(None)
    play_session(fund)
    make_trader(live(fund.ports, armings)).reconcile()
    return fund, armings


@pytest.mark.parametrize("is_disarmed", [True, False])
def test_exits_are_sent_after_the_arming_has_ended(world: World, *, is_disarmed: bool) -> None:
    """The closes of the decision go out, nothing is opened, and a note says why; a halt stops the closes too."""
    fund, armings = hold_fully(world)
    armed, moment, before = armings.last, fund.ports.broker.moment(), shares(fund)
    assert armed is not None
    if is_disarmed:
        disarm(armings, "ben", moment)
    else:
        armings.last = replace(armed, expires_at=moment)
    set_state(fund.ports, TradingState.HALTED)
    with pytest.raises(TradingHaltedError):
        make_trader(live(fund.ports, armings)).run(None)
    set_state(fund.ports, TradingState.ACTIVE)
    outcome = make_trader(live(fund.ports, armings)).run(None)
    assert {order.leg for order in outcome.orders} == {Leg.CLOSE}
    assert {order.state for order in outcome.orders} == {OrderState.SUBMITTED}
    assert any("only orders that make positions smaller are sent" in note for note in outcome.run.notes)
    play_session(fund)
    after = shares(fund)
    assert sum(map(abs, after.values())) < sum(map(abs, before.values()))
    assert after.keys() <= before.keys()
    assert all(abs(after[ticker]) <= abs(before[ticker]) for ticker in after)


@pytest.mark.parametrize(("unproven", "opens"), [("", True), ("drawn", True), ("a new champion", False)])
def test_a_model_that_was_not_named_opens_nothing(world: World, unproven: str, *, opens: bool) -> None:
    """What the owner named, or evidence speaks for, trades; a model that became champion since only closes."""
    fund, armings = hold_fully(world)
    outcome = make_trader(live(fund.ports, armings, unproven)).run(None)
    assert {order.leg.opens for order in outcome.orders} == ({False, True} if opens else {False})
    named = "--without-evidence a new champion` names it; not opened"
    assert any(named in note for note in outcome.run.notes) is not opens


def test_disarming_stops_the_openings_of_a_run_and_flatten_still_closes(world: World) -> None:
    """What was not sent yet is never opened, and the run ends; a person may still close everything."""
    fund, armings = hold_fully(world)
    moment = fund.ports.broker.moment()
    broker = CountedSends(fund, 2, lambda: disarm(armings, "ben", moment))
    outcome = make_trader(live(broker.ports, armings)).run(None)
    assert any(order.leg.opens and "disarmed at" in order.reason for order in outcome.orders)
    late = {one.client_order_id for one in broker.sent[2:]}
    assert all(order.leg is Leg.CLOSE for order in outcome.orders if order.client_order_id in late)
    play_session(fund)
    make_trader(live(fund.ports, armings)).reconcile()
    assert shares(fund)
    set_state(fund.ports, TradingState.HALTED, StateCause.FLATTEN)
    make_trader(live(fund.ports, armings)).flatten()
    play_session(fund)
    assert shares(fund) == {}


def test_the_digest_is_of_all_that_is_armed() -> None:
    """Strategy, parameters, file, capital and every limit change it; the order of a set does not."""
    record, limits = STRATEGY.record, RiskLimits()
    others = [
        digest_of(replace(record, name="other"), "", limits),
        digest_of(replace(record, parameters='{"a": 1}'), "", limits),
        digest_of(replace(record, digest="1" * 64), "", limits),
        digest_of(record, "50000", limits),
        digest_of(record, "", replace(limits, names=NameFilter(frozenset({"CS", "ADRC"})))),
        *(
            digest_of(record, "", replace(limits, **{one.name: getattr(limits, one.name) + 1}))
            for one in fields(limits)
            if one.name != "names"
        ),
    ]
    assert len({DIGEST, *others}) == len(others) + 1
    names = ["CS", "ADRC", "ETF", "FUND", "WARRANT"]
    same = {digest_of(record, "", replace(limits, names=NameFilter(frozenset(one)))) for one in (names, names[::-1])}
    assert len(same) == 1


def test_an_arming_lasts_its_days(world: World) -> None:
    """Thirty days are thirty days of the market's clock."""
    fund, armings = world.open_fund(), MemoryArmings()
    armed, gate = arm_now(fund, armings, days=30), LiveGate(armings, DIGEST, str)
    assert gate.find_end(ACCOUNT, armed.armed_at + timedelta(days=30, milliseconds=-1)) is None
    assert gate.find_end(ACCOUNT, armed.armed_at + timedelta(days=30)) is not None
