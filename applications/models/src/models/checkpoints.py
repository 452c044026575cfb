"""Checkpoints of a run's trainings: the file of each, and the windows, settings and code that it is valid for."""

import json
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from internal.scratch_arrays import PART_ROWS
from internal.tft.checkpoint import Checkpoint
from models.code_version import compute_code_digest
from models.progress import OnProgress, Progress, Step
from models.relative_target import RelativeWindows


def open_checkpoint(
    folder: Path, blocks: Iterable[RelativeWindows], settings: Mapping[str, Any], seed: int, on_progress: OnProgress
) -> Checkpoint:
    """Open the checkpoint of one network's training.

    Args:
        folder: The run's folder.
        blocks: The training and validation windows.
        settings: Every number of the network and its training, as plain values.
        seed: The network's seed.
        on_progress: Receives whether a checkpoint is used, and why one is not.
    """
    belongs_to = {
        "bars": _compute_digest(blocks),
        "settings": sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest(),
        "code": compute_code_digest(),
    }
    return Checkpoint(
        folder / f"seed-{seed}.checkpoint",
        belongs_to,
        lambda sentence: on_progress(Progress(Step.CHECKPOINT, 1, 1, sentence)),
    )


def _compute_digest(blocks: Iterable[RelativeWindows]) -> str:
    digest = sha256()
    for block in blocks:
        windows = block.windows
        for array in (windows.past_rows, windows.future_rows, windows.static_rows, windows.origins, block.targets):
            for first in range(0, len(array), PART_ROWS):  # in parts, of which no page stays in memory
                digest.update(np.ascontiguousarray(array[first : first + PART_ROWS]).data)
                windows.release()
    return digest.hexdigest()
