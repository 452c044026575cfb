"""Checkpoints: a training that goes on is the one that was never interrupted, and nothing else is ever loaded."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from internal.errors import UnavailableError
from internal.networks.parameters import parameter_arrays
from internal.tft.checkpoint import Checkpoint, TrainingState
from internal.tft.model import TemporalFusionTransformer, TemporalFusionTransformerConfiguration
from internal.tft.training import TrainingConfiguration, TrainingHistory, TrainingProgress, fit, make_optimizer

MODEL = TemporalFusionTransformerConfiguration(
    observed_variables=("close",),
    known_variables=("day",),
    static_cardinalities=(4, 3),
    hidden_size=8,
    head_count=2,
    dropout=0.2,
    past_length=5,
    horizon=2,
)
TRAINING = TrainingConfiguration(batch_size=64, epochs=4, learning_rate=0.02, patience=4, unknown_rate=0.1)
# Sizes and batch are those of test_tft_training.py: the kernels, ten seconds of compilation, are found in the cache.
BELONGS = {"bars": "a", "settings": "b", "code": "c"}


class Killed(BaseException):
    """Takes the place of `kill -9` inside one process: nothing of the loop runs after it."""


@dataclass
class Batch:
    """What the model takes."""

    past: np.ndarray
    future: np.ndarray
    static: np.ndarray
    target: np.ndarray


class NoiseWindows:
    """Windows without any sense, the same for the same seed."""

    def __init__(self, count: int, seed: int) -> None:
        random = np.random.default_rng(seed)
        shapes = ((count, 5, 2), (count, 2, 1), (count, 2))
        self._past, self._future, self._target = (random.standard_normal(shape).astype(np.float32) for shape in shapes)
        self._static = random.integers(1, 3, (count, 2)).astype(np.int32)

    def __len__(self) -> int:
        return len(self._past)

    def batch(self, indices: np.ndarray) -> Batch:
        """See `internal.tft.inputs.Windows`."""
        return Batch(self._past[indices], self._future[indices], self._static[indices], self._target[indices])


def train(
    checkpoint: Checkpoint | None, on_progress: Callable[[TrainingProgress], None] | None = None
) -> tuple[dict[str, np.ndarray], TrainingHistory]:
    """Train a small model; its weights and history."""
    model = TemporalFusionTransformer(MODEL)
    history = fit(model, NoiseWindows(200, 1), NoiseWindows(40, 2), TRAINING, on_progress, checkpoint)
    return parameter_arrays(model), history


@pytest.fixture(name="uninterrupted", scope="module")
def _uninterrupted() -> tuple[dict[str, np.ndarray], TrainingHistory]:
    return train(None)


def open_checkpoint(path: Path, messages: list[str], **other: str) -> Checkpoint:
    """The checkpoint in a file; `other` replaces what it belongs to."""
    return Checkpoint(path, BELONGS | other, messages.append)


def interrupt_training(path: Path, step: int) -> None:
    """A training that is killed after so many steps; an epoch has four."""

    def kill(progress: TrainingProgress) -> None:
        if progress.step == step:
            raise Killed

    with pytest.raises(Killed):
        train(open_checkpoint(path, []), kill)


@pytest.mark.parametrize(("step", "epochs"), [(5, 1), (14, 3)])
def test_resumes_to_the_same_bits(
    tmp_path: Path, uninterrupted: tuple[dict[str, np.ndarray], TrainingHistory], step: int, epochs: int
) -> None:
    """Killed in the middle of an epoch, it goes on after the last whole one: same weights and losses, bit for bit."""
    path, messages, seen = tmp_path / "run" / "one.checkpoint", list[str](), list[TrainingProgress]()
    interrupt_training(path, step)
    weights, history = train(open_checkpoint(path, messages), seen.append)
    assert messages == [f"an interrupted training resumes after epoch {epochs}"]
    assert [one.step for one in seen] == list(range(4 * epochs + 1, 17))
    expected, whole = uninterrupted
    assert (history.training_losses, history.validation_losses) == (whole.training_losses, whole.validation_losses)
    for name, array in expected.items():
        np.testing.assert_array_equal(array, weights[name], err_msg=name)


def test_finished_training_takes_no_step(
    tmp_path: Path, uninterrupted: tuple[dict[str, np.ndarray], TrainingHistory]
) -> None:
    """Killed after its last epoch, a training has its weights back without a step."""
    path, seen = tmp_path / "one.checkpoint", list[TrainingProgress]()
    train(open_checkpoint(path, []))
    weights, _ = train(open_checkpoint(path, []), seen.append)
    assert seen == []
    for name, array in uninterrupted[0].items():
        np.testing.assert_array_equal(array, weights[name], err_msg=name)


@pytest.fixture(name="content", scope="module")
def _content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A checkpoint after two epochs."""
    path = tmp_path_factory.mktemp("checkpoint") / "one.checkpoint"
    interrupt_training(path, 9)
    return path.read_bytes()


def resume(path: Path, **other: str) -> tuple[TrainingState, list[str], bool]:
    """The state found, the messages, and whether a tensor or the random numbers moved."""
    model, messages, random = TemporalFusionTransformer(MODEL), list[str](), np.random.default_rng(0)
    optimizer = make_optimizer(model, TRAINING)
    before = parameter_arrays(optimizer)
    state = open_checkpoint(path, messages, **other).resume(optimizer, random)
    after = parameter_arrays(optimizer)
    moved = any((array != after[name]).any() for name, array in before.items())
    return state, messages, moved or random.bit_generator.state != np.random.default_rng(0).bit_generator.state


@pytest.mark.parametrize(
    ("other", "words"),
    [({"bars": "x"}, "other bars:"), ({"settings": "x", "code": "y"}, "other settings and code:")],
)
def test_of_something_else(tmp_path: Path, content: bytes, other: dict[str, str], words: str) -> None:
    """A checkpoint of other bars, settings or code is left aside, and the sentence says of which."""
    path = tmp_path / "one.checkpoint"
    path.write_bytes(content)
    state, messages, moved = resume(path, **other)
    assert (state, moved) == (TrainingState(), False)
    assert words in messages[0]
    assert "from the beginning" in messages[0]


def test_damaged(tmp_path: Path, content: bytes) -> None:
    """Cut anywhere, or with one byte changed, it is never loaded."""
    path = tmp_path / "one.checkpoint"
    cut = [content[:length] for length in (0, 10, 64, 65, 100, len(content) // 2, len(content) - 1)]
    changed = [content[:place] + b"\xff" + content[place + 1 :] for place in (5, 300, len(content) - 3)]
    for wrong in (*cut, *changed):
        path.write_bytes(wrong)
        state, messages, moved = resume(path)
        assert (state, moved) == (TrainingState(), False)
        assert "is damaged" in messages[0]


def test_nothing_there_and_half_written(tmp_path: Path, content: bytes) -> None:
    """Without a file nothing is said; a half-written one beside it is not looked at, and the next save replaces it."""
    path = tmp_path / "one.checkpoint"
    (tmp_path / ".one.checkpoint.partial").write_bytes(content[:1000])
    assert resume(path) == (TrainingState(), [], False)
    interrupt_training(path, 9)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    assert path.read_bytes() == content


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
def test_full_disk(tmp_path: Path, content: bytes) -> None:
    """An error of a full disk names the file and what to do; the checkpoint before it and nothing else is there."""
    path, partial = tmp_path / "one.checkpoint", tmp_path / ".one.checkpoint.partial"
    path.write_bytes(content)
    partial.symlink_to("/dev/full")
    optimizer = make_optimizer(TemporalFusionTransformer(MODEL), TRAINING)
    with pytest.raises(
        UnavailableError, match=r"one.checkpoint cannot be written \(No space left.*free some disk space"
    ):
        open_checkpoint(path, []).save(TrainingState([0.5], [0.4]), optimizer, np.random.default_rng(0))
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    assert path.read_bytes() == content
