"""What goes wrong at the calls of a port, drawn from one seed."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from random import Random

from internal.errors import FundError, UnavailableError, UnresolvedOrderError, UpstreamError
from internal.trading.ports import RateLimitedError


class FaultKind(StrEnum):
    """What can go wrong; the text is the line of the summary."""

    KILLED_BEFORE = "process killed before a call"
    KILLED_AFTER = "process killed after a call"
    DOWN = "service unavailable"
    GARBLED = "unreadable answer"
    LOST_BEFORE = "order lost on its way"
    LOST_AFTER = "order taken, answer lost"
    LIMITED = "rate limit"
    TAKEN_OVER_BEFORE = "lease lost before a call"
    TAKEN_OVER_AFTER = "lease lost after a call"
    SUSPENDED = "trading suspended"
    REFUSED = "order refused"
    CUT = "fill cut"
    HALTED = "owner halted trading"
    REDUCED = "owner let it only reduce"
    RESUMED = "owner resumed trading"
    FLATTENED = "owner closed everything"
    SLEPT = "session slept through"
    ANNOUNCED_LATE = "open announced after the close"
    ANNOUNCED_AGAIN = "event announced again"
    RESTORED = "backup put back"


READ = FaultKind.KILLED_BEFORE, FaultKind.KILLED_AFTER, FaultKind.DOWN, FaultKind.GARBLED
WRITE = FaultKind.KILLED_BEFORE, FaultKind.KILLED_AFTER
SEND = (*WRITE, FaultKind.LOST_BEFORE, FaultKind.LOST_AFTER, FaultKind.LIMITED, FaultKind.TAKEN_OVER_AFTER)
ASK = (*READ, FaultKind.TAKEN_OVER_BEFORE, FaultKind.TAKEN_OVER_AFTER)
SEND_WEIGHT = 4  # sends fail as much more often than reads, of which there are many
RATES = 0.02, 0.05, 0.15  # of the calls that fail
MOST_FAULTS = 8  # of a seed, so that every run ends
RAISED: Mapping[FaultKind, Callable[[str], FundError]] = {
    FaultKind.LIMITED: lambda kind: RateLimitedError(kind, 0.0),
    FaultKind.DOWN: UnavailableError,
    FaultKind.GARBLED: UpstreamError,
    FaultKind.LOST_BEFORE: UnresolvedOrderError,
}


class KilledError(BaseException):
    """The process is gone: no handler of errors may go on."""


class Chaos:
    """Draws what goes wrong at each port call.

    Attributes:
        random: The draws of the seed.
        left: How many faults are still to come; a quiet run has none.
        dead: Whether the process is gone, so that nothing it does has an effect.
        before_call: What somebody else does before a call of the process that is no send.
        take_over: What a second process does once it has taken the lease.
        drawn: How often each kind came up.
    """

    def __init__(self, seed: int, *, quiet: bool = False) -> None:
        self.random, self.dead = Random(seed), False  # noqa: S311 - a seed, no secret
        self.before_call: Callable[[], None] = lambda: None
        self.take_over: Callable[[], None] = lambda: None
        self.left = 0 if quiet else self.random.randint(1, MOST_FAULTS)
        self.rate = self.random.choice(RATES)
        self.drawn = Counter[FaultKind]()

    def call[Answer](self, kinds: Sequence[FaultKind], work: Callable[[], Answer]) -> Answer:
        """The answer of `work`, or what went wrong before or after it. Raises KilledError, FundError."""
        if self.dead:
            raise KilledError
        if kinds is not SEND:
            self.before_call()
        kind = self._draw(kinds)
        self._fail_before(kind)
        answer = work()
        self._fail_after(kind)
        return answer

    def _draw(self, kinds: Sequence[FaultKind]) -> FaultKind | None:
        rate = self.rate * (SEND_WEIGHT if kinds is SEND else 1)
        if not self.left or self.random.random() >= rate:
            return None
        self.left, kind = self.left - 1, self.random.choice(kinds)
        self.drawn[kind] += 1
        return kind

    def _fail_before(self, kind: FaultKind | None) -> None:
        if kind is FaultKind.KILLED_BEFORE:
            self._die()
        if kind is FaultKind.TAKEN_OVER_BEFORE:
            self._lose_lease()
        if kind is not None and kind in RAISED:
            raise RAISED[kind](kind)

    def _fail_after(self, kind: FaultKind | None) -> None:
        if kind is FaultKind.KILLED_AFTER:
            self._die()
        if kind is FaultKind.TAKEN_OVER_AFTER:
            self._lose_lease()
        if kind is FaultKind.LOST_AFTER:
            raise UnresolvedOrderError(kind)

    def _lose_lease(self) -> None:
        """Another process takes the lease and acts, undisturbed, while this one waits for its answer."""
        left, self.left = self.left, 0
        self.take_over()
        self.left = left

    def _die(self) -> None:
        self.dead = True
        raise KilledError
