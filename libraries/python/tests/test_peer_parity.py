"""Every layer and the whole model against PyTorch with copied weights: outputs, gradients, and dropout's switch.

Needs the dependency group `peers`: `mask benchmarks parity` runs it, and so does `.ci/run`.
"""
# torch is not installed where types are checked (dependency group `peers`); tinygrad is annotated in part
# pyright: reportPrivateImportUsage=false, reportUnknownMemberType=false, reportUnknownLambdaType=false
# pyright: reportUnknownArgumentType=false

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tinygrad import Context, Tensor

from internal.kernels.layout import Layout
from internal.networks.attention import AttentionSizes, InterpretableAttention
from internal.networks.dropout import Dropout
from internal.networks.embeddings import CategoryEmbedding
from internal.networks.gated_residual import GatedResidualNetwork, GatedResidualSizes
from internal.networks.gated_skip import GatedSkip
from internal.networks.losses import quantile_loss
from internal.networks.lstm import EncoderDecoder
from internal.networks.parameters import named_parameters
from internal.networks.quantiles import QuantileHead
from internal.networks.variable_selection import RealVariableSelection, VariableSelection
from internal.tft.model import TemporalFusionTransformer, TemporalFusionTransformerConfiguration

torch = pytest.importorskip("torch", reason="PyTorch is not installed: uv run --group peers pytest -m peer")
peer = pytest.importorskip("benchmarks.peer_tft")
pytestmark = pytest.mark.peer

Array = Any  # a NumPy array; NumPy types its arithmetic as Any
ODD = TemporalFusionTransformerConfiguration(
    observed_variables=("close", "volume"),
    known_variables=("day", "month", "holiday"),
    static_cardinalities=(5, 3, 4),
    hidden_size=21,
    head_count=3,
    past_length=9,
    horizon=4,
    quantiles=(0.05, 0.25, 0.5, 0.9),
    seed=1,
)
PUBLISHED = TemporalFusionTransformerConfiguration(
    observed_variables=tuple("abcdefg"), known_variables=tuple("uvwxyz"), static_cardinalities=(121, 12, 40), seed=2
)
SIXTEEN = replace(
    ODD, known_variables=tuple("abcdefghijklmnop"), observed_variables=("close",), hidden_size=16, head_count=1
)


def generator() -> np.random.Generator:
    """One source of numbers."""
    return np.random.default_rng(3)


def draw(*shape: int) -> Array:
    """Standard normal numbers, f32."""
    return np.random.default_rng(sum(shape)).standard_normal(shape).astype(np.float32)


def shake_parameters(vector: Tensor, layout: Layout) -> Array:
    """A layer's vector with every matrix moved, so that zeros and ones are no special case; the padding stays zero."""
    random = np.random.default_rng(int(vector.numel()))
    moved = {
        name: part + 0.2 * random.standard_normal(part.shape) for name, part in layout.unpack(vector.numpy()).items()
    }
    return layout.pack(moved)


def assert_close(expected: Array, found: Array, tolerance: float) -> None:
    """The largest error is small beside the largest expected value."""
    assert expected.shape == found.shape
    assert np.abs(expected - found).max() <= tolerance * max(float(np.abs(expected).max()), 1e-3)


def compare(
    layers: Sequence[Any],
    ours: Callable[..., Tensor],
    theirs: Callable[..., Any],
    inputs: list[Array],
    data: Sequence[Array] = (),
) -> None:
    """Outputs within 1e-5; gradients of every input and matrix within 1e-4 of the tensor's largest.

    Args:
        layers: those that have the parameters; `theirs` gets the weights of each, then inputs and data.
        ours: takes inputs and data.
        theirs: the same in PyTorch.
        inputs: f32, each gets a gradient.
        data: what gets none.
    """
    layouts = [layer.layout for layer in layers]
    for layer, layout in zip(layers, layouts, strict=True):
        layer.parameters.assign(Tensor(shake_parameters(layer.parameters, layout))).realize()
    tensors = [Tensor(array).realize() for array in inputs]
    output = ours(*tensors, *(Tensor(array).realize() for array in data))
    delta = draw(*(int(size) for size in output.shape))
    vectors = [layer.parameters for layer in layers]
    gradients = output.gradient(*tensors, *vectors, gradient=Tensor(delta))
    Tensor.realize(output, *gradients)

    def matrices(parts: list[Array]) -> list[dict[str, Array]]:
        """By name, for each layer."""
        unpacked = [
            peer.unpack_vectors({"layer": part}, {"layer": one}) for part, one in zip(parts, layouts, strict=True)
        ]
        return [{name.split(".")[-1]: array for name, array in one.items()} for one in unpacked]

    weights = [
        {name: torch.tensor(array, requires_grad=True) for name, array in one.items()}
        for one in matrices([vector.numpy() for vector in vectors])
    ]
    others = [torch.tensor(array, requires_grad=True) for array in inputs]
    answer = theirs(*weights, *others, *map(torch.tensor, data))
    (answer * torch.tensor(delta)).sum().backward()
    assert_close(answer.detach().numpy(), output.numpy(), 1e-5)
    for other, gradient in zip(others, gradients, strict=False):
        assert_close(other.grad.numpy(), gradient.numpy(), 1e-4)
    found = matrices([gradient.numpy() for gradient in gradients[len(tensors) :]])
    for expected, one in zip(weights, found, strict=True):
        for name, weight in expected.items():
            assert_close(weight.grad.numpy(), one[name], 1e-4)


@pytest.mark.parametrize(
    "sizes",
    [
        GatedResidualSizes(64, 64, 64, groups=13),
        GatedResidualSizes(21, 21, 21, groups=4),
        GatedResidualSizes(1, 3, 2),
        GatedResidualSizes(39, 13, 3),
    ],
    ids=str,
)
def test_gated_residual(sizes: GatedResidualSizes) -> None:
    """Several networks side by side, with and without a projected skip."""
    layer = GatedResidualNetwork(sizes, Dropout(0.0, 0), generator())

    def theirs(w: Mapping[str, Any], x: Any) -> Any:  # noqa: ANN401 (torch is optional)
        return peer.gated_residual(w, x.transpose(0, 1), None, 0.0).transpose(0, 1)

    compare([layer], layer, theirs, [draw(77, sizes.groups, sizes.input)])


def test_gated_residual_context() -> None:
    """A context that seven rows in turn share."""
    layer = GatedResidualNetwork(GatedResidualSizes(12, 17, 5, context=9), Dropout(0.0, 0), generator())
    compare(
        [layer],
        layer,
        lambda w, x, context: peer.gated_residual(w, x.transpose(0, 1), context, 0.0).transpose(0, 1),
        [draw(77, 1, 12), draw(11, 9)],
    )


@pytest.mark.parametrize("hidden", [64, 19])
def test_gated_skip(hidden: int) -> None:
    """The gate that closes every block."""
    layer = GatedSkip(hidden, 1, Dropout(0.0, 0), generator())
    compare([layer], layer, lambda w, x, skip: peer.gate(w, x, skip, 0.0), [draw(123, hidden), draw(123, hidden) + 1])


@pytest.mark.parametrize(("batch", "hidden", "past"), [(32, 64, 35), (1, 7, 3)])
def test_encoder_decoder(batch: int, hidden: int, past: int) -> None:
    """PyTorch's own LSTM, once for the past and once for the horizon."""
    layer = EncoderDecoder(hidden, past, Dropout(0.0, 0), generator())
    compare(
        [layer],
        layer,
        lambda w, x, h, c: peer.encode_decode(w, x, (h, c), past),
        [draw(batch, past + 7, hidden), draw(batch, hidden), draw(batch, hidden) / 2],
    )


@pytest.mark.parametrize(("hidden", "heads", "queries"), [(64, 4, 7), (15, 3, 5), (6, 1, 9)])
def test_attention(hidden: int, heads: int, queries: int) -> None:
    """Heads that share their values; the last steps ask, and none looks ahead."""
    sizes = AttentionSizes(hidden, heads, hidden // heads, queries)
    layer = InterpretableAttention(sizes, Dropout(0.0, 0), generator())
    compare([layer], layer, lambda w, x: peer.attend(w, x, queries, heads, 0.0), [draw(9, 9, hidden)])


@pytest.mark.parametrize(("variables", "hidden"), [(3, 64), (1, 5), (16, 9)])
def test_static_selection(variables: int, hidden: int) -> None:
    """Selection over embedded categories, without a context."""
    layer = VariableSelection(variables, hidden, 1, Dropout(0.0, 0), generator())
    compare(
        [layer.variables, layer.weights],
        lambda x: layer(x)[0],
        lambda each, together, x: peer.select(each, together, x.transpose(0, 1), 0.0),
        [draw(33, variables, hidden)],
    )


@pytest.mark.parametrize(("variables", "hidden"), [(13, 64), (1, 5), (16, 9)])
def test_real_selection(variables: int, hidden: int) -> None:
    """Selection over numbers with a context that seven rows in turn share; the numbers are data."""
    layer = RealVariableSelection(variables, hidden, 1, Dropout(0.0, 0), generator())
    compare(
        [layer.embedding, layer.variables, layer.weights],
        lambda context, x: layer(x, context)[0],
        lambda embedding, each, together, context, x: peer.select_reals(embedding, each, together, x, context, 0.0),
        [draw(11, hidden)],
        [draw(77, variables)],
    )


@pytest.mark.parametrize("cardinalities", [(5, 3, 4), (2,)])
def test_category_embedding(cardinalities: tuple[int, ...]) -> None:
    """PyTorch's own lookup, a table a variable one after the other; rows that nobody asks for get no gradient."""
    layer, random = CategoryEmbedding(cardinalities, 7, Dropout(0.0, 0), generator()), generator()
    first = np.cumsum([0, *cardinalities[:-1]])
    indices = np.stack([random.integers(0, max(1, size - 1), 40) for size in cardinalities], 1).astype(np.int32)
    compare(
        [layer],
        layer,
        lambda w, x: torch.nn.functional.embedding(x.long() + torch.tensor(first), w["table"].reshape(-1, 7)),
        [],
        [indices],
    )


@pytest.mark.parametrize("levels", [(0.1, 0.5, 0.9), (0.05, 0.3, 0.6, 0.7)])
def test_quantile_head(levels: tuple[float, ...]) -> None:
    """Steps away from the middle by softplus."""
    layer, middle = QuantileHead(11, levels, generator()), int(np.argmin(np.abs(np.array(levels) - 0.5)))
    compare([layer], layer, lambda w, x: peer.quantiles(w, x, middle), [draw(30, 11)])


def make_shaken_model(configuration: TemporalFusionTransformerConfiguration) -> TemporalFusionTransformer:
    """Our model with every weight moved."""
    model = TemporalFusionTransformer(configuration)
    layouts, state = peer.layouts_of(model), named_parameters(model)
    Tensor.realize(*[vector.assign(Tensor(shake_parameters(vector, layouts[name]))) for name, vector in state.items()])
    return model


def make_batch(configuration: TemporalFusionTransformerConfiguration, count: int) -> tuple[Array, Array, Array, Array]:
    """Past, future, static and target of `count` windows."""
    c, random = configuration, generator()
    known = len(c.known_variables)
    static = np.stack([random.integers(0, size, count) for size in c.static_cardinalities], 1).astype(np.int32)
    past = draw(count, c.past_length, len(c.observed_variables) + known)
    return past, draw(count, c.horizon, known), static, draw(count, c.horizon)


@pytest.mark.parametrize(
    ("configuration", "count"),
    [(PUBLISHED, 48), (ODD, 5), (ODD, 1), (SIXTEEN, 33)],
    ids=["published", "odd", "one", "sixteen"],
)
def test_whole_model(configuration: TemporalFusionTransformerConfiguration, count: int) -> None:
    """Predictions within 1e-5, and the loss's gradient in every matrix within 1e-4 of its largest element."""
    model = make_shaken_model(configuration)
    past, future, static, target = make_batch(configuration, count)
    names, vectors = list(named_parameters(model)), list(named_parameters(model).values())
    predicted = model(Tensor(past), Tensor(future), Tensor(static))
    loss = quantile_loss(predicted, Tensor(target), configuration.quantiles)
    gradients = loss.gradient(*vectors)
    Tensor.realize(predicted, loss, *gradients)

    other = peer.PeerTransformer.of(model).eval().double()  # so that the only rounding is ours
    answer = other(torch.tensor(past).double(), torch.tensor(future).double(), torch.tensor(static))
    levels = torch.tensor(configuration.quantiles, dtype=torch.float64)
    other_loss = peer.quantile_loss(answer, torch.tensor(target), levels)
    other_loss.backward()
    assert_close(answer.detach().numpy(), predicted.numpy(), 1e-5)
    assert loss.item() == pytest.approx(other_loss.item(), rel=1e-5)
    found = dict(zip(names, (gradient.numpy() for gradient in gradients), strict=True))
    matrices = peer.unpack_vectors(found, peer.layouts_of(model))
    assert matrices.keys() == other.by_name.keys()
    largest = max(float(parameter.grad.abs().max()) for parameter in other.by_name.values())
    for name, parameter in other.by_name.items():
        expected = parameter.grad.numpy()
        scale = max(
            float(np.abs(expected).max()), 1e-3 * largest
        )  # below that a gradient is the rounding of larger ones
        assert np.abs(expected - matrices[name]).max() <= 1e-4 * scale, name


def test_dropout_in_training_only() -> None:
    """Ours and theirs answer alike without dropout; in training both change, and only then."""
    model = make_shaken_model(replace(ODD, dropout=0.3))
    arrays = make_batch(ODD, 6)[:3]
    other = peer.PeerTransformer.of(model)
    tensors, others = [Tensor(array) for array in arrays], [torch.tensor(array) for array in arrays]
    still = model(*tensors).numpy()
    with torch.no_grad():
        expected, moved = other.eval()(*others).numpy(), other.train()(*others).numpy()
    with Context(TRAINING=1):
        trained = model(*tensors).numpy()
    assert_close(expected, still, 1e-5)
    assert np.array_equal(still, model(*tensors).numpy())
    assert np.abs(trained - still).max() > 1e-2
    assert np.abs(moved - expected).max() > 1e-2
