"""Training: it learns, keeps the best weights, repeats itself bit for bit, and refuses bad windows."""
# tinygrad exports its names without __all__
# pyright: reportPrivateImportUsage=false

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from tinygrad import Tensor

from internal.forecasting.scoring import pinball_loss
from internal.kernels.launch import plain_form
from internal.kernels.threads import thread_count
from internal.networks.parameters import parameter_arrays
from internal.tft.inputs import Windows
from internal.tft.model import TemporalFusionTransformer, TemporalFusionTransformerConfiguration
from internal.tft.prediction import Predictor
from internal.tft.training import TrainingConfiguration, TrainingProgress, fit, make_training_step

MODEL = TemporalFusionTransformerConfiguration(
    observed_variables=("close",),
    known_variables=("day",),
    static_cardinalities=(4, 3),
    hidden_size=8,
    head_count=2,
    dropout=0.05,
    past_length=5,
    horizon=2,
)
BATCH = 64
"""Windows of a batch, the same in all tests: for each number, all kernels are compiled, which takes ten seconds."""
SHORT = TrainingConfiguration(batch_size=BATCH, epochs=1, learning_rate=0.005)


@dataclass
class Batch:
    """What the model takes."""

    past: np.ndarray
    future: np.ndarray
    static: np.ndarray
    target: np.ndarray


@dataclass
class LearnableWindows:
    """Windows whose target follows from the last past step, the future and the category, plus a little noise."""

    whole: Batch

    def __len__(self) -> int:
        return len(self.whole.past)

    def batch(self, indices: np.ndarray) -> Batch:
        """See `internal.tft.inputs.Windows`."""
        w = self.whole
        return Batch(w.past[indices], w.future[indices], w.static[indices], w.target[indices])


def predict(model: TemporalFusionTransformer, windows: Windows, batch_size: int = BATCH) -> np.ndarray:
    """Predict every window once: f32 [window, horizon, quantile]."""
    return Predictor(model, batch_size)(windows)[0]


def evaluate(model: TemporalFusionTransformer, windows: Windows) -> float:
    """The mean quantile loss on the windows."""
    return Predictor(model, BATCH).loss(windows)


def make_windows(count: int, seed: int = 0) -> LearnableWindows:
    """Windows of a problem that can be learnt."""
    random = np.random.default_rng(seed)
    past, future = random.standard_normal((count, 5, 2)), random.standard_normal((count, 2, 1))
    static = np.stack([random.integers(1, 4, count), random.integers(1, 3, count)], 1)
    target = past[:, -1:, 0] + 0.5 * future[:, :, 0] + (static[:, :1] - 2) + 0.1 * random.standard_normal((count, 2))
    return LearnableWindows(
        Batch(past.astype(np.float32), future.astype(np.float32), static.astype(np.int32), target.astype(np.float32))
    )


def weights(model: TemporalFusionTransformer) -> dict[str, np.ndarray]:
    """A copy of every parameter vector."""
    return parameter_arrays(model)


def test_learns() -> None:
    """The loss on unseen windows falls far below that of the best constant quantiles."""
    training, validation = make_windows(1000, 1), make_windows(300, 2)
    constant = np.quantile(training.whole.target, MODEL.quantiles, axis=0).T[None].repeat(300, 0)
    baseline = pinball_loss(validation.whole.target, constant, MODEL.quantiles).mean()
    model = TemporalFusionTransformer(MODEL)
    seen: list[TrainingProgress] = []
    configuration = TrainingConfiguration(batch_size=BATCH, epochs=6, learning_rate=0.02)
    history = fit(model, training, validation, configuration, seen.append)
    assert history.best_validation_loss < 0.4 * baseline
    assert evaluate(model, validation) == pytest.approx(history.best_validation_loss, rel=1e-5)
    covered = predict(model, validation)
    inside = (validation.whole.target >= covered[..., 0]) & (validation.whole.target <= covered[..., 2])
    assert 0.6 < inside.mean() < 0.98
    assert [progress.step for progress in seen] == list(range(1, len(seen) + 1))
    assert (seen[-1].total_steps, seen[0].epoch) == (6 * 16, 0)
    assert seen[-1].windows_per_second > 0
    assert seen[0].loss > seen[-1].loss


def test_same_seed_same_weights() -> None:
    """Two trainings agree bit for bit, on one thread and on three; another seed gives other weights."""
    results: list[dict[str, np.ndarray]] = []
    for threads, seed in ((1, 0), (3, 0), (1, 1)):
        model = TemporalFusionTransformer(MODEL)
        with thread_count(threads):
            fit(model, make_windows(200), make_windows(50, 1), replace(SHORT, seed=seed))
        results.append(weights(model))
    for name, expected in results[0].items():
        np.testing.assert_array_equal(expected, results[1][name], err_msg=name)
    assert any((results[0][name] != results[2][name]).any() for name in results[0])


SMALLEST = replace(MODEL, static_cardinalities=(3,), hidden_size=2, head_count=1, dropout=0.2, past_length=1, horizon=1)


def reports_of_two_steps() -> list[float]:
    """Loss and gradient norm of two training steps of the smallest model; the second loss tells of the first update."""
    random = np.random.default_rng(0)
    shapes = ((3, 1, 2), (3, 1, 1), (3, 1))
    past, future, target = (Tensor(random.standard_normal(shape).astype(np.float32)).realize() for shape in shapes)
    static = Tensor(np.array([[1], [2], [0]], np.int32)).realize()
    step = make_training_step(TemporalFusionTransformer(SMALLEST), TrainingConfiguration(learning_rate=0.05))
    return [number for _ in range(2) for number in step(past, future, static, target)]


@pytest.mark.long
@pytest.mark.timeout(900)
def test_training_without_kernels() -> None:
    """The whole step in plain tinygrad, dropout and Adam included: the same losses, the same gradient norms.

    Long, because tinygrad lowers the whole graph; layer by layer `test_kernels_layers.test_plain_form` says the same.
    """
    expected = reports_of_two_steps()
    with plain_form():
        assert reports_of_two_steps() == pytest.approx(expected, rel=1e-4)
    assert expected[2] < expected[0]


@pytest.mark.long
@pytest.mark.timeout(900)
def test_training_on_another_device() -> None:
    """On a device that runs no C (tinygrad's own interpreter in Python), the same model trains alike."""
    code = "from test_tft_training import reports_of_two_steps; print(*reports_of_two_steps())"
    environment = {name: value for name, value in os.environ.items() if name != "CACHEDB"}
    environment |= {"DEV": "PYTHON", "PYTHONPATH": str(Path(__file__).parent)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=True, text=True)  # noqa: S603 (this file)
    assert [float(word) for word in done.stdout.split()] == pytest.approx(reports_of_two_steps(), rel=1e-4)


def test_early_stopping_keeps_the_best() -> None:
    """With nothing to learn it stops after its patience, and the weights are those of the best epoch."""
    training, validation = make_windows(64, 1), make_windows(64, 2)
    validation.whole.target = -3 * training.whole.target[::-1]
    model = TemporalFusionTransformer(MODEL)
    history = fit(model, training, validation, replace(SHORT, epochs=40, patience=2, learning_rate=0.02))
    assert len(history.validation_losses) < 40
    assert len(history.validation_losses) == history.best_epoch + 3
    assert evaluate(model, validation) == pytest.approx(history.best_validation_loss, rel=1e-5)


def test_unknown_is_trained() -> None:
    """No window has category 0, yet masking trains its row; without masking it stays as it was drawn."""
    for rate, moves in ((0.3, True), (0.0, False)):
        model = TemporalFusionTransformer(MODEL)
        before = weights(model)["static_embedding.parameters"]
        fit(model, make_windows(100), make_windows(30, 1), replace(SHORT, unknown_rate=rate))
        after = weights(model)["static_embedding.parameters"]
        rows = model.static_embedding.layout
        unknown = [rows.unpack(vector)["table"][0, [0, 4], 0] for vector in (before, after)]
        assert (unknown[0] != unknown[1]).all() == moves


@pytest.mark.parametrize("count", [1, 16, 37])
def test_prediction_of_any_number(count: int) -> None:
    """The filled-up last batch changes nothing: each window is predicted as it is alone."""
    model, windows = TemporalFusionTransformer(MODEL), make_windows(count)
    found = predict(model, windows, batch_size=16)
    assert found.shape == (count, 2, 3)
    last = LearnableWindows(windows.batch(np.array([count - 1])))
    np.testing.assert_allclose(predict(model, last)[0], found[-1], atol=1e-6)


def test_prediction_of_none() -> None:
    """No windows, no rows."""
    assert predict(TemporalFusionTransformer(MODEL), make_windows(0)).shape == (0, 2, 3)


@pytest.mark.parametrize(
    ("part", "value", "message"),
    [
        ("past", np.nan, "not finite"),
        ("future", np.inf, "not finite"),
        ("static", 4, "vocabulary"),
        ("target", np.nan, "target"),
    ],
)
def test_bad_windows(part: str, value: float, message: str) -> None:
    """A hole in an input or a category outside its vocabulary is refused before a kernel sees it."""
    windows, model = make_windows(40), TemporalFusionTransformer(MODEL)
    before = weights(model)
    getattr(windows.whole, part)[17] = value
    with pytest.raises(ValueError, match=message):
        fit(model, windows, make_windows(10, 1), SHORT)
    for name, expected in before.items():
        np.testing.assert_array_equal(expected, weights(model)[name])
    if part != "target":
        with pytest.raises(ValueError, match=message):
            predict(model, windows)


def test_wrong_shape_and_nothing() -> None:
    """Windows of another length, and none at all, are refused with what was expected."""
    windows, model = make_windows(40), TemporalFusionTransformer(MODEL)
    windows.whole.past = windows.whole.past[:, 1:]
    with pytest.raises(ValueError, match="shapes"):
        predict(model, windows)
    with pytest.raises(ValueError, match="at least one"):
        fit(model, make_windows(0), make_windows(10), SHORT)
    with pytest.raises(ValueError, match="at least one"):
        fit(model, make_windows(10), make_windows(0), SHORT)


def test_divergence_stops() -> None:
    """A loss that is no number ends training with a word on what to do."""
    windows = make_windows(BATCH)
    windows.whole.target[:] = 3e38
    with pytest.raises(FloatingPointError, match="learning rate"):
        fit(TemporalFusionTransformer(MODEL), windows, make_windows(10), SHORT)


def test_a_predictor_forgets_its_last_batch() -> None:
    """Called again with other windows, in several batches, it answers to the bit as one that is new."""
    model = TemporalFusionTransformer(MODEL)
    many, few = make_windows(70, seed=1), make_windows(11, seed=2)
    used = Predictor(model, 16)
    answers = [used(windows)[0] for windows in (many, few, many)]
    for windows, answer in zip((many, few, many), answers, strict=True):
        assert answer.tobytes() == predict(model, windows, 16).tobytes()


def test_two_threads_predict_at_once() -> None:
    """Each has the answer to its own windows, to the bit, however the two take turns."""
    predictor = Predictor(TemporalFusionTransformer(MODEL), 16)
    asked = [make_windows(64, seed=1), make_windows(64, seed=2)]
    expected = [predictor(windows)[0].tobytes() for windows in asked]

    def ask(place: int) -> bytes:
        return predictor(asked[place % 2])[0].tobytes()

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(ask, range(40)))
    finally:
        sys.setswitchinterval(interval)
    assert answers == expected * 20
