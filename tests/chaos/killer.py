"""`kill -9` of a running service at a moment of its own, while another thread waits for the fund."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from threading import Timer

from chaos.draws import Kill
from fund.supervisor import Supervisor


@contextmanager
def killing(supervisor: Supervisor, kills: Sequence[Kill]) -> Generator[None]:
    """Each kill strikes whatever process the service has by then; all have struck when the block ends."""
    timers = [Timer(kill.after, _kill, (supervisor, kill)) for kill in kills]
    for timer in timers:
        timer.start()
    try:
        yield
    finally:
        for timer in timers:
            timer.join()


def _kill(supervisor: Supervisor, kill: Kill) -> None:
    with suppress(ProcessLookupError):
        supervisor.running[kill.service].kill()
