"""A new strategy's file: it runs as it is, and nothing is overwritten."""

from pathlib import Path

import pytest

from internal.errors import ConfigurationError
from internal.strategies.loading import find_strategies, load_strategy
from internal.strategies.template import TEMPLATE, write_strategy


def test_a_new_strategy_runs_as_it_is(tmp_path: Path) -> None:
    """The copy has its own class and the parameters of the example."""
    path = write_strategy(tmp_path / "strategies", "my_reversal")
    assert (path.name, find_strategies(path)) == ("my_reversal.py", ["MyReversal"])
    copied, example = load_strategy(f"{path}:MyReversal"), load_strategy(f"{TEMPLATE}:FiveDayReversal")
    assert copied.record.name == "my_reversal"
    assert path.read_text().startswith('"""Five-day reversal: what fell most')
    assert "Results" not in path.read_text()
    assert copied.record.parameters == example.record.parameters


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    """A second one of the name is refused, and the first stays."""
    path = write_strategy(tmp_path, "reversal")
    path.write_text("mine")
    with pytest.raises(ConfigurationError, match="is there already"):
        write_strategy(tmp_path, "reversal")
    assert path.read_text() == "mine"


@pytest.mark.parametrize("name", ["", "Reversal", "two words", "../escape", "class", "1st", "a__b", "x.py"])
def test_a_bad_name_writes_nothing(tmp_path: Path, name: str) -> None:
    """A name that is no lowercase Python name is refused."""
    with pytest.raises(ConfigurationError, match="lowercase letters"):
        write_strategy(tmp_path, name)
    assert not list(tmp_path.iterdir())


def test_a_missing_template_says_where_to_run(tmp_path: Path) -> None:
    """Outside the repository there is nothing to copy."""
    with pytest.raises(ConfigurationError, match="run this in the fund's repository"):
        write_strategy(tmp_path, "reversal", tmp_path / "absent.py")
