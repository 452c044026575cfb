"""A lease: of several processes that share a lake, one may act at a time, and a dead one loses the lease.

Each holding is an object of its own, `leases/<name>/<number>.json`, which only its creator writes again. A process
takes the lease by creating the next number, which succeeds for one of several processes. The number is the fencing
number: a later holder has a larger one.

The clocks of two machines are never compared (docs/decisions/trader_lease.md). The holder counts its time from before
each renewal; a waiting process counts from when it first saw that renewal, which is later. Times in the object are for
people. All time is counted by a clock that goes on while the machine sleeps: a holder that wakes up holds nothing.
"""

import json
import socket
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from internal.clock import elapsed_seconds
from internal.errors import FundError, UnavailableError
from internal.lake.objects import Objects
from internal.lake.process_identity import ProcessIdentity
from internal.telemetry import get_logger

RENEWALS = 6  # within the time after which a lease that is not renewed is lost
MARGIN = 1.1  # a waiting process waits this much longer: clocks may run at slightly different speeds


class StandbyError(UnavailableError):
    """Another process holds the lease; this one does nothing until that one releases it, or dies."""

    title = "Standby"
    slug = "standby"


@dataclass(frozen=True)
class Holding:
    """One holding as it is stored.

    Attributes:
        number: The fencing number.
        holder: The id of the process.
        host: The machine's name, for people.
        seconds: How long the holding lasts without a renewal.
        signs: How often it was renewed.
        told_at: When it was written last, for people.
        released: Whether the holder has released it.
    """

    number: int
    holder: str
    host: str
    seconds: float
    signs: int
    told_at: str
    released: bool


class Lease:
    """A lease that is taken as soon as it is free, renewed while held, and released at the end (`with lease:`).

    A process takes its own lease of before a restart at once.

    Args:
        objects: Where holdings are stored.
        name: The lease's name.
        directory: The process's state folder, which makes it the same process after a restart.
        seconds: How long a holding lasts without a renewal; then others may take the lease.
        clock: Seconds that also pass while the machine sleeps.
    """

    def __init__(
        self,
        objects: Objects,
        name: str,
        directory: Path,
        seconds: float,
        clock: Callable[[], float] = elapsed_seconds,
    ) -> None:
        self._objects, self._folder, self._directory, self._seconds = objects, f"leases/{name}", directory, seconds
        self._clock = clock
        self.identity: ProcessIdentity | None = None
        self._holding: Holding | None = None
        self._until = 0.0  # on the clock, as all moments here
        self._seen: Holding | None = None
        self._seen_at = 0.0
        self._problem = "no attempt to take it was made yet"
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lease", daemon=True)

    def __enter__(self) -> Self:
        self.identity = ProcessIdentity(self._directory)
        self.turn()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()
        self._release()
        if self.identity is not None:
            self.identity.close()

    @property
    def number(self) -> int:
        """The number of the holding that this process has, or had last; 0 before its first."""
        return self._holding.number if self._holding else 0

    def held(self) -> bool:
        """Whether this process may act now."""
        return self._holding is not None and self._clock() < self._until

    def require(self) -> int:
        """The fencing number of this process's holding.

        Raises StandbyError, which names the holder and its last renewal, or UnavailableError when nobody is known to
        hold the lease: the store does not answer, or this process's own holding has run out.
        """
        if self.held():
            return self.number
        if self._seen is None or self._seen.released:
            raise UnavailableError(f"the lease {self._folder} is not held: {self._problem}")
        raise StandbyError(
            f"standby: {self._seen.host} ({self._seen.holder[:8]}) holds {self._folder} as number {self._seen.number}, "
            f"last renewed at {self._seen.told_at}; it is taken over {self._seen.seconds * MARGIN:g} s after its last "
            f"renewal"
        )

    def _run(self) -> None:
        while not self._ended.wait(self._seconds / RENEWALS):
            self.turn()

    def turn(self) -> None:
        """Renew the lease if it is held, else take it if it is free; a store that fails is asked at the next turn.

        While the lease is entered, a thread does this by itself.
        """
        if self.identity is not None:
            self.identity.claim()
        try:
            if self._holding is not None and self.held():
                self._renew(self._holding)
            else:
                self._take()
        except FundError as error:
            self._problem = error.detail
            get_logger(__name__).warning("lease_unknown", lease=self._folder, detail=error.detail)

    def _take(self) -> None:
        """Create the next number if the last holding is free."""
        started = self._clock()
        latest = self._latest()
        if latest is not None and not self._is_free(latest, started):
            return
        number = latest.number + 1 if latest else 1
        mine = Holding(number, self._id(), socket.gethostname(), self._seconds, 0, _now(), released=False)
        if self._objects.create(self._path(number), _encode(mine)):
            self._holding, self._until, self._seen = mine, started + self._seconds, None
            self._problem = f"it was not renewed for {self._seconds:g} s; it is taken again at the next turn"
            get_logger(__name__).info("lease_taken", lease=self._folder, number=number, before=latest and latest.host)
        else:
            self._seen, self._seen_at = self._latest(), self._clock()

    def _is_free(self, latest: Holding, now: float) -> bool:
        """Whether a holding was released, is this process's own, or was not renewed for as long as it was watched."""
        if latest != self._seen:
            self._seen, self._seen_at = latest, now
        own = self.identity is not None and latest.holder == self.identity.id
        return latest.released or own or now - self._seen_at > latest.seconds * MARGIN

    def _renew(self, mine: Holding) -> None:
        """Renew the holding, unless another process has taken over: then this one is on standby.

        A renewal that comes too late does not count, for another process may have taken over just before it: the next
        turn takes the lease again, under the next number.
        """
        started = self._clock()
        latest = self._latest()
        if latest is None or latest.number != mine.number:
            self._until, self._seen, self._seen_at = 0.0, latest, started
            get_logger(__name__).error("lease_lost", lease=self._folder, number=mine.number)
            return
        renewed = replace(mine, holder=self._id(), signs=mine.signs + 1, told_at=_now())
        self._objects.put(self._path(mine.number), _encode(renewed))
        if self.held():
            self._holding, self._until = renewed, started + self._seconds

    def _release(self) -> None:
        """Release the lease, so that a successor need not wait."""
        if self._holding is None or not self.held():
            return
        self._until = 0.0
        released = replace(self._holding, told_at=_now(), released=True)
        try:
            self._objects.put(self._path(released.number), _encode(released))
        except UnavailableError as error:
            get_logger(__name__).warning("lease_not_released", lease=self._folder, detail=error.detail)

    def _id(self) -> str:
        return self.identity.id if self.identity else ""

    def _latest(self) -> Holding | None:
        """The holding with the largest number; None before the first."""
        paths = self._objects.list(self._folder)
        content = self._objects.get(paths[-1]) if paths else None
        return None if content is None else _decode(content, paths[-1], self._seconds)

    def _path(self, number: int) -> str:
        return f"{self._folder}/{number:012}.json"


def _decode(content: bytes, path: str, seconds: float) -> Holding:
    """The holding; one that cannot be read is nobody's, and free once it has stayed the same for as long as any other.

    A disk that was full, or a machine that lost its power, may leave an empty object.
    """
    try:
        return Holding(**json.loads(content))
    except (ValueError, TypeError):
        get_logger(__name__).warning("lease_unreadable", path=path)
        return Holding(int(Path(path).stem), "", f"{path}, which cannot be read", seconds, 0, "", released=False)


def _encode(holding: Holding) -> bytes:
    return json.dumps(asdict(holding)).encode()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
