"""Asks the sources of a page side by side, each with a time limit: one that fails is an answer too."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from polars.exceptions import PanicException

from internal.errors import FundError
from internal.telemetry import get_logger

BROKER, JOURNAL, DATAMANAGER = "The broker", "The journal", "Datamanager"  # their names for people
TIME_LIMIT_SECONDS = 3.0
THREADS = 16  # of all pages together: a source that hangs must not take those of the other routes
_POOL = ThreadPoolExecutor(THREADS, thread_name_prefix="pages")


@dataclass(frozen=True)
class Found[T]:
    """What a source answered.

    Attributes:
        source: Its name for people: `The broker`.
        value: The answer; None where there is none.
        problem: Why there is none, one sentence; empty where there is one.
    """

    source: str
    value: T | None
    problem: str = ""


async def ask[T](source: str, question: Callable[[], T], seconds: float = TIME_LIMIT_SECONDS) -> Found[T]:
    """The answer to a question that may block; a FundError, a crash or too long a time is a problem, never raised."""
    try:
        answer = asyncio.get_running_loop().run_in_executor(_POOL, question)
        return Found(source, await asyncio.wait_for(answer, seconds))
    except FundError as error:
        return Found(source, None, error.detail)
    except TimeoutError:
        return Found(source, None, f"no answer within {seconds:g} seconds")
    except (Exception, PanicException):  # noqa: BLE001 - logged with its traceback; the rest of the page is shown
        get_logger(__name__).exception("page_source_crashed", source=source)
        return Found(source, None, "the question failed; see the log")
