"""The sessions that people have ended by signing out, one object each beside the lake, for all processes."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Lock

from internal.clock import elapsed_seconds
from internal.errors import UnavailableError
from internal.http.sessions import SESSION_SECONDS
from internal.lake.objects import Objects
from internal.telemetry import get_logger

FOLDER = "ended-sessions"
OLD_SECONDS = 2.0  # what another process has ended is known here so much later


class StoredEndedSessions:
    """The port `EndedSessions` on a folder or a bucket; an object lasts as long as its session could.

    Args:
        objects: Of the lake.
        elapsed: A clock, seconds.
    """

    def __init__(self, objects: Objects, elapsed: Callable[[], float] = elapsed_seconds) -> None:
        self._objects, self._elapsed = objects, elapsed
        self._known = set[str]()  # digests; none is taken out, for its cookie gets too old by itself
        self._read_at: float | None = None
        self._reading = Lock()

    def add(self, identity: str) -> None:
        """End a session, and forget those that are too old by themselves. Raises UnavailableError."""
        now, digest = datetime.now(UTC), _digest(identity)
        self._objects.put(f"{FOLDER}/{now:%Y%m%dT%H%M%S}-{digest}", b"")
        self._known.add(digest)
        limit = f"{FOLDER}/{now - timedelta(seconds=SESSION_SECONDS):%Y%m%dT%H%M%S}"
        for old in self._objects.list(FOLDER):
            if old < limit:
                self._objects.delete(old)

    def is_old(self) -> bool:
        """Whether the objects were read longer ago than other processes may wait, or never."""
        return self._read_at is None or self._elapsed() - self._read_at > OLD_SECONDS

    def refresh(self) -> None:
        """Read all objects, unless another thread does; what fails is logged, and what was read before counts on."""
        if not self._reading.acquire(blocking=self._read_at is None):
            return
        try:
            now = self._elapsed()
            self._known.update(path.rpartition("-")[2] for path in self._objects.list(FOLDER))
            self._read_at = now
        except UnavailableError as error:
            get_logger(__name__).warning("ended_sessions_not_read", detail=error.detail)
        finally:
            self._reading.release()

    def require_known(self) -> None:
        """Raise UnavailableError where the objects were never read: anybody's session may have been ended."""
        if self._read_at is None:
            raise UnavailableError("the lake does not say who has signed out: no session counts until it does")

    def __contains__(self, identity: str) -> bool:
        return _digest(identity) in self._known


def _digest(identity: str) -> str:
    """So that nobody makes a cookie of what is stored; it has no hyphen."""
    return hashlib.sha256(identity.encode()).hexdigest()
