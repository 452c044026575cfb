"""Flat parameter vectors: packing has an inverse, views agree with it, padding stays zero."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from internal.kernels.layout import Layout, Matrix

matrices = st.builds(
    Matrix, st.integers(1, 7), st.integers(1, 40), st.integers(1, 4), st.sampled_from(["uniform", "ones", "zeros"])
)


@given(st.lists(matrices, min_size=1, max_size=4), st.integers(1, 3))
def test_unpack_inverts_pack(drawn: list[Matrix], groups: int) -> None:
    """What goes in comes out, and everything else is zero."""
    layout = Layout(tuple((f"m{number}", matrix) for number, matrix in enumerate(drawn)), groups)
    random = np.random.default_rng(0)
    values = {
        name: random.uniform(1, 2, (groups, m.rows, m.blocks, m.columns)).astype(np.float32)
        for name, m in layout.matrices
    }
    vector = layout.pack(values)
    assert vector.size == groups * layout.group_size
    assert np.count_nonzero(vector) == sum(value.size for value in values.values())
    for name, found in layout.unpack(vector).items():
        np.testing.assert_array_equal(values[name], found)


def test_views_and_initial_values() -> None:
    """A view in tinygrad is the unpacked matrix; Glorot's bound holds; the same seed draws the same numbers."""
    layout = Layout((("weight", Matrix(30, 18, 2)), ("scale", Matrix(1, 18, 1, "ones"))), groups=2)
    vector = layout.initialise(np.random.default_rng(1))
    unpacked = layout.unpack(vector.numpy())
    np.testing.assert_array_equal(unpacked["weight"], layout.view(vector, "weight").numpy())
    assert 0.3 < np.abs(unpacked["weight"]).max() <= np.sqrt(6 / 48)
    assert (unpacked["scale"] == 1).all()
    np.testing.assert_array_equal(vector.numpy(), layout.initialise(np.random.default_rng(1)).numpy())
