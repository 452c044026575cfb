"""Tasks in processes of this machine; a worker that is lost is replaced, and its task runs again.

The processes are started afresh instead of forked: Polars holds threads and locks that do not survive a fork
(https://docs.pola.rs/user-guide/misc/multiprocessing).
"""

import pickle
import signal
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import active_children, get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from internal.task_runners.runner import RETRIES, LostWorkerError
from internal.write_errors import explain_write_error

_loaded: list[tuple[Callable[[Any, Any], Any], Any]] = []  # of a worker: the work and what its tasks share


@dataclass(frozen=True)
class ProcessRunner:
    """Runs tasks in `workers` processes; what they share is written once and read by each."""

    workers: int

    def run[Shared, Task, Result](
        self, work: Callable[[Shared, Task], Result], shared: Shared, tasks: Sequence[Task]
    ) -> Iterator[tuple[int, Result]]:
        """Each task's place and result, as they come. Raises LostWorkerError, or UnavailableError for a full disk."""
        with TemporaryDirectory() as folder:
            path = Path(folder) / "shared.pickle"
            remedy = "free some disk space, or set TMPDIR to a folder with more of it"
            with explain_write_error("the data of the worker processes", path, remedy):
                path.write_bytes(pickle.dumps((work, shared), protocol=5))
            left, losses = dict(enumerate(tasks)), Counter[int]()
            while left:
                for place, result in self._run_until_a_loss(path, left, losses):
                    del left[place]
                    yield place, result

    def _run_until_a_loss[Task](
        self, path: Path, tasks: dict[int, Task], losses: Counter[int]
    ) -> Iterator[tuple[int, Any]]:
        """Results as they come, until all are there or a worker is lost. Raises LostWorkerError."""
        context = get_context("spawn")
        pool = ProcessPoolExecutor(self.workers, context, initializer=_load, initargs=(path,))
        with pool, _killed_early():
            queue, running = list(tasks.items()), dict[Future[Any], int]()
            while queue or running:
                while queue and len(running) < self.workers:
                    place, task = queue.pop(0)
                    with _interrupts_blocked():
                        running[pool.submit(_work, task)] = place
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for one in done:
                    try:
                        result = one.result()
                    except BrokenProcessPool:
                        _count_losses(running.values(), losses)
                        return
                    yield running.pop(one), result


@contextmanager
def _interrupts_blocked() -> Generator[None]:
    """Block SIGINT: a process that starts within the block never sees Ctrl-C, which the terminal sends to it too."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _killed_early() -> Generator[None]:
    """Kill the workers when the block ends early, by Ctrl-C or an error: the pool would wait for their tasks."""
    try:
        yield
    except BaseException:
        for worker in active_children():
            worker.kill()
        raise


def _count_losses(places: Sequence[int] | Any, losses: Counter[int]) -> None:  # noqa: ANN401 - a view of a dictionary
    losses.update(places)
    place, count = losses.most_common(1)[0]
    if count > RETRIES:
        raise LostWorkerError(
            f"the worker of task {place + 1} was lost {count} times: it was killed or ran out of memory; use fewer "
            "workers, or run it alone to see its error"
        )


def _load(path: Path) -> None:
    """Read the work and what its tasks share; called once in each worker."""
    _loaded[:] = [pickle.loads(path.read_bytes())]  # noqa: S301 - written by this program in a folder of its own


def _work(task: Any) -> Any:  # noqa: ANN401 - whatever the caller's tasks are
    (work, shared) = _loaded[0]
    return work(shared, task)
