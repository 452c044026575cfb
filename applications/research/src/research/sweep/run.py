"""Running a sweep: every variant is planned in the ledger, runs once, and is written down as soon as it is there."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from internal.backtests.folder import ResearchFolder
from internal.backtests.sweep_report import SweepPoint
from internal.simulation.known_forecasts import KnownForecasts
from internal.strategies.loading import LoadedStrategy, load_strategy
from internal.task_runners.runner import TaskRunner
from research.engine.market import BacktestMarket
from research.engine.run import Backtest, Terms, run_backtest
from research.ledger import Ledger
from research.sweep.points import FinishedPoint, read_point, save_point, summarize_point


@dataclass(frozen=True, eq=False)
class SweepBase:
    """What all variants share.

    Attributes:
        market: The market and the sessions.
        address: The strategy's `FILE.py:Class`.
        content: Its file, so that a worker on another machine needs none.
        fixed: Parameters that every variant has.
        terms: The account.
        forecasts: What the strategy reads; None for one that reads none.
    """

    market: BacktestMarket
    address: str
    content: bytes
    fixed: Mapping[str, str]
    terms: Terms
    forecasts: KnownForecasts | None

    def backtest(self, parameters: Mapping[str, str]) -> Backtest:
        """The backtest of a variant. Raises ConfigurationError."""
        strategy = _load(self.address, self.content).with_parameters({**self.fixed, **parameters})
        return Backtest(self.market, strategy, self.address, self.terms, self.forecasts)


def run_sweep(
    base: SweepBase,
    variants: Sequence[Mapping[str, str]],
    runner: TaskRunner,
    ledger: Ledger,
    on_point: Callable[[SweepPoint], None],
) -> list[SweepPoint]:
    """The points of all variants, in their order; what an earlier sweep has run is read.

    Every variant is in the ledger before the first one runs. Raises ConfigurationError for a parameter that the
    strategy does not have, StrategyError where it fails, LostWorkerError.
    """
    folder = ResearchFolder(ledger.folder).sweeps
    keys = [ledger.plan(base.backtest(variant).settings).settings.key for variant in variants]
    points = {
        place: replace(found, point=replace(found.point, parameters=dict(variants[place])))
        for place, key in enumerate(keys)
        if (found := read_point(folder, key)) is not None
    }
    for found in points.values():
        on_point(found.point)
    left = [place for place in range(len(variants)) if place not in points]
    for number, finished in runner.run(run_variant, base, [dict(variants[place]) for place in left]):
        ledger.record(base.backtest(variants[left[number]]).settings, finished.returns)
        save_point(folder, finished)
        points[left[number]] = finished
        on_point(finished.point)
    return [points[place].point for place in range(len(variants))]


def run_variant(base: SweepBase, parameters: Mapping[str, str]) -> FinishedPoint:
    """One variant, in whatever process."""
    return summarize_point(run_backtest(base.backtest(parameters)), parameters)


@cache
def _load(address: str, content: bytes) -> LoadedStrategy:
    """The strategy of a file's content, with its default parameters."""
    path, _, name = address.rpartition(":")
    copy = Path(mkdtemp()) / Path(path).name
    copy.write_bytes(content)
    return load_strategy(f"{copy}:{name}")
