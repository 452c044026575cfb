"""A query in a process of its own, which can be ended: memory, processor time and time are limited from outside.

DuckDB's own limit does not count what its functions allocate: `list_sum(range(1000000000))` takes 17 GB.
"""

import multiprocessing
import resource
import threading
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext

import polars as pl
from polars.exceptions import PanicException

from datamanager.sql import Limits, run_select
from internal.errors import FundError, InvalidRequestError, NotFoundError, UnavailableError
from internal.lake.store import Lake

MEMORY_BYTES = 3 * 1024**3  # what the process may allocate, the tables that it reads included
SPARE_SECONDS = 10.0  # to start, to read the tables, and to send the answer
AT_ONCE = 2
BUSY_SECONDS = 20.0


@dataclass(frozen=True)
class Query:
    """What the process is given."""

    url: str
    storage_options: dict[str, str]
    statement: str
    limits: Limits


@dataclass(frozen=True)
class Refusal:
    """Why there is no answer; `is_missing` where a table does not exist."""

    detail: str
    is_missing: bool


def _make_context() -> ForkServerContext:
    """A server that has imported what a query needs, and forks a process for each."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return context


class QueryProcesses:
    """Runs queries, a few at once, each in a process of its own."""

    def __init__(self, lake: Lake, memory_bytes: int = MEMORY_BYTES) -> None:
        self._lake, self._memory_bytes = lake, memory_bytes
        self._context, self._free = _make_context(), threading.BoundedSemaphore(AT_ONCE)

    def run(self, statement: str, limits: Limits) -> pl.DataFrame:
        """The answer of one SELECT.

        Raises InvalidRequestError (no SELECT, over a limit), NotFoundError (no such table) or UnavailableError (other
        queries run for too long).
        """
        if not self._free.acquire(timeout=BUSY_SECONDS):
            raise UnavailableError(f"{AT_ONCE} queries are running already; ask again when one has ended")
        try:
            return self._run(Query(self._lake.url, self._lake.storage_options, statement, limits))
        finally:
            self._free.release()

    def _run(self, query: Query) -> pl.DataFrame:
        receiving, sending = self._context.Pipe(duplex=False)
        process = self._context.Process(target=_answer, args=(sending, query, self._memory_bytes), daemon=True)
        process.start()
        sending.close()
        try:
            if not receiving.poll(query.limits.seconds + SPARE_SECONDS):
                raise InvalidRequestError(f"the query took longer than {query.limits.seconds:g} seconds; ask for less")
            answer: pl.DataFrame | Refusal = receiving.recv()
        except EOFError:
            raise InvalidRequestError(
                f"the query needs more than {self._memory_bytes / 1024**3:.1f} GiB of memory; ask for less"
            ) from None
        finally:
            process.kill()
            process.join()
            receiving.close()
        if isinstance(answer, Refusal):
            raise (NotFoundError if answer.is_missing else InvalidRequestError)(answer.detail)
        return answer


def _answer(sending: Connection, query: Query, memory_bytes: int) -> None:
    """In the process: run the query and send its answer."""
    resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes, memory_bytes))
    seconds = int(2 * (query.limits.seconds + SPARE_SECONDS))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    try:
        sending.send(run_select(Lake(query.url, query.storage_options), query.statement, query.limits))
    except FundError as error:
        sending.send(Refusal(error.detail, isinstance(error, NotFoundError)))
    except MemoryError:
        sending.send(Refusal("the query needs more memory than it may have; ask for less", is_missing=False))
    except (Exception, PanicException) as error:  # noqa: BLE001 - the caller gets it as an answer; the process ends anyway
        sending.send(Refusal(f"the query cannot be answered: {type(error).__name__}", is_missing=False))
