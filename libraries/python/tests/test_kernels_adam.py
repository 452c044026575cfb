"""Adam: the kernel and the plain form against the algorithm written in NumPy; a broken gradient changes nothing."""
# tinygrad exports its names without __all__ and annotates its methods in part
# pyright: reportPrivateImportUsage=false, reportUnknownMemberType=false

from contextlib import nullcontext

import numpy as np
import pytest
from tinygrad import Tensor

from internal.kernels.launch import plain_form
from internal.networks.adam import Adam, AdamSettings
from internal.networks.dropout import Dropout

SIZES = (32, 48)
SETTINGS = AdamSettings(0.01, largest_norm=2.0)


def gradients_of(step: int) -> list[np.ndarray]:
    """The gradients of one step."""
    random = np.random.default_rng(step)
    return [(step + 0.1) * random.standard_normal(size).astype(np.float32) for size in SIZES]


def expected_after(steps: int, start: list[np.ndarray]) -> list[np.ndarray]:
    """Algorithm 1 of the paper, in float64, with the global norm clipped before."""
    parameters = [p.astype(np.float64) for p in start]
    first, second = [0 * p for p in parameters], [0 * p for p in parameters]
    for step in range(1, steps + 1):
        gradients = gradients_of(step - 1)
        scale = min(1.0, 2.0 / np.sqrt(sum((g.astype(np.float64) ** 2).sum() for g in gradients)))
        for i, g in enumerate(gradients):
            first[i] = 0.9 * first[i] + 0.1 * scale * g
            second[i] = 0.999 * second[i] + 0.001 * (scale * g) ** 2
            parameters[i] -= 0.01 * (first[i] / (1 - 0.9**step)) / (np.sqrt(second[i] / (1 - 0.999**step)) + 1e-8)
    return parameters


@pytest.mark.parametrize("form", ["kernel", "plain"])
def test_five_steps(form: str) -> None:
    """Both forms follow the paper, report loss and norm, count the step and move the dropout's seed on."""
    start = [np.random.default_rng(9).standard_normal(size).astype(np.float32) for size in SIZES]
    parameters, dropout = [Tensor(p).realize() for p in start], Dropout(0.1, 3)
    optimizer = Adam(parameters, dropout, SETTINGS)
    with plain_form() if form == "plain" else nullcontext():
        for step in range(5):
            gradients = [Tensor(g).realize() for g in gradients_of(step)]
            report = optimizer.step(Tensor(float(step)), gradients).numpy()
            norm = np.sqrt(sum((g.astype(np.float64) ** 2).sum() for g in gradients_of(step)))
            np.testing.assert_allclose([step, norm], report, rtol=1e-6)
    for expected, found in zip(expected_after(5, start), parameters, strict=True):
        np.testing.assert_allclose(expected, found.numpy(), rtol=1e-5, atol=1e-6)
    seed, threshold, steps, _ = (int(value) for value in dropout.active.numpy())
    assert (5, int(0.1 * 2**32)) == (steps, threshold)
    assert (3 + 5 * 0x9E3779B9) % 2**32 == seed


@pytest.mark.parametrize("form", ["kernel", "plain"])
def test_gradient_that_is_no_number(form: str) -> None:
    """The report shows it and the parameters stay as they were."""
    parameters, dropout = [Tensor(np.ones(size, np.float32)).realize() for size in SIZES], Dropout(0.1, 3)
    gradients = [Tensor(g).realize() for g in gradients_of(0)[:1]] + [Tensor(np.full(48, np.nan, np.float32)).realize()]
    with plain_form() if form == "plain" else nullcontext():
        report = Adam(parameters, dropout, SETTINGS).step(Tensor(1.0), gradients).numpy()
    assert np.isnan(report[1])
    for parameter in parameters:
        np.testing.assert_array_equal(np.ones(parameter.shape), parameter.numpy())
