"""The functions of `kernel.h`: exponential, reciprocal, inverse root and sums of four against NumPy in float64."""

import ctypes
import subprocess
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import internal.kernels
from internal.kernels.compiler import configure

COUNT = 1 << 16
EACH = (
    "void {0}_of(const float *x, float *y) {{ for (long i = 0; i < {1}; i += LANES) store(y + i, {0}(load(x + i))); }}"
)
FUNCTIONS = ("exponential", "sigmoid", "hyperbolic_tangent", "elu", "reciprocal", "inverse_root")
SUMS = """
void sums_of(const float *x, float *y) {
  vector four[4];
  ALIGNED float found[LANES];
  for (int i = 0; i < 4; i++) four[i] = load(x + i * LANES);
  store(found, four_sums(four));
  for (int i = 0; i < 4; i++) y[i] = found[SUM_OF(i)];
  y[4] = LANES;
}"""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    """The header with an entry for each function."""
    header = (Path(internal.kernels.__file__).parent / "kernel.h").read_text()
    text = "\n".join([header, *(EACH.format(name, COUNT) for name in FUNCTIONS), SUMS])
    built = tmp_path_factory.mktemp("functions") / "functions.so"
    flags = ["-O2", "-fPIC", "-ffreestanding", "-march=native", "-shared", "-w", "-x", "c", "-"]
    subprocess.run([configure(), *flags, "-o", str(built)], input=text.encode(), check=True)  # noqa: S603 (the kernels' own compiler)
    return ctypes.CDLL(str(built))


def call(library: ctypes.CDLL, name: str, x: NDArray[np.float32]) -> NDArray[np.float64]:
    """The function's values."""
    y = np.zeros_like(x)
    getattr(library, f"{name}_of")(ctypes.c_void_p(x.ctypes.data), ctypes.c_void_p(y.ctypes.data))
    return y.astype(np.float64)


def test_functions_agree_with_numpy(library: ctypes.CDLL) -> None:
    """Each over its whole range, the exponential's ends included; what is no number stays none."""
    x = np.linspace(-80, 80, COUNT).astype(np.float32)
    wide, positive = x.astype(np.float64), np.exp(x.astype(np.float64) / 2).astype(np.float32)
    sigmoid = 1 / (1 + np.exp(-wide))
    np.testing.assert_allclose(call(library, "exponential", x), np.exp(wide), rtol=1.5e-6)
    np.testing.assert_allclose(call(library, "exponential", x / np.float32(8)), np.exp(wide / 8), rtol=4e-7)
    np.testing.assert_allclose(call(library, "sigmoid", x), sigmoid, rtol=1.5e-6)
    np.testing.assert_allclose(call(library, "hyperbolic_tangent", x), np.tanh(wide), atol=3e-7)
    np.testing.assert_allclose(call(library, "elu", x), np.where(wide > 0, wide, np.expm1(wide)), rtol=1e-7, atol=2e-7)
    np.testing.assert_allclose(call(library, "reciprocal", positive), 1 / positive.astype(np.float64), rtol=1.2e-7)
    np.testing.assert_allclose(
        call(library, "inverse_root", positive), positive.astype(np.float64) ** -0.5, rtol=1.2e-7
    )
    nothing = np.full(COUNT, np.nan, np.float32)
    assert all(np.isnan(call(library, name, nothing)).all() for name in FUNCTIONS)


def test_four_sums(library: ctypes.CDLL) -> None:
    """The sum of each of four vectors, found where SUM_OF says."""
    x = np.random.default_rng(0).integers(-9, 9, 64).astype(np.float32)
    found = call(library, "sums", x)
    lanes = int(found[4])
    np.testing.assert_array_equal(found[:4], x[: 4 * lanes].reshape(4, lanes).sum(1))
