"""All guards on a strategy as the running fund loads it: the fund's own passes, planted faults are found."""

from pathlib import Path

import pytest

from internal.strategies.loading import LoadedStrategy, find_strategies, load_strategy
from research.guards.check import CheckSize, check_strategy
from research.guards.findings import Guard

STRATEGIES = Path(__file__).parents[3] / "strategies"
SMALL = CheckSize(tickers=16, sessions=12)
HEAD = '''"""Planted."""
import numpy as np
from pocketsizefund import Situation, Strategy, Target, Targets

CALLS = []


class Planted(Strategy):
    """With a fault."""

    history_sessions = 5

    def decide(self, situation: Situation) -> Targets:
        """As planted."""
'''
FAULTS = {
    "remembers": (
        Guard.REPEATABILITY,
        "CALLS.append(1)\nreturn Targets.of({situation.tickers[0]: len(CALLS) / 1e4}, 'x')",
    ),
    "needs a price": (
        Guard.MISSING_DATA,
        "if np.isnan(situation.inputs.price).all():\n    raise ValueError('no price')\nreturn Targets()",
    ),
    "needs a position": (Guard.MISSING_DATA, "situation.positions[0]\nreturn Targets()"),
    "always fails": (Guard.DECISION, "return Targets.of({'A': 1 / 0}, 'x')"),
    "not a number": (Guard.MISSING_DATA, "return Targets.of({'A': 1 / situation.capital}, 'x')"),
}


def load(folder: Path, body: str) -> LoadedStrategy:
    """The planted strategy with this body of `decide`."""
    path = folder / "planted.py"
    path.write_text(HEAD + "".join(f"        {line}\n" for line in body.splitlines()))
    return load_strategy(f"{path}:Planted")


@pytest.mark.parametrize("name", FAULTS)
def test_planted_faults_are_found(tmp_path: Path, name: str) -> None:
    """Each fault by the guard that is there for it, and the message says what differs."""
    guard, body = FAULTS[name]
    failed = [one for one in check_strategy(load(tmp_path, body), tmp_path / "planted.py", SMALL) if not one.passed]
    assert guard in {one.guard for one in failed}


@pytest.mark.parametrize("path", sorted(STRATEGIES.glob("*.py")), ids=lambda path: path.stem)
def test_the_repository_strategies_pass(path: Path) -> None:
    """Every guard, on a small market."""
    for name in find_strategies(path):
        for finding in check_strategy(load_strategy(f"{path}:{name}"), path, SMALL):
            assert finding.passed, f"{name}: {finding}"
