"""The state machine under seeded faults: nothing is sent twice, nothing is lost, and both sides stay equal."""

from collections.abc import Callable, Iterator

import pytest

from internal.trading.enums import Leg, OrderState, Side
from internal.trading.ports import RefusedOrderError
from internal.trading.rows import PortfolioRow
from internal.trading.strategy import Strategy
from libraries.python.tests.trading.drawn_strategy import DrawnStrategy
from libraries.python.tests.trading.fault_seeds import STARTS, STRATEGY, FaultRun, Holding, side_dollars
from libraries.python.tests.trading.venue_fund import World

SEEDS, MANY_SEEDS = 100, 10_000
TOLERANCE = 0.11  # of the larger side: the policy's 5 % in the decision, and 5 % that an adjustment leaves


@pytest.fixture(scope="module")
def world() -> World:
    """Four sessions of 30 names; narrow bands close every position after one."""
    return World.make(11, sessions_played=4, tickers=30)


@pytest.fixture(scope="module")
def eventful() -> World:
    """Eight sessions of 30 names with splits, halts and missing bars."""
    return World.make(12, sessions_played=8, tickers=30, eventful=True)


def play(world: World, seeds: range, strategy: Strategy = STRATEGY) -> Iterator[FaultRun]:
    """Each seed twice: faults of the wire and kills alone, then refusals, partial fills and suspensions as well."""
    undisturbed = FaultRun(world, 0, strategy, quiet=True).play().outcome()
    assert len(undisturbed[1]) > 30
    starts = 0
    for seed in seeds:
        calm, stormy = FaultRun(world, seed, strategy), FaultRun(world, seed, strategy, stormy=True)
        assert calm.play().outcome() == undisturbed, f"seed {seed}: another outcome than without faults"
        for run in (calm, stormy.play()):
            run.check()
            yield run
        starts += calm.starts + stormy.starts
    assert starts > len(seeds)


def require_equal_sides(run: FaultRun) -> None:
    """Both sides of every portfolio are equal as it was sent, unless closes were refused or sends stopped."""
    for one in run.fund.journal.runs():
        orders = run.fund.journal.of(one.portfolio_id)
        refused_close = any(o.leg is Leg.CLOSE and o.state is OrderState.REJECTED for o in orders)
        late = any(o.state is OrderState.DROPPED for o in orders)
        dollars = side_dollars(run, one.portfolio_id)
        larger = max(dollars.values())
        difference = abs(dollars[Side.LONG] - dollars[Side.SHORT])
        assert refused_close or late or difference <= TOLERANCE * larger, f"seed {run.seed}: {one.date} {dollars}"


def test_seeded_faults(world: World) -> None:
    """Both sides stay equal."""
    for run in play(world, range(SEEDS)):
        require_equal_sides(run)


@pytest.mark.parametrize("short", [0.0, 0.3, 0.5])
def test_seeded_faults_of_positions_that_grow(eventful: World, short: float) -> None:
    """Names are topped up and trimmed, long only and on both sides, through splits, halts and missing bars."""
    legs: set[Leg] = set()
    for run in play(eventful, range(SEEDS // 5), DrawnStrategy(1, short)):
        legs |= {order.leg for order in run.fund.journal.orders() if order.filled_quantity}
        assert short or all(one.quantity > 0 for one in run.fund.ports.broker.positions())
    assert legs == set(Leg)


def _open_again(row: PortfolioRow) -> Leg:
    """A top-up is taken for a position of its own."""
    return Leg.OPEN if row.quantity > row.held else Leg.CLOSE


def _act_without_lease(holding: Holding) -> int:
    """A process does not notice that another one took the lease."""
    return holding.number


@pytest.mark.parametrize(
    ("place", "fault"),
    [
        ("libraries.python.tests.trading.fault_seeds.UnresolvedOrderError", RefusedOrderError),  # a lost answer
        ("internal.trading.order_planning._leg", _open_again),
        ("libraries.python.tests.trading.fault_seeds.Holding.require", _act_without_lease),
    ],
)
def test_planted_faults_are_noticed(
    eventful: World, monkeypatch: pytest.MonkeyPatch, place: str, fault: Callable[..., object]
) -> None:
    """A fault in the state machine breaks a seed."""
    monkeypatch.setattr(place, fault)
    with pytest.raises(AssertionError, match=r"seed|order|position"):
        list(play(eventful, range(SEEDS), DrawnStrategy(1, 0.3)))


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
    for run in play(world, range(MANY_SEEDS)):
        require_equal_sides(run)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_many_seeded_faults_of_positions_that_grow() -> None:
    """The long form, on many markets."""
    for seed in range(MANY_SEEDS // 500):
        world = World.make(seed, sessions_played=8, tickers=30, eventful=True)
        for run in play(world, range(100), DrawnStrategy(seed, seed % 4 / 4)):
            assert run.starts < STARTS
