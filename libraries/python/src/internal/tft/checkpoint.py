"""Checkpoints: the state of a training after an epoch in one file; a killed training resumes from it to the same bits.

The file appears complete or not at all, and its first line is the digest of the rest.
"""

import json
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from internal.errors import UnavailableError
from internal.networks.parameters import load_parameters, parameter_arrays

_DOCUMENT: Final = "document"  # the JSON, as the bytes of an array among the tensors
_LIVE, _BEST = "live.", "best."


@dataclass
class TrainingState:
    """The state that a training carries from epoch to epoch, besides the tensors.

    Attributes:
        training_losses: Quantile losses by epoch.
        validation_losses: The same on the validation windows.
        best: The parameters of the best epoch, by name.
        steps: Steps taken in all epochs.
    """

    training_losses: list[float] = field(default_factory=list[float])
    validation_losses: list[float] = field(default_factory=list[float])
    best: dict[str, np.ndarray] = field(default_factory=dict[str, np.ndarray])
    steps: int = 0

    @property
    def epochs(self) -> int:
        """Epochs that have ended."""
        return len(self.validation_losses)

    def is_stuck(self, patience: int) -> bool:
        """Whether so many epochs have brought no better validation loss."""
        return self.epochs > 0 and self.epochs - 1 - int(np.argmin(self.validation_losses)) >= patience

    def end_epoch(self, training_loss: float, validation_loss: float, parameters: dict[str, np.ndarray]) -> None:
        """Add an epoch's losses, and keep its parameters where none was better."""
        self.training_losses.append(training_loss)
        self.validation_losses.append(validation_loss)
        if validation_loss == min(self.validation_losses):
            self.best = parameters


class Checkpoint:
    """The file of one training."""

    def __init__(self, path: Path, belongs_to: Mapping[str, str], say: Callable[[str], None]) -> None:
        """Takes the file, the training's ingredients, e.g. `{"dataset": digest}`, and a function for messages."""
        self._path, self._belongs_to, self._say = path, dict(belongs_to), say

    def save(self, state: TrainingState, live: object, random: np.random.Generator) -> None:
        """Replace the file by the present state.

        Args:
            state: Losses and best weights.
            live: The optimizer: every tensor that a step changes is found in it.
            random: The source of the order of windows.

        Raises:
            UnavailableError: The file cannot be written; the one before it stays.
        """
        document = {
            "belongs_to": self._belongs_to,
            "training_losses": state.training_losses,
            "validation_losses": state.validation_losses,
            "steps": state.steps,
            "random": random.bit_generator.state,
        }
        content = save(
            {
                _DOCUMENT: np.frombuffer(json.dumps(document).encode(), np.uint8),
                **{_LIVE + name: array for name, array in parameter_arrays(live).items()},
                **{_BEST + name: array for name, array in state.best.items()},
            }
        )
        _replace(self._path, sha256(content).hexdigest().encode() + b"\n" + content)

    def resume(self, live: object, random: np.random.Generator) -> TrainingState:
        """Restore tensors and random numbers; a file that does not belong to this training changes nothing.

        Returns:
            The state to resume from: an empty one when there is no file, or none that fits.
        """
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            return TrainingState()
        try:
            document, arrays = _read(content)
        except ValueError as error:
            self._say(f"{self._path.name} is damaged ({error}): training starts from the beginning")
            return TrainingState()
        others = [name for name, value in self._belongs_to.items() if document["belongs_to"].get(name) != value]
        if others:
            self._say(f"{self._path.name} belongs to other {' and '.join(others)}: training starts from the beginning")
            return TrainingState()
        load_parameters(live, _select(arrays, _LIVE))
        random.bit_generator.state = document["random"]
        losses = document["training_losses"], document["validation_losses"]
        self._say(f"an interrupted training resumes after epoch {len(losses[1])}")
        return TrainingState(*losses, _select(arrays, _BEST), document["steps"])


def _read(content: bytes) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Document and arrays. Raises ValueError with what is wrong."""
    digest, _, rest = content.partition(b"\n")
    if sha256(rest).hexdigest().encode() != digest:
        raise ValueError("its content does not have the digest in its first line")
    try:
        arrays = load(rest)
        return cast("dict[str, Any]", json.loads(arrays.pop(_DOCUMENT).tobytes())), arrays
    except (KeyError, SafetensorError) as error:
        raise ValueError("this code did not write it") from error


def _select(arrays: Mapping[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}


def _replace(path: Path, content: bytes) -> None:
    """Write another file, then rename it: a process that is killed leaves the old file or the new one.

    Raises:
        UnavailableError: The file cannot be written, for example because the disk is full; the old one stays.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        with suppress(OSError):  # what was written of it takes space too
            partial.unlink()
        raise UnavailableError(
            f"the checkpoint {path} cannot be written ({error.strerror}): free some disk space and run the same "
            "command again; it goes on after the last epoch that was saved"
        ) from error
