"""A checkpoint: where training stands after an epoch, in one file; a killed training goes on from it to the same bits.

Knows tensors by name, losses and what a training belongs to. Knows nothing of windows or of how a step is taken. The
file appears complete or not at all, and its first line is the digest of the rest.
"""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save
from tinygrad import Tensor
from tinygrad.nn.state import get_state_dict, load_state_dict

_DOCUMENT: Final = "document"  # the JSON, as the bytes of an array beside the tensors
_LIVE, _BEST = "live.", "best."


@dataclass
class Standing:
    """What a training loop carries from epoch to epoch beside the tensors.

    Attributes:
        training_losses: Quantile losses by epoch.
        validation_losses: The same on the validation windows.
        best: The parameters of the best epoch, by name.
        steps: Steps taken in all epochs.
    """

    training_losses: list[float] = field(default_factory=list)
    validation_losses: list[float] = field(default_factory=list)
    best: dict[str, np.ndarray] = field(default_factory=dict)
    steps: int = 0

    @property
    def epochs(self) -> int:
        """Epochs that have ended."""
        return len(self.validation_losses)

    def is_stuck(self, patience: int) -> bool:
        """Whether so many epochs have brought no better validation loss."""
        return self.epochs > 0 and self.epochs - 1 - int(np.argmin(self.validation_losses)) >= patience


class Checkpoint:
    """One file that follows one training."""

    def __init__(self, path: Path, belongs_to: Mapping[str, str], say: Callable[[str], None]) -> None:
        """Takes the file, what the training is made of, e.g. `{"dataset": digest}`, and who hears what is found."""
        self._path, self._belongs_to, self._say = path, dict(belongs_to), say

    def save(self, standing: Standing, live: object, random: np.random.Generator) -> None:
        """Replace the file by the present state.

        Args:
            standing: Losses and best weights.
            live: The optimizer: every tensor that a step changes is found in it.
            random: The source of the order of windows.
        """
        document = {
            "belongs_to": self._belongs_to,
            "training_losses": standing.training_losses,
            "validation_losses": standing.validation_losses,
            "steps": standing.steps,
            "random": random.bit_generator.state,
        }
        content = save(
            {
                _DOCUMENT: np.frombuffer(json.dumps(document).encode(), np.uint8),
                **{_LIVE + name: tensor.numpy() for name, tensor in get_state_dict(live).items()},
                **{_BEST + name: array for name, array in standing.best.items()},
            }
        )
        _replace(self._path, sha256(content).hexdigest().encode() + b"\n" + content)

    def resume(self, live: object, random: np.random.Generator) -> Standing:
        """Put tensors and random numbers where the file says; a file that does not belong here changes nothing.

        Returns:
            The standing to go on from: an empty one when there is no file, or none that fits.
        """
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            return Standing()
        try:
            document, arrays = _read(content)
        except ValueError as error:
            self._say(f"{self._path.name} is damaged ({error}): training starts from the beginning")
            return Standing()
        foreign = [name for name, value in self._belongs_to.items() if document["belongs_to"].get(name) != value]
        if foreign:
            self._say(f"{self._path.name} belongs to other {' and '.join(foreign)}: training starts from the beginning")
            return Standing()
        load_state_dict(live, {name: Tensor(array) for name, array in _part(arrays, _LIVE).items()}, verbose=False)
        random.bit_generator.state = document["random"]
        losses = document["training_losses"], document["validation_losses"]
        self._say(f"an interrupted training goes on after epoch {len(losses[1])}")
        return Standing(*losses, _part(arrays, _BEST), document["steps"])


def _read(content: bytes) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Document and arrays. Raises ValueError with what is wrong."""
    digest, _, rest = content.partition(b"\n")
    if sha256(rest).hexdigest().encode() != digest:
        raise ValueError("its content is not its digest's")
    try:
        arrays = load(rest)
        return json.loads(arrays.pop(_DOCUMENT).tobytes()), arrays
    except (KeyError, SafetensorError) as error:
        raise ValueError("it is none of this code's") from error


def _part(arrays: Mapping[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}


def _replace(path: Path, content: bytes) -> None:
    """Write beside, then rename: whoever is killed leaves the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    with partial.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
