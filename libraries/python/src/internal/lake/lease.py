"""A lease: of several processes that reach the same lake, one may act at a time, and a dead one loses it.

Knows objects, identities and the monotonic clock. Knows nothing of what the holder does. Each holding is an object of
its own, `leases/<name>/<number>.json`, which only its maker writes again: creating the next number is how a lease is
taken, and of several who create it one succeeds. The number is the fencing number: a later holder has a larger one.

No two machines' clocks are compared (docs/decisions/trader_lease.md). The holder counts its time from before each sign
of life; whoever waits counts from when it first saw that sign, which is later. Times in the object are for people.
"""

import fcntl
import json
import socket
import threading
import time
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import uuid4

from internal.errors import FundError, UnavailableError
from internal.lake.objects import Objects
from internal.telemetry import get_logger

SIGNS = 6  # of life, within the time after which a lease without one is lost
MARGIN = 1.1  # a waiting process waits this much longer: clocks may run at slightly different speeds


class StandbyError(UnavailableError):
    """Another process holds the lease; this one does nothing until that one gives it back, or dies."""

    title = "Standby"
    slug = "standby"


@dataclass(frozen=True)
class Holding:
    """One holding as it is stored. `signs` counts signs of life; `released` says that it was given back."""

    number: int
    holder: str
    host: str
    seconds: float
    signs: int
    told_at: str
    released: bool


class Identity:
    """Who a process is, across its restarts: a word in its state directory, held by a lock as long as it lives.

    A second process that shares the directory does not get the word while the first one lives: it is somebody else, and
    waits as such. It asks again (`claim`), since in a start-first update it is the one that stays.
    """

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._file = (directory / "holder").open("a+")
        self._claimed = False
        self.word = uuid4().hex
        self.claim()

    def claim(self) -> None:
        """Become the directory's word if no living process is it; from then on a restart is this process too."""
        if self._claimed:
            return
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        self._claimed = True
        self._file.seek(0)
        kept = self._file.read().strip()
        if kept:
            self.word = kept
        else:
            self._file.write(self.word)
            self._file.flush()

    def close(self) -> None:
        """Let another process be it."""
        self._file.close()


class Lease:
    """A lease that is taken as soon as it is free, renewed while held, and given back at the end (`with lease:`).

    `seconds` without a sign of life, and others may take it. A process takes its own former lease at once.
    """

    def __init__(self, objects: Objects, name: str, directory: Path, seconds: float) -> None:
        self._objects, self._folder, self._directory, self._seconds = objects, f"leases/{name}", directory, seconds
        self._identity: Identity | None = None
        self._holding: Holding | None = None
        self._until = 0.0  # on the monotonic clock, as all moments here
        self._seen: Holding | None = None
        self._seen_at = 0.0
        self._trouble = "it was not asked for yet"
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lease", daemon=True)

    def __enter__(self) -> Self:
        self._identity = Identity(self._directory)
        self._turn()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()
        self._release()
        if self._identity is not None:
            self._identity.close()

    @property
    def number(self) -> int:
        """The number of the holding that this process has, or had last; 0 before its first."""
        return self._holding.number if self._holding else 0

    def held(self) -> bool:
        """Whether this process may act now."""
        return self._holding is not None and time.monotonic() < self._until

    def require(self) -> int:
        """The fencing number of this process's holding.

        Raises StandbyError, which names the holder and its last sign, or UnavailableError when the store cannot say.
        """
        if self.held():
            return self.number
        if self._seen is None or self._seen.released:
            raise UnavailableError(f"the lease {self._folder} is not held: {self._trouble}")
        raise StandbyError(
            f"standby: {self._seen.host} ({self._seen.holder[:8]}) holds {self._folder} as number {self._seen.number}, "
            f"last sign at {self._seen.told_at}; it is taken over {self._seen.seconds * MARGIN:g} s after its last sign"
        )

    def _run(self) -> None:
        while not self._ended.wait(self._seconds / SIGNS):
            self._turn()

    def _turn(self) -> None:
        """Renew what is held, else take what is free; a store that cannot say is asked again at the next turn."""
        if self._identity is not None:
            self._identity.claim()
        try:
            if self._holding is not None and self.held():
                self._renew(self._holding)
            else:
                self._take()
        except FundError as error:
            self._trouble = error.detail
            get_logger(__name__).warning("lease_unknown", lease=self._folder, detail=error.detail)

    def _take(self) -> None:
        """Create the next number when the last one is free."""
        started = time.monotonic()
        latest = self._latest()
        if latest is not None and not self._is_free(latest, started):
            return
        number = latest.number + 1 if latest else 1
        mine = Holding(number, self._word(), socket.gethostname(), self._seconds, 0, _now(), released=False)
        if self._objects.create(self._path(number), _encode(mine)):
            self._holding, self._until, self._seen = mine, started + self._seconds, None
            get_logger(__name__).info("lease_taken", lease=self._folder, number=number, before=latest and latest.host)
        else:
            self._seen, self._seen_at = self._latest(), time.monotonic()

    def _is_free(self, latest: Holding, now: float) -> bool:
        """Given back, our own of a former life, or without a sign for as long as we have watched it."""
        if latest != self._seen:
            self._seen, self._seen_at = latest, now
        own = self._identity is not None and latest.holder == self._identity.word
        return latest.released or own or now - self._seen_at > latest.seconds * MARGIN

    def _renew(self, mine: Holding) -> None:
        """Give a sign, unless somebody has taken over: then this process is on standby.

        A sign that came too late counts nothing, for somebody may have taken over just before it: the next turn takes
        the lease anew, under the next number.
        """
        started = time.monotonic()
        latest = self._latest()
        if latest is None or latest.number != mine.number:
            self._until, self._seen, self._seen_at = 0.0, latest, started
            get_logger(__name__).error("lease_lost", lease=self._folder, number=mine.number)
            return
        renewed = replace(mine, holder=self._word(), signs=mine.signs + 1, told_at=_now())
        self._objects.put(self._path(mine.number), _encode(renewed))
        if self.held():
            self._holding, self._until = renewed, started + self._seconds

    def _release(self) -> None:
        """Give it back, so that a successor need not wait."""
        if self._holding is None or not self.held():
            return
        self._until = 0.0
        given_back = replace(self._holding, told_at=_now(), released=True)
        try:
            self._objects.put(self._path(given_back.number), _encode(given_back))
        except UnavailableError as error:
            get_logger(__name__).warning("lease_not_released", lease=self._folder, detail=error.detail)

    def _word(self) -> str:
        return self._identity.word if self._identity else ""

    def _latest(self) -> Holding | None:
        """The holding with the largest number, None before the first."""
        paths = self._objects.list(self._folder)
        content = self._objects.get(paths[-1]) if paths else None
        return Holding(**json.loads(content)) if content else None

    def _path(self, number: int) -> str:
        return f"{self._folder}/{number:012}.json"


def _encode(holding: Holding) -> bytes:
    return json.dumps(asdict(holding)).encode()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
