"""Where a run's checkpoints lie, and what they belong to: the very windows, settings and code that made them.

Knows digests. How a checkpoint is written and read is `internal.tft.checkpoint`'s.
"""

import json
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from internal.tft.checkpoint import Checkpoint
from models.fitting import code_digest
from models.progress import OnProgress, Progress
from models.relative_target import RelativeWindows


def open_checkpoint(
    folder: Path, blocks: Iterable[RelativeWindows], settings: Mapping[str, Any], seed: int, on_progress: OnProgress
) -> Checkpoint:
    """The checkpoint of one network's training.

    Args:
        folder: The run's.
        blocks: The windows that train and those that choose.
        settings: Every number that shapes the network and its training, as plain values.
        seed: The network's.
        on_progress: Hears whether a checkpoint was found, and why one was not used.
    """
    belongs_to = {
        "bars": _windows_digest(blocks),
        "settings": sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest(),
        "code": code_digest(),
    }
    return Checkpoint(
        folder / f"seed-{seed}.checkpoint",
        belongs_to,
        lambda sentence: on_progress(Progress("checkpoint", 1, 1, sentence)),
    )


def _windows_digest(blocks: Iterable[RelativeWindows]) -> str:
    digest = sha256()
    for block in blocks:
        windows = block.windows
        for array in (windows.past_rows, windows.future_rows, windows.static_rows, windows.origins, block.targets):
            digest.update(array.tobytes())
    return digest.hexdigest()
