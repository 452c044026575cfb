"""Sweeps: grids, trials counted before they run, interrupted sweeps that go on, the same points from every runner."""

# ray is typed in part, and installed for the tests of its marker alone
# pyright: reportMissingImports=false, reportUnknownMemberType=false, reportUnknownVariableType=false
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from internal.backtests.moments import summarize_moments
from internal.backtests.settings import PLANTED_SIGNAL
from internal.backtests.sweep_report import SweepPoint
from internal.errors import ConfigurationError, InvalidRequestError
from internal.task_runners.process_runner import ProcessRunner
from internal.task_runners.ray_runner import RayRunner
from internal.task_runners.runner import InProcessRunner, TaskRunner
from research.commands.sweep import report
from research.engine.run import Terms, run_backtest
from research.engine.sources import Period, SimulatedSource
from research.ledger import Ledger
from research.sweep.grid import expand_grid, read_grid
from research.sweep.picture import draw_sweep
from research.sweep.run import SweepBase, run_sweep

PERIOD = Period(date(2025, 1, 2), date(2025, 3, 7))
MOMENTUM = b'''"""Ten-session momentum, weekly."""
import polars as pl
from pocketsizefund import Construction, History, Schedule, Situation, Strategy, Targets, WEEKLY


class Momentum(Strategy):
    """Buys what rose, sells short what fell, equal dollars."""

    sessions: int = 10
    names: int = 3
    schedule: Schedule = WEEKLY

    @property
    def history_sessions(self) -> int:
        """A few more for missing bars."""
        return self.sessions + 5

    def score(self, history: History) -> pl.Expr:
        """The return."""
        return pl.col("close") / pl.col("close").shift(self.sessions).over("ticker") - 1

    def construct(self, situation: Situation, scores) -> Targets:
        """The best and the worst few."""
        ranked = [place for place in scores.argsort(kind="stable").tolist() if situation.may_short[place]]
        chosen = {**dict.fromkeys(ranked[: self.names], -1), **dict.fromkeys(ranked[-self.names :], 1)}
        weights = {situation.tickers[place]: sign * 0.5 / self.names for place, sign in chosen.items()}
        return Targets.of(weights, "momentum")
'''
VARIANTS = expand_grid(read_grid(["sessions=5,10", "names=2,3"]))


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> SweepBase:
    """A momentum strategy on 30 simulated tickers over two months."""
    market = SimulatedSource(seed=3, tickers=30).open(PERIOD, print)
    path = tmp_path_factory.mktemp("strategies") / "momentum.py"
    path.write_bytes(MOMENTUM)
    return SweepBase(market, f"{path}:Momentum", MOMENTUM, {}, Terms(Decimal(200_000)), None)


def sweep(base: SweepBase, folder: Path, runner: TaskRunner, seen: list[SweepPoint]) -> list[SweepPoint]:
    """The points of all variants; `seen` gets them as they come."""
    return run_sweep(base, VARIANTS, runner, Ledger(folder), seen.append)


@pytest.fixture(scope="module")
def expected(base: SweepBase, tmp_path_factory: pytest.TempPathFactory) -> list[SweepPoint]:
    """The points of one process."""
    return sweep(base, tmp_path_factory.mktemp("ledger"), InProcessRunner(), [])


def test_points_are_the_backtests(base: SweepBase, expected: list[SweepPoint]) -> None:
    """Each is the backtest of its parameters, run alone."""
    assert [dict(point.parameters) for point in expected] == VARIANTS
    for point in expected:
        result = run_backtest(base.backtest(point.parameters))
        value = result.net_asset_value
        moments = summarize_moments(result.returns)
        assert (point.key, point.fills) == (result.settings.key, len(result.fills))
        assert point.total_return == value[-1] / 200_000 - 1
        assert moments is not None
        assert point.sharpe == pytest.approx(moments.sharpe * 252**0.5)


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: ProcessRunner(2), id="two processes"),
        pytest.param(lambda: RayRunner("local"), id="ray", marks=pytest.mark.ray),
    ],
)
def test_every_runner_gives_the_same_points(
    base: SweepBase, expected: list[SweepPoint], tmp_path: Path, make: Callable[[], TaskRunner]
) -> None:
    """Bit for bit, with the same ledger: four trials, all finished."""
    assert sweep(base, tmp_path, make(), []) == expected
    trials = Ledger(tmp_path).trials()
    assert {trial.settings.key for trial in trials} == {point.key for point in expected}
    assert all(trial.outcome is not None for trial in trials)


@pytest.mark.ray
def test_two_nodes_give_the_same_points(base: SweepBase, expected: list[SweepPoint], tmp_path: Path) -> None:
    """A cluster of two nodes on this machine, one processor each: the points are those of one process."""
    import ray  # noqa: PLC0415 - in the dependency group of this marker
    from ray.cluster_utils import Cluster  # noqa: PLC0415 - as above

    ray.shutdown()
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    cluster.add_node(num_cpus=1)
    try:
        assert sweep(base, tmp_path, RayRunner(f"{cluster.address}"), []) == expected
        assert [node["Alive"] for node in ray.nodes()] == [True, True]
    finally:
        ray.shutdown()
        cluster.shutdown()


def test_an_interrupted_sweep_goes_on(base: SweepBase, expected: list[SweepPoint], tmp_path: Path) -> None:
    """All trials are counted before the first runs; afterwards only what is missing or damaged runs."""

    def interrupt(point: SweepPoint) -> None:
        if point == expected[1]:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_sweep(base, VARIANTS, InProcessRunner(), Ledger(tmp_path), interrupt)
    assert len(Ledger(tmp_path).trials()) == len(VARIANTS)
    stored = sorted((tmp_path / "sweeps").iterdir())
    assert {path.stem for path in stored} == {point.key for point in expected[:2]}
    before = {path: path.stat().st_mtime_ns for path in stored}
    damaged = tmp_path / "sweeps" / f"{expected[0].key}.json"
    damaged.write_bytes(damaged.read_bytes()[:-9])
    assert sweep(base, tmp_path, InProcessRunner(), []) == expected
    kept = tmp_path / "sweeps" / f"{expected[1].key}.json"
    assert kept.stat().st_mtime_ns == before[kept]
    assert len(Ledger(tmp_path).trials()) == len(VARIANTS)


def test_a_wrong_parameter_runs_nothing(base: SweepBase, tmp_path: Path) -> None:
    """The error lists the parameters that there are, and nothing was counted."""
    with pytest.raises(ConfigurationError, match="no parameter days; it has"):
        run_sweep(base, [{"days": "3"}], InProcessRunner(), Ledger(tmp_path), print)
    assert not Ledger(tmp_path).trials()


@pytest.mark.parametrize("text", ["sessions", "=3", "sessions=", "sessions=3,,5", "sessions=3,3"])
def test_wrong_grids_are_refused(text: str) -> None:
    """With an example, or the text that repeats something."""
    with pytest.raises(InvalidRequestError, match="--grid"):
        read_grid([text])


def test_a_grid_of_too_many_variants_is_refused() -> None:
    """A mistyped grid would run for days."""
    grid = read_grid([f"{name}={','.join(map(str, range(30)))}" for name in "abc"])
    with pytest.raises(InvalidRequestError, match="27,000 variants"):
        expand_grid(grid)


def test_pictures_of_one_and_of_two_parameters(expected: list[SweepPoint]) -> None:
    """PNG files, also where a Sharpe ratio is missing."""
    lone = [replace(point, parameters={"sessions": point.parameters["sessions"]}) for point in expected]
    none = [replace(point, sharpe=None) for point in expected]
    for points in (expected, lone, none):
        assert draw_sweep(points).startswith(b"\x89PNG")


def test_a_point_of_another_grid_has_the_parameters_of_this_one(base: SweepBase, tmp_path: Path) -> None:
    """A variant that an earlier grid ran with one name fixed is read with the names of the later grid."""
    fixed = replace(base, fixed={"names": "3"})
    run_sweep(fixed, [{"sessions": "5"}], InProcessRunner(), Ledger(tmp_path), print)
    (point,) = run_sweep(base, [{"sessions": "5", "names": "3"}], InProcessRunner(), Ledger(tmp_path), print)
    assert point.parameters == {"sessions": "5", "names": "3"}
    assert len(Ledger(tmp_path).trials()) == 1


def test_planted_signal(base: SweepBase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The terminal says beside the deflated Sharpe ratio that the prices are simulated and hold a planted signal."""
    monkeypatch.setenv("FUND_HOME", str(tmp_path))
    points = run_sweep(base, VARIANTS[:1], InProcessRunner(), Ledger.from_environment(), lambda _: None)
    text = StringIO()
    report(base, points, tmp_path / "out", Console(file=text, width=200))
    assert text.getvalue().count(PLANTED_SIGNAL) == 1
