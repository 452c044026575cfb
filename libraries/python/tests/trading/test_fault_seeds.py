"""The state machine under seeded faults: nothing is sent twice, nothing is lost, and both sides stay equal."""

import pytest

from internal.trading.enums import Leg, OrderState, Side
from libraries.python.tests.trading.fault_seeds import FaultRun, side_dollars
from libraries.python.tests.trading.venue_fund import World

SEEDS, MANY_SEEDS = 100, 10_000
TOLERANCE = 0.11  # of the larger side: the policy's 5 % in the decision, and 5 % that an adjustment leaves


@pytest.fixture(scope="module")
def world() -> World:
    """Four sessions of 30 names; narrow bands close every position after one."""
    return World.make(11, sessions_played=4, tickers=30)


def play(world: World, seeds: range) -> None:
    """Each seed twice: faults of the wire and kills alone, then refusals, partial fills and suspensions as well."""
    undisturbed = FaultRun(world, 0, quiet=True).play().outcome()
    assert len(undisturbed[1]) > 30
    starts = 0
    for seed in seeds:
        calm, stormy = FaultRun(world, seed).play(), FaultRun(world, seed, stormy=True).play()
        assert calm.outcome() == undisturbed, f"seed {seed}: another outcome than without faults"
        for run in (calm, stormy):
            run.check()
            require_equal_sides(run, seed)
        starts += calm.starts + stormy.starts
    assert starts > len(seeds)


def require_equal_sides(run: FaultRun, seed: int) -> None:
    """Both sides of every portfolio are equal as it was sent, unless closes were refused or sends stopped."""
    for one in run.fund.journal.runs():
        orders = run.fund.journal.of(one.portfolio_id)
        refused_close = any(o.leg is Leg.CLOSE and o.state is OrderState.REJECTED for o in orders)
        late = any(o.state is OrderState.DROPPED for o in orders)
        dollars = side_dollars(run, one.portfolio_id)
        larger = max(dollars.values())
        difference = abs(dollars[Side.LONG] - dollars[Side.SHORT])
        assert refused_close or late or difference <= TOLERANCE * larger, f"seed {seed}: {one.date} {dollars}"


def test_seeded_faults(world: World) -> None:
    """The short form."""
    play(world, range(SEEDS))


def test_reasons_are_for_people_only(world: World) -> None:
    """Every text is edited between a kill and the restart: the orders are the same."""
    starts = 0
    for seed in range(30):
        plain, edited = FaultRun(world, seed, stormy=True), FaultRun(world, seed, stormy=True)
        edited.rewrites_reasons = True
        assert plain.play().outcome() == edited.play().outcome(), f"seed {seed}: a reason changed a trade"
        starts += edited.starts
    assert starts > 30


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_many_seeded_faults(world: World) -> None:
    """The long form: every night."""
    play(world, range(MANY_SEEDS))
