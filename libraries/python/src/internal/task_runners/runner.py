"""What a runner of independent tasks is, and the one that runs them in this process."""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from internal.errors import UnavailableError

RETRIES = 3  # of a task whose worker was lost


class LostWorkerError(UnavailableError):
    """A task's worker was lost again and again: it was killed, or ran out of memory."""

    title = "Worker lost"
    slug = "worker-lost"


class TaskRunner(Protocol):
    """Runs the same work on many tasks that share one value, in any order.

    `work` is a function of a module, `shared` and the tasks can be pickled, and what comes back is small. An error of
    the work ends the run and is raised.
    """

    def run[Shared, Task, Result](
        self, work: Callable[[Shared, Task], Result], shared: Shared, tasks: Sequence[Task]
    ) -> Iterator[tuple[int, Result]]:
        """Each task's place and result, as they come. Raises LostWorkerError after RETRIES lost workers of a task."""
        ...


class InProcessRunner:
    """Runs one task after the other, here."""

    def run[Shared, Task, Result](
        self, work: Callable[[Shared, Task], Result], shared: Shared, tasks: Sequence[Task]
    ) -> Iterator[tuple[int, Result]]:
        """Each task's place and result, in order."""
        for place, task in enumerate(tasks):
            yield place, work(shared, task)
