"""Training and prediction: Adam on the quantile loss, early stopping, best weights restored.

It knows windows by number and nothing of bars or dates. The step is captured once by TinyJit, so every batch has one
shape; the last one is filled up. Same seed, same windows: the same weights bit for bit, on any number of threads.
"""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from tinygrad import Context, Tensor, TinyJit
from tinygrad.nn.state import get_state_dict, load_state_dict

from internal.forecasting.scoring import pinball_loss
from internal.kernels.launch import compile_ahead
from internal.kernels.layout import padded
from internal.networks.adam import Adam, AdamSettings
from internal.networks.losses import quantile_loss
from internal.tft.checkpoint import Checkpoint, Standing
from internal.tft.model import TemporalFusionTransformer


class WindowBatch(Protocol):
    """Four NumPy arrays.

    past f32 [batch, past, past_variable], future f32 [batch, horizon, known_variable], static i32
    [batch, static_variable], target f32 [batch, horizon].
    """

    @property
    def past(self) -> np.ndarray:
        """Observed and known variables of the past."""

    @property
    def future(self) -> np.ndarray:
        """Known variables of the future."""

    @property
    def static(self) -> np.ndarray:
        """Category numbers; 0 is unknown."""

    @property
    def target(self) -> np.ndarray:
        """What happened."""


class Windows(Protocol):
    """Windows by number."""

    def __len__(self) -> int:
        """How many there are."""

    def batch(self, indices: np.ndarray) -> WindowBatch:
        """Gather the windows of these numbers."""


@dataclass(frozen=True)
class TrainingConfiguration:
    """How to train.

    Args:
        batch_size: windows a step; rounded up to a multiple of 16.
        epochs: at most.
        learning_rate: Adam's.
        patience: epochs without a better validation loss before it stops.
        largest_gradient_norm: longer gradients are scaled down to it; 0 switches that off.
        unknown_rate: share of category numbers replaced by 0, so that "unknown" is trained.
        seed: of the order of windows and of the masking (the model has its own).
    """

    batch_size: int = 256
    epochs: int = 20
    learning_rate: float = 1e-3
    patience: int = 3
    largest_gradient_norm: float = 1.0
    unknown_rate: float = 0.02
    seed: int = 0


@dataclass(frozen=True)
class TrainingProgress:
    """Where training stands after a step; `step` counts from 1 through all epochs; losses are quantile losses."""

    epoch: int
    step: int
    total_steps: int
    loss: float
    gradient_norm: float
    windows_per_second: float


@dataclass(frozen=True)
class TrainingHistory:
    """Quantile losses by epoch, training and validation; the model keeps the weights of the best validation loss."""

    training_losses: tuple[float, ...]
    validation_losses: tuple[float, ...]
    windows_per_second: float

    @property
    def best_epoch(self) -> int:
        """Counted from 0."""
        return int(np.argmin(self.validation_losses))

    @property
    def best_validation_loss(self) -> float:
        """The loss of the weights that were kept."""
        return self.validation_losses[self.best_epoch]


def fit(  # noqa: PLR0913, PLR0917 (what is trained, on what, how, and who follows it)
    model: TemporalFusionTransformer,
    training: Windows,
    validation: Windows,
    configuration: TrainingConfiguration,
    on_progress: Callable[[TrainingProgress], None] | None = None,
    checkpoint: Checkpoint | None = None,
) -> TrainingHistory:
    """Train in place and keep the weights that are best on the validation windows.

    With a checkpoint, each epoch's end is kept in its file, and training goes on from there: to the same bits as
    without the interruption. The file stays when training has ended.

    Raises:
        ValueError: no windows, targets or inputs that are not finite, categories outside their vocabulary.
        FloatingPointError: the loss or its gradient is no number any more.
    """
    if not len(training) or not len(validation):
        raise ValueError("training needs at least one training and one validation window")
    optimizer, random = make_optimizer(model, configuration), np.random.default_rng(configuration.seed)
    standing = Standing() if checkpoint is None else checkpoint.resume(optimizer, random)
    take_step = training_step(model, configuration, optimizer)
    batches = _Batches(training, model, configuration, random)
    watch, forward = _Stopwatch(batches.size), Forward(model, batches.size)
    for epoch in range(standing.epochs, configuration.epochs):
        if standing.is_stuck(configuration.patience):
            break
        losses = []
        for tensors in batches:
            loss, norm = take_step(*tensors)
            losses.append(loss)
            watch.step()
            standing.steps += 1
            if on_progress is not None:
                total = configuration.epochs * len(batches)
                on_progress(TrainingProgress(epoch, standing.steps, total, loss, norm, watch.windows_per_second))
        watch.pause()
        standing.training_losses.append(float(np.mean(losses)))
        standing.validation_losses.append(_loss(forward, validation))
        if standing.validation_losses[-1] == min(standing.validation_losses):
            standing.best = {name: tensor.numpy().copy() for name, tensor in get_state_dict(model).items()}
        if checkpoint is not None:
            checkpoint.save(standing, optimizer, random)
    load_state_dict(model, {name: Tensor(array) for name, array in standing.best.items()}, verbose=False)
    return TrainingHistory(tuple(standing.training_losses), tuple(standing.validation_losses), watch.windows_per_second)


def make_optimizer(model: TemporalFusionTransformer, configuration: TrainingConfiguration) -> Adam:
    """Adam for every parameter of the model."""
    settings = AdamSettings(configuration.learning_rate, configuration.largest_gradient_norm)
    return Adam(list(get_state_dict(model).values()), model.dropout, settings)


def training_step(
    model: TemporalFusionTransformer, configuration: TrainingConfiguration, optimizer: Adam | None = None
) -> Callable[[Tensor, Tensor, Tensor, Tensor], tuple[float, float]]:
    """Build one captured step: tensors of one batch in, loss and gradient norm out, parameters changed in place."""
    parameters = list(get_state_dict(model).values())
    chosen = optimizer if optimizer is not None else make_optimizer(model, configuration)

    def step(past: Tensor, future: Tensor, static: Tensor, target: Tensor) -> Tensor:
        with compile_ahead():
            loss = quantile_loss(model(past, future, static), target, model.configuration.quantiles)
            report = chosen.step(loss, loss.gradient(*parameters))
        return report.realize()

    captured = TinyJit(step)

    def take_step(past: Tensor, future: Tensor, static: Tensor, target: Tensor) -> tuple[float, float]:
        with Context(TRAINING=1):
            loss, norm = captured(past, future, static, target).tolist()
        if not np.isfinite([loss, norm]).all():
            raise FloatingPointError(
                f"loss {loss} and gradient norm {norm}: lower the learning rate or look at the inputs"
            )
        return loss, norm

    return take_step


def explain(model: TemporalFusionTransformer, windows: Windows, batch_size: int = 256) -> dict[str, np.ndarray]:
    """Why the first window is predicted as it is: every part of `internal.tft.model.Explanation` without its batch.

    Args:
        model: The network.
        windows: At least one; it fills the batch.
        batch_size: Of the predictions that are explained: the kernels of that shape are compiled already.
    """
    batch = windows.batch(np.zeros(padded(batch_size), np.int64))
    found = vars(model.explain(*(Tensor(array).realize() for array in _checked(model, batch))))
    Tensor.realize(*found.values())
    return {name: tensor.numpy()[0] for name, tensor in found.items()}


def evaluate(model: TemporalFusionTransformer, windows: Windows, batch_size: int = 256) -> float:
    """The mean quantile loss on the windows."""
    return _loss(Forward(model, min(batch_size, len(windows))), windows)


class Forward:
    """The model with one batch shape, of which the last batch is filled and cut.

    Captured at the second batch and kept, so that whoever keeps this builds the graph twice in its life, not in every
    call. For one thread.
    """

    def __init__(self, model: TemporalFusionTransformer, size: int) -> None:
        self.model, self._size = model, padded(size)
        self._captured = TinyJit(self._predict)

    def _predict(self, past: Tensor, future: Tensor, static: Tensor) -> Tensor:
        with compile_ahead():
            prediction = self.model(past, future, static)
        return prediction.realize()

    def __call__(self, windows: Windows) -> tuple[np.ndarray, np.ndarray]:
        """Predict: f32 [window, horizon, quantile], and beside it what happened, f32 [window, horizon]."""
        c, count, size = self.model.configuration, len(windows), self._size
        found = np.empty((count, c.horizon, len(c.quantiles)), np.float32)
        target = np.empty((count, c.horizon), np.float32)
        for first in range(0, count, size):
            batch = windows.batch(np.minimum(np.arange(first, first + size), count - 1))
            past, future, static = (Tensor(array).realize() for array in _checked(self.model, batch))
            found[first : first + size] = self._captured(past, future, static).numpy()[: count - first]
            target[first : first + size] = batch.target[: count - first]
        return found, target


def _loss(forward: Forward, windows: Windows) -> float:
    predicted, target = (array.astype(np.float64) for array in forward(windows))
    return float(pinball_loss(target, predicted, forward.model.configuration.quantiles).mean())


def _checked(model: TemporalFusionTransformer, batch: WindowBatch) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The inputs as the kernels want them: contiguous, finite, inside the vocabularies; a kernel cannot raise."""
    past, future = (np.ascontiguousarray(array, np.float32) for array in (batch.past, batch.future))
    static = np.ascontiguousarray(batch.static, np.int32)
    c = model.configuration
    known = len(c.known_variables)
    expected = ((c.past_length, len(c.observed_variables) + known), (c.horizon, known), (len(c.static_cardinalities),))
    if (past.shape[1:], future.shape[1:], static.shape[1:]) != expected:
        shapes = (past.shape, future.shape, static.shape)
        raise ValueError(
            f"past, future and static inputs have shapes {shapes}, the model wants [window, ..] of {expected}"
        )
    if not (np.isfinite(past).all() and np.isfinite(future).all()):
        raise ValueError("a past or future input is not finite: clean the windows before the model sees them")
    if (static < 0).any() or (static >= np.array(c.static_cardinalities)).any():
        raise ValueError(f"a category lies outside its vocabulary of {c.static_cardinalities}")
    return past, future, static


class _Batches:
    """Training windows in a new order each epoch, in batches of one size; the last is filled from the start."""

    def __init__(
        self,
        windows: Windows,
        model: TemporalFusionTransformer,
        configuration: TrainingConfiguration,
        random: np.random.Generator,
    ) -> None:
        self.size = padded(min(configuration.batch_size, len(windows)))
        self._windows, self._model, self._random = windows, model, random
        self._unknown_rate = configuration.unknown_rate

    def __len__(self) -> int:
        return math.ceil(len(self._windows) / self.size)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor, Tensor, Tensor]]:
        order = np.resize(self._random.permutation(len(self._windows)), (len(self), self.size))
        for indices in order:
            batch = self._windows.batch(indices)
            past, future, static = _checked(self._model, batch)
            target = np.ascontiguousarray(batch.target, np.float32)
            if not np.isfinite(target).all():
                raise ValueError("a training target is not finite: its session is not known yet")
            static = np.where(self._random.random(static.shape) < self._unknown_rate, 0, static).astype(np.int32)
            past, future, static, target = (Tensor(array).realize() for array in (past, future, static, target))
            yield past, future, static, target


class _Stopwatch:
    """Windows a second, without the first two steps (capture and compilation) and without validation."""

    def __init__(self, batch_size: int) -> None:
        self.steps, self._batch_size = 0, batch_size
        self._counted, self._seconds, self._last = 0, 0.0, float("nan")

    def step(self) -> None:
        """A step has ended."""
        now = time.perf_counter()
        self.steps += 1
        if self.steps > 2 and np.isfinite(self._last):  # noqa: PLR2004 (the two steps in which TinyJit captures)
            self._counted, self._seconds = self._counted + 1, self._seconds + now - self._last
        self._last = now

    def pause(self) -> None:
        """Something else than a step comes next."""
        self._last = float("nan")

    @property
    def windows_per_second(self) -> float:
        """0 until three steps have ended."""
        return self._counted * self._batch_size / self._seconds if self._seconds else 0.0
