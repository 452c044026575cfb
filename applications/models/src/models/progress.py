"""What a long step says while it runs.

Knows one shape of message. Knows no screen: a command draws it, a test collects it.
"""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """How far a step is.

    Attributes:
        step: What is being done, e.g. `training`.
        done: Units done.
        total: Units in all.
        text: What else is worth saying, e.g. the loss.
    """

    step: str
    done: float
    total: float
    text: str = ""


OnProgress = Callable[[Progress], None]


def silent(progress: Progress) -> None:
    """Say nothing."""
    del progress
