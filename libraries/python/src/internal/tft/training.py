"""Training: Adam on the quantile loss, early stopping, best weights restored.

The step is captured once by TinyJit, so every batch has one shape. Same seed, same windows: the same weights bit for
bit, on any number of threads.
"""
# tinygrad exports its names without __all__
# pyright: reportPrivateImportUsage=false

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import numpy as np
from tinygrad import Context, Tensor, TinyJit

from internal.kernels.launch import compile_ahead
from internal.networks.adam import Adam, AdamSettings
from internal.networks.losses import quantile_loss
from internal.networks.parameters import load_parameters, named_parameters, parameter_arrays
from internal.tft.batches import Stopwatch, TrainingBatches
from internal.tft.checkpoint import Checkpoint, TrainingState
from internal.tft.inputs import Windows
from internal.tft.model import TemporalFusionTransformer
from internal.tft.prediction import Predictor


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
    """The progress after a step; `step` counts from 1 through all epochs; losses are quantile losses."""

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


def fit(  # noqa: PLR0913, PLR0917 (the model, its windows, how to train, and two observers)
    model: TemporalFusionTransformer,
    training: Windows,
    validation: Windows,
    configuration: TrainingConfiguration,
    on_progress: Callable[[TrainingProgress], None] | None = None,
    checkpoint: Checkpoint | None = None,
) -> TrainingHistory:
    """Train in place and keep the weights that are best on the validation windows.

    With a checkpoint, the state after each epoch is kept in its file, and training resumes from it: to the same bits as
    without the interruption. The file stays when training has ended.

    Raises:
        ValueError: No windows, targets or inputs that are not finite, categories outside their vocabulary.
        FloatingPointError: The loss or its gradient is not finite.
    """
    if not len(training) or not len(validation):
        raise ValueError("training needs at least one training and one validation window")
    optimizer, random = make_optimizer(model, configuration), np.random.default_rng(configuration.seed)
    state = TrainingState() if checkpoint is None else checkpoint.resume(optimizer, random)
    take_step = make_training_step(model, configuration, optimizer)
    batches = TrainingBatches(
        training, model.configuration, configuration.batch_size, configuration.unknown_rate, random
    )
    stopwatch, predictor = Stopwatch(batches.size), Predictor(model, batches.size)
    while state.epochs < configuration.epochs and not state.is_stuck(configuration.patience):
        losses: list[float] = []
        for past, future, static, target in batches:
            loss, norm = take_step(past, future, static, target)
            losses.append(loss)
            stopwatch.count_step()
            state.steps += 1
            if on_progress is not None:
                total, speed = configuration.epochs * len(batches), stopwatch.windows_per_second
                on_progress(TrainingProgress(state.epochs, state.steps, total, loss, norm, speed))
        stopwatch.pause()
        state.end_epoch(float(np.mean(losses)), predictor.loss(validation), parameter_arrays(model))
        if checkpoint is not None:
            checkpoint.save(state, optimizer, random)
    load_parameters(model, state.best)
    speed = stopwatch.windows_per_second
    return TrainingHistory(tuple(state.training_losses), tuple(state.validation_losses), speed)


def make_optimizer(model: TemporalFusionTransformer, configuration: TrainingConfiguration) -> Adam:
    """Make Adam for every parameter of the model."""
    settings = AdamSettings(configuration.learning_rate, configuration.largest_gradient_norm)
    return Adam(list(named_parameters(model).values()), model.dropout, settings)


def make_training_step(
    model: TemporalFusionTransformer, configuration: TrainingConfiguration, optimizer: Adam | None = None
) -> Callable[[Tensor, Tensor, Tensor, Tensor], tuple[float, float]]:
    """Build one captured step: tensors of one batch in, loss and gradient norm out, parameters changed in place."""
    parameters = list(named_parameters(model).values())
    chosen = optimizer if optimizer is not None else make_optimizer(model, configuration)

    def step(past: Tensor, future: Tensor, static: Tensor, target: Tensor) -> Tensor:
        with compile_ahead():
            loss = quantile_loss(model(past, future, static), target, model.configuration.quantiles)
            report = chosen.step(loss, loss.gradient(*parameters))
        return report.realize()

    captured = TinyJit(step)

    def take_step(past: Tensor, future: Tensor, static: Tensor, target: Tensor) -> tuple[float, float]:
        with Context(TRAINING=1):
            loss, norm = cast("list[float]", captured(past, future, static, target).tolist())
        if not np.isfinite([loss, norm]).all():
            raise FloatingPointError(
                f"loss {loss} and gradient norm {norm}: lower the learning rate or look at the inputs"
            )
        return loss, norm

    return take_step
