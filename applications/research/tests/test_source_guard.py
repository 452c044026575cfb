"""The guard on a strategy's source: what reads the outside world is named with its line."""

from pathlib import Path

import pytest

from research.guards.source_guard import check_source

STRATEGIES = Path(__file__).parents[3] / "strategies"


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("import os", "2: import os"),
        ("import numpy as np, time", "2: import time"),
        ("from urllib.request import urlopen", "2: from urllib.request import ..."),
        ("x = open('file')", "2: open()"),
        ("x = datetime.now()", "2: .now()"),
        ("x = date.today()", "2: .today()"),
        ("x = pl.read_csv('file')", "2: .read_csv()"),
        ("x = np.random.default_rng()", "2: .default_rng()"),
        ("x = eval('1')", "2: eval()"),
    ],
)
def test_outside_world_is_named(tmp_path: Path, line: str, named: str) -> None:
    """File, line and what is read."""
    path = tmp_path / "mine.py"
    path.write_text(f'"""Mine."""\n{line}\n')
    finding = check_source(path)
    assert not finding.passed
    assert f"mine.py:{named}" in finding.detail


@pytest.mark.parametrize("path", sorted(STRATEGIES.glob("*.py")), ids=lambda path: path.stem)
def test_the_repository_strategies_pass(path: Path) -> None:
    """Every example."""
    assert check_source(path).passed
