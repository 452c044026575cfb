"""The ledger of trials: what was planned is counted, by many processes at once, through crashes and damage."""

import multiprocessing
import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from applications.research.tests.research_results import drawn_result, example_settings
from internal.backtests.selection import select_trials
from internal.errors import ConfigurationError, InvalidRequestError
from libraries.python.tests.full_disk import limit_files
from research.ledger import Ledger
from research.result import BacktestResult

SPAWN = multiprocessing.get_context("spawn")


def result(seed: int, **changes: Any) -> BacktestResult:  # noqa: ANN401 - any field of the settings
    """A result of 80 drawn returns; the seed is one of its parameters."""
    return drawn_result(np.random.default_rng(seed).normal(0, 0.01, 80), parameters={"seed": seed}, **changes)


@pytest.fixture
def messages() -> list[str]:
    """The messages of the ledger."""
    return []


@pytest.fixture
def ledger(tmp_path: Path, messages: list[str]) -> Ledger:
    """An empty ledger."""
    return Ledger(tmp_path / "research", messages.append)


def record(ledger: Ledger, one: BacktestResult) -> None:
    """Plan and complete a trial."""
    ledger.plan(one.settings)
    ledger.complete(one)


def test_a_trial_comes_back_with_its_returns(ledger: Ledger) -> None:
    """Settings, outcome and daily returns are those that were written."""
    one = result(1)
    record(ledger, one)
    (trial,) = ledger.trials()
    assert trial.settings == one.settings
    assert trial.outcome is not None
    assert trial.outcome.moments is not None
    assert trial.outcome.moments.sharpe == pytest.approx(one.returns.mean() / one.returns.std(ddof=1))
    returns = ledger.returns(trial)
    assert returns.days == one.days[1:]
    assert returns.values.tolist() == one.returns.tolist()


def test_a_planned_trial_counts_although_it_never_finished(ledger: Ledger) -> None:
    """One that failed is a trial too; it has no returns."""
    trial = ledger.plan(result(1).settings)
    assert ledger.trials() == (trial,)
    assert trial.outcome is None
    with pytest.raises(InvalidRequestError, match="has not finished"):
        ledger.returns(trial)


def test_an_equal_trial_counts_once(ledger: Ledger) -> None:
    """The second run of equal settings adds no trial and no line; other settings add one."""
    record(ledger, result(1))
    lines = ledger.path.read_bytes()
    record(ledger, result(1))
    assert ledger.path.read_bytes() == lines
    record(ledger, result(2))
    assert len(ledger.trials()) == 2


def test_a_result_that_was_not_planned_is_refused(ledger: Ledger) -> None:
    """A trial is written down before it runs."""
    with pytest.raises(InvalidRequestError, match="was not planned"):
        ledger.complete(result(1))


def write_trials(folder: Path, worker: int, count: int) -> None:
    """What each process of the test below does; half of the trials are the same in all of them."""
    ledger = Ledger(folder)
    for number in range(count):
        record(ledger, result(number if number % 2 else 1000 * (worker + 1) + number))


def test_processes_that_write_at_once_lose_no_trial(ledger: Ledger) -> None:
    """Three processes, each with ten trials of its own and ten that all have: 40 trials, all with returns."""
    processes = [SPAWN.Process(target=write_trials, args=(ledger.folder, worker, 20)) for worker in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        assert process.exitcode == 0
    trials = ledger.trials()
    assert len(trials) == 3 * 10 + 10
    assert all(len(ledger.returns(trial).values) == 80 for trial in trials)
    assert len(ledger.path.read_bytes().splitlines()) == 2 * 40


def write_until_killed(folder: Path) -> None:
    """Plan trials for ever."""
    ledger = Ledger(folder)
    for number in range(100_000):
        record(ledger, result(number))


def test_a_killed_process_leaves_a_whole_ledger(ledger: Ledger) -> None:
    """After SIGKILL in the middle of its work every trial is readable, and others can write."""
    process = SPAWN.Process(target=write_until_killed, args=(ledger.folder,))
    process.start()
    while len(ledger.trials()) < 5:
        process.join(0.05)
        assert process.is_alive()
    os.kill(process.pid or 0, signal.SIGKILL)
    process.join()
    before = ledger.trials()
    record(ledger, result(-1 % 2**32))
    assert len(ledger.trials()) == len(before) + 1
    assert all(ledger.returns(trial).days for trial in before if trial.outcome is not None)


@pytest.fixture
def written(ledger: Ledger) -> bytes:
    """The lines of two finished trials."""
    record(ledger, result(1))
    record(ledger, result(2))
    return ledger.path.read_bytes()


def places(content: bytes) -> Iterator[int]:
    """Where a crash could have cut the last line: after its first byte, in its middle, before its newline."""
    start = content.rindex(b"\n", 0, -1) + 1
    yield from (start + 1, (start + len(content)) // 2, len(content) - 1)


def test_an_incomplete_last_line_is_removed_with_a_message(ledger: Ledger, written: bytes, messages: list[str]) -> None:
    """Wherever the write was cut off, the lines before it stay, and the trial can be completed again."""
    for number, place in enumerate(places(written), 1):
        ledger.path.write_bytes(written[:place])
        first, second = ledger.trials()
        assert (first.outcome is None, second.outcome is None) == (False, True)
        assert len(messages) == number
        assert "incomplete line" in messages[-1]
        assert "run it again" in messages[-1]
        record(ledger, result(2))
        assert [trial.outcome is None for trial in ledger.trials()] == [False, False]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"planned"', b'"plannet"'),
        (b'"capital":100000.0', b'"capital":100001.0'),
        (b'"event"', b'"evint"'),
        (b"{", b""),
    ],
)
def test_a_damaged_line_is_an_error_with_a_remedy(ledger: Ledger, written: bytes, old: bytes, new: bytes) -> None:
    """A line before the last that cannot be read, or whose settings have another key, is named by its number."""
    lines = written.splitlines(keepends=True)
    lines[2] = lines[2].replace(old, new, 1)
    ledger.path.write_bytes(b"".join(lines))
    with pytest.raises(ConfigurationError, match=r"line 3 of .*trials.jsonl is damaged.*backup"):
        ledger.plan(result(3).settings)
    assert ledger.path.read_bytes() == b"".join(lines)


def test_a_missing_line_is_noticed(ledger: Ledger, written: bytes) -> None:
    """A trial that was completed and never planned shows that a line is gone."""
    ledger.path.write_bytes(b"".join(written.splitlines(keepends=True)[1:]))
    with pytest.raises(ConfigurationError, match=r"no line before says that it was planned.*backup"):
        ledger.trials()


@pytest.mark.parametrize("damage", ["missing", "damaged"])
def test_lost_returns_are_an_error_with_a_remedy(ledger: Ledger, damage: str) -> None:
    """The message names the file and the backtest; running that one again stores them again."""
    record(ledger, result(1))
    (trial,) = ledger.trials()
    (path,) = (ledger.folder / "returns").iterdir()
    path.unlink() if damage == "missing" else path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ConfigurationError, match=rf"{path.name} is {damage}.*seed 1.*run that backtest again"):
        ledger.returns(trial)
    record(ledger, result(1))
    assert len(ledger.returns(trial).values) == 80


def test_a_folder_that_cannot_be_written_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    """A file is in the place of the folder."""
    (tmp_path / "research").write_text("")
    with pytest.raises(ConfigurationError, match="set FUND_HOME"):
        Ledger(tmp_path / "research").plan(example_settings())


def test_a_full_disk_leaves_the_ledger_as_it_was(ledger: Ledger, written: bytes, messages: list[str]) -> None:
    """The system accepts no byte, or the first part of the line only; both are one error, and nothing is left."""
    for room in (0, 100):
        with limit_files(len(written) + room), pytest.raises(ConfigurationError, match="free some disk"):
            ledger.plan(result(3).settings)
        assert ledger.path.read_bytes() == written
    assert len(ledger.trials()) == 2
    assert messages == []


def test_the_ledger_is_under_fund_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`FUND_HOME/research/trials.jsonl`."""
    monkeypatch.setenv("FUND_HOME", str(tmp_path))
    assert Ledger.from_environment().path == tmp_path / "research" / "trials.jsonl"


def test_every_trial_on_the_same_data_competes(ledger: Ledger) -> None:
    """Another strategy and a longer file of the same market count; another market and repeats do not."""
    own = result(1)
    others = {
        "another strategy": result(2, strategy="other.py:Other"),
        "a longer file of the same market": result(3, bars_digest="e" * 64),
        "the same bars under another name": result(4, market="copy.csv"),
    }
    for one in (own, *others.values()):
        record(ledger, one)
    ledger.plan(result(5).settings)  # it failed
    ledger.plan(replace(own.settings, code_digest="f" * 64))  # the same choice, run again with newer code
    record(ledger, result(1, cost_multiple=2.0))  # and at other costs
    ledger.plan(result(6, market="simulated, seed 8", bars_digest="0" * 64).settings)
    found = select_trials(ledger.trials(), own.settings, own.days[1:], ledger.returns)
    assert (found.trials, found.of_strategy) == (5, 4)
    assert found.sharpes.shape == (4,)
    assert found.returns.tolist() == np.column_stack([one.returns for one in (own, *others.values())]).tolist()


def test_other_years_do_not_compete(ledger: Ledger) -> None:
    """Sessions that do not overlap are other data; a part of the sessions is the same data, without equal returns."""
    own = result(1)
    record(ledger, own)
    days = own.days
    ledger.plan(replace(own.settings, first_session=date(2023, 1, 3), last_session=date(2023, 12, 29)))
    record(ledger, replace(own, settings=replace(own.settings, first_session=days[2], parameters={"seed": 3})))
    holes = replace(drawn_result(own.returns[1:]), days=days[:5] + days[6:])  # equal ends, one session without bars
    record(ledger, replace(holes, settings=replace(own.settings, bars_digest="b", parameters={"seed": 4})))
    found = select_trials(ledger.trials(), own.settings, own.days[1:], ledger.returns)
    assert (found.trials, found.sharpes.shape, found.returns.shape) == (3, (3,), (80, 1))


def test_runs_at_other_costs_and_capitals_are_found(ledger: Ledger) -> None:
    """They are the same trial, and their returns are those that were run; an unfinished one has none."""
    own, costly, large = result(1), result(1, cost_multiple=2.0), result(1, capital=1e6)
    for one in (own, costly, large):
        record(ledger, one)
    ledger.plan(replace(own.settings, cost_multiple=3.0))
    found = select_trials(ledger.trials(), own.settings, own.days[1:], ledger.returns)
    assert found.trials == 1
    assert {key: values.tolist() for key, values in found.at_other_costs.items()} == {
        1.0: own.returns.tolist(),
        2.0: costly.returns.tolist(),
    }
    assert sorted(found.at_other_capitals) == [100_000.0, 1e6]
