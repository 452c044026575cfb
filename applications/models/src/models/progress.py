"""Progress of a long command, as one message type: a command draws it, a test collects it."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

PANEL_SHARE: Final = 10  # of the time that preparing a network's training takes, in per cent


class Step(StrEnum):
    """The step that a message is about."""

    COLLECTING = "collecting bars"
    DESCRIBING = "collecting details"
    ASSEMBLING = "assembling"
    PREPARING = "preparing"
    CHECKPOINT = "checkpoint"
    TRAINING = "training"
    LEAK_GATE = "leak gate"
    EVALUATING = "evaluating"


@dataclass(frozen=True)
class Progress:
    """Progress of a step.

    Attributes:
        step: The step.
        done: Units done.
        total: Units in total.
        text: Further information, e.g. the loss.
    """

    step: Step
    done: float
    total: float
    text: str = ""


OnProgress = Callable[[Progress], None]


def ignore_progress(progress: Progress) -> None:
    """Do nothing."""
    del progress
