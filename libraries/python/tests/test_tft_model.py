"""The whole model: wiring, gradients, causality, dropout, explanations, seeds, and what it refuses."""
# tinygrad exports its names without __all__ and annotates its methods in part
# pyright: reportPrivateImportUsage=false, reportUnknownMemberType=false

from dataclasses import replace
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tinygrad import Context, Tensor, TinyJit
from tinygrad.nn.state import safe_load, safe_save

from internal.forecasting.scoring import pinball_loss
from internal.kernels.launch import plain_form
from internal.kernels.layout import Layout
from internal.kernels.threads import thread_count
from internal.networks.losses import quantile_loss
from internal.networks.parameters import load_parameters, named_parameters
from internal.tft.model import TemporalFusionTransformer, TemporalFusionTransformerConfiguration

CONFIGURATION = TemporalFusionTransformerConfiguration(
    observed_variables=("close", "volume"),
    known_variables=("day", "month", "holiday"),
    static_cardinalities=(5, 3, 4),
    hidden_size=6,
    head_count=2,
    dropout=0.2,
    past_length=4,
    horizon=3,
    seed=1,
)
Inputs = tuple[np.ndarray, np.ndarray, np.ndarray]
FEW, MANY = 40, 300
"""Windows of a batch. The tests share these numbers: for each, all kernels are compiled, which takes five seconds."""


def inputs(batch: int = 5, seed: int = 2, past_length: int = 4, horizon: int = 3) -> Inputs:
    """Random inputs of the right shapes."""
    random = np.random.default_rng(seed)
    past, future = random.standard_normal((batch, past_length, 5)), random.standard_normal((batch, horizon, 3))
    static = np.stack([random.integers(0, count, batch) for count in CONFIGURATION.static_cardinalities], 1)
    return past.astype(np.float32), future.astype(np.float32), static.astype(np.int32)


def predict(model: TemporalFusionTransformer, arrays: Inputs) -> np.ndarray:
    """Predictions as an array."""
    return np.asarray(model(*map(Tensor, arrays)).numpy())


def layouts(model: TemporalFusionTransformer) -> dict[str, Layout]:
    """The layout of each parameter vector, by its name in the state dictionary."""
    found: dict[str, Layout] = {}
    for name in named_parameters(model):
        found[name] = attrgetter(name.removesuffix(".parameters") + ".layout")(model)
    return found


def test_shape_and_order() -> None:
    """One row of quantiles a session, never crossing, whatever the input."""
    past, future, static = inputs(MANY)
    model = TemporalFusionTransformer(replace(CONFIGURATION, quantiles=(0.05, 0.25, 0.5, 0.75, 0.95)))
    found = predict(model, (30 * past, 30 * future, static))
    assert found.shape == (MANY, 3, 5)
    assert (np.diff(found, axis=-1) >= 0).all()
    assert np.ptp(found) > 0


@pytest.mark.parametrize("training", [0, 1], ids=["still", "dropout"])
def test_every_parameter_has_its_gradient(training: int) -> None:
    """Every matrix of every layer moves the output, and the gradient gives the slope along it, also where units drop.

    Two directions a matrix: the gradient's own, and one with a random sign for every element that the gradient has.
    """
    model = TemporalFusionTransformer(CONFIGURATION)
    tensors, random = list(map(Tensor, inputs(FEW))), np.random.default_rng(3)
    weights, state = random.standard_normal((FEW, 3, 3)), named_parameters(model)
    with Context(TRAINING=training):
        gradients = model(*tensors).gradient(*state.values(), gradient=Tensor(weights.astype(np.float32)))
        forward = TinyJit(lambda: model(*tensors).realize())

        def slope(memory: np.ndarray, direction: np.ndarray, reach: float) -> float:
            start, ends = memory.copy(), list[float]()
            for sign in (reach, -reach):
                memory[:] = start + sign * direction
                ends.append(float((forward().numpy().astype(np.float64) * weights).sum()))
            memory[:] = start
            return (ends[0] - ends[1]) / (2 * reach)

        for (name, parameter), gradient in zip(state.items(), gradients, strict=True):
            found = gradient.numpy().astype(np.float64)
            buffer: Any = parameter.uop.buffer
            memory = np.frombuffer(buffer.as_memoryview(force_zero_copy=True), np.float32)
            layout = layouts(model)[name]
            parts = layout.unpack(found)
            for matrix, part in parts.items():
                assert np.abs(part).max() > 0, f"{name}.{matrix}"
                signs = np.abs(part) * random.choice([-1.0, 1.0], part.shape)
                for direction in (part, signs):
                    zeros = {other: np.zeros_like(array) for other, array in parts.items()}
                    along = layout.pack(zeros | {matrix: direction / np.linalg.norm(direction)}).astype(np.float64)
                    length = np.linalg.norm(part)
                    expected = slope(memory, along, min(0.03, 5e-4 + 1e-3 / length))  # beyond f32's rounding
                    assert expected == pytest.approx((found * along).sum(), abs=0.03 * length), f"{name}.{matrix}"


def test_plain_form_is_the_same_model() -> None:
    """Without kernels the model predicts the same; loops are not unrolled, which would take half of the time."""
    model = TemporalFusionTransformer(replace(CONFIGURATION, past_length=2, horizon=1))
    arrays = inputs(past_length=2, horizon=1)
    expected = predict(model, arrays)
    with plain_form(), Context(NOOPT=1):
        np.testing.assert_allclose(expected, predict(model, arrays), atol=2e-5)


@pytest.mark.parametrize("session", [0, 1, 2])
def test_causality(session: int) -> None:
    """What is known of a session changes its own and later forecasts, and no earlier one, bit for bit."""
    model, (past, future, static) = TemporalFusionTransformer(CONFIGURATION), inputs()
    before = predict(model, (past, future, static))
    poisoned = future.copy()
    poisoned[:, session:] = 1e9
    after = predict(model, (past, poisoned, static))
    np.testing.assert_array_equal(before[:, :session], after[:, :session])
    assert (before[:, session:] != after[:, session:]).any(axis=(0, 2)).all()


@pytest.mark.parametrize("place", [0, 1, 2])
def test_inputs_matter(place: int) -> None:
    """Past, future and static inputs each change the forecast."""
    arrays, other = list(inputs()), inputs(seed=4)
    before = predict(TemporalFusionTransformer(CONFIGURATION), inputs())
    arrays[place] = other[place]
    after = predict(TemporalFusionTransformer(CONFIGURATION), (arrays[0], arrays[1], arrays[2]))
    assert np.abs(before - after).max() > 1e-3


def test_windows_do_not_mix() -> None:
    """A window's forecast does not depend on its neighbours in the batch: among others it is the same, bit for bit."""
    model, arrays, others = TemporalFusionTransformer(CONFIGURATION), inputs(FEW), inputs(FEW, seed=4)
    expected = predict(model, arrays)
    for array, other in zip(arrays, others, strict=True):
        other[7] = array[7]
    found = predict(model, others)
    np.testing.assert_array_equal(expected[7], found[7])
    assert (expected != found).any(axis=(1, 2)).sum() == FEW - 1


def test_dropout_only_in_training() -> None:
    """Inside Context(TRAINING=1) outputs change with the dropout's seed; outside they do not."""
    first, second = TemporalFusionTransformer(CONFIGURATION), TemporalFusionTransformer(CONFIGURATION)
    second.dropout.active.assign(Tensor(np.array([99, int(0.2 * 2**32), 0, 0], np.uint32))).realize()
    np.testing.assert_array_equal(predict(first, inputs()), predict(second, inputs()))
    with Context(TRAINING=1):
        in_training = [predict(model, inputs()) for model in (first, second)]
    assert np.abs(in_training[0] - in_training[1]).max() > 1e-3
    assert np.abs(in_training[0] - predict(first, inputs())).max() > 1e-3


def test_explanation() -> None:
    """Weights are shares that sum to one and move with the input; no attention goes to a later session."""
    model = TemporalFusionTransformer(CONFIGURATION)
    why, other = (model.explain(*map(Tensor, inputs(seed=seed))) for seed in (2, 4))
    np.testing.assert_allclose(predict(model, inputs()), why.prediction.numpy(), atol=1e-6)
    shapes = {"past_weights": (5, 4, 5), "future_weights": (5, 3, 3), "static_weights": (5, 3), "attention": (5, 3, 7)}
    for name, shape in shapes.items():
        found = getattr(why, name).numpy()
        assert found.shape == shape
        np.testing.assert_allclose(1.0, found.sum(-1), atol=1e-5)
        assert np.abs(found - getattr(other, name).numpy()).max() > 1e-4
    ahead = np.arange(7)[None] > np.arange(4, 7)[:, None]
    assert (why.attention.numpy()[:, ahead] == 0).all()
    assert (why.attention.numpy()[:, ~ahead] > 0).all()


def test_seed_and_threads() -> None:
    """The same seed makes the same model; the number of threads changes no bit; another seed makes another model."""
    arrays = inputs(MANY)
    expected = predict(TemporalFusionTransformer(CONFIGURATION), arrays)
    for threads in (1, 2, 5):
        with thread_count(threads):
            np.testing.assert_array_equal(expected, predict(TemporalFusionTransformer(CONFIGURATION), arrays))
    assert (expected != predict(TemporalFusionTransformer(replace(CONFIGURATION, seed=2)), arrays)).any()


def test_save_and_load(tmp_path: Path) -> None:
    """A state dictionary saved as safetensors makes any model of this shape the same model."""
    model, other = TemporalFusionTransformer(CONFIGURATION), TemporalFusionTransformer(replace(CONFIGURATION, seed=9))
    safe_save(named_parameters(model), str(tmp_path / "weights.safetensors"))
    saved = safe_load(tmp_path / "weights.safetensors")
    load_parameters(other, {name: tensor.numpy() for name, tensor in saved.items()})
    np.testing.assert_array_equal(predict(model, inputs()), predict(other, inputs()))


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("hidden_size", 7, "multiple of head_count"),
        ("quantiles", (0.9, 0.5), "do not rise"),
        ("quantiles", (0.0, 0.5), "do not rise"),
        ("quantiles", (), "missing"),
        ("dropout", 1.0, "dropout"),
        ("horizon", 0, "positive"),
        ("known_variables", (), "at least one of each"),
        ("static_cardinalities", (1,), "unknown"),
    ],
)
def test_refused_configurations(field: str, value: object, message: str) -> None:
    """A shape that makes no model is refused with the field's name."""
    with pytest.raises(ValueError, match=message):
        replace(CONFIGURATION, **{field: value})  # pyright: ignore[reportArgumentType]  # wrong on purpose


def test_quantile_loss_by_hand() -> None:
    """Equations 24 and 25: q = 0.9, one below by 2 costs 1.8, one above by 2 costs 0.2; the mean is 1."""
    predicted, target = np.array([[[1.0]], [[5.0]]], np.float32), np.array([[3.0], [3.0]], np.float32)
    assert pinball_loss(target, predicted, (0.9,)).mean() == pytest.approx(1.0)
    assert quantile_loss(Tensor(predicted), Tensor(target), (0.9,)).item() == pytest.approx(1.0)
