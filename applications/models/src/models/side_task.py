"""Work beside other work, on a core that would be idle."""

from collections.abc import Callable
from concurrent.futures import Future
from contextvars import copy_context
from threading import Thread


def start_beside[Result](work: Callable[[], Result]) -> Future[Result]:
    """Start work in a thread with this one's context, such as its scratch folder; its end is not waited for at Ctrl-C.

    **Guard:** the work must not set limits of threads, which hold for the whole process: a sum that BLAS makes in parts
    has other bits.
    """
    found, context = Future[Result](), copy_context()

    def run() -> None:
        try:
            found.set_result(context.run(work))
        except BaseException as error:  # noqa: BLE001 - it is raised where the result is asked for
            found.set_exception(error)

    Thread(target=run, daemon=True).start()
    return found
