"""Tasks on a Ray cluster: what they share goes into its object store once, and a lost worker's task runs again."""

# ray's functions are typed in part
# pyright: reportMissingImports=false, reportUnknownMemberType=false, reportUnknownVariableType=false
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from internal.errors import ConfigurationError
from internal.task_runners.runner import RETRIES, LostWorkerError

AHEAD = 2  # tasks waiting for each processor: enough to keep it busy, few enough to stop early


@dataclass(frozen=True)
class RayRunner:
    """Runs tasks on the cluster at an address; `local` starts one on this machine.

    Every node needs the same checkout of the project with its packages installed.
    """

    address: str

    def run[Shared, Task, Result](
        self, work: Callable[[Shared, Task], Result], shared: Shared, tasks: Sequence[Task]
    ) -> Iterator[tuple[int, Result]]:
        """Each task's place and result, as they come. Raises ConfigurationError, LostWorkerError."""
        ray = _connect(self.address)
        remote = ray.remote(max_retries=RETRIES)(_work)
        reference = ray.put((work, shared))
        queue, running = list(enumerate(tasks)), dict[Any, int]()
        limit = AHEAD * max(int(ray.cluster_resources().get("CPU", 1)), 1)
        while queue or running:
            while queue and len(running) < limit:
                place, task = queue.pop(0)
                running[remote.remote(reference, task)] = place
            (done,), _ = ray.wait(list(running))
            yield running.pop(done), _result(ray, done)


def _connect(address: str) -> Any:  # noqa: ANN401 - the module ray
    """Ray, connected to the cluster. Raises ConfigurationError."""
    # else ray packs the folder of a driver that `uv run` started, and each worker installs all packages again
    os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
    try:
        import ray  # noqa: PLC0415 - an optional package
    except ImportError as error:
        raise ConfigurationError("--ray needs the package ray: uv sync --inexact --group ray") from error
    if not ray.is_initialized():
        try:
            ray.init(None if address == "local" else address, log_to_driver=False, include_dashboard=False)
        except (ConnectionError, ValueError) as error:
            raise ConfigurationError(
                f"no Ray cluster answers at {address}: start one with `ray start --head`, or use --ray local"
            ) from error
    return ray


def _work(shared: tuple[Callable[[Any, Any], Any], Any], task: Any) -> Any:  # noqa: ANN401 - the caller's
    work, value = shared
    return work(value, task)


def _result(ray: Any, reference: Any) -> Any:  # noqa: ANN401 - ray's own objects
    try:
        return ray.get(reference)
    except ray.exceptions.WorkerCrashedError as error:
        raise LostWorkerError(f"a worker was lost {RETRIES + 1} times: {str(error).splitlines()[0]}") from error
    except ray.exceptions.RayTaskError as error:
        raise error.cause from error
