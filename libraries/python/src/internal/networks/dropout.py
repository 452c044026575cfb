"""Dropout by an integer hash of seed, site and index: nothing is stored, and C and plain forms drop the same elements.

It acts only under tinygrad's `Context(TRAINING=1)`.
"""
# tinygrad exports its names without __all__ and annotates its methods in part
# pyright: reportPrivateImportUsage=false, reportUnknownMemberType=false

import numpy as np
from tinygrad import Tensor, dtypes
from tinygrad.helpers import TRAINING

_SITE, _INDEX, _FIRST, _SECOND = 0x9E3779B9, 0x9E3779B1, 0x85EBCA6B, 0xC2B2AE35


class Dropout:
    """A rate and a seed on the device: `control` is u32 [4] {seed, threshold, step, 0}.

    The optimizer moves seed and step on in place, so that nothing changes on the Python side of a captured step.
    `__slots__` keeps the tensors out of the model's state dictionary: they are no parameters.
    """

    __slots__ = ("_inactive", "active")

    def __init__(self, rate: float, seed: int) -> None:
        values = np.array([seed & 0xFFFFFFFF, int(rate * 2**32), 0, 0], np.uint32)
        self.active = Tensor(values).realize()
        self._inactive = Tensor(np.zeros(4, np.uint32)).realize()

    @property
    def control(self) -> Tensor:
        """What the layers get: the active control in training, else one that drops nothing."""
        return self.active if TRAINING else self._inactive


def drop(values: Tensor, control: Tensor, site: int) -> Tensor:
    """Drop elements of f32 `values` and scale the rest by 1 / (1 - rate); `site` names the layer.

    An element is dropped where the hash of its index is below the threshold; `kernels/kernel.h` has the same hash in C.
    """
    index = Tensor.arange(values.numel(), dtype=dtypes.uint32).reshape(values.shape)
    mixed = (index * _INDEX).bitwise_xor(control[0:1] + (site * _SITE & 0xFFFFFFFF))
    mixed = mixed.bitwise_xor(mixed.rshift(15)) * _FIRST
    mixed = mixed.bitwise_xor(mixed.rshift(13)) * _SECOND
    mixed = mixed.bitwise_xor(mixed.rshift(16))
    rate = control[1:2].cast(dtypes.float32) * 2.0**-32
    return (mixed >= control[1:2]).where(values / (1.0 - rate), 0.0)
