"""The network's inputs: windows by number, and the checks that a kernel cannot make."""

from typing import Protocol

import numpy as np

from internal.tft.model import TemporalFusionTransformerConfiguration


class WindowBatch(Protocol):
    """Four NumPy arrays.

    past f32 [batch, past, past_variable], future f32 [batch, horizon, known_variable], static i32
    [batch, static_variable], target f32 [batch, horizon].
    """

    @property
    def past(self) -> np.ndarray:
        """Observed and known variables of the past."""
        ...

    @property
    def future(self) -> np.ndarray:
        """Known variables of the future."""
        ...

    @property
    def static(self) -> np.ndarray:
        """Category numbers; 0 is unknown."""
        ...

    @property
    def target(self) -> np.ndarray:
        """The realized values."""
        ...


class Windows(Protocol):
    """Windows by number."""

    def __len__(self) -> int:
        """Count the windows."""
        ...

    def batch(self, indices: np.ndarray) -> WindowBatch:
        """Gather the windows of these numbers."""
        ...


def check_inputs(
    batch: WindowBatch, configuration: TemporalFusionTransformerConfiguration
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Make past, future and static contiguous, as the kernels need them, and check them: a kernel cannot raise.

    Raises:
        ValueError: Wrong shapes, values that are not finite, categories outside their vocabulary.
    """
    past, future = (np.ascontiguousarray(array, np.float32) for array in (batch.past, batch.future))
    static = np.ascontiguousarray(batch.static, np.int32)
    c = configuration
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
        raise ValueError(f"a category is outside its vocabulary of {c.static_cardinalities}")
    return past, future, static
