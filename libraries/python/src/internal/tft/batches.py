"""Training windows in batches of one size, in a new order each epoch, and the speed at which steps take them."""
# tinygrad exports its names without __all__
# pyright: reportPrivateImportUsage=false

import math
import time
from collections.abc import Iterator

import numpy as np
from tinygrad import Tensor

from internal.kernels.layout import padded
from internal.tft.inputs import Windows, check_inputs
from internal.tft.model import TemporalFusionTransformerConfiguration


class TrainingBatches:
    """Each iteration is one epoch; the last batch is filled from the epoch's start."""

    def __init__(
        self,
        windows: Windows,
        model: TemporalFusionTransformerConfiguration,
        batch_size: int,
        unknown_rate: float,
        random: np.random.Generator,
    ) -> None:
        self.size = padded(min(batch_size, len(windows)))
        self._windows, self._model, self._random = windows, model, random
        self._unknown_rate = unknown_rate

    def __len__(self) -> int:
        return math.ceil(len(self._windows) / self.size)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor, Tensor, Tensor]]:
        order = np.resize(self._random.permutation(len(self._windows)), (len(self), self.size))
        for indices in order:
            batch = self._windows.batch(indices)
            past, future, static = check_inputs(batch, self._model)
            target = np.ascontiguousarray(batch.target, np.float32)
            if not np.isfinite(target).all():
                raise ValueError("a training target is not finite: its session is not known yet")
            static = np.where(self._random.random(static.shape) < self._unknown_rate, 0, static).astype(np.int32)
            tensors = [Tensor(array).realize() for array in (past, future, static, target)]
            yield tensors[0], tensors[1], tensors[2], tensors[3]


class Stopwatch:
    """Windows a second, without the first two steps (capture and compilation) and without validation."""

    def __init__(self, batch_size: int) -> None:
        self.steps, self._batch_size = 0, batch_size
        self._counted, self._seconds, self._last = 0, 0.0, float("nan")

    def count_step(self) -> None:
        """Count a step that has just ended."""
        now = time.perf_counter()
        self.steps += 1
        if self.steps > 2 and np.isfinite(self._last):  # noqa: PLR2004 (the two steps in which TinyJit captures)
            self._counted, self._seconds = self._counted + 1, self._seconds + now - self._last
        self._last = now

    def pause(self) -> None:
        """Leave out the time until the next step ends."""
        self._last = float("nan")

    @property
    def windows_per_second(self) -> float:
        """0 until three steps have ended."""
        return self._counted * self._batch_size / self._seconds if self._seconds else 0.0
