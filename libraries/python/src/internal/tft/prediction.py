"""Predictions, explanations and the validation loss of a network, in batches of one shape."""
# tinygrad exports its names without __all__
# pyright: reportPrivateImportUsage=false

from collections.abc import Callable
from threading import Lock
from typing import Final, cast

import numpy as np
from tinygrad import Tensor, TinyJit
from tinygrad.device import Buffer

from internal.forecasting.scoring import pinball_loss
from internal.kernels.launch import compile_ahead
from internal.kernels.layout import padded
from internal.tft.inputs import Windows, check_inputs
from internal.tft.model import TemporalFusionTransformer

_ONE_AT_A_TIME: Final = Lock()


class Predictor:
    """The model with one batch shape; the last batch is filled up, and its answer cut.

    The graph is captured at the second batch and kept: an object that lives long builds it twice, not in every call.
    Threads take turns, a batch each: what one captures would be in another's graph, and both write the same inputs.
    """

    def __init__(self, model: TemporalFusionTransformer, batch_size: int) -> None:
        self.model, self._size = model, padded(batch_size)
        self._captured = TinyJit(self._predict)
        self._inputs: list[Tensor] = []

    def _predict(self, past: Tensor, future: Tensor, static: Tensor) -> Tensor:
        with compile_ahead():
            prediction = self.model(past, future, static)
        return prediction.realize()

    def __call__(
        self, windows: Windows, on_windows: Callable[[int], None] | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Predict: f32 [window, horizon, quantile], and with it the targets, f32 [window, horizon].

        Args:
            windows: The windows.
            on_windows: Receives after each batch how many windows are predicted.
        """
        c, count, size = self.model.configuration, len(windows), self._size
        predicted = np.empty((count, c.horizon, len(c.quantiles)), np.float32)
        target = np.empty((count, c.horizon), np.float32)
        for first in range(0, count, size):
            batch = windows.batch(np.minimum(np.arange(first, first + size), count - 1))
            arrays = check_inputs(batch, c)
            with _ONE_AT_A_TIME:
                past, future, static = self._write_inputs(arrays)
                predicted[first : first + size] = self._captured(past, future, static).numpy()[: count - first]
            target[first : first + size] = batch.target[: count - first]
            if on_windows is not None:
                on_windows(min(first + size, count))
        return predicted, target

    def _write_inputs(self, arrays: tuple[np.ndarray, ...]) -> list[Tensor]:
        """The inputs of a batch in tensors that are made once: tinygrad takes longer to prepare new ones."""
        if not self._inputs:
            self._inputs = [Tensor(array).clone().realize() for array in arrays]
        for tensor, array in zip(self._inputs, arrays, strict=True):
            given = Buffer("PYTHON", array.size, tensor.dtype, opaque=memoryview(array).cast("B"))
            cast("Buffer", tensor.uop.buffer).copy_from(given)
        return self._inputs

    def loss(self, windows: Windows) -> float:
        """The mean quantile loss on the windows, in float64."""
        predicted, target = (array.astype(np.float64) for array in self(windows))
        return float(pinball_loss(target, predicted, self.model.configuration.quantiles).mean())


def explain(model: TemporalFusionTransformer, windows: Windows, batch_size: int = 256) -> dict[str, np.ndarray]:
    """Explain the first window's prediction: every part of `internal.tft.model.Explanation` without its batch.

    Args:
        model: The network.
        windows: At least one; it fills the batch.
        batch_size: Of the predictions that are explained: the kernels of that shape are compiled already.
    """
    batch = windows.batch(np.zeros(padded(batch_size), np.int64))
    arrays = check_inputs(batch, model.configuration)
    with _ONE_AT_A_TIME:
        parts: dict[str, Tensor] = vars(model.explain(*(Tensor(array).realize() for array in arrays)))
        Tensor.realize(*parts.values())
        return {name: tensor.numpy()[0] for name, tensor in parts.items()}
