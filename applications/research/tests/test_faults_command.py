"""`research faults` as a user types it, and the results of one seed that it is made of."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from internal.errors import ConfigurationError
from internal.simulation.venue_broker import VenueBroker
from internal.task_runners.process_runner import ProcessRunner
from internal.task_runners.runner import InProcessRunner
from internal.trading.broker_reports import BrokerOrder
from internal.trading.orders import OrderRequest
from research.commands.faults import faults, repeated_arguments, run_seeds
from research.faults.chaos import FaultKind
from research.faults.invariants import BrokenInvariantError
from research.faults.lease import Holding
from research.faults.seeds import SeedSetup, StrategyChoice, run_seed

ROOT = Path(__file__).parents[3]
SMALL = ("--seeds", "5", "--sessions", "3", "--tickers", "12")
HEADER = '"""Planted."""\nfrom pocketsizefund import Situation, Strategy, Target, Targets\n\n\n'
COUNTING = f'''{HEADER}calls = 0


class Counting(Strategy):
    """Buys more at each call, whatever the session."""

    def decide(self, situation: Situation) -> Targets:
        """One name whose weight grows with the calls."""
        global calls
        calls += 1
        name = next(one for one, may in zip(situation.tickers, situation.may_open, strict=True) if may)
        return Targets((Target(name, calls / 1000, "planted"),))
'''
IDLE = f'''{HEADER}class Idle(Strategy):
    """Holds nothing."""

    def decide(self, situation: Situation) -> Targets:
        """No target."""
        return Targets(())
'''


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """`research faults ...` at 80 columns."""
    return subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "research", "faults", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={"COLUMNS": "80", "PATH": "/usr/bin:/bin"},
        timeout=200,
    )


@pytest.fixture(scope="module")
def setup() -> SeedSetup:
    """Three sessions of twelve names, with the drawn strategy."""
    return SeedSetup.prepare(StrategyChoice(), tickers=12, sessions=3)


def write(folder: Path, name: str, text: str) -> str:
    """The address of a strategy's file."""
    path = folder / f"{name.lower()}.py"
    path.write_text(text)
    return f"{path}:{name}"


def test_a_user_s_strategy_passes() -> None:
    """Exit status 0, every kind of fault with its count, and the totals."""
    done = run(*SMALL, "--strategy", "strategies/ten_by_ten.py:TenByTen", "--set", "names_per_side=2")
    assert done.returncode == 0, done.stderr
    shown = " ".join(done.stdout.split())
    assert all(kind in shown for kind in FaultKind)
    assert "5 seeds, each played calm, stormy, with an owner and scheduled" in shown
    assert "broken" not in shown


def test_a_broken_seed_says_how_to_run_it_again(tmp_path: Path) -> None:
    """A strategy whose answer depends on how often it is asked ends with status 1; the command shown repeats it."""
    address = write(tmp_path, "Counting", COUNTING)
    done = run(*SMALL, "--strategy", address)
    assert done.returncode == 1
    shown = " ".join(done.stdout.split())
    assert "orders or values differ from those of the run without faults" in shown
    assert "seeds are broken, as shown above" in " ".join(done.stderr.split())
    again = next(line for line in done.stdout.splitlines() if line.startswith("To run"))
    repeated = run(*again.partition("research faults ")[2].split())
    assert repeated.returncode == 1, repeated.stdout
    assert "1 of 1 seeds are broken" in " ".join(repeated.stderr.split())


def test_workers_change_nothing(setup: SeedSetup) -> None:
    """Two processes give the results of one, but for the time they took."""
    console, seeds = Console(quiet=True), range(7, 13)
    alone, shared = (run_seeds(setup, seeds, runner, console) for runner in (InProcessRunner(), ProcessRunner(2)))
    assert [one.seed for one in shared] == list(seeds)
    assert [(one.broken, one.drawn, one.starts, one.orders) for one in alone] == [
        (one.broken, one.drawn, one.starts, one.orders) for one in shared
    ]


def test_a_planted_fault_ends_the_command(
    setup: SeedSetup, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A broker that each order reaches twice breaks every seed, whatever is drawn; each is named."""
    submit = VenueBroker.submit

    def submit_twice(broker: VenueBroker, request: OrderRequest) -> BrokerOrder:
        submit(broker, replace(request, client_order_id=f"{request.client_order_id}-again"))
        return submit(broker, request)

    def prepare(*_: object, **__: object) -> SeedSetup:  # the run without faults must not have the fault
        return setup

    monkeypatch.setattr(SeedSetup, "prepare", prepare)
    monkeypatch.setattr(VenueBroker, "submit", submit_twice)
    with pytest.raises(BrokenInvariantError, match="2 of 2 seeds are broken"):
        faults(seeds=2, first_seed=30)
    shown = capsys.readouterr().out
    assert all(f"seed {seed}: the broker holds the positions" in shown for seed in (30, 31))


def test_a_process_without_the_lease_breaks_a_seed(setup: SeedSetup, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that acts without the lease breaks one of so many seeds that they do not depend on what is drawn.

    Only one of twenty can: the second process has to take over between two orders of the first one, which then goes on.
    """

    def require(holding: Holding) -> int:
        return holding.number

    monkeypatch.setattr(Holding, "require", require)
    assert any(run_seed(setup, seed).broken for seed in range(300))  # the first that breaks ends it


def test_a_crash_breaks_its_seed(setup: SeedSetup, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error that is none of the fund's is a broken seed with its type, and the other seeds go on."""

    def fail(*_: object) -> None:
        raise ZeroDivisionError("planted")

    monkeypatch.setattr("internal.trading.rebalancing.Rebalancer.reconcile", fail)
    assert run_seed(setup, 3).broken == "seed 3: ZeroDivisionError: planted"


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("Idle", IDLE, "the strategy sends no order in 3 sessions of 12 simulated tickers"),
        ("Missing", IDLE, "no class Missing"),
    ],
)
def test_unusable_strategies(tmp_path: Path, name: str, text: str, message: str) -> None:
    """A strategy that sends no order proves nothing; one that is not there is named."""
    with pytest.raises(ConfigurationError, match=message):
        SeedSetup.prepare(StrategyChoice(write(tmp_path, name, text)), tickers=12, sessions=3)


def test_parameters_need_a_strategy() -> None:
    """`--set` alone is a wrong argument."""
    done = run("--set", "names_per_side=3")
    assert done.returncode == 2
    assert "--set belongs to --strategy" in " ".join(done.stderr.split())


def test_arguments_are_quoted_for_the_shell() -> None:
    """A path with a space is one word."""
    expected = ["--strategy", "'my ideas/a.py:A'", "--set", "n=3", "--tickers", "30", "--sessions", "8"]
    assert repeated_arguments("my ideas/a.py:A", ["n=3"], 30, 8) == expected
