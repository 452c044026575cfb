"""Fault runs of many seeds: each is a task of its own, played in four ways, with what came of it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from time import process_time_ns
from typing import Self

from internal.errors import ConfigurationError
from internal.simulation.drawn_strategy import DrawnStrategy
from internal.simulation.world import HISTORY, World
from internal.strategies.loading import load_strategy
from internal.trading.strategy import Strategy
from research.faults.chaos import FaultKind
from research.faults.invariants import BrokenInvariantError
from research.faults.owned_run import OwnedRun
from research.faults.run import FaultRun, Outcome
from research.faults.scheduled_run import ScheduledRun

WORLD_SEED = 12
TICKERS, SESSIONS = 30, 8
DRAWN_SEED, DRAWN_SHORT = 1, 0.3  # of the strategy that is played where the user names none


@dataclass(frozen=True)
class StrategyChoice:
    """The strategy that is played: the class of a file with some parameters, or a drawn one without an address."""

    address: str | None = None
    parameters: tuple[tuple[str, str], ...] = ()

    def load(self) -> Strategy:
        """The strategy. Raises ConfigurationError."""
        return _load(self)


@cache
def _load(choice: StrategyChoice) -> Strategy:
    if choice.address is None:
        return DrawnStrategy(DRAWN_SEED, DRAWN_SHORT)
    return load_strategy(choice.address, dict(choice.parameters))


@dataclass(frozen=True)
class SeedSetup:
    """What all seeds share: the world, the strategy, and the outcome without faults."""

    world: World
    choice: StrategyChoice
    undisturbed: Outcome

    @classmethod
    def prepare(cls, choice: StrategyChoice, *, tickers: int = TICKERS, sessions: int = SESSIONS) -> Self:
        """A world with frequent corporate actions of every kind, halts and missing bars, played once without faults.

        Raises ConfigurationError where the strategy cannot be loaded or sends no order, StrategyError where it fails.
        """
        strategy = choice.load()
        history = max(HISTORY, strategy.needs.history_sessions, strategy.needs.universe.lookback_sessions + 2)
        world = World.make(WORLD_SEED, sessions_played=sessions, tickers=tickers, history=history, events="frequent")
        undisturbed = FaultRun(world, 0, strategy, quiet=True).play().outcome()
        if not undisturbed[1]:
            raise ConfigurationError(
                f"the strategy sends no order in {sessions} sessions of {tickers} simulated tickers: play more with "
                "--sessions and --tickers, or set its parameters for so few names with --set"
            )
        return cls(world, choice, undisturbed)


@dataclass(frozen=True)
class SeedResult:
    """What came of one seed; `broken` is the sentence of what broke, empty where nothing did."""

    seed: int
    broken: str
    drawn: Mapping[FaultKind, int]
    starts: int
    orders: int
    milliseconds: float


def make_runs(world: World, seed: int, strategy: Strategy) -> tuple[FaultRun, FaultRun]:
    """The calm and the stormy run of a seed."""
    return FaultRun(world, seed, strategy), FaultRun(world, seed, strategy, stormy=True)


def play_runs(calm: FaultRun, stormy: FaultRun, undisturbed: Outcome) -> None:
    """Play and check both. Raises BrokenInvariantError."""
    if calm.play().outcome() != undisturbed:
        raise BrokenInvariantError(calm.seed, "orders or values differ from those of the run without faults")
    calm.check()
    stormy.play().check()


def run_seed(setup: SeedSetup, seed: int) -> SeedResult:
    """All runs of a seed, in whatever process."""
    start, broken = process_time_ns(), ""
    calm, stormy = make_runs(setup.world, seed, setup.choice.load())
    owned = OwnedRun(setup.world, seed, setup.choice.load())
    scheduled = ScheduledRun(setup.world, seed, setup.choice.load())
    runs = (calm, stormy, owned, scheduled)
    try:
        play_runs(calm, stormy, setup.undisturbed)
        owned.play().check()
        scheduled.play().check()
    except BrokenInvariantError as error:
        broken = error.detail
    except Exception as error:  # noqa: BLE001 - whatever else ends a process breaks the seed as well
        broken = f"seed {seed}: {type(error).__name__}: {error}"
    return SeedResult(
        seed,
        broken,
        sum((run.drawn() for run in runs), Counter[FaultKind]()),
        sum(run.starts for run in runs),
        sum(len(run.fund.journal.orders()) for run in runs),
        (process_time_ns() - start) / 1e6,
    )
