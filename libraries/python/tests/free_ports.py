"""Ports of loopback for programs that a test starts: no two of a run get the same, and no connection takes them.

A port that the system chooses is free until another one is asked for: the next program may be given it before the first
has begun to listen, and so may any connection. So ports below those that systems choose from are handed out, each once,
and the workers of a run have ports of their own.
"""

import errno
import os
import random
import socket
from collections.abc import Iterator
from itertools import cycle
from typing import Final

FIRST, LAST = 20_000, 32_000
WORKERS: Final = 16  # of pytest-xdist at most, whose names are gw0, gw1 and so on


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on, none of which was handed out before."""
    return [next(_free) for _ in range(count)]


def free_port() -> int:
    """One such port."""
    return next(_free)


def list_candidates(worker: str) -> list[int]:
    """All ports of a worker; those of two workers have none in common."""
    return list(range(FIRST + int(worker.removeprefix("gw")) % WORKERS, LAST, WORKERS))


def find_free(candidates: list[int]) -> Iterator[int]:
    """Those of the candidates that nobody listens on when they are asked for, in their order, and again."""
    for port in cycle(candidates):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
                continue
        yield port


def _shuffle(candidates: list[int]) -> list[int]:
    """In an order of this process alone: another run on this machine begins elsewhere."""
    return random.SystemRandom().sample(candidates, len(candidates))


_free = find_free(_shuffle(list_candidates(os.environ.get("PYTEST_XDIST_WORKER", "gw0"))))
