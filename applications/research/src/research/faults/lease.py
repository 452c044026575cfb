"""The lease of several processes of one fund: the last one that took it holds it."""

from dataclasses import dataclass

from internal.lake.lease import StandbyError
from internal.trading.ports import Lease


class SharedLease:
    """The lease; `taken` counts its holders so far."""

    def __init__(self) -> None:
        self.taken = 0

    def take(self) -> Lease:
        """The holding of one more process; every earlier one has lost the lease."""
        self.taken += 1
        return Holding(self, self.taken)


@dataclass(frozen=True)
class Holding:
    """What one process holds of the lease."""

    lease: SharedLease
    number: int

    def require(self) -> int:
        """The number of the holding. Raises StandbyError once another process took the lease."""
        if self.lease.taken != self.number:
            raise StandbyError("another process holds the lease")
        return self.number
