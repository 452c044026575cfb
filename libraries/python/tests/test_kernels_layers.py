"""Every kernel against a float64 NumPy derivation of its equations, its gradients against finite differences of that.

Dropout is on: the derivation hashes like the kernel. Sizes come from hypothesis: odd ones, one row, one variable.
"""
# tinygrad exports its names without __all__ and annotates its methods in part
# pyright: reportPrivateImportUsage=false, reportUnknownMemberType=false

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tinygrad import Context, Device, Tensor

from internal.kernels.launch import compile_ahead, plain_form
from internal.kernels.layout import Layout
from internal.kernels.threads import thread_count
from internal.networks.attention import AttentionSizes, attend
from internal.networks.embeddings import category_layout, embed_categories, real_layout
from internal.networks.gated_residual import GatedResidualSizes, apply_gated_residual
from internal.networks.gated_skip import add_gated, gated_skip_layout
from internal.networks.lstm import lstm_layout, run_lstm
from internal.networks.variable_selection import SelectionParameters, SelectionSizes, select_reals, weigh_variables

CONTROL = np.array([12345, int(0.3 * 2**32), 0, 0], np.uint32)
Array = Any  # a NumPy array; NumPy types its arithmetic as Any


@pytest.fixture(autouse=True, scope="module")
def _plain_loops() -> Iterator[None]:  # pyright: ignore[reportUnusedFunction]  # pytest calls it
    """Around the kernels tinygrad unrolls no loops, which would take half of the time; the kernels are not affected."""
    with Context(NOOPT=1):
        yield


@dataclass
class Case:
    """A layer twice: in NumPy and as an operation, both functions of the same arrays."""

    arrays: list[Array]
    derive: Callable[..., Array]
    operate: Callable[..., Tensor]


def sigmoid(x: Array) -> Array:
    """The logistic function."""
    return 1 / (1 + np.exp(-x))


def elu(x: Array) -> Array:
    """The exponential linear unit."""
    return np.maximum(x, 0) + np.expm1(np.minimum(x, 0))


def drop(x: Array, site: int) -> Array:
    """The hash of `kernel.h`, written again."""
    seed, threshold = int(CONTROL[0]) + site * 0x9E3779B9 & 0xFFFFFFFF, int(CONTROL[1])
    h = np.arange(x.size, dtype=np.uint64) * 0x9E3779B1 % 2**32 ^ np.uint64(seed)
    h = (h ^ (h >> np.uint64(15))) * 0x85EBCA6B % 2**32
    h = (h ^ (h >> np.uint64(13))) * 0xC2B2AE35 % 2**32
    h ^= h >> np.uint64(16)
    return np.where((h >= threshold).reshape(x.shape), x / (1 - threshold / 2**32), 0.0)


def layer_norm(x: Array, p: dict[str, Array]) -> Array:
    """Layer normalisation over the last axis."""
    centred = x - x.mean(-1, keepdims=True)
    unit = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5)
    return unit * p["scale"][:, 0, 0] + p["shift"][:, 0, 0]


def draw_parameters(layout: Layout, random: np.random.Generator) -> Array:
    """A random vector of a layout."""
    drawn = {
        name: 0.5 * random.standard_normal((layout.groups, m.rows, m.blocks, m.columns)) for name, m in layout.matrices
    }
    return layout.pack(drawn).astype(np.float64)


def gated_residual_case(sizes: GatedResidualSizes, contexts: int, repeat: int, random: np.random.Generator) -> Case:
    """Equations 2-5."""
    rows, layout = contexts * repeat, sizes.layout

    def derive(x: Array, *rest: Array) -> Array:
        p = layout.unpack(rest[-1])
        a = np.einsum("rgi,giy->rgy", x, p["hidden_weight"][:, :, 0]) + p["hidden_bias"][:, 0, 0]
        if sizes.context:
            a = a + (rest[0] @ p["context_weight"][0, :, 0]).repeat(repeat, axis=0)[:, None]
        inner = np.einsum("rgi,giy->rgy", elu(a), p["inner_weight"][:, :, 0])
        inner = drop(inner + p["inner_bias"][:, 0, 0], sizes.site)
        gates = np.einsum("rgi,giby->rgby", inner, p["gate_weight"]) + p["gate_bias"][:, 0]
        skip = x
        if sizes.projected:
            skip = np.einsum("rgi,giy->rgy", x, p["skip_weight"][:, :, 0]) + p["skip_bias"][:, 0, 0]
        return layer_norm(skip + gates[:, :, 0] * sigmoid(gates[:, :, 1]), p)

    def operate(x: Tensor, *rest: Tensor) -> Tensor:
        context = rest[0] if sizes.context else None
        return apply_gated_residual(x, context, rest[-1], sizes, Tensor(CONTROL))

    arrays = [random.standard_normal((rows, sizes.groups, sizes.input))]
    arrays += [random.standard_normal((contexts, sizes.context))] if sizes.context else []
    return Case([*arrays, draw_parameters(layout, random)], derive, operate)


def gate_case(rows: int, hidden: int, random: np.random.Generator) -> Case:
    """Equation 17."""
    layout = gated_skip_layout(hidden)

    def derive(x: Array, skip: Array, vector: Array) -> Array:
        p = layout.unpack(vector)
        gates = np.einsum("ri,iby->rby", drop(x, 4), p["gate_weight"][0]) + p["gate_bias"][0, 0]
        return layer_norm(skip + gates[:, 0] * sigmoid(gates[:, 1]), p)

    arrays = [
        random.standard_normal((rows, hidden)),
        random.standard_normal((rows, hidden)),
        draw_parameters(layout, random),
    ]

    def operate(x: Tensor, skip: Tensor, p: Tensor) -> Tensor:
        return add_gated(x, skip, p, Tensor(CONTROL), 4)

    return Case(arrays, derive, operate)


def lstm_case(steps: tuple[int, int], batch: int, inputs: int, hidden: int) -> Case:
    """Steps in all, and the step at which the decoder takes over."""
    layout, random, switch = lstm_layout(inputs, hidden), generator(), steps[1]

    def derive(x: Array, h: Array, c: Array, vector: Array) -> Array:
        p, states = layout.unpack(vector), list[Array]()
        for step in range(steps[0]):
            side = int(step >= switch)
            gates = np.einsum("ni,iby->nby", x[:, step], p["input_weight"][side]) + p["bias"][side, 0]
            gates = gates + np.einsum("ni,iby->nby", h, p["hidden_weight"][side])
            c = sigmoid(gates[:, 1]) * c + sigmoid(gates[:, 0]) * np.tanh(gates[:, 2])
            h = sigmoid(gates[:, 3]) * np.tanh(c)
            states.append(h)
        return np.stack(states, 1)

    arrays = [random.standard_normal(shape) for shape in ((batch, steps[0], inputs), (batch, hidden), (batch, hidden))]

    def operate(x: Tensor, h: Tensor, c: Tensor, p: Tensor) -> Tensor:
        return run_lstm(x, (h, c), p, switch, Tensor(CONTROL))

    return Case([*arrays, draw_parameters(layout, random)], derive, operate)


def attention_case(batch: int, steps: int, sizes: AttentionSizes, random: np.random.Generator) -> Case:
    """Equations 13-16 with a causal mask."""
    layout = sizes.layout

    def derive(x: Array, vector: Array) -> Array:
        p = {name: matrix[0] for name, matrix in layout.unpack(vector).items()}
        query = np.einsum("nti,ihd->nhtd", x[:, steps - sizes.queries :], p["query_weight"])
        key, value = np.einsum("nti,ihd->nhtd", x, p["key_weight"]), x @ p["value_weight"][:, 0]
        scores = np.einsum("nhqd,nhkd->nhqk", query, key) / np.sqrt(sizes.depth)
        ahead = np.arange(steps)[None] > np.arange(steps - sizes.queries, steps)[:, None]
        e = np.exp(np.where(ahead, -np.inf, scores))
        return drop(e / e.sum(-1, keepdims=True), sizes.site).mean(1) @ value @ p["out_weight"][:, 0]

    arrays = [random.standard_normal((batch, steps, sizes.hidden)), draw_parameters(layout, random)]

    def operate(x: Tensor, p: Tensor) -> Tensor:
        return attend(x, p, sizes, Tensor(CONTROL))

    return Case(arrays, derive, operate)


def reals_case(sizes: SelectionSizes, contexts: int, repeat: int, random: np.random.Generator) -> Case:
    """Section 4.2 as it is written: embed, a network a variable, one over all of them, softmax, weighted sum."""
    rows, layout = contexts * repeat, real_layout(sizes.variables, sizes.hidden)
    each = gated_residual_case(sizes.each, rows, 1, random)
    together = gated_residual_case(sizes.weighting, contexts, repeat, random)
    x = random.standard_normal((rows, sizes.variables)).astype(np.float32)

    def derive(context: Array, embedding: Array, variables: Array, weighting: Array) -> Array:
        p = layout.unpack(embedding)
        embedded = x.astype(np.float64)[:, :, None] * p["weight"][0, :, 0] + p["bias"][0, :, 0]
        e = np.exp(together.derive(embedded.reshape(rows, 1, -1), context, weighting)[:, 0])
        return ((e / e.sum(1, keepdims=True))[:, :, None] * each.derive(embedded, variables)).sum(1)

    def operate(context: Tensor, *vectors: Tensor) -> Tensor:
        return select_reals(Tensor(x), context, SelectionParameters(*vectors), sizes, Tensor(CONTROL))[0]

    arrays = [together.arrays[1], draw_parameters(layout, random), each.arrays[-1], together.arrays[-1]]
    return Case(arrays, derive, operate)


def categories_case(rows: int, cardinalities: tuple[int, ...], hidden: int, random: np.random.Generator) -> Case:
    """A vector a category."""
    layout = category_layout(cardinalities, hidden)
    indices = np.stack([random.integers(0, count, rows) for count in cardinalities], 1).astype(np.int32)
    begin = np.concatenate([[0], np.cumsum(cardinalities)[:-1]])

    def derive(vector: Array) -> Array:
        return layout.unpack(vector)["table"][0, :, 0][indices + begin]

    def operate(p: Tensor) -> Tensor:
        return embed_categories(Tensor(indices), p, cardinalities, hidden, Tensor(CONTROL))

    return Case([draw_parameters(layout, random)], derive, operate)


def selection_case(rows: int, variables: int, hidden: int, random: np.random.Generator) -> Case:
    """Equations 6 and 8."""

    def derive(scores: Array, x: Array) -> Array:
        e = np.exp(scores)
        return ((e / e.sum(1, keepdims=True))[:, :, None] * x).sum(1)

    arrays = [3 * random.standard_normal((rows, variables)), random.standard_normal((rows, variables, hidden))]

    def operate(scores: Tensor, x: Tensor) -> Tensor:
        return weigh_variables(scores, x, Tensor(CONTROL))

    return Case(arrays, derive, operate)


def run(case: Case) -> tuple[Array, list[Array], Array]:
    """The operation's output and gradients of sum(output * weights), and these weights."""
    tensors = [Tensor(array.astype(np.float32)).realize() for array in case.arrays]
    output = case.operate(*tensors)
    weights = np.random.default_rng(5).standard_normal(output.shape).astype(np.float32)
    gradients = output.gradient(*tensors, gradient=Tensor(weights))
    Tensor.realize(output, *gradients)
    return output.numpy(), [gradient.numpy() for gradient in gradients], weights


def assert_close(expected: Array, found: Array, tolerance: float) -> None:
    """The largest error is small beside the largest value."""
    assert expected.shape == found.shape
    assert np.abs(expected - found).max() <= tolerance * max(1.0, np.abs(expected).max())


def slope(case: Case, weights: Array, number: int, direction: Array) -> float:
    """Central difference of the derivation in float64 along a direction of one of its arrays."""
    ends: list[float] = []
    for sign in (1e-5, -1e-5):
        arrays = [a + sign * direction if i == number else a for i, a in enumerate(case.arrays)]
        ends.append(float((case.derive(*arrays) * weights).sum()))
    return (ends[0] - ends[1]) / 2e-5


def check_along_random_directions(case: Case) -> None:
    """Output equals the derivation; gradients equal its slopes."""
    output, gradients, weights = run(case)
    assert_close(case.derive(*case.arrays), output, 1e-5)
    random = np.random.default_rng(6)
    for number, gradient in enumerate(gradients):
        direction = random.standard_normal(cast("tuple[int, ...]", gradient.shape))
        expected = slope(case, weights, number, direction)
        assert abs(expected - (gradient * direction).sum()) <= 1e-4 * (np.abs(gradient * direction).sum() + 1e-3)


def generator() -> np.random.Generator:
    """One source of numbers."""
    return np.random.default_rng(3)


SMALL: dict[str, Callable[[], Case]] = {
    "gated residual": lambda: gated_residual_case(GatedResidualSizes(4, 5, 4, groups=2, site=1), 7, 1, generator()),
    "gated residual, projected, context": lambda: gated_residual_case(
        GatedResidualSizes(6, 4, 3, 5, site=2), 3, 4, generator()
    ),
    "gate": lambda: gate_case(9, 6, generator()),
    "lstm": lambda: lstm_case((5, 3), 3, 4, 3),
    "attention": lambda: attention_case(2, 6, AttentionSizes(6, 2, 3, 4, 5), generator()),
    "variable selection": lambda: reals_case(SelectionSizes(2, 4, 6), 3, 2, generator()),
    "variable selection, hidden 1": lambda: reals_case(SelectionSizes(3, 1, 6), 2, 2, generator()),
    "category embedding": lambda: categories_case(6, (4, 3), 5, generator()),
    "selection": lambda: selection_case(5, 3, 17, generator()),
}


@pytest.mark.parametrize("name", SMALL)
def test_every_element(name: str) -> None:
    """The gradient of every single parameter and input, padding included, equals its finite difference."""
    case = SMALL[name]()
    output, gradients, weights = run(case)
    assert_close(case.derive(*case.arrays), output, 1e-5)
    for number, gradient in enumerate(gradients):
        expected = np.zeros(gradient.size)
        for element in range(gradient.size):
            direction = np.zeros(gradient.size)
            direction[element] = 1
            expected[element] = slope(case, weights, number, direction.reshape(gradient.shape))
        assert_close(expected.reshape(gradient.shape), gradient, 2e-5)


@pytest.mark.parametrize("name", SMALL)
def test_plain_form(name: str) -> None:
    """The plain tinygrad form gives the kernel's outputs and gradients, dropout included."""
    output, gradients, _ = run(SMALL[name]())
    with plain_form():
        plain_output, plain_gradients, _ = run(SMALL[name]())
    assert_close(plain_output, output, 1e-5)
    for plain, gradient in zip(plain_gradients, gradients, strict=True):
        assert_close(plain, gradient, 1e-5)


def test_eight_lanes(tmp_path: Path) -> None:
    """Where the processor has AVX-512, the text for all others is tested as well: the compiler leaves AVX-512 out."""
    narrow = tmp_path / "clang"
    narrow.write_text(f'#!/bin/sh\nexec "{os.environ["CC"]}" "$@" -mno-avx512f\n')
    narrow.chmod(0o755)

    def macros(command: str) -> str:
        words = [command, "-march=native", "-dM", "-E", "-x", "c", os.devnull]
        return subprocess.run(words, capture_output=True, check=True, text=True).stdout  # noqa: S603 (the compiler found)

    if "__AVX512F__" not in macros(os.environ["CC"]):
        pytest.skip("this processor has no AVX-512: every other test runs the text with eight lanes")
    assert "__AVX512F__" not in macros(str(narrow))
    others = {name: value for name, value in os.environ.items() if name not in {"CACHEDB", "COVERAGE_PROCESS_START"}}
    words = [sys.executable, "-m", "pytest", "-q", "-n", "0", "--noconftest", "-p", "no:cacheprovider", __file__]
    words += ["-k", "every_element"]
    done = subprocess.run(words, env=others | {"CC": str(narrow)}, capture_output=True, check=False, text=True)  # noqa: S603 (this file)
    assert f"{len(SMALL)} passed" in done.stdout, done.stdout


MANY_SIZES: dict[str, Callable[[], None]] = {}


def with_sizes(*sizes: st.SearchStrategy[int]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Check a layer with two drawings, always the same, and with five in the long form.

    Each drawing compiles kernels of its own, which takes a second or two.
    """

    def decorate(check: Callable[..., None]) -> Callable[..., None]:
        MANY_SIZES[check.__name__] = settings(max_examples=5, deadline=None, derandomize=True)(given(*sizes)(check))
        return settings(max_examples=2, deadline=None, derandomize=True)(given(*sizes)(check))

    return decorate


size = st.integers(1, 33)
# A layer norm over two values is nearly a sign function: where they are close, float32 misses 1e-5 whatever computes it
# (variables 1, hidden 2, contexts 18, repeat 30: 1.3e-5, in the kernel and in the plain form alike).
normed_size = st.sampled_from([1, *range(3, 34)])


@example(1, 3, 5, 2, 1)
@example(16, 7, 9, 7, 61)
@with_sizes(st.integers(1, 16), size, size, size, st.integers(1, 130))
def test_gated_residual_sizes(groups: int, inputs: int, hidden: int, output: int, rows: int) -> None:
    """Any number of networks side by side, of any size, over any number of rows."""
    check_along_random_directions(
        gated_residual_case(
            GatedResidualSizes(inputs, hidden, output, groups=groups, site=groups), rows, 1, generator()
        )
    )


@example(5, 3, 2, 1, 1)
@with_sizes(size, size, size, st.integers(1, 40), st.integers(1, 40))
def test_gated_residual_context_sizes(inputs: int, hidden: int, context: int, contexts: int, repeat: int) -> None:
    """Any context, shared by any number of rows."""
    check_along_random_directions(
        gated_residual_case(GatedResidualSizes(inputs, hidden, inputs, context, site=9), contexts, repeat, generator())
    )


@example(1, 1)
@with_sizes(st.integers(1, 300), st.integers(1, 65))
def test_gate_sizes(rows: int, hidden: int) -> None:
    """Any number of rows of any width; one number wide, the norm is constant and so is the gradient."""
    check_along_random_directions(gate_case(rows, hidden, generator()))


@example(1, 1, 0, 1, 1)
@example(1, 5, 3, 7, 17)
@with_sizes(st.integers(1, 150), st.integers(1, 9), st.integers(0, 9), size, size)
def test_lstm_sizes(batch: int, steps: int, switch: int, inputs: int, hidden: int) -> None:
    """Any batch and length, and a switch anywhere, also before the first or after the last step."""
    check_along_random_directions(lstm_case((steps, switch), batch, inputs, hidden))


@example(1, 1, 1, 1, 1, 1)
@example(1, 9, 4, 3, 5, 15)
@with_sizes(st.integers(1, 70), st.integers(1, 45), st.integers(1, 45), st.integers(1, 4), st.integers(1, 17), size)
def test_attention_sizes(batch: int, steps: int, queries: int, heads: int, depth: int, hidden: int) -> None:  # noqa: PLR0913, PLR0917 (one number a size)
    """Any number of steps, of which any number at the end asks."""
    sizes = AttentionSizes(hidden, heads, depth, min(queries, steps), 5)
    check_along_random_directions(attention_case(batch, steps, sizes, generator()))


@example(1, 1, 1)
@example(1, 16, 7)
@with_sizes(st.integers(1, 300), st.integers(1, 16), st.integers(1, 40))
def test_selection_sizes(rows: int, variables: int, hidden: int) -> None:
    """One to sixteen variables of any width."""
    check_along_random_directions(selection_case(rows, variables, hidden, generator()))


@example(1, 5, 1, 1)
@example(16, 7, 1, 3)
@with_sizes(st.integers(1, 17), normed_size, st.integers(1, 70), st.integers(1, 40))
def test_variable_selection_sizes(variables: int, hidden: int, contexts: int, repeat: int) -> None:
    """One to seventeen variables of any width, any context, shared by any number of rows."""
    check_along_random_directions(reals_case(SelectionSizes(variables, hidden, 6), contexts, repeat, generator()))


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", MANY_SIZES)
def test_many_sizes(name: str) -> None:
    """The long form of each test of sizes."""
    MANY_SIZES[name]()


def test_merged_layers() -> None:
    """Where nothing is dropped, the kernel merges two layers: the same selection as step by step, weights included."""
    sizes, still = SelectionSizes(2, 20, 6), Tensor(np.zeros(4, np.uint32))
    arrays = reals_case(sizes, 50, 12, generator()).arrays
    x = Tensor(generator().standard_normal((600, 2)).astype(np.float32))
    context, *vectors = (Tensor(array.astype(np.float32)) for array in arrays)
    found = [tensor.numpy() for tensor in select_reals(x, context, SelectionParameters(*vectors), sizes, still)]
    with plain_form():
        expected = select_reals(x, context, SelectionParameters(*vectors), sizes, still)
        for plain, tensor in zip(expected, found, strict=True):
            assert_close(plain.numpy(), tensor, 1e-5)
    np.testing.assert_allclose(1.0, found[1].sum(1), rtol=1e-5)


@pytest.mark.parametrize(
    "build",
    [
        pytest.param(lambda: reals_case(SelectionSizes(5, 16, 6), 130, 3, generator()), id="variable selection"),
        pytest.param(lambda: lstm_case((8, 5), 66, 5, 17), id="lstm"),
    ],
)
def test_threads_and_training_change_no_bit(build: Callable[[], Case]) -> None:
    """On one, two, three and five threads, and in training, where the gradient reads what it else computes again."""
    runs: list[list[Array]] = []
    for threads, training in ((1, 0), (2, 0), (3, 1), (5, 1)):
        with thread_count(threads), Context(TRAINING=training):
            output, gradients, _ = run(build())
        runs.append([output, *gradients])
    for other in runs[1:]:
        for expected, found in zip(runs[0], other, strict=True):
            np.testing.assert_array_equal(expected, found)


def test_compiled_ahead() -> None:
    """A kernel named inside the scope is in the cache on leaving it, and works."""
    site = int(np.random.default_rng().integers(2**31))  # a text that no earlier run has compiled
    x, vector = (
        Tensor(generator().standard_normal((7, 5)).astype(np.float32)),
        gated_skip_layout(5).initialise(generator()),
    )
    with compile_ahead():
        found = add_gated(x, x, vector, Tensor(CONTROL), site)
    compiler, calls = Device["CPU"].renderer.compiler, list[str]()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiler, "compile", calls.append)
        array = found.numpy()
    with plain_form():
        assert_close(add_gated(x, x, vector, Tensor(CONTROL), site).numpy(), array, 1e-5)
    assert calls == []


def test_too_large_for_a_stack() -> None:
    """A size whose blocks would not fit on a thread's stack runs in plain tinygrad, by the same call."""
    case, texts = gate_case(2, 600, generator()), list[str]()

    def record(name: str, *_: object) -> None:
        texts.append(name)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("internal.kernels.launch.make_program", record)
        output = case.operate(*[Tensor(array.astype(np.float32)) for array in case.arrays]).numpy()
    assert_close(case.derive(*case.arrays), output, 1e-4)
    assert texts == []


def test_context_refused() -> None:
    """A context for a network that was built for none, and rows that cannot share one, are errors, not garbage."""
    sizes, with_context = GatedResidualSizes(4, 4, 4), GatedResidualSizes(4, 4, 4, context=4)
    vector, x, control = sizes.layout.initialise(generator()), Tensor.ones(6, 1, 4), Tensor(CONTROL)
    with pytest.raises(ValueError, match="context"):
        apply_gated_residual(x, Tensor.ones(6, 4), vector, sizes, control)
    with pytest.raises(ValueError, match="6 rows"):
        apply_gated_residual(x, Tensor.ones(4, 4), vector, with_context, control)
