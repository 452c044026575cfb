"""The strategy of a fund: which file is meant, from where, and what the folder remembers."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fund.folder import FundFolder
from fund.startup import up_steps
from fund.steps import Plan
from fund.strategy_choice import CHECKOUT, StrategyChoice, choose_strategy, find_file
from fund.strategy_loading import load_choice
from internal.errors import ConfigurationError

OWN = f"{CHECKOUT}/strategies/ten_by_ten.py:TenByTen"


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory outside the checkout, with a strategy's file."""
    (tmp_path / "strategies").mkdir()
    (tmp_path / "strategies/mine.py").write_text("")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_relative_paths(elsewhere: Path) -> None:
    """From the working directory first, else from the checkout; a file that is nowhere is looked for where one is."""
    assert find_file("strategies/mine.py:Mine") == f"{elsewhere}/strategies/mine.py:Mine"
    assert find_file("strategies/ten_by_ten.py:TenByTen") == OWN
    assert find_file(OWN) == OWN
    assert find_file("absent.py:Absent") == f"{elsewhere}/absent.py:Absent"
    assert find_file("no_class.py") == "no_class.py"


def test_environment_then_last_run_then_default(elsewhere: Path) -> None:
    """STRATEGY takes its own parameters only; parameters alone change those of the strategy that goes on."""
    (elsewhere / "last.py").write_text("")
    last = StrategyChoice(f"{elsewhere}/last.py:Last", "sessions=3")
    mine = {"STRATEGY": "strategies/mine.py:Mine"}
    assert choose_strategy(None, {}) == StrategyChoice(OWN)
    assert choose_strategy(last, {}) == last
    assert choose_strategy(last, {"STRATEGY_PARAMETERS": "sessions=5"}) == StrategyChoice(last.address, "sessions=5")
    assert choose_strategy(last, mine) == StrategyChoice(f"{elsewhere}/strategies/mine.py:Mine")


def test_the_last_strategy_is_gone(tmp_path: Path) -> None:
    """Its file was removed or renamed: the message says which, and how to go on; STRATEGY needs no last one."""
    last = StrategyChoice(f"{tmp_path}/removed.py:Removed")
    with pytest.raises(ConfigurationError, match=r"no file .*/removed\.py.*STRATEGY=FILE\.py:Class \./fund up"):
        choose_strategy(last, {"STRATEGY_PARAMETERS": "sessions=5"})
    assert choose_strategy(last, {"STRATEGY": OWN}) == StrategyChoice(OWN)


def test_the_checkout_may_move(tmp_path: Path) -> None:
    """A file of the checkout is remembered by its path there, any other by its whole path."""
    for address, kept in ((OWN, "strategies/ten_by_ten.py:TenByTen"), (f"{tmp_path}/own.py:Own",) * 2):
        FundFolder(tmp_path).save_strategy(StrategyChoice(address))
        assert json.loads((tmp_path / "strategy.json").read_text()) == {"address": kept, "parameters": ""}
        assert FundFolder(tmp_path).read_strategy() == StrategyChoice(address)


def test_the_folder_remembers(tmp_path: Path) -> None:
    """What was saved is read again; a damaged file is named, with what to do."""
    folder, choice = FundFolder(tmp_path), StrategyChoice(OWN, "names_per_side=5")
    assert folder.read_strategy() is None
    folder.save_strategy(choice)
    assert folder.read_strategy() == choice
    (tmp_path / "strategy.json").write_text('{"address": 3, "shape": 1}')
    with pytest.raises(ConfigurationError, match=r"strategy\.json is damaged.*STRATEGY"):
        folder.read_strategy()


def test_without_forecasts_no_model_is_trained() -> None:
    """The step that trains is left out, and only that one."""
    titles, without = ([step.title for step in up_steps(Plan(5, "small", uses))] for uses in (True, False))
    assert len(titles) == len(without) + 1
    assert not any("train" in title or "orecast" in title for title in without)


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """`fund ARGUMENTS...` in a process of its own."""
    return subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "fund", *arguments], capture_output=True, text=True, check=False, timeout=60
    )


def test_a_wrong_strategy_starts_nothing(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command says what is wrong before any service starts, and remembers nothing."""
    monkeypatch.setenv("FUND_HOME", str(elsewhere / "home"))
    monkeypatch.setenv("STRATEGY", "strategies/mine.py:Mine")
    ended = run("up", "--once")
    assert ended.returncode == 1
    assert "has no class Mine that is a pocketsizefund.Strategy" in ended.stderr
    assert not (elsewhere / "home").exists()


def test_research_commands_pass_through(elsewhere: Path) -> None:
    """Arguments, output and exit status are those of `python -m research`, but for the name in its usage."""
    assert elsewhere == Path.cwd()
    for command in (["check"], ["research"]):
        typed = {"RESEARCH_TYPED_AS": "./fund" if command == ["check"] else "./fund research"}
        given = [*command, "--no-such-option", "x=1,2", "--", "-y"]
        own = subprocess.run(  # noqa: S603 - our own command
            [sys.executable, "-m", "research", *(given if command != ["research"] else given[1:])],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            env=os.environ | typed,
        )
        passed = run(*given)
        assert (passed.returncode, passed.stdout, passed.stderr) == (own.returncode, own.stdout, own.stderr)
        assert own.returncode != 0


def test_a_new_strategy_runs_as_it_is(elsewhere: Path) -> None:
    """The file is written below the working directory, loads under its class, and is not written over."""
    written = run("new", "strategy", "my_reversal")
    assert written.returncode == 0, written.stderr
    assert "STRATEGY=strategies/my_reversal.py:MyReversal ./fund up" in written.stdout
    choice = choose_strategy(None, {"STRATEGY": "strategies/my_reversal.py:MyReversal"})
    assert load_choice(choice).record.name == "my_reversal"
    text = (elsewhere / "strategies/my_reversal.py").read_text()
    refused = run("new", "strategy", "my_reversal")
    assert (refused.returncode, "is there already" in refused.stderr) == (1, True)
    assert (elsewhere / "strategies/my_reversal.py").read_text() == text
