"""The retraining as a real child process: its commands, its end, and that nothing of it survives its parent.

A package `models` of the test takes the place of the real one: it writes down what it was asked and waits.
"""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from pathlib import Path

import psutil
import pytest

from applications.scheduler.tests.scheduler_kit import (
    MONDAY,
    SmallFund,
    configure,
    open_fund,
    open_scheduler,
    turn_until,
)
from scheduler.retrain import list_commands
from scheduler.retraining import Retraining
from scheduler.runs import Outcome, RunKind
from scheduler.services import Services

SESSION = date(2024, 3, 18)
WAIT_SECONDS = 60.0
MODELS = """
import os, pathlib, sys, time
state = pathlib.Path(os.environ["STATE_DIRECTORY"])
print("trained", sys.argv[1], flush=True)  # before the call is noted: who sees the call may kill this process
with (state / "calls").open("a") as calls:
    print(os.getpid(), os.nice(0), *sys.argv[1:], file=calls, flush=True)
if sys.argv[1] == "train":
    while not (state / "go").exists():
        time.sleep(0.02)
    sys.exit(int((state / "go").read_text()))
"""
PARENT = """
import sys, time
from datetime import date
from pathlib import Path
from scheduler.retraining import Retraining
retraining = Retraining(Path(sys.argv[1]), Path(sys.argv[1]) / "models", "small")
while retraining.follow(date(2024, 3, 18)) is None:
    time.sleep(0.02)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state folder, with the test's own `models` before the real one."""
    package = tmp_path / "packages" / "models"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(MODELS)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "packages"))
    (tmp_path / "models").mkdir()
    return tmp_path


def wait_for[Answer](ask: Callable[[], Answer | None]) -> Answer:
    """The answer as soon as there is one."""
    deadline = time.monotonic() + WAIT_SECONDS
    while (answer := ask()) is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return answer


def read_calls(folder: Path) -> list[list[str]]:
    """The calls of `models`, each with its process id and niceness first."""
    calls = folder / "models" / "calls"
    return [line.split() for line in calls.read_text().splitlines()] if calls.exists() else []


def training_process(folder: Path) -> psutil.Process | None:
    """The running `models train`; None before it has begun."""
    found = [call for call in read_calls(folder) if call[2] == "train"]
    return psutil.Process(int(found[-1][0])) if found else None


def require_gone(process: psutil.Process) -> None:
    """Wait until the process has ended."""
    _, alive = psutil.wait_procs([process], timeout=WAIT_SECONDS)
    assert alive == []


def test_commands() -> None:
    """Two years up to the session, then the training of the model."""
    assert list_commands(SESSION, "full") == [
        ["assemble", "--start-date", "2022-03-19", "--end-date", "2024-03-18"],
        ["train", "--model", "full"],
    ]


def test_runs_both_commands_once(folder: Path) -> None:
    """At low priority, with its output in the log; followed again it starts nothing new and answers the same."""
    retraining = Retraining(folder, folder / "models", "small")
    (folder / "models" / "go").write_text("0")
    assert wait_for(lambda: retraining.follow(SESSION)) == 0
    assert retraining.follow(SESSION) == 0
    calls = read_calls(folder)
    assert [call[2] for call in calls] == ["assemble", "train"]
    assert all(int(call[1]) >= 15 for call in calls)
    assert retraining.log.read_text() == "trained assemble\ntrained train\n"


def test_ends_with_the_service_and_goes_on_after_a_restart(folder: Path) -> None:
    """Stopped, nothing of it is left; started again, the same commands run and the earlier log is kept."""
    retraining = Retraining(folder, folder / "models", "small")
    assert retraining.follow(SESSION) is None
    training = wait_for(lambda: training_process(folder))
    retraining.stop()
    require_gone(training)
    (folder / "models" / "go").write_text("0")
    again = Retraining(folder, folder / "models", "small")
    assert wait_for(lambda: again.follow(SESSION)) == 0
    assert (folder / "retraining.previous.log").read_text() == "trained assemble\ntrained train\n"


def test_retraining_after_each_decision(folder: Path) -> None:
    """A second decision is followed by a retraining; one that fails says where its log is, and is tried again."""
    go = folder / "scheduler" / "models" / "go"
    go.parent.mkdir(parents=True)
    go.write_text("3")

    async def act(fund: SmallFund) -> None:
        async with open_scheduler(configure(fund, retrain_every=1)) as services:
            await turn_until(services, lambda: fund.decided == [MONDAY] and not services.loop.schedule.running())
            assert services.loop.schedule.of(RunKind.RETRAINING) == []
            for outcome in (Outcome.FAILED, Outcome.DONE):
                fund.moment += timedelta(days=1)
                await turn_until(services, partial(has_retrained, services, fund.moment.date()))
                run = services.loop.schedule.last(RunKind.RETRAINING)
                assert run is not None
                assert run.outcome is outcome
                assert ("exit status 3" in run.reason) == (outcome is Outcome.FAILED)
                go.write_text("0")

    with open_fund(folder) as fund:
        asyncio.run(act(fund))


def has_retrained(services: Services, day: date) -> bool:
    """Whether the retraining of a session has ended."""
    run = services.loop.schedule.find(RunKind.RETRAINING, day)
    return run is not None and not run.is_running


def test_killed_service_leaves_no_training_behind(folder: Path) -> None:
    """After `kill -9` of the service its training ends by itself."""
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(folder)])  # noqa: S603 - a script of this test
    training = wait_for(lambda: training_process(folder))
    wrapper = training.parent()
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    require_gone(training)
    if wrapper is not None:
        require_gone(wrapper)
