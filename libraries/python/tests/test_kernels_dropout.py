"""Dropout's hash: the rate it keeps, the independence of seeds and sites, and the scope in which it acts."""
# tinygrad exports its names without __all__ and annotates its methods in part
# pyright: reportPrivateImportUsage=false, reportUnknownMemberType=false

import numpy as np
from numpy.typing import NDArray
from tinygrad import Context, Tensor

from internal.networks.dropout import Dropout, drop

COUNT = 200_000


def kept_elements(seed: int, site: int) -> NDArray[np.bool_]:
    """Which of the elements stay."""
    values: NDArray[np.float32] = drop(Tensor.ones(COUNT), Dropout(0.1, seed).active, site).numpy()
    return values != 0


def test_rate_and_independence() -> None:
    """A tenth is dropped; two seeds, two sites and two neighbours drop together as chance would have it."""
    first, other_seed, other_site = kept_elements(1, 0), kept_elements(2, 0), kept_elements(1, 1)
    assert abs((~first).mean() - 0.1) < 0.003
    for other in (other_seed, other_site, np.roll(first, 1)):
        assert abs((~first & ~other).mean() - 0.01) < 0.001


def test_scale() -> None:
    """What is kept grows by 1 / (1 - rate), so that the mean stays."""
    values = np.unique(drop(Tensor.ones(1000), Dropout(0.5, 1).active, 0).numpy())
    np.testing.assert_array_equal([0.0, 2.0], values)


def test_scope() -> None:
    """Outside Context(TRAINING=1) nothing is dropped."""
    dropout = Dropout(0.5, 1)
    assert (drop(Tensor.ones(1000), dropout.control, 0).numpy() == 1).all()
    with Context(TRAINING=1):
        assert (drop(Tensor.ones(1000), dropout.control, 0).numpy() == 0).any()
