"""Task runners: the same results from each, lost workers replaced, errors raised."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from internal.errors import InvalidRequestError, UnavailableError
from internal.task_runners.process_runner import ProcessRunner
from internal.task_runners.ray_runner import RayRunner
from internal.task_runners.runner import InProcessRunner, LostWorkerError, TaskRunner
from libraries.python.tests.full_disk import limit_files

RUNNERS = [
    pytest.param(InProcessRunner, id="in process"),
    pytest.param(lambda: ProcessRunner(2), id="two processes"),
    pytest.param(lambda: RayRunner("local"), id="ray", marks=pytest.mark.ray),
]
LOSING = RUNNERS[1:]


def multiply(shared: int, task: int) -> int:
    """A task."""
    return shared * task


def fail_on_three(shared: int, task: int) -> int:
    """A task with an error of its own."""
    if task == shared:
        raise InvalidRequestError("three is not allowed")
    return task


def die_once(folder: Path, task: int) -> int:
    """The process ends at the first attempt of the second task."""
    marker = folder / "died"
    if task == 1 and not marker.exists():
        marker.write_text("")
        os._exit(9)
    return task


def die(_shared: None, _task: int) -> int:
    """The process always ends."""
    os._exit(9)


@pytest.mark.parametrize("make", RUNNERS)
def test_every_task_once(make: Callable[[], TaskRunner]) -> None:
    """Results carry the place of their task, in whatever order they come; no task is no result."""
    results = list(make().run(multiply, 3, range(7)))
    assert sorted(results) == [(place, 3 * place) for place in range(7)]
    assert list(make().run(multiply, 3, [])) == []


def test_full_disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What the workers share cannot be written: the error names the file and what to do."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    shared, said = "x" * 2000, r"shared\.pickle cannot be written .* set TMPDIR"
    with limit_files(1000), pytest.raises(UnavailableError, match=said):
        list(ProcessRunner(1).run(str.find, shared, ["x"]))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("make", RUNNERS)
def test_errors_are_raised_as_they_are(make: Callable[[], TaskRunner]) -> None:
    """The fund's own error, with its sentence."""
    with pytest.raises(InvalidRequestError, match="three is not allowed"):
        list(make().run(fail_on_three, 3, range(5)))


@pytest.mark.parametrize("make", LOSING)
def test_a_lost_worker_s_task_runs_again(make: Callable[[], TaskRunner], tmp_path: Path) -> None:
    """A worker dies in the second of four tasks: all four results come, each once."""
    assert sorted(make().run(die_once, tmp_path, range(4))) == [(place, place) for place in range(4)]


@pytest.mark.parametrize("make", LOSING)
def test_a_task_that_always_loses_its_worker_ends_the_run(make: Callable[[], TaskRunner]) -> None:
    """It is named as such instead of being tried for ever."""
    with pytest.raises(LostWorkerError, match="lost 4 times"):
        list(make().run(die, None, [0]))


INTERRUPTED = """
import sys, time
from pathlib import Path
from internal.interrupts import run_interruptible
from internal.task_runners.process_runner import ProcessRunner

def wait(folder, number):
    Path(folder, str(number)).touch()
    time.sleep(60)

def run():
    try:
        list(ProcessRunner(2).run(wait, sys.argv[1], [1, 2]))
    except KeyboardInterrupt:
        sys.exit(130)

if __name__ == "__main__":
    run_interruptible(lambda: run)
"""


def test_an_interrupt_kills_the_workers(tmp_path: Path) -> None:
    """Ctrl-C reaches the whole group: one exit at once, no traceback, no worker left.

    SIGINT is ignored where the program starts, as a shell does for what it runs in the background.
    """
    program = tmp_path / "program.py"
    program.write_text(INTERRUPTED)
    words = ["sh", "-c", 'trap \'\' INT; exec "$0" "$@"', sys.executable, str(program), str(tmp_path)]
    with subprocess.Popen(words, stderr=subprocess.PIPE, start_new_session=True) as process:  # noqa: S603 - our own words
        while not (tmp_path / "1").exists() or not (tmp_path / "2").exists():
            assert process.poll() is None
            time.sleep(0.05)
        workers = psutil.Process(process.pid).children(recursive=True)
        os.killpg(process.pid, signal.SIGINT)
        _, printed = process.communicate(timeout=30)

    assert (process.returncode, printed) == (130, b"")
    assert len(workers) >= 2
    assert psutil.wait_procs(workers, timeout=10)[1] == []
