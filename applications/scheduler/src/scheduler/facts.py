"""What the fund's services say about the scheduled runs, at one moment of the market's clock."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True)
class Handling:
    """What a service has done with an event that it received.

    Attributes:
        is_handled: Whether its handler has finished.
        is_pending: Whether the service tries again by itself.
        last_error: Why its handler failed last; None when it has not.
    """

    is_handled: bool
    is_pending: bool
    last_error: str | None = None


@dataclass(frozen=True)
class Facts:
    """The answers; what was not asked for is empty.

    Attributes:
        collected: The sessions that are in the lake.
        decided: The sessions whose portfolio was decided and sent.
        handlings: Received events by their id.
        halt: Since when, by whom and why trading is halted, in words; None where it is not.
        refusal: Why portfoliomanager did not decide when it was asked directly; None where it was not asked, or did.
    """

    collected: frozenset[date] = frozenset()
    decided: frozenset[date] = frozenset()
    handlings: Mapping[str, Handling] = field(default_factory=dict[str, Handling])
    halt: str | None = None
    refusal: str | None = None
